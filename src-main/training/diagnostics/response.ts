/** What filters let through at every frequency, not only at those of their own size: the mean of |H(f)|^2 over filters, each of the same energy, on a fine grid. For looking; measures have their own sums. */
import type { FilterBank } from './filterBank.ts';
import { addEnergies, waves, type Waves } from './fourier.ts';

/** Points along an axis. */
const grid = 64;

export interface FilterResponse {
  /** `[size, size]`, frequency (0, 0) in the middle, at row and column size / 2; one step is 1 / size cycles per pixel. */
  readonly energies: Float64Array;
  readonly size: number;
}

export function filterResponse({ filters, inputs, height, width, data }: FilterBank): FilterResponse {
  const energies = new Float64Array(grid * grid);
  const [down, across] = [gridWaves(height), gridWaves(width)];
  const plane = height * width;
  for (let filter = 0; filter < filters; filter++) {
    const weights = data.subarray(filter * inputs * plane, (filter + 1) * inputs * plane);
    const total = weights.reduce((sum, weight) => sum + weight * weight, 0);
    if (total === 0) continue;
    for (let input = 0; input < inputs; input++) addEnergies(energies, weights.subarray(input * plane, (input + 1) * plane), down, across, total);
  }
  return { energies, size: grid };
}

/** Frequency 0 in the middle. */
function gridWaves(size: number): Waves {
  return waves(size, grid, (frequency, place) => (2 * Math.PI * (frequency - grid / 2) * place) / grid);
}
