/** Places in the network input. Rows before columns, everywhere; boxes are half-open in input pixels. */

/** [row, column] or [height, width]. */
export type Pair = readonly [number, number];

/** `[y0, x0, y1, x1]`, input pixels, half-open: rows y0..y1-1, columns x0..x1-1. */
export type Box = readonly [y0: number, x0: number, y1: number, x1: number];

/** Receptive field of a layer's units: the window of unit (y, x) starts at `offset + stride * [y, x]` and spans `size` input pixels. */
export interface ReceptiveField {
  readonly size: Pair;
  readonly stride: Pair;
  /** Input row and column where the first unit's window starts; negative with padding. */
  readonly offset: Pair;
}
