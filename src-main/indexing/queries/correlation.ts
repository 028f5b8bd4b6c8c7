/**
 * Pearson's correlation of channels over images. Sums run in float64 on scores less the first row, so that large means do not eat small variances. An image with a score that is not finite
 * in any of the channels that are looked at is left out for all of them, so that every number of one answer is over the same images. A channel that always says the same has no correlation: NaN.
 */
import { createPauses } from './blocks.ts';

/** The same images in two layers; both may be the same array. */
export interface PairedBlock {
  readonly rows: number;
  /** Float32 `[rows, channels]` each. */
  readonly left: Float32Array;
  readonly right: Float32Array;
}

export interface Correlations {
  /** Images that count. */
  readonly images: number;
  /** Float32 `[left channels, right channels]`, -1 to 1. */
  readonly values: Float32Array;
}

export interface CorrelationOptions {
  readonly left: number;
  readonly right: number;
  /** Channels of the left layer to look at; all if absent. */
  readonly channel?: number;
  /** Both sides are one layer: half of the work is enough. */
  readonly symmetric?: boolean;
}

/** Rows that are multiplied together: columns of so many numbers stay in the processor's cache. */
const pieceRows = 128;

/** Memory: 12 bytes for each pair of channels (200 MB for 4,096 by 4,096), whatever the number of images. With `channel` the values are `[1, right]`. */
export async function correlate(blocks: AsyncIterable<PairedBlock>, { left, right, channel, symmetric = false }: CorrelationOptions, signal?: AbortSignal): Promise<Correlations> {
  const lefts = channel === undefined ? left : 1;
  const sides = { left: createSide(lefts, left, channel ?? 0), right: createSide(right, right, 0) };
  const products = new Float64Array(lefts * right);
  const pause = createPauses(signal);
  let images = 0;
  for await (const block of blocks) {
    for (let start = 0; start < block.rows; ) {
      const rows: number[] = [];
      for (; start < block.rows && rows.length < pieceRows; start++) if (isFinite(block.left, start, sides.left) && isFinite(block.right, start, sides.right)) rows.push(start);
      if (rows.length === 0) continue;
      takeIn(sides.left, block.left, rows);
      takeIn(sides.right, block.right, rows);
      images += rows.length;
      for (let i = 0; i < lefts; i++) {
        multiply(sides, i, symmetric ? i : 0, rows.length, products);
        await pause();
      }
    }
  }
  return { images, values: normalized(sides, products, images, symmetric) };
}

/** One layer's channels with their sums, and the columns of the piece that is in work. */
interface Side {
  readonly channels: number;
  /** Channels of a row, and the first one that is looked at. */
  readonly stride: number;
  readonly first: number;
  readonly shift: Float64Array;
  shifted: boolean;
  readonly sum: Float64Array;
  readonly squares: Float64Array;
  /** `[channels, pieceRows]`. */
  readonly columns: Float64Array;
}

function createSide(channels: number, stride: number, first: number): Side {
  return { channels, stride, first, shift: new Float64Array(channels), shifted: false, sum: new Float64Array(channels), squares: new Float64Array(channels), columns: new Float64Array(channels * pieceRows) };
}

function isFinite(scores: Float32Array, row: number, { channels, stride, first }: Side): boolean {
  // Zero times anything finite is zero, times the rest NaN.
  let sum = 0;
  for (let at = row * stride + first, end = at + channels; at < end; at++) sum += scores[at]! * 0;
  return sum === 0;
}

function takeIn(side: Side, scores: Float32Array, rows: readonly number[]): void {
  const { channels, stride, first, shift, sum, squares, columns } = side;
  if (!side.shifted) for (let channel = 0; channel < channels; channel++) shift[channel] = scores[rows[0]! * stride + first + channel]!;
  side.shifted = true;
  rows.forEach((row, at) => {
    const start = row * stride + first;
    for (let channel = 0; channel < channels; channel++) {
      const value = scores[start + channel]! - shift[channel]!;
      sum[channel]! += value;
      squares[channel]! += value * value;
      columns[channel * pieceRows + at] = value;
    }
  });
}

/** One left channel with all right ones, four at a time: each of its numbers is fetched once for four products. */
function multiply({ left, right }: { readonly left: Side; readonly right: Side }, i: number, from: number, rows: number, products: Float64Array): void {
  const a = left.columns.subarray(i * pieceRows, i * pieceRows + rows);
  const b = right.columns;
  const out = i * right.channels;
  let j = from;
  for (; j + 3 < right.channels; j += 4) {
    const start = j * pieceRows;
    let sum0 = 0;
    let sum1 = 0;
    let sum2 = 0;
    let sum3 = 0;
    for (let row = 0; row < rows; row++) {
      const value = a[row]!;
      sum0 += value * b[start + row]!;
      sum1 += value * b[start + pieceRows + row]!;
      sum2 += value * b[start + 2 * pieceRows + row]!;
      sum3 += value * b[start + 3 * pieceRows + row]!;
    }
    products[out + j]! += sum0;
    products[out + j + 1]! += sum1;
    products[out + j + 2]! += sum2;
    products[out + j + 3]! += sum3;
  }
  for (; j < right.channels; j++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += a[row]! * b[j * pieceRows + row]!;
    products[out + j]! += sum;
  }
}

function normalized({ left, right }: { readonly left: Side; readonly right: Side }, products: Float64Array, images: number, symmetric: boolean): Float32Array {
  const values = new Float32Array(products.length);
  const deviation = ({ sum, squares }: Side, at: number) => Math.sqrt(squares[at]! - (sum[at]! * sum[at]!) / images);
  const deviations = Float64Array.from({ length: right.channels }, (_, j) => deviation(right, j));
  for (let i = 0; i < left.channels; i++) {
    const own = deviation(left, i);
    for (let j = symmetric ? i : 0; j < right.channels; j++) {
      const at = i * right.channels + j;
      const both = own * deviations[j]!;
      values[at] = both > 0 ? Math.max(-1, Math.min(1, (products[at]! - (left.sum[i]! * right.sum[j]!) / images) / both)) : NaN;
      if (symmetric) values[j * right.channels + i] = values[at]!;
    }
  }
  return values;
}
