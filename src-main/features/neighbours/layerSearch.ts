/**
 * The layers of the index and the search along them (Malkov & Yashunin 2018, algorithms 2 and 5): from row to row by their links, always on from the nearest that
 * was not yet looked at, until nothing nearer can be reached.
 */
import type { Matrix, Metric } from '../matrix.ts';
import type { EqualRows } from './equalRows.ts';
import { createNearestHeap } from './nearestHeap.ts';

export interface NeighbourIndex extends EqualRows {
  readonly metric: Metric;
  /** What distances are measured on: the rows; for cosine, of length 1, with one dimension more that only a row of zeros has. */
  readonly matrix: Matrix;
  /** For each row the highest layer it is on. */
  readonly levels: Uint8Array<ArrayBuffer>;
  /** `[rows, 1 + 2 links]`: how many links, then the rows they lead to, on the lowest layer. */
  readonly base: Int32Array<ArrayBuffer>;
  /** The same for the layers above, `1 + links` each; where a row's begin is in `upperStarts`. */
  readonly upper: Int32Array<ArrayBuffer>;
  readonly upperStarts: Int32Array<ArrayBuffer>;
  /** The row that every search starts from; -1 without rows. */
  readonly entry: number;
}

/** Links of a row on the layers above; twice as many on the lowest (M and Mmax0 of the paper). */
export const links = 16;
export const baseLinks = 2 * links;
/** Rows kept in sight on the layers above: with a single one, a search would not leave the first group of rows that it meets. */
const upperBreadth = 16;

export function linksAt(index: NeighbourIndex, row: number, level: number): number {
  return level === 0 ? row * (1 + baseLinks) : index.upperStarts[row]! + (level - 1) * (1 + links);
}

export type Search = ReturnType<typeof createSearch>;

/** The memory of a search: what was seen, what is still to be looked at (a heap, nearest on top), and the best so far (a sorted list). */
export function createSearch(index: NeighbourIndex, mostBreadth: number) {
  const { matrix } = index;
  const { data, dimensions } = matrix;
  const seen = new Uint32Array(matrix.rows);
  let turn = 0;
  let query: Float32Array = data;
  let queryAt = 0;
  const rows = new Int32Array(mostBreadth);
  const distances = new Float64Array(mostBreadth);
  let count = 0;
  const heap = createNearestHeap();
  const distanceTo = (row: number) => squaredDistance(query, queryAt, data, row * dimensions, dimensions);
  return {
    rows,
    distances,
    count: () => count,
    aimAt(vector: Float32Array, at: number): void {
      query = vector;
      queryAt = at;
    },
    startFrom,
    /** From the entry down to the layer above `level`, leaving in `rows` where the search of that layer starts. */
    descend(level: number): void {
      startFrom(index.entry);
      for (let upper = index.levels[index.entry]!; upper > level; upper--) spread(upper, Math.min(upperBreadth, mostBreadth));
    },
    spread,
  };

  function startFrom(row: number): void {
    rows[0] = row;
    distances[0] = distanceTo(row);
    count = 1;
  }

  /** Algorithm 2: from the rows found so far to the nearest that can be reached on one layer, nearest first in `rows` and `distances`. */
  function spread(level: number, breadth = mostBreadth): void {
    turn++;
    heap.clear();
    for (let at = 0; at < count; at++) {
      seen[rows[at]!] = turn;
      heap.push(distances[at]!, rows[at]!);
    }
    const list = level === 0 ? index.base : index.upper;
    while (heap.size() > 0) {
      if (count === breadth && heap.topKey() > distances[count - 1]!) break;
      const at = linksAt(index, heap.pop(), level);
      const end = at + 1 + list[at]!;
      for (let i = at + 1; i < end; i++) {
        const other = list[i]!;
        if (seen[other] === turn) continue;
        seen[other] = turn;
        const distance = distanceTo(other);
        if (count === breadth && distance >= distances[count - 1]!) continue;
        heap.push(distance, other);
        let place = count < breadth ? count++ : breadth - 1;
        while (place > 0 && distances[place - 1]! > distance) {
          distances[place] = distances[place - 1]!;
          rows[place] = rows[place - 1]!;
          place--;
        }
        distances[place] = distance;
        rows[place] = other;
      }
    }
  }
}

/** Four sums at a time, since each addition waits for the one before. */
export function squaredDistance(a: Float32Array, aAt: number, b: Float32Array, bAt: number, dimensions: number): number {
  let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  let d = 0;
  for (; d + 3 < dimensions; d += 4) {
    const x0 = a[aAt + d]! - b[bAt + d]!;
    const x1 = a[aAt + d + 1]! - b[bAt + d + 1]!;
    const x2 = a[aAt + d + 2]! - b[bAt + d + 2]!;
    const x3 = a[aAt + d + 3]! - b[bAt + d + 3]!;
    s0 += x0 * x0; s1 += x1 * x1; s2 += x2 * x2; s3 += x3 * x3;
  }
  for (; d < dimensions; d++) {
    const x = a[aAt + d]! - b[bAt + d]!;
    s0 += x * x;
  }
  return s0 + s1 + (s2 + s3);
}
