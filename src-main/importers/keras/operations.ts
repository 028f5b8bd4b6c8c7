/**
 * Operations that Keras layers and TensorFlow nodes share, on pictures `[N, C, H, W]` or any value: activations, convolutions with weights in
 * TensorFlow's order, normalisation, reductions, resizing. Each adds nodes to the network and returns the value made.
 */
import { elementCount, type Shape } from '../../graph/graph.ts';
import type { Size2, WindowAttributes } from '../../graph/ops/attributes.ts';
import { permuted } from './axes.ts';
import type { Network } from './network.ts';

/** Weights or other constants of the file, row-major in the file's axes. */
export interface FileTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export function pictureSize(network: Network, value: string): Size2 & { readonly channels: number } {
  const [, channels, height, width] = network.shapeOf(value) as readonly [unknown, number, number, number];
  return Object.assign([height, width] as const, { channels });
}

/** Kernel `[kh, kw, C / group, M]`, bias `[M]`. */
export function convolve(network: Network, value: string, kernel: FileTensor, bias: FileTensor | undefined, window: WindowAttributes, group: number, what?: string): string {
  if (kernel.shape.length !== 4) network.refuse(`has a kernel with ${kernel.shape.length} axes instead of 4`);
  const turned = permuted(kernel.shape, kernel.data, [3, 2, 0, 1]);
  const weights = network.constant(what ? `${what}/kernel` : 'kernel', turned.shape, turned.data);
  return network.add('Conv', [value, weights, biasOf(network, bias)], { ...window, group }, what);
}

/** Kernel `[kh, kw, C, multiplier]`: each channel has `multiplier` filters of its own. */
export function convolveDepthwise(network: Network, value: string, kernel: FileTensor, bias: FileTensor | undefined, window: WindowAttributes, what?: string): string {
  if (kernel.shape.length !== 4) network.refuse(`has a kernel with ${kernel.shape.length} axes instead of 4`);
  const { shape, data } = permuted(kernel.shape, kernel.data, [2, 3, 0, 1]);
  const [channels, multiplier, rows, columns] = shape as [number, number, number, number];
  const weights = network.constant(what ? `${what}/kernel` : 'kernel', [channels * multiplier, 1, rows, columns], data);
  return network.add('Conv', [value, weights, biasOf(network, bias)], { ...window, group: channels }, what);
}

/** Kernel `[kh, kw, M, C]`. */
export function convolveTransposed(network: Network, value: string, kernel: FileTensor, bias: FileTensor | undefined, window: WindowAttributes & { readonly outputPadding: Size2 }): string {
  if (kernel.shape.length !== 4) network.refuse(`has a kernel with ${kernel.shape.length} axes instead of 4`);
  if (Math.min(...window.outputPadding) < 0) network.refuse('asks for an output that is smaller than its kernel makes');
  const turned = permuted(kernel.shape, kernel.data, [3, 2, 0, 1]);
  return network.add('ConvTranspose', [value, network.constant('kernel', turned.shape, turned.data), biasOf(network, bias)], { ...window, group: 1 });
}

/** `[N, K]` times a matrix `[K, M]`. */
export function multiplyMatrix(network: Network, value: string, kernel: FileTensor, bias: FileTensor | undefined, transposeB = false): string {
  return network.add('Gemm', [value, network.constant('kernel', kernel.shape, kernel.data), biasOf(network, bias)], { transposeB });
}

function biasOf(network: Network, bias: FileTensor | undefined): string {
  return bias ? network.constant('bias', [elementCount(bias.shape)], bias.data) : '';
}

/** Value times a number. */
export function scaleBy(network: Network, value: string, factor: number, what?: string): string {
  return network.add('Mul', [value, network.constant('factor', [1], Float32Array.of(factor))], {}, what);
}

export function shiftBy(network: Network, value: string, shift: number): string {
  return network.add('Add', [value, network.constant('shift', [1], Float32Array.of(shift))], {});
}

/** Mean over axes of the graph, which stay with size 1. */
export function meanOver(network: Network, value: string, axes: readonly number[]): string {
  const shape = network.shapeOf(value);
  const spatial = shape.length === 4 && axes.length === 2 && axes.includes(2) && axes.includes(3);
  if (spatial) return network.add('GlobalAveragePool', [value], {});
  return scaleBy(network, network.add('ReduceSum', [value], { axes }), 1 / countOver(network, shape, axes));
}

/** Maximum over height and width of a picture, which stay with size 1. */
export function maximumOverPicture(network: Network, value: string): string {
  const [height, width] = pictureSize(network, value);
  return network.add('MaxPool', [value], { kernel: [height, width], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] });
}

function countOver(network: Network, shape: Shape, axes: readonly number[]): number {
  return axes.reduce<number>((product, axis) => {
    const size = shape[axis];
    return typeof size === 'number' ? product * size : network.refuse('computes over the images of a batch');
  }, 1);
}

/** (x - mean) / sqrt(variance + epsilon) over axes of the graph, computed for each image by itself. */
export function standardize(network: Network, value: string, axes: readonly number[], epsilon: number): string {
  const centred = network.add('Sub', [value, meanOver(network, value, axes)], {});
  const variance = meanOver(network, network.add('Mul', [centred, centred], {}, 'Square'), axes);
  const inverse = network.add('Pow', [shiftBy(network, variance, epsilon)], { exponent: -0.5 });
  return network.add('Mul', [centred, inverse], {});
}

/** The larger of two values at each place: a + max(b - a, 0). */
export function larger(network: Network, a: string, b: string): string {
  return network.add('Add', [a, network.add('Relu', [network.add('Sub', [b, a], {})], {})], {});
}

/** The smaller of two values at each place: a - max(a - b, 0). */
export function smaller(network: Network, a: string, b: string): string {
  return network.add('Sub', [a, network.add('Relu', [network.add('Sub', [a, b], {})], {})], {});
}

/** Part of one axis of the graph, in steps of 1. */
export function cut(network: Network, value: string, axis: number, start: number, end: number): string {
  return start === 0 && end === network.shapeOf(value)[axis] ? value : network.add('Slice', [value], { axis, start, end });
}
