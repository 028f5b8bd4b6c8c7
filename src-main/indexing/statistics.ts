/**
 * What every channel of a layer did over all ranked images: count, NaN count, min, max, sum, share above 0 and a histogram of scores. All of it is the same
 * under any order and any split of the images, so that parts counted on several machines add up to the bytes of one run. Bins are anchored at 0 with a width
 * that is a power of two, so that widening them merges bins pairwise and ends at the same bins whatever came first. Sums are exact: scores of a like size are
 * added up apart (`sums`), and float64 adds float32 numbers that differ by less than 2^8 without rounding as long as there are fewer than 2^22 of them.
 */
import type { ChannelStatistics } from '../../src-shared/domain/layers.ts';
import type { ScoreRows } from './topList.ts';

/** Bins per channel: half below zero, half from zero up. */
const bins = 64;
const half = bins / 2;
/** Smallest bin width exponent; scores this small are all one bin. */
const smallestExponent = -40;
/** Of every exponent that a float32 can need: computed for each score they took two fifths of this file's time. */
const binWidths = Float64Array.from({ length: 128 - smallestExponent }, (_, step) => 2 ** (smallestExponent + step));

/** One layer's statistics as columns over channels. */
export interface LayerStatistics {
  readonly channels: number;
  readonly count: Float64Array;
  readonly nanCount: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly aboveZero: Float64Array;
  /** log2 of the bin width. */
  readonly exponent: Float64Array;
  /** `channels * bins`. */
  readonly histogram: Float64Array;
  /** `sizes * channels`: sums of the scores whose float32 exponent bits are 8 i to 8 i + 7. */
  readonly sums: Float64Array;
}

const columns = ['count', 'nanCount', 'min', 'max', 'aboveZero', 'exponent'] as const;
/** Classes of magnitude that scores are summed in. */
const sizes = 32;
/** Float64 numbers per channel. */
const width = columns.length + bins + sizes;

export function createStatistics(channels: number): LayerStatistics {
  const column = (value: number) => new Float64Array(channels).fill(value);
  return {
    channels,
    count: column(0),
    nanCount: column(0),
    min: column(Infinity),
    max: column(-Infinity),
    aboveZero: column(0),
    exponent: column(smallestExponent),
    histogram: new Float64Array(channels * bins),
    sums: new Float64Array(sizes * channels),
  };
}

export function addRows(statistics: LayerStatistics, { images, score: scores }: ScoreRows): void {
  const { channels, count, nanCount, min, max, sums, aboveZero, exponent, histogram } = statistics;
  const bits = new Uint32Array(scores.buffer, scores.byteOffset, scores.length);
  // Channel by channel, so that what belongs to one is at hand for all images; and nothing is called with a score, which would be an object each time.
  for (let channel = 0; channel < channels; channel++) {
    const start = channel * bins;
    for (let row = 0; row < images.length; row++) {
      if (images[row]! < 0) continue;
      const at = row * channels + channel;
      // -0 becomes 0: of two equal extremes nobody can tell which came first.
      const score = scores[at]! + 0;
      if (Number.isNaN(score)) {
        nanCount[channel]!++;
        continue;
      }
      count[channel]!++;
      sums[((bits[at]! >>> 26) & (sizes - 1)) * channels + channel]! += score;
      if (score < min[channel]!) min[channel] = score;
      if (score > max[channel]!) max[channel] = score;
      if (score > 0) aboveZero[channel]!++;
      if (!Number.isFinite(score)) continue;
      let bin = Math.floor(score / binWidths[exponent[channel]! - smallestExponent]!);
      while (bin < -half || bin >= half) {
        widen(histogram, start);
        exponent[channel]!++;
        bin = Math.floor(score / binWidths[exponent[channel]! - smallestExponent]!);
      }
      histogram[start + half + bin]!++;
    }
  }
}

/** Doubles the bin width: bin b takes what bins 2b and 2b + 1 held. */
function widen(histogram: Float64Array, start: number): void {
  const merged = new Float64Array(bins);
  for (let bin = -half; bin < half; bin++) merged[half + Math.floor(bin / 2)]! += histogram[start + half + bin]!;
  histogram.set(merged, start);
}

/** Adds what other images did: `into` becomes what it would be if it had seen them too, whichever came first. */
export function addStatistics(into: LayerStatistics, other: LayerStatistics): void {
  if (into.channels !== other.channels) throw new Error(`addStatistics: ${into.channels} and ${other.channels} channels are not the same layer`);
  const histogram = other.histogram.slice();
  for (let channel = 0; channel < into.channels; channel++) {
    into.count[channel]! += other.count[channel]!;
    into.nanCount[channel]! += other.nanCount[channel]!;
    into.aboveZero[channel]! += other.aboveZero[channel]!;
    if (other.min[channel]! < into.min[channel]!) into.min[channel] = other.min[channel]!;
    if (other.max[channel]! > into.max[channel]!) into.max[channel] = other.max[channel]!;
    const start = channel * bins;
    for (let exponent = other.exponent[channel]!; exponent < into.exponent[channel]!; exponent++) widen(histogram, start);
    for (; into.exponent[channel]! < other.exponent[channel]!; into.exponent[channel]!++) widen(into.histogram, start);
    for (let bin = start; bin < start + bins; bin++) into.histogram[bin]! += histogram[bin]!;
  }
  for (let at = 0; at < into.sums.length; at++) into.sums[at]! += other.sums[at]!;
}

/** Mean of a channel's scores, 0 without any. */
export function meanOf({ channels, count, sums }: LayerStatistics, channel: number): number {
  let sum = 0;
  for (let size = 0; size < sizes; size++) sum += sums[size * channels + channel]!;
  return count[channel]! > 0 ? sum / count[channel]! : 0;
}

/** As bytes for the store: little-endian float64 columns, the histogram, then the sums. */
export function packStatistics(statistics: LayerStatistics): Uint8Array {
  const { channels, histogram, sums } = statistics;
  const all = new Float64Array(channels * width);
  columns.forEach((name, index) => all.set(statistics[name], index * channels));
  all.set(histogram, columns.length * channels);
  all.set(sums, (columns.length + bins) * channels);
  return new Uint8Array(all.buffer);
}

export function unpackStatistics(bytes: Uint8Array): LayerStatistics {
  if (bytes.length % (8 * width) !== 0) throw new Error(`${bytes.length} bytes are no layer statistics`);
  const all = new Float64Array(Uint8Array.from(bytes).buffer);
  const channels = all.length / width;
  const part = (from: number, to: number) => all.slice(from * channels, to * channels);
  const [count, nanCount, min, max, aboveZero, exponent] = columns.map((_, index) => part(index, index + 1)) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  return { channels, count, nanCount, min, max, aboveZero, exponent, histogram: part(columns.length, columns.length + bins), sums: part(columns.length + bins, width) };
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
    mean: meanOf(statistics, channel),
    shareAboveZero: count > 0 ? statistics.aboveZero[channel]! / count : 0,
    histogram: lastUsed < 0 ? { from: 0, binWidth, counts: [] } : { from: (firstUsed - half) * binWidth, binWidth, counts: counts.slice(firstUsed, lastUsed + 1) },
  };
}
