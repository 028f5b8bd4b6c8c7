/** All op kinds in one exhaustive table. */
import type { OpKind } from './attributes.ts';
import { averagePool } from './averagePool.ts';
import { add, mul, sub, where } from './broadcasting.ts';
import { concat } from './concat.ts';
import { conv } from './conv.ts';
import { convTranspose } from './convTranspose.ts';
import { convWeightGradient } from './convWeightGradient.ts';
import { batchNormalization, clip, elu, erf, greater, hardSigmoid, hardSwish, identity, leakyRelu, log, lrn, pow, prelu, relu, sigmoid, softmax, softplus, tanh, thresholdedRelu } from './elementwise.ts';
import { gemm } from './gemm.ts';
import { globalAveragePool } from './globalAveragePool.ts';
import { maxPool } from './maxPool.ts';
import { pad } from './pad.ts';
import { reduceSum } from './reduceSum.ts';
import { reshape } from './reshape.ts';
import { slice } from './slice.ts';
import type { OpSpec } from './spec.ts';
import { spatialLinear } from './spatialLinear.ts';
import { spatialMax } from './spatialMax.ts';
import { transpose } from './transpose.ts';
import { unpool } from './unpool.ts';

export const specs = {
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
} satisfies { readonly [K in OpKind]: OpSpec<K> };

/** The table seen from one op kind, for code that handles any node. */
export function specOf(kind: OpKind): OpSpec<OpKind> {
  return specs[kind] as unknown as OpSpec<OpKind>;
}
