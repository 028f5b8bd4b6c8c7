/** A linear map along one spatial axis as one matrix product: the axis is brought to the front, everything else lies behind it. */
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { innerAxis } from './layout.ts';
import type { Lowering } from './lowering.ts';
import { featureMap } from './windows.ts';

export const spatialLinear: Lowering<'SpatialLinear'> = (node, { tf, read }) => {
  const x = read(node.inputs[0]!);
  const matrix = read(node.inputs[1]!);
  const { size } = node.attributes;
  // Swapping two axes is its own inverse.
  const swap = [0, 1, 2, 3];
  const axis = innerAxis(node.attributes.axis, 4);
  [swap[0], swap[axis]] = [axis, 0];
  return (run) => {
    const front = tf.transpose(featureMap(x(run)), swap);
    const [length, ...others] = front.shape;
    const rows = tf.reshape(front, [length, front.size / length]);
    const product = tf.matMul(matrix(run) as Tensor2D, rows);
    return [tf.transpose(tf.reshape(product, [size, ...others]), swap)];
  };
};
