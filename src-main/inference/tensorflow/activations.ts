/** The activation functions on tfjs: its own op where it has one for any parameters, else composed of sums, products and bounds. */
import type { Tensor } from '@tensorflow/tfjs-core';
import type { NodeOf } from '../../graph/graph.ts';
import type { OpKind } from '../../graph/ops/attributes.ts';
import type { Tensorflow } from './backend.ts';
import type { CompileContext, Lowering, Step } from './lowering.ts';

export const relu: Lowering<'Relu'> = (node, context) => mapped(node, context, (x) => context.tf.relu(x));

export const leakyRelu: Lowering<'LeakyRelu'> = (node, context) => mapped(node, context, (x) => context.tf.leakyRelu(x, node.attributes.alpha));

export const clip: Lowering<'Clip'> = (node, context) => mapped(node, context, (x) => bounded(context.tf, context.tf.clone(x), node.attributes.minimum, node.attributes.maximum));

/** Composed, as backends differ in which slopes their own op broadcasts. */
export const prelu: Lowering<'PRelu'> = (node, context) => {
  const { tf } = context;
  const slope = context.read(node.inputs[1]!, context.shapeOf(node.inputs[0]!).length);
  const x = context.read(node.inputs[0]!);
  return (run) => {
    const input = x(run);
    return [tf.add(tf.relu(input), tf.mul(tf.minimum(input, tf.scalar(0)), slope(run)))];
  };
};

/** tfjs's elu has alpha 1; its negative half is scaled apart. */
export const elu: Lowering<'Elu'> = (node, context) => {
  const { tf } = context;
  const { alpha, gamma } = node.attributes;
  return mapped(node, context, (x) => tf.add(tf.mul(tf.relu(x), tf.scalar(gamma)), tf.mul(tf.elu(tf.minimum(x, tf.scalar(0))), tf.scalar(alpha * gamma))));
};

export const thresholdedRelu: Lowering<'ThresholdedRelu'> = (node, context) => {
  const { tf } = context;
  return mapped(node, context, (x) => tf.where(tf.greater(x, tf.scalar(node.attributes.alpha)), x, tf.zerosLike(x)));
};

export const sigmoid: Lowering<'Sigmoid'> = (node, context) => mapped(node, context, (x) => context.tf.sigmoid(x));

export const hardSigmoid: Lowering<'HardSigmoid'> = (node, context) => mapped(node, context, (x) => hard(context.tf, x, node.attributes.alpha, node.attributes.beta));

export const hardSwish: Lowering<'HardSwish'> = (node, context) => mapped(node, context, (x) => context.tf.mul(x, hard(context.tf, x, 1 / 6, 0.5)));

export const tanh: Lowering<'Tanh'> = (node, context) => mapped(node, context, (x) => context.tf.tanh(x));

export const softplus: Lowering<'Softplus'> = (node, context) => mapped(node, context, (x) => context.tf.softplus(x));

export const erf: Lowering<'Erf'> = (node, context) => mapped(node, context, (x) => context.tf.erf(x));

export const log: Lowering<'Log'> = (node, context) => mapped(node, context, (x) => context.tf.log(x));

function mapped(node: NodeOf<OpKind>, context: CompileContext, value: (x: Tensor) => Tensor): Step {
  const x = context.read(node.inputs[0]!);
  return (run) => [value(x(run))];
}

/** min(max(alpha * x + beta, 0), 1). */
function hard(tf: Tensorflow, x: Tensor, alpha: number, beta: number): Tensor {
  return bounded(tf, tf.add(tf.mul(x, tf.scalar(alpha)), tf.scalar(beta)), 0, 1);
}

function bounded(tf: Tensorflow, x: Tensor, minimum: number, maximum: number): Tensor {
  const raised = minimum > -Infinity ? tf.maximum(x, tf.scalar(minimum)) : x;
  return maximum < Infinity ? tf.minimum(raised, tf.scalar(maximum)) : raised;
}
