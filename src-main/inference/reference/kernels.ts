/** Every op kind and its reference kernel in one table: a forgotten op does not compile. */
import type { OpAttributes, OpKind } from '../../graph/ops/attributes.ts';
import { clip, elu, erf, hardSigmoid, hardSwish, leakyRelu, log, prelu, relu, sigmoid, softplus, tanh, thresholdedRelu } from './activations.ts';
import { concat, pad, reduceSum, reshape, slice, transpose } from './arrangement.ts';
import { conv, convTranspose, gemm } from './convolution.ts';
import { convWeightGradient } from './convWeightGradient.ts';
import { add, batchNormalization, greater, identity, lrn, mul, pow, softmax, sub, where } from './elementwise.ts';
import type { Kernel } from './kernel.ts';
import { averagePool, globalAveragePool, maxPool, spatialMax, unpool } from './pooling.ts';
import { spatialLinear } from './spatialLinear.ts';

export const kernels = {
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
} satisfies { readonly [K in OpKind]: Kernel<K> };

/** The table seen from one op kind, for code that handles any node. */
export function kernelOf(kind: OpKind): (inputs: Parameters<Kernel<OpKind>>[0], attributes: OpAttributes[OpKind], batch: number) => ReturnType<Kernel<OpKind>> {
  return kernels[kind] as unknown as Kernel<OpKind>;
}
