/**
 * The pattern that a strided layer lays over what the layers above it show. On the way down, each position of layer 1 adds a filter to the pixels, one every `stride` pixels; where the places of the period get
 * unequal sums, a grid of that period appears. The paper (section 4.1) sees such artefacts in layer 2 of a network with 11 x 11 filters at stride 4 and fewer at 7 x 7 and stride 2.
 *
 * The measure: magnitudes are averaged by their place in the period (row modulo stride, column modulo stride), m[p, q], and the share of the energy of m that is not its mean is taken:
 * 1 - mean(m)^2 / mean(m^2). In terms of frequencies, that is the share of the energy at the multiples of 1 / stride cycles per pixel that is not at 0. It is 0 where all places are alike, and 1 - 1 / stride^2 where
 * only one place of the period has anything.
 */
import type { FilterBank } from './filterBank.ts';

export type Strides = readonly [vertical: number, horizontal: number];

/** `[vertical, horizontal]` row-major, mean 1; all zeros where there was nothing. */
export type Phases = Float64Array;

export function unevenness(phases: Phases): number | null {
  const mean = phases.reduce((sum, value) => sum + value, 0) / phases.length;
  const squares = phases.reduce((sum, value) => sum + value * value, 0) / phases.length;
  return squares === 0 ? null : Math.max(0, 1 - (mean * mean) / squares);
}

/** Of the filters alone: the sum of |weights| that falls on each place of the period when every position sends the same down, each filter counting alike. */
export function phasesOfFilters({ filters, inputs, height, width, data }: FilterBank, [vertical, horizontal]: Strides): Phases {
  const sums = new Float64Array(vertical * horizontal);
  const size = inputs * height * width;
  for (let filter = 0; filter < filters; filter++) {
    let total = 0;
    for (let at = filter * size; at < (filter + 1) * size; at++) total += Math.abs(data[at]!);
    if (total === 0) continue;
    for (let at = 0; at < size; at++) {
      const [y, x] = [Math.floor(at / width) % height, at % width];
      sums[(y % vertical) * horizontal + (x % horizontal)]! += Math.abs(data[filter * size + at]!) / total;
    }
  }
  return withMeanOne(sums);
}

/** A projection: float32 `[C, rows, columns]` of a box in the network input. */
export interface PhasedProjection {
  readonly values: Float32Array;
  /** Upper left corner, input pixels. */
  readonly top: number;
  readonly left: number;
  readonly rows: number;
  readonly columns: number;
}

/** Of projections, each counting alike, whatever its contrast. */
export function phasesOfProjections(projections: readonly PhasedProjection[], [vertical, horizontal]: Strides): Phases {
  const sums = new Float64Array(vertical * horizontal);
  for (const { values, top, left, rows, columns } of projections) {
    const strength = new Float64Array(sums.length);
    const counts = new Float64Array(sums.length);
    values.forEach((value, at) => {
      const [y, x] = [top + (Math.floor(at / columns) % rows), left + (at % columns)];
      const place = (y % vertical) * horizontal + (x % horizontal);
      strength[place]! += Math.abs(value);
      counts[place]! += 1;
    });
    // A support smaller than the period says nothing of the places outside.
    if (counts.some((count) => count === 0)) continue;
    const means = withMeanOne(strength.map((sum, place) => sum / counts[place]!));
    means.forEach((mean, place) => (sums[place]! += mean));
  }
  return withMeanOne(sums);
}

function withMeanOne(sums: Float64Array): Phases {
  const mean = sums.reduce((sum, value) => sum + value, 0) / sums.length;
  return mean === 0 ? sums : sums.map((value) => value / mean);
}
