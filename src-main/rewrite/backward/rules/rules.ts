/**
 * All backward rules in one exhaustive table. `null`: there is no way down; the walker says so by name. Softmax is one of them on purpose
 * (method.md section 3: it is never walked through; the logits before it are seeded instead).
 */
import type { OpKind } from '../../../graph/ops/attributes.ts';
import type { Rule } from '../rule.ts';
import { add, mul, sub, where } from './arithmetic.ts';
import { averagePool } from './averagePool.ts';
import { batchNormalization } from './batchNormalization.ts';
import { conv } from './conv.ts';
import { convTranspose } from './convTranspose.ts';
import { elu, erf, hardSigmoid, hardSwish, log, pow, sigmoid, softplus, tanh, thresholdedRelu } from './derivatives.ts';
import { gemm } from './gemm.ts';
import { globalAveragePool } from './globalAveragePool.ts';
import { lrn } from './lrn.ts';
import { maxPool } from './maxPool.ts';
import { clip, leakyRelu, prelu, relu } from './rectifiers.ts';
import { concat, identity, pad, reduceSum, reshape, slice, transpose } from './shapes.ts';
import { spatialLinear } from './spatialLinear.ts';

export const rules = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: maxPool,
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
  Concat: concat,
  Slice: slice,
  Pad: pad,
  Gemm: gemm,
  Reshape: reshape,
  Transpose: transpose,
  ReduceSum: reduceSum,
  Identity: identity,
  SpatialLinear: spatialLinear,
  ConvWeightGradient: null,
  Softmax: null,
  Unpool: null,
  Greater: null,
  Where: where,
  SpatialMax: null,
} satisfies { readonly [K in OpKind]: Rule<K> | null };

/** The rule of an op kind as the walker uses it, for any node. */
export function ruleOf(kind: OpKind): Rule<OpKind> | null {
  return rules[kind] as unknown as Rule<OpKind> | null;
}
