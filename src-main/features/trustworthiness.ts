/**
 * How far neighbours in a map are neighbours in feature space (Venna & Kaski 2001): 1 if all are; each that is not costs as much as its rank among all rows lies
 * beyond k. On a choice of rows where they are many, each against all.
 */
import { seededNumbers, shuffled } from '../rewrite/training/seededNumbers.ts';
import type { Matrix } from './matrix.ts';
import { nearestOf } from './neighbours/nearestRows.ts';

export const usualTrustNeighbours = 15;

/** `positions [rows, 2]`. `rowsLookedAt`: how many rows stand for all. Null where 2 k >= rows: the measure is not defined there. */
export function trustworthiness(matrix: Matrix, positions: Float32Array, { k = usualTrustNeighbours, rowsLookedAt = 1000, seed = 0 }: { readonly k?: number; readonly rowsLookedAt?: number; readonly seed?: number } = {}): number | null {
  const { rows } = matrix;
  if (2 * k >= rows) return null;
  const chosen = rowsLookedAt >= rows ? Array.from({ length: rows }, (_, row) => row) : shuffled(rows, seededNumbers(seed, 'trust')).subarray(0, rowsLookedAt);
  const map: Matrix = { rows, dimensions: 2, data: positions };
  const squares = new Float64Array(rows);
  let cost = 0;
  for (const row of chosen) {
    const near = nearestOf(map, positions.subarray(2 * row, 2 * row + 2), { k, metric: 'l2', except: row }).rows;
    squaresFrom(matrix, row, squares);
    for (const other of near) cost += Math.max(0, rankOf(other, row, squares) - k);
  }
  return 1 - (2 * cost) / (chosen.length * k * (2 * rows - 3 * k - 1));
}

function squaresFrom({ rows, dimensions, data }: Matrix, row: number, squares: Float64Array): void {
  const from = row * dimensions;
  for (let other = 0, at = 0; other < rows; other++) {
    let sum = 0;
    for (let d = 0; d < dimensions; d++, at++) {
      const difference = data[at]! - data[from + d]!;
      sum += difference * difference;
    }
    squares[other] = sum;
  }
}

/** 1 for the nearest other row; of equally far ones, the lower number comes first. */
function rankOf(other: number, row: number, squares: Float64Array): number {
  const square = squares[other]!;
  let rank = 1;
  for (let i = 0; i < squares.length; i++) if (i !== row && (squares[i]! < square || (squares[i] === square && i < other))) rank++;
  return rank;
}
