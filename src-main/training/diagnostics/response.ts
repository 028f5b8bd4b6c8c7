/** What filters let through at every frequency, not only at those of their own size: the mean of |H(f)|^2 over filters, each of the same energy, on a fine grid. For looking; measures have their own sums. */
import type { FilterBank } from './filterBank.ts';

/** Points along an axis. */
const grid = 64;

export interface FilterResponse {
  /** `[size, size]`, frequency (0, 0) in the middle, at row and column size / 2; one step is 1 / size cycles per pixel. */
  readonly energies: Float64Array;
  readonly size: number;
}

export function filterResponse({ filters, inputs, height, width, data }: FilterBank): FilterResponse {
  const energies = new Float64Array(grid * grid);
  const [rows, columns] = [waves(height), waves(width)];
  const plane = height * width;
  for (let filter = 0; filter < filters; filter++) {
    const weights = data.subarray(filter * inputs * plane, (filter + 1) * inputs * plane);
    const total = weights.reduce((sum, weight) => sum + weight * weight, 0);
    if (total === 0) continue;
    for (let input = 0; input < inputs; input++) addPlane(energies, weights.subarray(input * plane, (input + 1) * plane), rows, columns, total);
  }
  return { energies, size: grid };
}

interface Waves {
  readonly size: number;
  /** `[grid, size]`: of frequency by place. */
  readonly cosine: Float64Array;
  readonly sine: Float64Array;
}

/** Rows first, then columns. */
function addPlane(energies: Float64Array, weights: Float32Array, rows: Waves, columns: Waves, total: number): void {
  const real = new Float64Array(rows.size * grid);
  const imaginary = new Float64Array(rows.size * grid);
  for (let y = 0; y < rows.size; y++) {
    for (let u = 0; u < grid; u++) {
      for (let x = 0; x < columns.size; x++) {
        const weight = weights[y * columns.size + x]!;
        real[y * grid + u]! += weight * columns.cosine[u * columns.size + x]!;
        imaginary[y * grid + u]! -= weight * columns.sine[u * columns.size + x]!;
      }
    }
  }
  for (let v = 0; v < grid; v++) {
    for (let u = 0; u < grid; u++) {
      let [re, im] = [0, 0];
      for (let y = 0; y < rows.size; y++) {
        const [cosine, sine] = [rows.cosine[v * rows.size + y]!, rows.sine[v * rows.size + y]!];
        re += real[y * grid + u]! * cosine + imaginary[y * grid + u]! * sine;
        im += imaginary[y * grid + u]! * cosine - real[y * grid + u]! * sine;
      }
      energies[v * grid + u]! += (re * re + im * im) / total;
    }
  }
}

function waves(size: number): Waves {
  const angles = Float64Array.from({ length: grid * size }, (_, at) => (2 * Math.PI * (Math.floor(at / size) - grid / 2) * (at % size)) / grid);
  return { size, cosine: angles.map(Math.cos), sine: angles.map(Math.sin) };
}
