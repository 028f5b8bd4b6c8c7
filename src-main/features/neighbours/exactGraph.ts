/**
 * The k nearest other rows of every row, exact, by Euclidean distance: squares and products of blocks of rows, each pair looked at once. Grows with the square of
 * the rows: 20,000 rows of 50 dimensions take seconds, 100,000 minutes (then neighbourGraph.ts takes the index instead).
 */
import type { Matrix } from '../matrix.ts';
import { productsOfRows, squaredLengths } from '../products.ts';

/** For each row its k nearest others, nearest first, equal distances by row number; k is at most rows - 1. */
export interface NeighbourGraph {
  readonly rows: number;
  readonly k: number;
  /** `[rows, k]` */
  readonly neighbours: Int32Array<ArrayBuffer>;
  /** `[rows, k]` Euclidean */
  readonly distances: Float32Array<ArrayBuffer>;
}

/** So many rows are compared with so many others at a time: their numbers stay in the processor's cache. */
const blockRows = 128;

export function exactNeighbourGraph(matrix: Matrix, wantedK: number, onProgress?: (done: number, total: number) => void): NeighbourGraph {
  const { rows, dimensions } = matrix;
  const k = Math.max(0, Math.min(wantedK, rows - 1));
  if (k === 0) return { rows, k, neighbours: new Int32Array(0), distances: new Float32Array(0) };
  const centred = centredCopy(matrix);
  const squares = squaredLengths(centred, rows, dimensions);
  const neighbours = new Int32Array(rows * k).fill(-1);
  const nearest = new Float64Array(rows * k).fill(Infinity);
  const products = new Float64Array(blockRows * blockRows);
  for (let first = 0; first < rows; first += blockRows) {
    const count = Math.min(blockRows, rows - first);
    for (let other = 0; other <= first; other += blockRows) {
      const otherCount = Math.min(blockRows, rows - other);
      productsOfRows({ data: centred, first, count }, { data: centred, first: other, count: otherCount }, dimensions, products);
      for (let i = 0, at = 0; i < count; i++) {
        const row = first + i;
        // In a block against itself each pair comes twice: only the half before the row is taken.
        const end = Math.min(otherCount, row - other);
        for (let j = 0; j < end; j++) {
          const distance = Math.max(0, squares[row]! + squares[other + j]! - 2 * products[at + j]!);
          if (distance <= nearest[row * k + k - 1]!) offer(neighbours, nearest, row, k, other + j, distance);
          if (distance <= nearest[(other + j) * k + k - 1]!) offer(neighbours, nearest, other + j, k, row, distance);
        }
        at += otherCount;
      }
    }
    const done = first + count;
    onProgress?.(Math.round((done * done) / rows), rows);
  }
  return { rows, k, neighbours, distances: Float32Array.from(nearest, Math.sqrt) };
}

/** Products lose digits where rows are long against their distances: the mean is taken out first. */
function centredCopy({ rows, dimensions, data }: Matrix): Float64Array {
  const mean = new Float64Array(dimensions);
  for (let row = 0, at = 0; row < rows; row++) for (let d = 0; d < dimensions; d++, at++) mean[d] = mean[d]! + data[at]! / rows;
  const centred = new Float64Array(rows * dimensions);
  for (let row = 0, at = 0; row < rows; row++) for (let d = 0; d < dimensions; d++, at++) centred[at] = data[at]! - mean[d]!;
  return centred;
}

/** Into the sorted list of the row, if it is nearer than the last of it, or as near with a lower number. */
function offer(neighbours: Int32Array, nearest: Float64Array, row: number, k: number, other: number, distance: number): void {
  const first = row * k;
  let at = first + k - 1;
  if (distance === nearest[at]! && neighbours[at]! >= 0 && other > neighbours[at]!) return;
  while (at > first && (nearest[at - 1]! > distance || (nearest[at - 1]! === distance && neighbours[at - 1]! > other))) {
    nearest[at] = nearest[at - 1]!;
    neighbours[at] = neighbours[at - 1]!;
    at--;
  }
  nearest[at] = distance;
  neighbours[at] = other;
}
