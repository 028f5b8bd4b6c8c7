/**
 * Filters by frequency: the discrete Fourier transform of each filter over its own size, without padding, so that the energies of its frequencies add up to the energy of its weights (Parseval). Frequencies are cycles
 * per pixel, 0.5 (the Nyquist frequency) the finest. Energies are summed over input channels; means over filters count each filter alike, however strong it is, and leave out those that are all zeros.
 */
import type { FilterBank } from './filterBank.ts';
import { addEnergies, waves, type Waves } from './fourier.ts';

/** Half of the Nyquist frequency: what is above it counts as high. */
export const lowestHigh = 0.25;
/** Width of the rings of the radial spectrum. */
const ring = 0.05;
/** Against rounding where a frequency lies on a limit. */
const tolerance = 1e-9;

export interface BandShares {
  /** Of the mean alone, of (0, 0.25] and of the rest, by radial frequency; they add up to 1. */
  readonly dc: number;
  readonly low: number;
  readonly high: number;
}

export interface FilterSpectrum {
  /** Null for a filter of zeros. */
  readonly perFilter: readonly (BandShares | null)[];
  /** Over filters that are not all zeros; null where all are. */
  readonly mean: BandShares | null;
  /** Mean shares by ring; `frequency` is the middle of the ring, 0 that of the mean alone. */
  readonly rings: readonly { readonly frequency: number; readonly share: number }[];
}

export function filterSpectrum(bank: FilterBank): FilterSpectrum {
  const { height, width } = bank;
  const rings = new Map<number, number>();
  const perFilter = energiesOf(bank).map((energies): BandShares | null => {
    const total = energies.reduce((sum, energy) => sum + energy, 0);
    if (total === 0) return null;
    const bands = { dc: 0, low: 0, high: 0 };
    energies.forEach((energy, at) => {
      const radius = Math.hypot(frequency(Math.floor(at / width), height), frequency(at % width, width));
      bands[radius === 0 ? 'dc' : radius > lowestHigh + tolerance ? 'high' : 'low'] += energy / total;
      const middle = radius === 0 ? 0 : (Math.floor(radius / ring) + 0.5) * ring;
      rings.set(middle, (rings.get(middle) ?? 0) + energy / total);
    });
    return bands;
  });
  const known = perFilter.filter((bands) => bands !== null);
  const mean = (of: (bands: BandShares) => number) => known.reduce((sum, bands) => sum + of(bands), 0) / known.length;
  return {
    perFilter,
    mean: known.length === 0 ? null : { dc: mean(({ dc }) => dc), low: mean(({ low }) => low), high: mean(({ high }) => high) },
    rings: [...rings].sort(([a], [b]) => a - b).map(([middle, sum]) => ({ frequency: Number(middle.toFixed(3)), share: sum / known.length })),
  };
}

/** |frequency| of a bin, cycles per pixel. */
function frequency(bin: number, size: number): number {
  return Math.min(bin, size - bin) / size;
}

/** Energy by frequency of each filter, `[height, width]`. */
function energiesOf({ filters, inputs, height, width, data }: FilterBank): readonly Float64Array[] {
  const [down, across] = [ownWaves(height), ownWaves(width)];
  const size = height * width;
  return Array.from({ length: filters }, (_, filter) => {
    const energies = new Float64Array(size);
    for (let input = 0; input < inputs; input++) {
      const start = (filter * inputs + input) * size;
      addEnergies(energies, data.subarray(start, start + size), down, across, size);
    }
    return settled(energies);
  });
}

/** What rounding left of nothing is nothing. */
function settled(energies: Float64Array): Float64Array {
  const largest = energies.reduce((most, energy) => Math.max(most, energy), 0);
  return energies.map((energy) => (energy < largest * 1e-12 ? 0 : energy));
}

/** As many frequencies as places. */
function ownWaves(size: number): Waves {
  return waves(size, size, (frequency, place) => (2 * Math.PI * ((frequency * place) % size)) / size);
}
