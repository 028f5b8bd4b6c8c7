/** Ops that move values without changing them, and the sum over axes: each is the tfjs op of the same name with its axes named as they stand inside (layout.ts). */
import { withBatch } from '../../graph/graph.ts';
import { graphAxes, innerAxis, toGraph, toInner } from './layout.ts';
import type { Lowering } from './lowering.ts';
import { featureMap, padded } from './windows.ts';

export const concat: Lowering<'Concat'> = (node, { tf, read, shapeOf }) => {
  const parts = node.inputs.map((name) => read(name));
  const axis = innerAxis(node.attributes.axis, shapeOf(node.inputs[0]!).length);
  return (run) => [parts.length === 1 ? tf.clone(parts[0]!(run)) : tf.concat(parts.map((part) => part(run)), axis)];
};

export const slice: Lowering<'Slice'> = (node, { tf, read, shapeOf }) => {
  const x = read(node.inputs[0]!);
  const { start, end } = node.attributes;
  const axis = innerAxis(node.attributes.axis, shapeOf(node.inputs[0]!).length);
  return (run) => {
    const input = x(run);
    return [tf.slice(input, input.shape.map((_, at) => (at === axis ? start : 0)), input.shape.map((size, at) => (at === axis ? end - start : size)))];
  };
};

export const pad: Lowering<'Pad'> = (node, { tf, read }) => {
  const x = read(node.inputs[0]!);
  return (run) => [tf.clone(padded(tf, featureMap(x(run)), node.attributes.pads, node.attributes.value))];
};

export const reshape: Lowering<'Reshape'> = (node, { tf, read }) => {
  const x = read(node.inputs[0]!);
  return (run) => [toInner(tf, tf.reshape(toGraph(tf, x(run)), withBatch(node.attributes.shape, run.batch)))];
};

export const transpose: Lowering<'Transpose'> = (node, { tf, read }) => {
  const x = read(node.inputs[0]!);
  const { permutation } = node.attributes;
  const rank = permutation.length;
  const inner = graphAxes(rank).map((axis) => innerAxis(permutation[axis]!, rank));
  return (run) => [tf.transpose(x(run), inner)];
};

export const reduceSum: Lowering<'ReduceSum'> = (node, { tf, read, shapeOf }) => {
  const x = read(node.inputs[0]!);
  const rank = shapeOf(node.inputs[0]!).length;
  const axes = node.attributes.axes.map((axis) => innerAxis(axis, rank));
  return (run) => [axes.length === 0 ? tf.clone(x(run)) : tf.sum(x(run), axes, true)];
};
