/**
 * The op kinds and their attributes, in ONNX terms but settled: `auto_pad` and `ceil_mode` are already turned into explicit pads by the importer,
 * batch sizes written in a file are already `batch`. So an engine, a rule and a reader meet one form only.
 *
 * Pads are `[top, left, bottom, right]`; pairs are `[height, width]`.
 */
import type { Shape } from '../graph.ts';

export type Pads = readonly [top: number, left: number, bottom: number, right: number];
export type Size2 = readonly [height: number, width: number];

export interface WindowAttributes {
  readonly kernel: Size2;
  readonly strides: Size2;
  readonly dilations: Size2;
  readonly pads: Pads;
}

type None = Readonly<Record<never, never>>;

/** Attributes by op kind. The comment gives inputs -> outputs; `?` marks an optional input (''), W a constant tensor. */
export interface OpAttributes {
  /** x, weights W `[M, C/group, kh, kw]`, bias? W `[M]` -> y. Cross-correlation, as ONNX. */
  readonly Conv: WindowAttributes & { readonly group: number };
  /** x `[N, C, h, w]`, weights W `[C, M/group, kh, kw]`, bias? W -> y `[N, M, H, W]`, H = s(h-1) + outputPadding + d(k-1) + 1 - top - bottom. */
  readonly ConvTranspose: WindowAttributes & { readonly group: number; readonly outputPadding: Size2 };
  /** x `[N, C, h, w]`, signal `[N, M, H, W]` at a Conv's output -> the derivative by that Conv's weights, `[M, C/group, kh, kw]`. */
  readonly ConvWeightGradient: WindowAttributes & { readonly group: number };
  /** x -> y, or x -> y, switches (int64, same shape as y: index into the flattened `[N, C, H, W]` of x). Padding never wins; the first maximum in row-major order wins. */
  readonly MaxPool: WindowAttributes;
  /** signal, switches -> `[N, C, height, width]`: each signal value added to the position its switch names; everything else 0. */
  readonly Unpool: { readonly height: number; readonly width: number };
  /** x -> y. The divisor counts only positions inside the input, or with countIncludePad also those in the pads. */
  readonly AveragePool: WindowAttributes & { readonly countIncludePad: boolean };
  /** x -> `[N, C, 1, 1]`. */
  readonly GlobalAveragePool: None;
  /** x -> max(x, 0). */
  readonly Relu: None;
  /** x -> x above 0, alpha * x below. */
  readonly LeakyRelu: { readonly alpha: number };
  /** x -> min(max(x, minimum), maximum); infinities where a bound is absent. */
  readonly Clip: { readonly minimum: number; readonly maximum: number };
  /** x, slope W (broadcast against x, e.g. `[C, 1, 1]`) -> x above 0, slope * x below. */
  readonly PRelu: None;
  /** x -> gamma * x above 0, gamma * alpha * (e^x - 1) below. SELU is one of them. */
  readonly Elu: { readonly alpha: number; readonly gamma: number };
  /** x -> x above alpha, 0 elsewhere. */
  readonly ThresholdedRelu: { readonly alpha: number };
  /** x -> 1 / (1 + e^-x). */
  readonly Sigmoid: None;
  /** x -> min(max(alpha * x + beta, 0), 1). */
  readonly HardSigmoid: { readonly alpha: number; readonly beta: number };
  /** x -> x * min(max(x / 6 + 1/2, 0), 1). */
  readonly HardSwish: None;
  readonly Tanh: None;
  /** x -> ln(1 + e^x). */
  readonly Softplus: None;
  /** x -> the error function of x (GELU is made of it). */
  readonly Erf: None;
  /** x -> natural logarithm. */
  readonly Log: None;
  /** x -> x / (bias + alpha / size * sum over a window of channels of x^2)^beta; window of channel c: c - floor((size-1)/2) .. c + ceil((size-1)/2). */
  readonly LRN: { readonly size: number; readonly alpha: number; readonly beta: number; readonly bias: number };
  /** x, scale W, bias W, mean W, variance W (each `[C]`) -> y. */
  readonly BatchNormalization: { readonly epsilon: number };
  /** a, b -> a + b with numpy broadcasting; either may be a tensor. So Sub, Mul. */
  readonly Add: None;
  readonly Sub: None;
  readonly Mul: None;
  /** x -> x^exponent. */
  readonly Pow: { readonly exponent: number };
  /** x -> x > threshold (bool). */
  readonly Greater: { readonly threshold: number };
  /** condition (bool), a, b -> a where true, b elsewhere; numpy broadcasting. */
  readonly Where: None;
  /** two or more -> joined along axis. */
  readonly Concat: { readonly axis: number };
  /** x -> x[start..end) along axis, step 1. */
  readonly Slice: { readonly axis: number; readonly start: number; readonly end: number };
  /** x `[N, C, H, W]` -> padded on its last two axes with `value`. */
  readonly Pad: { readonly pads: Pads; readonly value: number };
  /**
   * x `[N, C, H, W]`, matrix W `[size, H]` (axis 2) or `[size, W]` (axis 3) -> each row or column replaced by its product with the matrix: resizing, padding
   * by reflection, any linear map along one spatial axis. `window` is where an output position looks along that axis, in input steps (rational for enlargements).
   */
  readonly SpatialLinear: { readonly axis: 2 | 3; readonly size: number; readonly window: { readonly size: number; readonly stride: number; readonly offset: number } };
  /** a `[N, K]`, b W `[K, M]` (or `[M, K]` with transposeB), bias? W `[M]` -> `[N, M]`. */
  readonly Gemm: { readonly transposeB: boolean };
  /** x -> same elements in a shape that is known up to the batch. */
  readonly Reshape: { readonly shape: Shape };
  /** x -> axes permuted: output axis i is input axis permutation[i]. */
  readonly Transpose: { readonly permutation: readonly number[] };
  /** x -> softmax along axis (not negative). */
  readonly Softmax: { readonly axis: number };
  /** x -> summed over axes, which stay with size 1. */
  readonly ReduceSum: { readonly axes: readonly number[] };
  /** x -> x. */
  readonly Identity: None;
  /** x `[N, C, H, W]` or `[N, C]` -> score `[N, C]` float32, position `[N, C]` int64 (row * width + column of the first maximum in row-major order; 0 for `[N, C]`). */
  readonly SpatialMax: None;
}

export type OpKind = keyof OpAttributes;
