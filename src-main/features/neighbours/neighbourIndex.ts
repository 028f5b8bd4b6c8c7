/**
 * An index that finds nearly all of the nearest rows without looking at every row: hierarchical navigable small worlds (Malkov & Yashunin 2018). Own code on typed
 * arrays: the native library for this has no ready-made binary for Windows, and one computation on every system is what makes maps the same
 * everywhere. One thread, seeded: the same rows give the same index.
 */
import { seededNumbers } from '../../rewrite/training/seededNumbers.ts';
import type { Matrix, Metric } from '../matrix.ts';
import { equalRows } from './equalRows.ts';
import { baseLinks, createSearch, links, type NeighbourIndex, type Search } from './layerSearch.ts';
import { linkRow } from './linkRow.ts';
import { measuredRows } from './measuredRows.ts';
import type { Neighbours } from './nearestRows.ts';

export type { NeighbourIndex };

/** Candidates looked at while a row is linked (efConstruction). */
const buildBreadth = 100;
const highestLevel = 12;

/** `onProgress`: rows linked, of all. Cosine: rows are divided by their lengths first. */
export function buildNeighbourIndex(matrix: Matrix, metric: Metric, seed: number, onProgress?: (done: number, total: number) => void): NeighbourIndex {
  return indexMeasured(measuredRows(matrix, metric), metric, seed, onProgress);
}

/** The same of rows that are `measuredRows` already. A row with a NaN or an infinity in it is linked to none, and never found. */
export function indexMeasured(matrix: Matrix, metric: Metric, seed: number, onProgress?: (done: number, total: number) => void): NeighbourIndex {
  const { rows, dimensions, data } = matrix;
  const random = seededNumbers(seed, 'levels');
  const levels = Uint8Array.from({ length: rows }, () => Math.min(highestLevel, Math.floor(-Math.log(1 - random()) / Math.log(links))));
  const upperStarts = new Int32Array(rows);
  let upperLength = 0;
  for (let row = 0; row < rows; row++) {
    upperStarts[row] = upperLength;
    upperLength += levels[row]! * (1 + links);
  }
  const isFinite = (row: number) => data.subarray(row * dimensions, (row + 1) * dimensions).every(Number.isFinite);
  const index = { metric, matrix, levels, base: new Int32Array(rows * (1 + baseLinks)), upper: new Int32Array(upperLength), upperStarts, ...equalRows(matrix), entry: -1 };
  const search = createSearch(index, buildBreadth);
  for (let row = 0; row < rows; row++) {
    if (index.firstEqual[row] === row && isFinite(row)) {
      if (index.entry < 0) index.entry = row;
      else {
        linkRow(index, row, search);
        if (levels[row]! > levels[index.entry]!) index.entry = row;
      }
    }
    if (row > 0 && row % 1000 === 0) onProgress?.(row, rows);
  }
  onProgress?.(rows, rows);
  return index;
}

/** Nearest first, without the row `except`. `breadth`: how many candidates are kept in sight; more finds more of the true neighbours and takes longer. */
export function searchNeighbourIndex(index: NeighbourIndex, query: Float32Array, k: number, { breadth = Math.max(100, 2 * k), except = -1 } = {}): Neighbours {
  if (index.entry < 0 || k <= 0 || query.some(Number.isNaN)) return { rows: new Int32Array(0), distances: new Float32Array(0) };
  const search = createSearch(index, Math.max(k + 1, breadth));
  search.aimAt(measuredRows({ rows: 1, dimensions: query.length, data: query }, index.metric).data, 0);
  search.descend(0);
  search.spread(0);
  return found(index, search, k, except);
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
