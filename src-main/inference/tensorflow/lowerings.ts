/** Every op kind and its lowering to tfjs in one table: a forgotten op does not compile. */
import type { Node, NodeOf } from '../../graph/graph.ts';
import type { OpKind } from '../../graph/ops/attributes.ts';
import { clip, elu, erf, hardSigmoid, hardSwish, leakyRelu, log, prelu, relu, sigmoid, softplus, tanh, thresholdedRelu } from './activations.ts';
import { concat, pad, reduceSum, reshape, slice, transpose } from './arrangement.ts';
import { conv, convTranspose, gemm } from './convolution.ts';
import { convWeightGradient } from './convWeightGradient.ts';
import { add, batchNormalization, greater, identity, lrn, mul, pow, softmax, sub, where } from './elementwise.ts';
import type { CompileContext, Lowering, Step } from './lowering.ts';
import { averagePool, globalAveragePool, maxPool, spatialMax, unpool } from './pooling.ts';
import { spatialLinear } from './spatialLinear.ts';

export const lowerings = {
  Conv: conv,
  ConvTranspose: convTranspose,
  ConvWeightGradient: convWeightGradient,
  MaxPool: maxPool,
  Unpool: unpool,
  AveragePool: averagePool,
  GlobalAveragePool: globalAveragePool,
  Relu: relu,
  LeakyRelu: leakyRelu,
  Clip: clip,
  PRelu: prelu,
  Elu: elu,
  ThresholdedRelu: thresholdedRelu,
  Sigmoid: sigmoid,
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
  Tanh: tanh,
  Softplus: softplus,
  Erf: erf,
  Log: log,
  LRN: lrn,
  BatchNormalization: batchNormalization,
  Add: add,
  Sub: sub,
  Mul: mul,
  Pow: pow,
  Greater: greater,
  Where: where,
  Concat: concat,
  Slice: slice,
  Pad: pad,
  Gemm: gemm,
  Reshape: reshape,
  Transpose: transpose,
  Softmax: softmax,
  ReduceSum: reduceSum,
  Identity: identity,
  SpatialLinear: spatialLinear,
  SpatialMax: spatialMax,
} satisfies { readonly [K in OpKind]: Lowering<K> };

export function lower(node: Node, context: CompileContext): Step {
  const lowering = lowerings[node.kind] as unknown as (node: NodeOf<OpKind>, context: CompileContext) => Step;
  return lowering(node as NodeOf<OpKind>, context);
}
