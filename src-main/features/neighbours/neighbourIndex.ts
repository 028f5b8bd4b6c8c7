/**
 * An index that finds nearly all of the nearest rows without looking at every row: hierarchical navigable small worlds (Malkov & Yashunin 2018). Own code on typed
 * arrays: the native library for this has no ready-made binary for Windows, and one computation on every system is what makes maps the same
 * everywhere. One thread, seeded: the same rows give the same index.
 */
import { seededNumbers } from '../../rewrite/training/seededNumbers.ts';
import { lengthOf, type Matrix, type Metric } from '../matrix.ts';
import { packArrays, unpackArrays } from '../packedArrays.ts';
import { equalRows } from './equalRows.ts';
import { baseLinks, createSearch, links, type NeighbourIndex, type Search } from './layerSearch.ts';
import { linkRow } from './linkRow.ts';
import type { Neighbours } from './nearestRows.ts';

export type { NeighbourIndex };

/** Candidates looked at while a row is linked (efConstruction). */
const buildBreadth = 100;
const highestLevel = 12;

/** `onProgress`: rows linked, of all. Cosine: rows are divided by their lengths first. */
export function buildNeighbourIndex(matrix: Matrix, metric: Metric, seed: number, onProgress?: (done: number, total: number) => void): NeighbourIndex {
  const { rows } = matrix;
  const stored = measuredOn(matrix, metric);
  const random = seededNumbers(seed, 'levels');
  const levels = Uint8Array.from({ length: rows }, () => Math.min(highestLevel, Math.floor(-Math.log(1 - random()) / Math.log(links))));
  const upperStarts = new Int32Array(rows);
  let upperLength = 0;
  for (let row = 0; row < rows; row++) {
    upperStarts[row] = upperLength;
    upperLength += levels[row]! * (1 + links);
  }
  const index = { metric, matrix: stored, levels, base: new Int32Array(rows * (1 + baseLinks)), upper: new Int32Array(upperLength), upperStarts, ...equalRows(stored), entry: rows === 0 ? -1 : 0 };
  const search = createSearch(index, buildBreadth);
  for (let row = 1; row < rows; row++) {
    if (index.firstEqual[row] === row) {
      linkRow(index, row, search);
      if (levels[row]! > levels[index.entry]!) index.entry = row;
    }
    if (row % 1000 === 0) onProgress?.(row, rows);
  }
  onProgress?.(rows, rows);
  return index;
}

/** Nearest first. `breadth`: how many candidates are kept in sight; more finds more of the true neighbours and takes longer. */
export function searchNeighbourIndex(index: NeighbourIndex, query: Float32Array, k: number, breadth = Math.max(100, 2 * k)): Neighbours {
  if (index.entry < 0 || k <= 0) return { rows: new Int32Array(0), distances: new Float32Array(0) };
  const search = createSearch(index, Math.max(k, breadth));
  search.aimAt(measuredOn({ rows: 1, dimensions: query.length, data: query }, index.metric).data, 0);
  search.descend(0);
  search.spread(0);
  return found(index, search, k, -1);
}

/** The index without its rows, to be kept beside them. */
export function indexBytes({ metric, matrix, levels, base, upper, upperStarts, nextEqual, firstEqual, entry }: NeighbourIndex): Uint8Array<ArrayBuffer> {
  return packArrays(nameOfIndex(matrix.rows, metric), [Int32Array.of(entry), levels, base, upper, upperStarts, nextEqual, firstEqual]);
}

/** The index over the same rows again. Throws CONFLICT if the bytes are of another number of rows or another metric, UNREADABLE_FILE if they are broken. */
export function indexFromBytes(bytes: Uint8Array, matrix: Matrix, metric: Metric): NeighbourIndex {
  const [entry, levels, base, upper, upperStarts, nextEqual, firstEqual] = unpackArrays(bytes, nameOfIndex(matrix.rows, metric), 'The kept index of neighbours') as [Words, Uint8Array<ArrayBuffer>, Words, Words, Words, Words, Words];
  return { metric, matrix: measuredOn(matrix, metric), levels, base, upper, upperStarts, nextEqual, firstEqual, entry: entry[0]! };
}

type Words = Int32Array<ArrayBuffer>;

function nameOfIndex(rows: number, metric: Metric): string {
  return `neighbours 1, ${rows} rows, ${metric}, ${links} links`;
}

/** A function that finds the k nearest others of a row of the index; it keeps its memory between calls. */
export function createRowSearcher(index: NeighbourIndex, k: number, breadth = Math.max(100, Math.ceil(1.25 * k) + 1)): (row: number) => Neighbours {
  const search = createSearch(index, breadth);
  return (row) => {
    search.aimAt(index.matrix.data, row * index.matrix.dimensions);
    search.startFrom(index.firstEqual[row]!);
    search.spread(0);
    return found(index, search, k, row);
  };
}

/** The rows that a search found, each followed by those that equal it. */
function found({ metric, nextEqual }: NeighbourIndex, search: Search, k: number, except: number): Neighbours {
  const rows: number[] = [];
  const distances: number[] = [];
  for (let at = 0; at < search.count() && rows.length < k; at++) {
    const distance = metric === 'cosine' ? search.distances[at]! / 2 : Math.sqrt(search.distances[at]!);
    for (let row = search.rows[at]!; row >= 0 && rows.length < k; row = nextEqual[row]!) {
      if (row === except) continue;
      rows.push(row);
      distances.push(distance);
    }
  }
  return { rows: Int32Array.from(rows), distances: Float32Array.from(distances) };
}

/** Half the squared distance of two rows of length 1 is their cosine distance; a row of zeros stands at a right angle to all others, in a dimension of its own. */
function measuredOn(matrix: Matrix, metric: Metric): Matrix {
  if (metric === 'l2') return matrix;
  const { rows, dimensions, data } = matrix;
  const unit = new Float32Array(rows * (dimensions + 1));
  for (let row = 0; row < rows; row++) {
    const from = data.subarray(row * dimensions, (row + 1) * dimensions);
    const length = lengthOf(from);
    const to = row * (dimensions + 1);
    for (let d = 0; d < dimensions; d++) unit[to + d] = length > 0 ? from[d]! / length : 0;
    unit[to + dimensions] = length > 0 ? 0 : 1;
  }
  return { rows, dimensions: dimensions + 1, data: unit };
}
