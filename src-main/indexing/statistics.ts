/**
 * What every channel of a layer did over all ranked images: count, NaN count, min, max, sum, share above 0 and a histogram of scores. Counts, extremes
 * and bins are the same under any order of images: bins are anchored at 0 with a width that is a power of two, so that widening them merges bins
 * pairwise and ends at the same bins whatever came first. Sums are kept in float64 in row order, so the mean is the same under any split and interruption.
 */
import type { ChannelStatistics } from '../../src-shared/domain/layers.ts';
import type { ScoreRows } from './topList.ts';

/** Bins per channel: half below zero, half from zero up. */
const bins = 64;
const half = bins / 2;
/** Smallest bin width exponent; scores this small are all one bin. */
const smallestExponent = -40;

/** One layer's statistics as columns over channels. */
export interface LayerStatistics {
  readonly channels: number;
  readonly count: Float64Array;
  readonly nanCount: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly sum: Float64Array;
  readonly aboveZero: Float64Array;
  /** log2 of the bin width. */
  readonly exponent: Float64Array;
  /** `channels * bins`. */
  readonly histogram: Float64Array;
}

const columns = ['count', 'nanCount', 'min', 'max', 'sum', 'aboveZero', 'exponent'] as const;

export function createStatistics(channels: number): LayerStatistics {
  const column = (value: number) => new Float64Array(channels).fill(value);
  return {
    channels,
    count: column(0),
    nanCount: column(0),
    min: column(Infinity),
    max: column(-Infinity),
    sum: column(0),
    aboveZero: column(0),
    exponent: column(smallestExponent),
    histogram: new Float64Array(channels * bins),
  };
}

export function addRows(statistics: LayerStatistics, rows: ScoreRows): void {
  const { channels, count, nanCount, min, max, sum, aboveZero } = statistics;
  rows.images.forEach((image, row) => {
    if (image < 0) return;
    for (let channel = 0; channel < channels; channel++) {
      const score = rows.score[row * channels + channel]!;
      if (Number.isNaN(score)) {
        nanCount[channel]!++;
        continue;
      }
      count[channel]!++;
      sum[channel]! += score;
      if (score < min[channel]!) min[channel] = score;
      if (score > max[channel]!) max[channel] = score;
      if (score > 0) aboveZero[channel]!++;
      if (Number.isFinite(score)) countInHistogram(statistics, channel, score);
    }
  });
}

function countInHistogram({ exponent, histogram }: LayerStatistics, channel: number, score: number): void {
  const start = channel * bins;
  let bin = Math.floor(score / 2 ** exponent[channel]!);
  while (bin < -half || bin >= half) {
    widen(histogram, start);
    exponent[channel]!++;
    bin = Math.floor(score / 2 ** exponent[channel]!);
  }
  histogram[start + half + bin]!++;
}

/** Doubles the bin width: bin b takes what bins 2b and 2b + 1 held. */
function widen(histogram: Float64Array, start: number): void {
  const merged = new Float64Array(bins);
  for (let bin = -half; bin < half; bin++) merged[half + Math.floor(bin / 2)]! += histogram[start + half + bin]!;
  histogram.set(merged, start);
}

/** As bytes for the store: little-endian float64 columns, then the histogram. */
export function packStatistics(statistics: LayerStatistics): Uint8Array {
  const { channels } = statistics;
  const all = new Float64Array(channels * (columns.length + bins));
  columns.forEach((name, index) => all.set(statistics[name], index * channels));
  all.set(statistics.histogram, columns.length * channels);
  return new Uint8Array(all.buffer);
}

export function unpackStatistics(bytes: Uint8Array): LayerStatistics {
  if (bytes.length % (8 * (columns.length + bins)) !== 0) throw new Error(`${bytes.length} bytes are no layer statistics`);
  const all = new Float64Array(Uint8Array.from(bytes).buffer);
  const channels = all.length / (columns.length + bins);
  const column = (index: number) => all.slice(index * channels, (index + 1) * channels);
  const [count, nanCount, min, max, sum, aboveZero, exponent] = columns.map((_, index) => column(index)) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  return { channels, count, nanCount, min, max, sum, aboveZero, exponent, histogram: all.slice(columns.length * channels) };
}

/** One channel's numbers for a person; a channel without rows is all zero. Empty bins at both ends are left out. */
export function channelStatistics(statistics: LayerStatistics, channel: number): ChannelStatistics {
  const count = statistics.count[channel]!;
  const counts = [...statistics.histogram.slice(channel * bins, (channel + 1) * bins)];
  const firstUsed = counts.findIndex((value) => value > 0);
  const lastUsed = counts.findLastIndex((value) => value > 0);
  const binWidth = 2 ** statistics.exponent[channel]!;
  return {
    count,
    nanCount: statistics.nanCount[channel]!,
    min: count > 0 ? statistics.min[channel]! : 0,
    max: count > 0 ? statistics.max[channel]! : 0,
    mean: count > 0 ? statistics.sum[channel]! / count : 0,
    shareAboveZero: count > 0 ? statistics.aboveZero[channel]! / count : 0,
    histogram: lastUsed < 0 ? { from: 0, binWidth, counts: [] } : { from: (firstUsed - half) * binWidth, binWidth, counts: counts.slice(firstUsed, lastUsed + 1) },
  };
}
