/** The small pictures that are nearest to one, by their bytes: the same answer as nearestRows gives of the same numbers, without making floats of thirty million bytes for each question. */
import { createPauses } from '../indexing/queries/blocks.ts';
import type { RowFileReader } from '../store/rowFiles.ts';

export interface PixelNeighbours {
  readonly rows: Int32Array;
  readonly distances: Float32Array;
}

export interface PixelQuestion {
  /** Bytes of one row. */
  readonly width: number;
  readonly k: number;
  readonly metric: 'l2' | 'cosine';
  /** A row that is not to be found; -1 for none. */
  readonly except: number;
  readonly signal?: AbortSignal | undefined;
}

/** Rows of about 2 MB, so that the event loop turns in between. */
const blockBytes = 2 ** 21;

/** Nearest first, equal distances by row. */
export async function nearestPixels({ rows, read }: Pick<RowFileReader, 'rows' | 'read'>, query: Uint8Array, { width, k, metric, except, signal }: PixelQuestion): Promise<PixelNeighbours> {
  const distances = new Float64Array(rows);
  const atOnce = Math.max(1, Math.floor(blockBytes / width));
  const pause = createPauses(signal);
  const measure = metric === 'l2' ? squaresOf : anglesOf;
  for (let first = 0; first < rows; first += atOnce) {
    const count = Math.min(atOnce, rows - first);
    measure(await read(first, count), query, width, distances.subarray(first, first + count));
    await pause();
  }
  if (except >= 0) distances[except] = Infinity;
  const order = smallest(distances, Math.min(k, rows - (except >= 0 ? 1 : 0)));
  return { rows: order, distances: Float32Array.from(order, (row) => (metric === 'l2' ? Math.sqrt(distances[row]!) : distances[row]!)) };
}

function squaresOf(block: Uint8Array, query: Uint8Array, width: number, into: Float64Array): void {
  for (let row = 0, at = 0; row < into.length; row++) {
    let sum = 0;
    for (let place = 0; place < width; place++, at++) {
      const difference = block[at]! - query[place]!;
      // Whole numbers below 2^31 for pictures of up to 30,000 bytes, which the engine multiplies as such.
      sum = (sum + difference * difference) | 0;
    }
    into[row] = sum;
  }
}

function anglesOf(block: Uint8Array, query: Uint8Array, width: number, into: Float64Array): void {
  let length = 0;
  for (let place = 0; place < width; place++) length += query[place]! ** 2;
  for (let row = 0, at = 0; row < into.length; row++) {
    let product = 0;
    let squares = 0;
    for (let place = 0; place < width; place++, at++) {
      const value = block[at]!;
      product = (product + value * query[place]!) | 0;
      squares = (squares + value * value) | 0;
    }
    const lengths = Math.sqrt(length) * Math.sqrt(squares);
    into[row] = lengths === 0 ? 1 : Math.max(0, 1 - product / lengths);
  }
}

/** Places of the k smallest values: k is small against their number, so that insertions are rare. */
function smallest(values: Float64Array, k: number): Int32Array {
  const best: number[] = [];
  for (let at = 0; at < values.length && k > 0; at++) {
    if (best.length === k && values[at]! >= values[best[k - 1]!]!) continue;
    let place = best.length === k ? k - 1 : best.length;
    while (place > 0 && values[best[place - 1]!]! > values[at]!) {
      best[place] = best[place - 1]!;
      place--;
    }
    best[place] = at;
  }
  return Int32Array.from(best);
}
