/**
 * Inner products of the rows of two matrices, the one loop that principal components and exact neighbours spend their time in: four rows against four, so that
 * every number that is loaded is used four times. Sums run over the dimensions in order, in double precision, whatever the blocks: the product of a row with
 * itself is the same number wherever it is computed.
 */

/** Either precision; rows lie one after the other. */
export type Numbers = Float32Array | Float64Array;

/** `out[i * columns + j] = a_i . b_j` for `countA` rows of `a` from row `firstA` on, and `countB` of `b`. `columns`: the width of `out`, at least countB. */
export function productsOfRows(
  { data: a, first: firstA, count: countA }: RowRange,
  { data: b, first: firstB, count: countB }: RowRange,
  dimensions: number,
  out: Float64Array,
  columns = countB,
): void {
  for (let i = 0; i < countA; i += 4) {
    // Beyond the last row the last one is taken again; its products are not kept.
    const rowsLeft = Math.min(4, countA - i);
    const a0 = (firstA + i) * dimensions;
    const a1 = rowsLeft > 1 ? a0 + dimensions : a0;
    const a2 = rowsLeft > 2 ? a1 + dimensions : a1;
    const a3 = rowsLeft > 3 ? a2 + dimensions : a2;
    for (let j = 0; j < countB; j += 4) {
      const columnsLeft = Math.min(4, countB - j);
      const b0 = (firstB + j) * dimensions;
      const b1 = columnsLeft > 1 ? b0 + dimensions : b0;
      const b2 = columnsLeft > 2 ? b1 + dimensions : b1;
      const b3 = columnsLeft > 3 ? b2 + dimensions : b2;
      let s00 = 0, s01 = 0, s02 = 0, s03 = 0;
      let s10 = 0, s11 = 0, s12 = 0, s13 = 0;
      let s20 = 0, s21 = 0, s22 = 0, s23 = 0;
      let s30 = 0, s31 = 0, s32 = 0, s33 = 0;
      for (let d = 0; d < dimensions; d++) {
        const x0 = a[a0 + d]!, x1 = a[a1 + d]!, x2 = a[a2 + d]!, x3 = a[a3 + d]!;
        const y0 = b[b0 + d]!, y1 = b[b1 + d]!, y2 = b[b2 + d]!, y3 = b[b3 + d]!;
        s00 += x0 * y0; s01 += x0 * y1; s02 += x0 * y2; s03 += x0 * y3;
        s10 += x1 * y0; s11 += x1 * y1; s12 += x1 * y2; s13 += x1 * y3;
        s20 += x2 * y0; s21 += x2 * y1; s22 += x2 * y2; s23 += x2 * y3;
        s30 += x3 * y0; s31 += x3 * y1; s32 += x3 * y2; s33 += x3 * y3;
      }
      const at = i * columns + j;
      store(out, at, columnsLeft, s00, s01, s02, s03);
      if (rowsLeft > 1) store(out, at + columns, columnsLeft, s10, s11, s12, s13);
      if (rowsLeft > 2) store(out, at + 2 * columns, columnsLeft, s20, s21, s22, s23);
      if (rowsLeft > 3) store(out, at + 3 * columns, columnsLeft, s30, s31, s32, s33);
    }
  }
}

export interface RowRange {
  readonly data: Numbers;
  readonly first: number;
  readonly count: number;
}

/** The squared length of each row, as productsOfRows would have it. */
export function squaredLengths(data: Numbers, rows: number, dimensions: number): Float64Array {
  const squares = new Float64Array(rows);
  for (let row = 0, at = 0; row < rows; row++) {
    let sum = 0;
    for (let d = 0; d < dimensions; d++, at++) sum += data[at]! * data[at]!;
    squares[row] = sum;
  }
  return squares;
}

function store(out: Float64Array, at: number, count: number, first: number, second: number, third: number, fourth: number): void {
  out[at] = first;
  if (count > 1) out[at + 1] = second;
  if (count > 2) out[at + 2] = third;
  if (count > 3) out[at + 3] = fourth;
}
