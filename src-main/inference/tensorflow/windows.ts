/** Sliding windows over `[N, H, W, C]` without an op that knows them: padding, cropping, and one strided view per kernel position. */
import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Pads, WindowAttributes } from '../../graph/ops/attributes.ts';
import type { Tensorflow } from './backend.ts';

/** Pads the spatial axes with `value`; a negative pad crops. */
export function padded(tf: Tensorflow, x: Tensor4D, [top, left, bottom, right]: Pads, value: number): Tensor4D {
  const grow = (pad: number) => Math.max(pad, 0);
  const cut = (pad: number) => Math.max(-pad, 0);
  let result = x;
  if (grow(top) + grow(left) + grow(bottom) + grow(right) > 0) {
    result = tf.pad4d(result, [[0, 0], [grow(top), grow(bottom)], [grow(left), grow(right)], [0, 0]], value);
  }
  if (cut(top) + cut(left) + cut(bottom) + cut(right) > 0) {
    const [batch, height, width, channels] = result.shape;
    result = tf.slice4d(result, [0, cut(top), cut(left), 0], [batch, height - cut(top) - cut(bottom), width - cut(left) - cut(right), channels]);
  }
  return result;
}

export function windowCounts(height: number, width: number, { kernel, strides, dilations, pads }: WindowAttributes): [rows: number, columns: number] {
  return [
    Math.floor((height + pads[0] + pads[2] - dilations[0] * (kernel[0] - 1) - 1) / strides[0]) + 1,
    Math.floor((width + pads[1] + pads[3] - dilations[1] * (kernel[1] - 1) - 1) / strides[1]) + 1,
  ];
}

/**
 * For every kernel position in row-major order the values that it sees, `[N, rows, columns, C]`; `fill` stands outside the input.
 * The strides are taken out by folding them into neighbouring axes and slicing: tfjs's own strided slice is many times slower.
 */
export function windowViews(tf: Tensorflow, x: Tensor4D, attributes: WindowAttributes, fill: number): (() => Tensor4D)[] {
  const { kernel, strides, dilations, pads } = attributes;
  const [batch, height, width, channels] = x.shape;
  const [rows, columns] = windowCounts(height, width, attributes);
  const rowBlocks = blocks(rows, kernel[0], strides[0], dilations[0]);
  const columnBlocks = blocks(columns, kernel[1], strides[1], dilations[1]);
  const folded = [rowBlocks * strides[0], columnBlocks * strides[1]] as const;
  const whole = padded(tf, x, [pads[0], pads[1], folded[0] - pads[0] - height, folded[1] - pads[1] - width], fill);
  const byRow: Tensor3D = tf.reshape(whole, [batch, rowBlocks, strides[0] * folded[1] * channels]);
  return Array.from({ length: kernel[0] * kernel[1] }, (_, tap) => () => {
    const y = Math.floor(tap / kernel[1]) * dilations[0];
    const left = (tap % kernel[1]) * dilations[1];
    const line = folded[1] * channels;
    const inRows = tf.slice3d(byRow, [0, Math.floor(y / strides[0]), (y % strides[0]) * line], [batch, rows, line]);
    const byColumn: Tensor3D = tf.reshape(inRows, [batch * rows, columnBlocks, strides[1] * channels]);
    const view = tf.slice3d(byColumn, [0, Math.floor(left / strides[1]), (left % strides[1]) * channels], [batch * rows, columns, channels]);
    return tf.reshape(view, [batch, rows, columns, channels]);
  });
}

/** `[N, h, w, C]` with stride - 1 zeros after every row and column: `[N, h * stride, w * stride, C]`. */
export function spread(tf: Tensorflow, x: Tensor4D, strides: readonly [number, number]): Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const columns = tf.pad3d(tf.reshape(x, [batch * height * width, 1, channels]), [[0, 0], [0, strides[1] - 1], [0, 0]]);
  const rows = tf.pad3d(tf.reshape(columns, [batch * height, 1, width * strides[1] * channels]), [[0, 0], [0, strides[0] - 1], [0, 0]]);
  return tf.reshape(rows, [batch, height * strides[0], width * strides[1], channels]);
}

/** Number of whole strides that reach past the last position any window sees. */
function blocks(count: number, kernel: number, stride: number, dilation: number): number {
  return Math.ceil(((count - 1) * stride + (kernel - 1) * dilation + 1) / stride);
}

/** A rank-4 tensor as its own type; a value of another rank here is a bug of the graph. */
export function featureMap(tensor: Tensor): Tensor4D {
  if (tensor.rank !== 4) throw new Error(`expected a feature map, got [${tensor.shape.join(', ')}]`);
  return tensor as Tensor4D;
}
