/** Ops value by value with numpy broadcasting, and the three that normalise. Operands of different rank are aligned before they meet (layout.ts). */
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { OpKind } from '../../graph/ops/attributes.ts';
import type { NodeOf } from '../../graph/graph.ts';
import { innerAxis } from './layout.ts';
import { requiredWeights, type CompileContext, type Lowering, type Read } from './lowering.ts';
import { featureMap } from './windows.ts';

export const pow: Lowering<'Pow'> = (node, { tf, read }) => {
  const x = read(node.inputs[0]!);
  return (run) => [tf.pow(x(run), tf.scalar(node.attributes.exponent))];
};

export const greater: Lowering<'Greater'> = (node, { tf, read }) => {
  const x = read(node.inputs[0]!);
  return (run) => [tf.greater(x(run), tf.scalar(node.attributes.threshold))];
};

export const identity: Lowering<'Identity'> = (node, { tf, read }) => {
  const x = read(node.inputs[0]!);
  return (run) => [tf.clone(x(run))];
};

export const add: Lowering<'Add'> = (node, context) => combined(node, context, (a, b) => context.tf.add(a, b));
export const sub: Lowering<'Sub'> = (node, context) => combined(node, context, (a, b) => context.tf.sub(a, b));
export const mul: Lowering<'Mul'> = (node, context) => combined(node, context, (a, b) => context.tf.mul(a, b));

export const where: Lowering<'Where'> = (node, context) => {
  const [condition, a, b] = broadcastReads(node, context) as [Read, Read, Read];
  return (run) => [context.tf.where(condition(run), a(run), b(run))];
};

/** Folded into one scale and one shift per channel, in float64, when the graph is compiled. */
export const batchNormalization: Lowering<'BatchNormalization'> = (node, context) => {
  const { tf } = context;
  const x = context.read(node.inputs[0]!);
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((index) => requiredWeights(context, node, index).data) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const scales = Float64Array.from(gamma, (value, c) => value / Math.sqrt(variance[c]! + node.attributes.epsilon));
  const shifts = Float64Array.from(beta, (value, c) => value - mean[c]! * scales[c]!);
  const rank = context.shapeOf(node.inputs[0]!).length;
  const shape = Array.from({ length: rank }, (_, axis) => (axis === innerAxis(1, rank) ? gamma.length : 1));
  const scale = context.keep(Float32Array.from(scales), shape);
  const shift = context.keep(Float32Array.from(shifts), shape);
  return (run) => [tf.add(tf.mul(x(run), scale), shift)];
};

/** tfjs knows windows that are as wide below as above; an even size reaches one channel further above and is composed. */
export const lrn: Lowering<'LRN'> = (node, { tf, read }) => {
  const x = read(node.inputs[0]!);
  const { size, alpha, beta, bias } = node.attributes;
  if (size % 2 === 1) return (run) => [tf.localResponseNormalization(featureMap(x(run)), (size - 1) / 2, bias, alpha / size, beta)];
  return (run) => {
    const input = featureMap(x(run));
    const [batch, height, width, channels] = input.shape;
    const squares = tf.pad4d(tf.square(input), [[0, 0], [0, 0], [0, 0], [size / 2 - 1, size / 2]]);
    const sum = Array.from({ length: size }, (_, index) => tf.slice4d(squares, [0, 0, 0, index], [batch, height, width, channels])).reduce((total, part) => tf.add<Tensor4D>(total, part));
    return [tf.div(input, tf.pow(tf.add(tf.mul(sum, tf.scalar(alpha / size)), tf.scalar(bias)), tf.scalar(beta)))];
  };
};

/** tfjs has softmax along the last axis only. */
export const softmax: Lowering<'Softmax'> = (node, { tf, read, shapeOf }) => {
  const x = read(node.inputs[0]!);
  const rank = shapeOf(node.inputs[0]!).length;
  const axis = innerAxis(node.attributes.axis, rank);
  if (axis === rank - 1) return (run) => [tf.softmax(x(run))];
  // Swapping two axes is its own inverse.
  const swap = Array.from({ length: rank }, (_, place) => (place === axis ? rank - 1 : place === rank - 1 ? axis : place));
  return (run) => [tf.transpose(tf.softmax(tf.transpose(x(run), swap)), swap)];
};

function combined(node: NodeOf<OpKind>, context: CompileContext, combine: (a: Tensor, b: Tensor) => Tensor) {
  const [a, b] = broadcastReads(node, context) as [Read, Read];
  return (run: Parameters<Read>[0]) => [combine(a(run), b(run))];
}

function broadcastReads(node: NodeOf<OpKind>, context: CompileContext): Read[] {
  const rank = Math.max(...node.inputs.map((name) => context.shapeOf(name).length));
  return node.inputs.map((name) => context.read(name, rank));
}
