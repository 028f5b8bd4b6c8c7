/**
 * Conv and ConvTranspose whose weights are fed or computed, as in training: the filter is brought into tfjs's order in every run. What tfjs cannot do
 * in one convolution (strides beside dilations) is a sum over kernel positions.
 */
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { Lowering } from './lowering.ts';
import { featureMap, padded, spread, windowViews } from './windows.ts';

/** Weights `[M, C/group, kh, kw]` are held as `[M, kh, kw, C/group]` (layout.ts). */
export const convWithComputedWeights: Lowering<'Conv'> = (node, { tf, read }) => {
  const x = read(node.inputs[0]!);
  const weights = read(node.inputs[1]!);
  const bias = node.inputs[2] ? read(node.inputs[2]) : undefined;
  const { strides, dilations, pads, group, kernel } = node.attributes;
  const isStridedAndDilated = Math.max(...strides) > 1 && Math.max(...dilations) > 1;
  return (run) => {
    const input = featureMap(x(run));
    const parts = split(tf, padded(tf, input, pads, 0), group, 3);
    const filters = split(tf, featureMap(weights(run)), group, 0);
    const results = parts.map((part, index): Tensor4D => {
      const filter = filters[index]!;
      if (!isStridedAndDilated) return tf.conv2d(part, tf.transpose(filter, [1, 2, 3, 0]), [...strides], 'valid', 'NHWC', [...dilations]);
      const views = windowViews(tf, part, { ...node.attributes, pads: [0, 0, 0, 0] }, 0);
      return sum(tf, views.map((view, tap) => product(tf, view(), tapOf(tf, filter, tap, kernel[1]), true)));
    });
    const result = joined(tf, results);
    return [bias ? tf.add(result, bias(run)) : result];
  };
};

/** Weights `[C, M/group, kh, kw]` are held as `[C, kh, kw, M/group]`. */
export const convTransposeWithComputedWeights: Lowering<'ConvTranspose'> = (node, { tf, read }) => {
  const x = read(node.inputs[0]!);
  const weights = read(node.inputs[1]!);
  const bias = node.inputs[2] ? read(node.inputs[2]) : undefined;
  const { kernel, strides, dilations, pads, outputPadding, group } = node.attributes;
  const span = [dilations[0] * (kernel[0] - 1), dilations[1] * (kernel[1] - 1)] as const;
  const isPlain = Math.max(...dilations) === 1;
  const hasUnitStride = Math.max(...strides) === 1;
  return (run) => {
    const input = featureMap(x(run));
    const filters = split(tf, featureMap(weights(run)), group, 0);
    const results = split(tf, input, group, 3).map((part, index): Tensor4D => {
      const filter = filters[index]!;
      const [batch, height, width] = part.shape;
      if (hasUnitStride) {
        // The convolution by the turned kernel is the same and far faster on WebAssembly.
        const turned = tf.reverse(tf.transpose(filter, [1, 2, 0, 3]), [0, 1]);
        const around = padded(tf, part, [span[0] - pads[0], span[1] - pads[1], span[0] - pads[2] + outputPadding[0], span[1] - pads[3] + outputPadding[1]], 0);
        return tf.conv2d(around, turned, 1, 'valid', 'NHWC', [...dilations]);
      }
      const size = [strides[0] * (height - 1) + span[0] + 1, strides[1] * (width - 1) + span[1] + 1] as const;
      const whole = isPlain
        ? tf.conv2dTranspose(part, tf.transpose(filter, [1, 2, 3, 0]), [batch, ...size, filter.shape[3]], [...strides], 'valid')
        : sum(tf, Array.from({ length: kernel[0] * kernel[1] }, (_, tap) => {
            const spreadOut = spread(tf, product(tf, part, tapOf(tf, filter, tap, kernel[1]), false), strides);
            const [top, left] = [Math.floor(tap / kernel[1]) * dilations[0], (tap % kernel[1]) * dilations[1]];
            return padded(tf, spreadOut, [top, left, size[0] - top - spreadOut.shape[1], size[1] - left - spreadOut.shape[2]], 0);
          }));
      return padded(tf, whole, [-pads[0], -pads[1], outputPadding[0] - pads[2], outputPadding[1] - pads[3]], 0);
    });
    const result = joined(tf, results);
    return [bias ? tf.add(result, bias(run)) : tf.clone(result)];
  };
};

type Tf = Parameters<typeof padded>[0];

function split(tf: Tf, map: Tensor4D, group: number, axis: number): Tensor4D[] {
  return group === 1 ? [map] : tf.split(map, group, axis);
}

function joined(tf: Tf, parts: readonly Tensor4D[]): Tensor4D {
  return parts.length === 1 ? parts[0]! : tf.concat4d([...parts], 3);
}

function sum(tf: Tf, parts: readonly Tensor4D[]): Tensor4D {
  return parts.reduce((total, part) => tf.add(total, part));
}

/** The weights of one kernel position: `[first, last]` of a filter `[first, kh, kw, last]`. */
function tapOf(tf: Tf, filter: Tensor4D, tap: number, columns: number): Tensor {
  const [first, , , last] = filter.shape;
  return tf.reshape(tf.slice4d(filter, [0, Math.floor(tap / columns), tap % columns, 0], [first, 1, 1, last]), [first, last]);
}

/** Each position's channels times a matrix, or its transpose. */
function product(tf: Tf, map: Tensor4D, matrix: Tensor, transposed: boolean): Tensor4D {
  const [batch, height, width, channels] = map.shape;
  const rows = tf.matMul(tf.reshape(map, [batch * height * width, channels]), matrix, false, transposed);
  return tf.reshape(rows, [batch, height, width, rows.shape[1]!]);
}
