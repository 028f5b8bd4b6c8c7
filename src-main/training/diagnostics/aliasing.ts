/**
 * What a strided convolution cannot carry: its output has one number every `stride` pixels, so whatever is finer than 1 / (2 stride) cycles per pixel along an axis comes back as a false coarse pattern (the sampling
 * theorem; the paper's section 4.1 sees it with 11 x 11 filters at stride 4). The measure is the share of a filter's energy at such frequencies, with |H(f)|^2 of the filter as a function of continuous frequency, so
 * that small filters, whose own few frequencies are far apart, are measured as well: the energy within a band of +-a is the sum of h(y) h(y') sin(2 pi a (y - y')) / (pi (y - y')) over all pairs of weights, axis by axis.
 */
import type { Strides } from './checkerboard.ts';
import type { FilterBank } from './filterBank.ts';

/** Mean over the filters, each counting alike; null where all are zeros. */
export function aliasedShare({ filters, inputs, height, width, data }: FilterBank, [vertical, horizontal]: Strides): number | null {
  const [rows, columns] = [bandLimit(height, 0.5 / vertical), bandLimit(width, 0.5 / horizontal)];
  const size = height * width;
  const shares: number[] = [];
  for (let filter = 0; filter < filters; filter++) {
    let [within, total] = [0, 0];
    for (let input = 0; input < inputs; input++) {
      const plane = data.subarray((filter * inputs + input) * size, (filter * inputs + input + 1) * size);
      within += energyWithin(plane, height, width, rows, columns);
      total += plane.reduce((sum, weight) => sum + weight * weight, 0);
    }
    if (total > 0) shares.push(1 - within / total);
  }
  if (shares.length === 0) return null;
  // Rounding may leave a hair below 0 where everything is carried.
  return Math.min(1, Math.max(0, shares.reduce((sum, share) => sum + share, 0) / shares.length));
}

function energyWithin(plane: Float32Array, height: number, width: number, rows: Float64Array, columns: Float64Array): number {
  let energy = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let limited = 0;
      for (let v = 0; v < height; v++) {
        let line = 0;
        for (let u = 0; u < width; u++) line += plane[v * width + u]! * columns[Math.abs(x - u)]!;
        limited += line * rows[Math.abs(y - v)]!;
      }
      energy += plane[y * width + x]! * limited;
    }
  }
  return energy;
}

/** The ideal low-pass filter of +-`limit` cycles per pixel, at distances 0 to size - 1. */
function bandLimit(size: number, limit: number): Float64Array {
  return Float64Array.from({ length: size }, (_, distance) => (distance === 0 ? 2 * limit : Math.sin(2 * Math.PI * limit * distance) / (Math.PI * distance)));
}
