/**
 * Conv, ConvTranspose and Gemm on tfjs. Its convolutions know no asymmetric pads, no groups, and not strides beside dilations; so pads are put on
 * explicitly, groups are split (or run as depthwise), and a dilated kernel is written out with its zeros where it has to be.
 */
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { OpAttributes, Size2 } from '../../graph/ops/attributes.ts';
import { convTransposeWithComputedWeights, convWithComputedWeights } from './computedWeights.ts';
import { requiredWeights, spatialSize, type CompileContext, type Lowering, type Weights } from './lowering.ts';
import { interleaved, subpixelKernel, subpixelWeights } from './subpixel.ts';
import { featureMap, padded, spread } from './windows.ts';

export const conv: Lowering<'Conv'> = (node, context) => {
  if (!hasConstantWeights(context, node.inputs)) return convWithComputedWeights(node, context);
  const x = context.read(node.inputs[0]!);
  const convolve = convolution(context, requiredWeights(context, node, 1), context.weights(node, node.inputs[2]), node.attributes);
  return (run) => [convolve(featureMap(x(run)))];
};

/**
 * With stride 1, or one channel per group, as a convolution by the turned kernel over the (spread) input; else as a convolution to all remainders by the
 * stride at once (subpixel.ts). Both are far faster on WebAssembly than tfjs's own transposed convolution.
 */
export const convTranspose: Lowering<'ConvTranspose'> = (node, context) => {
  if (!hasConstantWeights(context, node.inputs)) return convTransposeWithComputedWeights(node, context);
  const { tf } = context;
  const { kernel, strides, dilations, pads, outputPadding, group } = node.attributes;
  const x = context.read(node.inputs[0]!);
  const weights = requiredWeights(context, node, 1);
  const bias = context.weights(node, node.inputs[2]);
  const span = [dilations[0] * (kernel[0] - 1), dilations[1] * (kernel[1] - 1)] as const;
  const unitStride = strides[0] === 1 && strides[1] === 1;
  if (unitStride || weights.shape[0] === group) {
    // Spreading leaves stride - 1 zeros after the last row too; they count as padding here.
    const convolve = convolution(context, turned(weights, group), bias, {
      kernel, strides: [1, 1], dilations, group,
      pads: [span[0] - pads[0], span[1] - pads[1], span[0] - pads[2] + outputPadding[0] - strides[0] + 1, span[1] - pads[3] + outputPadding[1] - strides[1] + 1],
    });
    return (run) => [convolve(unitStride ? featureMap(x(run)) : spread(tf, featureMap(x(run)), strides))];
  }
  const [height, width] = spatialSize(context, node.inputs[0]!);
  const groupChannels = weights.shape[0]! / group;
  // Strides of the result that reach behind its last row and column, its padding before the first ones included.
  const [rows, columns] = [0, 1].map((axis) => {
    const size = strides[axis]! * ([height, width][axis]! - 1) + outputPadding[axis]! + span[axis]! + 1 - pads[axis + 2]!;
    return Math.ceil(size / strides[axis]!);
  }) as [number, number];
  const size = [
    strides[0] * (height - 1) + outputPadding[0] + span[0] + 1 - pads[0] - pads[2],
    strides[1] * (width - 1) + outputPadding[1] + span[1] + 1 - pads[1] - pads[3],
  ] as const;
  const convolutions = Array.from({ length: group }, (_, index) => {
    const part = subpixelWeights(written(groupOf(weights, group, index), dilations), strides);
    const taps = subpixelKernel([span[0] + 1, span[1] + 1], strides);
    return convolution(context, part, undefined, { kernel: taps, strides: [1, 1], dilations: [1, 1], group: 1, pads: [taps[0] - 1, taps[1] - 1, rows - height, columns - width] });
  });
  const offset = bias && context.keep(bias.data, bias.shape);
  return (run) => {
    const input = featureMap(x(run));
    const parts = convolutions.map((convolve, index) => interleaved(tf, convolve(channelsOf(context, input, index, groupChannels)), strides));
    const whole = parts.length === 1 ? parts[0]! : tf.concat4d(parts, 3);
    const result = padded(tf, whole, [-pads[0], -pads[1], size[0] + pads[0] - whole.shape[1], size[1] + pads[1] - whole.shape[2]], 0);
    return [offset ? tf.add(result, offset) : tf.clone(result)];
  };
};

export const gemm: Lowering<'Gemm'> = (node, context) => {
  const { tf } = context;
  const a = context.read(node.inputs[0]!);
  const b = context.read(node.inputs[1]!);
  const bias = node.inputs[2] ? context.read(node.inputs[2]) : undefined;
  return (run) => {
    const product = tf.matMul(a(run) as Tensor2D, b(run) as Tensor2D, false, node.attributes.transposeB);
    return [bias ? tf.add(product, bias(run)) : product];
  };
};

