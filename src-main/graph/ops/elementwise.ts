/** Ops that work value by value and keep shape and place: activations, powers, comparison, normalisation by constants, across-channel normalisation. */
import { elementwise } from './spec.ts';

export const relu = elementwise<'Relu'>();
export const leakyRelu = elementwise<'LeakyRelu'>();
export const clip = elementwise<'Clip'>();
export const prelu = elementwise<'PRelu'>();
export const elu = elementwise<'Elu'>();
export const thresholdedRelu = elementwise<'ThresholdedRelu'>();
export const sigmoid = elementwise<'Sigmoid'>();
export const hardSigmoid = elementwise<'HardSigmoid'>();
export const hardSwish = elementwise<'HardSwish'>();
export const tanh = elementwise<'Tanh'>();
export const softplus = elementwise<'Softplus'>();
export const erf = elementwise<'Erf'>();
export const log = elementwise<'Log'>();
export const pow = elementwise<'Pow'>();
export const greater = elementwise<'Greater'>('bool');
export const identity = elementwise<'Identity'>();
export const softmax = elementwise<'Softmax'>();
/** Spans channels, not positions. */
export const lrn = elementwise<'LRN'>();
export const batchNormalization = elementwise<'BatchNormalization'>();
