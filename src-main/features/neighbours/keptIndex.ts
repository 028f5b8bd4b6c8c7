/**
 * An index of neighbours as bytes, without its rows, beside which it is kept. It carries a fingerprint of the rows that it was built from and one of itself, and every link is checked: bytes that were
 * cut off, changed, or made from other rows are refused, so that no search follows a link into nowhere.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { Matrix, Metric } from '../matrix.ts';
import { packArrays, unpackArrays } from '../packedArrays.ts';
import { baseLinks, links, type NeighbourIndex } from './layerSearch.ts';

type Words = Int32Array<ArrayBuffer>;
type Parts = Pick<NeighbourIndex, 'levels' | 'base' | 'upper' | 'upperStarts' | 'nextEqual' | 'firstEqual' | 'entry'>;

const what = 'The kept index of neighbours';

export function indexBytes({ metric, matrix, levels, base, upper, upperStarts, nextEqual, firstEqual, entry }: NeighbourIndex): Uint8Array<ArrayBuffer> {
  const parts = [Int32Array.of(entry), levels, base, upper, upperStarts, nextEqual, firstEqual];
  return packArrays(nameOf(matrix, metric), [...parts, sealOf(parts)]);
}

/**
 * The index over the same rows again.
 * @param matrix as `measuredRows` gives it
 * @throws AppError CONFLICT if the bytes are of other rows or another metric, UNREADABLE_FILE if they are broken
 */
export function indexFromBytes(bytes: Uint8Array, matrix: Matrix, metric: Metric): NeighbourIndex {
  const arrays = unpackArrays(bytes, nameOf(matrix, metric), what);
  const [entry, levels, base, upper, upperStarts, nextEqual, firstEqual, seal] = arrays as [Words, Uint8Array<ArrayBuffer>, Words, Words, Words, Words, Words, Words];
  const isSealed = arrays.length === 8 && seal.length === 2 && sealOf(arrays.slice(0, 7)).every((word, at) => word === seal[at]);
  const parts: Parts = { levels, base, upper, upperStarts, nextEqual, firstEqual, entry: entry[0] ?? -1 };
  if (!isSealed || !isSound(parts, matrix.rows)) throw new AppError('UNREADABLE_FILE', `${what} is damaged: it has to be built anew.`);
  return { metric, matrix, ...parts };
}

/** Bytes of memory for a search of so many rows: the rows, the index, and what it is read from. */
export function bytesToSearch(rows: number, dimensions: number): number {
  return 4 * rows * dimensions + 2 * bytesToKeep(rows);
}

/** About. One row in `links - 1` stands on a layer above. */
export function bytesToKeep(rows: number): number {
  return Math.ceil(rows * (4 * (1 + baseLinks) + 1 + 3 * 4 + (4 * (1 + links)) / (links - 1)));
}

function nameOf({ rows, dimensions, data }: Matrix, metric: Metric): string {
  return `neighbours 2, ${rows} rows of ${dimensions}, ${metric}, ${links} links, ${hashOf(new Int32Array(data.buffer, data.byteOffset, data.length)).toString(16)}`;
}

function sealOf(parts: readonly ArrayLike<number>[]): Words {
  return Int32Array.of(parts.reduce((sum, part) => Math.imul(sum, 31) ^ hashOf(part), 0), parts.reduce((sum, { length }) => sum + length, 0));
}

/** 32 bits; no protection from malice, which the checks below are. */
function hashOf(words: ArrayLike<number>): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < words.length; at++) hash = Math.imul(hash ^ words[at]!, 0x01000193) ^ (hash >>> 15);
  return hash >>> 0;
}

function isSound({ levels, base, upper, upperStarts, nextEqual, firstEqual, entry }: Parts, rows: number): boolean {
  const isRow = (row: number) => row >= 0 && row < rows;
  if (levels.length !== rows || base.length !== rows * (1 + baseLinks) || upperStarts.length !== rows || nextEqual.length !== rows || firstEqual.length !== rows) return false;
  if (entry !== -1 && !isRow(entry)) return false;
  /** A count at `at`, then as many rows, each on the layer at least. */
  const isList = (list: Words, at: number, most: number, level: number) => {
    const count = list[at]!;
    if (!(count >= 0 && count <= most)) return false;
    for (let i = at + 1; i <= at + count; i++) if (!isRow(list[i]!) || levels[list[i]!]! < level) return false;
    return true;
  };
  let start = 0;
  for (let row = 0; row < rows; row++) {
    if (upperStarts[row] !== start) return false;
    start += levels[row]! * (1 + links);
    // Chains of equal rows rise, so that they end.
    if (nextEqual[row] !== -1 && !(nextEqual[row]! > row && nextEqual[row]! < rows)) return false;
    if (!(firstEqual[row]! >= 0 && firstEqual[row]! <= row)) return false;
  }
  if (upper.length !== start) return false;
  for (let row = 0; row < rows; row++) {
    if (!isList(base, row * (1 + baseLinks), baseLinks, 0)) return false;
    for (let level = 1; level <= levels[row]!; level++) if (!isList(upper, upperStarts[row]! + (level - 1) * (1 + links), links, level)) return false;
  }
  return true;
}