/** A convolution with weights `[M, C/group, kh, kw]` in graph order; pads may be negative. The result is a new tensor. */
function convolution(context: CompileContext, weights: Weights, bias: Weights | undefined, attributes: OpAttributes['Conv']): (x: Tensor4D) => Tensor4D {
  const { tf } = context;
  const { strides, dilations, pads, group } = attributes;
  const steps: [number, number] = [strides[0], strides[1]];
  const offset = bias && context.keep(bias.data, bias.shape);
  const withBias = (result: Tensor4D): Tensor4D => (offset ? tf.add<Tensor4D>(result, offset) : result);
  if (group > 1 && weights.shape[1] === 1 && strides[0] === strides[1]) {
    const { data, shape } = depthwiseFilter(written(weights, dilations), group);
    const filter = context.keep(data, shape) as Tensor4D;
    return (x) => withBias(tf.depthwiseConv2d(padded(tf, x, pads, 0), filter, steps, 'valid'));
  }
  const plainStride = strides[0] === 1 && strides[1] === 1;
  const filters = Array.from({ length: group }, (_, index) => {
    const part = firstAxisPart(weights, group, index);
    const { data, shape } = reordered(plainStride ? part : written(part, dilations), [2, 3, 1, 0]);
    return context.keep(data, shape) as Tensor4D;
  });
  const rates: [number, number] = plainStride ? [dilations[0], dilations[1]] : [1, 1];
  if (group === 1) {
    const filter = filters[0]!;
    if (!offset) return (x) => tf.conv2d(padded(tf, x, pads, 0), filter, steps, 'valid', 'NHWC', rates);
    return (x) => tf.fused.conv2d({ x: padded(tf, x, pads, 0), filter, strides: steps, pad: 'valid', dataFormat: 'NHWC', dilations: rates, bias: offset });
  }
  const perGroup = weights.shape[1]!;
  return (x) => {
    const whole = padded(tf, x, pads, 0);
    return withBias(tf.concat4d(filters.map((filter, index) => tf.conv2d(channelsOf(context, whole, index, perGroup), filter, steps, 'valid', 'NHWC', rates)), 3));
  };
}

function hasConstantWeights(context: CompileContext, [, weights, bias]: readonly string[]): boolean {
  return context.isConstant(weights!) && (!bias || context.isConstant(bias));
}

function channelsOf({ tf }: CompileContext, x: Tensor4D, index: number, count: number): Tensor4D {
  const [batch, height, width, channels] = x.shape;
  return count === channels ? x : tf.slice4d(x, [0, 0, 0, index * count], [batch, height, width, count]);
}

/** One of `group` equal parts along the first axis. */
function firstAxisPart({ shape, data }: Weights, group: number, index: number): Weights {
  const length = data.length / group;
  return { shape: [shape[0]! / group, ...shape.slice(1)], data: data.subarray(index * length, (index + 1) * length) };
}

/** Transposed weights `[C, M/group, ...]` of one group as `[M/group, C/group, ...]`, so that both kinds of convolution name outputs first. */
function groupOf(weights: Weights, group: number, index: number): Weights {
  const { shape, data } = firstAxisPart(weights, group, index);
  const [inputs, outputs, height, width] = shape as [number, number, number, number];
  const result = new Float32Array(data.length);
  const area = height * width;
  for (let c = 0; c < inputs; c++) for (let m = 0; m < outputs; m++) result.set(data.subarray((c * outputs + m) * area, (c * outputs + m + 1) * area), (m * inputs + c) * area);
  return { shape: [outputs, inputs, height, width], data: result };
}

/** Transposed weights `[C, M/group, kh, kw]` as those of the convolution that does the same: `[M, C/group, kh, kw]`, kernel turned by 180 degrees. */
function turned(weights: Weights, group: number): Weights {
  const parts = Array.from({ length: group }, (_, index) => groupOf(weights, group, index));
  const [outputs, inputs, height, width] = parts[0]!.shape as [number, number, number, number];
  const data = new Float32Array(weights.data.length);
  const area = height * width;
  parts.forEach((part, index) => part.data.forEach((value, at) => (data[index * part.data.length + at - (at % area) + (area - 1 - (at % area))] = value)));
  return { shape: [outputs * group, inputs, height, width], data };
}

/** A dilated kernel `[A, B, kh, kw]` written out with zeros between its weights. */
function written(weights: Weights, dilations: Size2): Weights {
  const [outputs, inputs, height, width] = weights.shape as [number, number, number, number];
  if (dilations[0] === 1 && dilations[1] === 1) return weights;
  const rows = dilations[0] * (height - 1) + 1;
  const columns = dilations[1] * (width - 1) + 1;
  const data = new Float32Array(outputs * inputs * rows * columns);
  weights.data.forEach((value, at) => {
    const plane = Math.floor(at / (height * width));
    const row = (Math.floor(at / width) % height) * dilations[0];
    data[(plane * rows + row) * columns + (at % width) * dilations[1]] = value;
  });
  return { shape: [outputs, inputs, rows, columns], data };
}

/** Axes in another order. */
function reordered({ shape, data }: Weights, order: readonly number[]): Weights {
  const target = order.map((axis) => shape[axis]!);
  const strides = order.map((axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const result = new Float32Array(data.length);
  let at = 0;
  for (let a = 0; a < target[0]!; a++)
    for (let b = 0; b < target[1]!; b++)
      for (let c = 0; c < target[2]!; c++)
        for (let d = 0; d < target[3]!; d++) result[at++] = data[a * strides[0]! + b * strides[1]! + c * strides[2]! + d * strides[3]!]!;
  return { shape: target, data: result };
}

/** `[C * m, 1, kh, kw]` as tfjs's `[kh, kw, C, m]`. */
function depthwiseFilter(weights: Weights, channels: number): Weights {
  const [outputs, , height, width] = weights.shape as [number, number, number, number];
  return { ...reordered({ shape: [channels, outputs / channels, height, width], data: weights.data }, [2, 3, 0, 1]) };
}

