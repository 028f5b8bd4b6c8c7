/** Numbers of a projection: extremes, the hull of its non-zero values (method.md section 1, "support"), and the limit of the default scale (section 5). */
import type { Box } from '../../src-shared/domain/geometry.ts';
import type { ProjectionRecord } from '../../src-shared/domain/projection.ts';
import { quantileOfMagnitude } from './display.ts';

export interface Measured {
  readonly numbers: Pick<ProjectionRecord, 'support' | 'absmax' | 'minimum' | 'maximum' | 'quantile'>;
  /** Float32 `[C, rows, columns]` of the support; empty without one. */
  readonly values: Float32Array;
}

/**
 * @param values float32 `[C, rows, columns]` of `box`; everything else in the network input of `size` = [height, width] is zero
 * @param patch the unit's receptive field, clipped to the input: all that the default scale looks at, since the zeros around it say nothing about contrast
 */
export function measure(values: Float32Array, box: Box, size: readonly [number, number], patch: Box): Measured {
  const [rows, columns] = [box[2] - box[0], box[3] - box[1]];
  const channels = values.length / (rows * columns);
  const isWhole = rows === size[0] && columns === size[1];
  let minimum = isWhole ? (values[0] ?? 0) : 0;
  let maximum = minimum;
  let [top, left, bottom, right] = [rows, columns, 0, 0];
  for (let row = 0, at = 0; row < channels * rows; row++) {
    let [first, last] = [columns, -1];
    for (let x = 0; x < columns; x++, at++) {
      const value = values[at]!;
      if (value < minimum) minimum = value;
      if (value > maximum) maximum = value;
      if (value === 0) continue;
      if (last < 0) first = x;
      last = x;
    }
    if (last < 0) continue;
    top = Math.min(top, row % rows);
    bottom = Math.max(bottom, (row % rows) + 1);
    left = Math.min(left, first);
    right = Math.max(right, last + 1);
  }
  if (bottom === 0) return { numbers: { support: null, absmax: 0, minimum: 0, maximum: 0, quantile: 0 }, values: new Float32Array(0) };
  const support: Box = [box[0] + top, box[1] + left, box[0] + bottom, box[1] + right];
  const hull = cut(values, box, support);
  const quantile = quantileOfMagnitude(cut(hull, support, overlap(support, patch)), channels * (patch[2] - patch[0]) * (patch[3] - patch[1]));
  return { numbers: { support, absmax: Math.max(maximum, -minimum), minimum, maximum, quantile }, values: hull };
}

function overlap(a: Box, b: Box): Box {
  const [top, left] = [Math.max(a[0], b[0]), Math.max(a[1], b[1])];
  return [top, left, Math.max(top, Math.min(a[2], b[2])), Math.max(left, Math.min(a[3], b[3]))];
}

/** Cuts a box out of `[C, rows, columns]` of a box that holds it; the values themselves where the boxes are equal. */
export function cut(values: Float32Array, [top, left, bottom, right]: Box, [y0, x0, y1, x1]: Box): Float32Array {
  if (y0 === top && x0 === left && y1 === bottom && x1 === right) return values;
  const [rows, columns] = [bottom - top, right - left];
  const channels = values.length / (rows * columns);
  const result = new Float32Array(channels * (y1 - y0) * (x1 - x0));
  let at = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let y = y0; y < y1; y++) {
      const row = (channel * rows + y - top) * columns - left;
      result.set(values.subarray(row + x0, row + x1), at);
      at += x1 - x0;
    }
  }
  return result;
}

/** Puts a cut box back into `[channels, height, width]` of zeros. */
export function uncut(part: Float32Array, [y0, x0, y1, x1]: Box, channels: number, height: number, width: number): Float32Array {
  const values = new Float32Array(channels * height * width);
  const columns = x1 - x0;
  for (let channel = 0; channel < channels; channel++) {
    for (let y = y0; y < y1; y++) {
      const from = (channel * (y1 - y0) + y - y0) * columns;
      values.set(part.subarray(from, from + columns), (channel * height + y) * width + x0);
    }
  }
  return values;
}
