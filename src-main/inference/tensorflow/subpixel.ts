/**
 * A strided transposed convolution as one convolution at stride 1 whose outputs are then interleaved. The rows (columns) of the result that leave one remainder by
 * the stride see only the taps of that remainder, so each remainder is a small convolution of its own, and all of them are the channels of one. tfjs's
 * own conv2dTranspose is several times slower on WebAssembly.
 */
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { Size2 } from '../../graph/ops/attributes.ts';
import type { Tensorflow } from './backend.ts';
import type { Weights } from './lowering.ts';

/** Taps per remainder, the most that any has. */
export function subpixelKernel([height, width]: Size2, strides: Size2): Size2 {
  return [Math.ceil(height / strides[0]), Math.ceil(width / strides[1])];
}

/** `[M, C, kh, kw]`, not turned, as the weights of that convolution: `[strides * strides * M, C, ...subpixelKernel]`, row remainder outermost. */
export function subpixelWeights({ shape, data }: Weights, strides: Size2): Weights {
  const [outputs, inputs, height, width] = shape as [number, number, number, number];
  const [rows, columns] = subpixelKernel([height, width], strides);
  const whole = new Float32Array(strides[0] * strides[1] * outputs * inputs * rows * columns);
  data.forEach((value, at) => {
    const [y, x] = [Math.floor(at / width) % height, at % width];
    const plane = Math.floor(at / (height * width));
    const remainder = (y % strides[0]) * strides[1] + (x % strides[1]);
    // The further a tap reaches forward, the earlier the input that it sees.
    const [row, column] = [rows - 1 - Math.floor(y / strides[0]), columns - 1 - Math.floor(x / strides[1])];
    whole[((remainder * outputs * inputs + plane) * rows + row) * columns + column] = value;
  });
  return { shape: [strides[0] * strides[1] * outputs, inputs, rows, columns], data: whole };
}

/** `[N, h, w, strides * strides * M]` of that convolution as `[N, h * stride, w * stride, M]`. */
export function interleaved(tf: Tensorflow, x: Tensor4D, strides: Size2): Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const across = channels / strides[0];
  const rows = tf.transpose(tf.reshape(x, [batch * height, width, strides[0], across]), [0, 2, 1, 3]);
  return tf.reshape(rows, [batch, height * strides[0], width * strides[1], across / strides[1]]);
}
