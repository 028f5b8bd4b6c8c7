/** What subspace iteration needs of linear algebra: matrices as rows one after the other, in double precision. */
import { productsOfRows, type RowRange } from './products.ts';

export function transposed(data: Float64Array, rows: number, columns: number): Float64Array {
  const turned = new Float64Array(rows * columns);
  for (let row = 0, at = 0; row < rows; row++) for (let column = 0; column < columns; column++, at++) turned[column * rows + row] = data[at]!;
  return turned;
}

/** `sum[i, j] += a_i . b_j`, for rows of this length. */
export function addProducts(sum: Float64Array, a: RowRange, b: RowRange, length: number): void {
  const part = new Float64Array(a.count * b.count);
  productsOfRows(a, b, length, part);
  for (let at = 0; at < part.length; at++) sum[at] = sum[at]! + part[at]!;
}

/** `weights [n, n] x rows [n, length]` */
export function mixedRows(weights: Float64Array, rows: Float64Array, n: number, length: number): Float64Array {
  const mixed = new Float64Array(n * length);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const weight = weights[i * n + j]!;
      for (let d = 0; d < length; d++) mixed[i * length + d] = mixed[i * length + d]! + weight * rows[j * length + d]!;
    }
  }
  return mixed;
}

/** Gram and Schmidt, twice for the sake of rounding. A row that has nothing of its own becomes the first axis that has. */
export function orthonormalize(rows: Float64Array, count: number, length: number): void {
  let nextAxis = 0;
  for (let i = 0; i < count; i++) {
    const row = rows.subarray(i * length, (i + 1) * length);
    for (;;) {
      const before = normOf(row);
      for (let twice = 0; twice < 2; twice++) for (let j = 0; j < i; j++) removeFrom(row, rows.subarray(j * length, (j + 1) * length));
      const after = normOf(row);
      if (after > 1e-10 * before && after > 0) {
        for (let d = 0; d < length; d++) row[d] = row[d]! / after;
        break;
      }
      row.fill(0);
      row[nextAxis++] = 1;
    }
  }
}

function normOf(row: Float64Array): number {
  let sum = 0;
  for (let d = 0; d < row.length; d++) sum += row[d]! * row[d]!;
  return Math.sqrt(sum);
}

function removeFrom(row: Float64Array, unit: Float64Array): void {
  let product = 0;
  for (let d = 0; d < row.length; d++) product += row[d]! * unit[d]!;
  for (let d = 0; d < row.length; d++) row[d] = row[d]! - product * unit[d]!;
}
