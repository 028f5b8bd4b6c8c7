/** Numbers of a projection: extremes, and the hull of its non-zero values (method.md section 1, "support"). */
import type { Box } from '../../src-shared/domain/geometry.ts';

export interface Measured {
  readonly support: Box | null;
  readonly absmax: number;
  readonly minimum: number;
  readonly maximum: number;
}

/** `values`: float32 `[C, height, width]`. */
export function measure(values: Float32Array, height: number, width: number): Measured {
  let minimum = values[0] ?? 0;
  let maximum = minimum;
  let [top, left, bottom, right] = [height, width, 0, 0];
  const plane = height * width;
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
    if (value === 0) continue;
    const y = Math.floor((at % plane) / width);
    const x = at % width;
    if (y < top) top = y;
    if (y >= bottom) bottom = y + 1;
    if (x < left) left = x;
    if (x >= right) right = x + 1;
  }
  return { support: bottom > 0 ? [top, left, bottom, right] : null, absmax: Math.max(maximum, -minimum), minimum, maximum };
}

/** Cuts a box out of `[C, height, width]`. */
export function cut(values: Float32Array, height: number, width: number, [y0, x0, y1, x1]: Box): Float32Array {
  const channels = values.length / (height * width);
  const result = new Float32Array(channels * (y1 - y0) * (x1 - x0));
  let at = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let y = y0; y < y1; y++) {
      const row = (channel * height + y) * width;
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
