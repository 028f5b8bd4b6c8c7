/** The gradient of a convolution's weights on tfjs: one matrix product for each kernel position, of what that position saw with the signal. */
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { Lowering } from './lowering.ts';
import { featureMap, windowViews } from './windows.ts';

export const convWeightGradient: Lowering<'ConvWeightGradient'> = (node, { tf, read }) => {
  const x = read(node.inputs[0]!);
  const signal = read(node.inputs[1]!);
  const { kernel, group } = node.attributes;
  return (run) => {
    const input = featureMap(x(run));
    const signals = featureMap(signal(run));
    const [channels, outputs] = [input.shape[3] / group, signals.shape[3] / group];
    const part = (map: Tensor4D, index: number, count: number): Tensor2D => {
      const rows = tf.reshape(map, [-1, map.shape[3]]) as Tensor2D;
      return group === 1 ? rows : tf.slice2d(rows, [0, index * count], [rows.shape[0], count]);
    };
    const parts = Array.from({ length: group }, (_, index) => part(signals, index, outputs));
    const taps = windowViews(tf, input, node.attributes, 0).map((view) =>
      tf.tidy((): Tensor => {
        const seen = view();
        const products = parts.map((each, index) => tf.matMul(each, part(seen, index, channels), true, false));
        return products.length === 1 ? products[0]! : tf.concat(products, 0);
      }),
    );
    // [taps, M, C] to what is held for [M, C, kh, kw]: channels last.
    const stacked = tf.reshape(tf.stack(taps), [kernel[0], kernel[1], outputs * group, channels]);
    return [tf.transpose(stacked, [2, 0, 1, 3])];
  };
};
