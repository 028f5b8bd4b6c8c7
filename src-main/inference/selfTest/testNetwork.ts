/**
 * The networks that devices are tried on. The tiny one holds what devices get wrong: strides and pads, ties in overlapping pools, groups with several inputs and
 * outputs, channels that come in threes, normalisation across channels, a fully connected layer. Its first convolution has whole-number weights and
 * pictures, so that equal sums are equal on every device and the ties are real ones. The other is small but shaped like real work, for timing.
 */
import { createGraphBuilder, type GraphBuilder } from '../../graph/build.ts';
import { elementCount, type Graph } from '../../graph/graph.ts';
import type { Pads, WindowAttributes } from '../../graph/ops/attributes.ts';
import type { Data } from '../engine.ts';

/** Input `image`, `[N, 3, 21, 21]`; `layers` lists what is compared going forth, its last one is projected. */
export function tinyNetwork(): { readonly graph: Graph; readonly layers: readonly string[]; readonly image: Data } {
  const numbers = seededNumbers(1311);
  const build = createGraphBuilder('self-test');
  build.input('image', 'float32', ['batch', 3, 21, 21]);
  convolution(build, 'conv1', 'image', [6, 3, 5, 5], { strides: [2, 2], pads: [1, 1, 1, 1] }, () => Math.round(4 * numbers()) - 2, 1);
  pool(build, 'pool1', 'conv1/relu', [0, 0, 1, 1]);
  build.add('LRN', ['pool1'], { size: 5, alpha: 0.1, beta: 0.75, bias: 1 }, { outputs: ['norm1'] });
  const small = () => (numbers() - 0.5) * 0.6;
  convolution(build, 'conv2', 'norm1', [8, 6, 3, 3], { pads: [1, 1, 1, 1] }, small, 1);
  convolution(build, 'conv3', 'conv2/relu', [12, 4, 3, 3], { pads: [1, 1, 1, 1] }, small, 2);
  pool(build, 'pool3', 'conv3/relu', [0, 0, 0, 0]);
  build.add('Reshape', ['pool3'], { shape: ['batch', 48] }, { outputs: ['flat'] });
  constant(build, 'fc4.weight', [10, 48], small);
  constant(build, 'fc4.bias', [10], small);
  build.add('Gemm', ['flat', 'fc4.weight', 'fc4.bias'], { transposeB: true }, { outputs: ['fc4'] });
  const layers = ['conv1/relu', 'norm1', 'conv2/relu', 'conv3/relu', 'fc4'];
  const shape = [2, 3, 21, 21];
  return { graph: build.finish(layers), layers, image: { shape, data: Float32Array.from({ length: elementCount(shape) }, () => Math.floor(4 * numbers())) } };
}

/** Input `image`, `[N, 3, 112, 112]`, about 70 million multiplications an image; output `conv4/relu`. */
export function timedNetwork(): Graph {
  const numbers = seededNumbers(2901);
  const small = () => (numbers() - 0.5) * 0.1;
  const build = createGraphBuilder('benchmark');
  build.input('image', 'float32', ['batch', 3, 112, 112]);
  convolution(build, 'conv1', 'image', [32, 3, 7, 7], { strides: [2, 2], pads: [3, 3, 3, 3] }, small, 1);
  pool(build, 'pool1', 'conv1/relu', [0, 0, 1, 1]);
  convolution(build, 'conv2', 'pool1', [64, 32, 3, 3], { pads: [1, 1, 1, 1] }, small, 1);
  pool(build, 'pool2', 'conv2/relu', [0, 0, 1, 1]);
  convolution(build, 'conv3', 'pool2', [128, 64, 3, 3], { pads: [1, 1, 1, 1] }, small, 1);
  convolution(build, 'conv4', 'conv3/relu', [128, 128, 3, 3], { pads: [1, 1, 1, 1] }, small, 1);
  return build.finish(['conv4/relu']);
}

function convolution(build: GraphBuilder, name: string, input: string, shape: readonly [number, number, number, number], window: Partial<WindowAttributes>, next: () => number, group: number): void {
  constant(build, `${name}.weight`, shape, next);
  constant(build, `${name}.bias`, [shape[0]], next);
  const attributes = { kernel: [shape[2], shape[3]] as const, strides: [1, 1] as const, dilations: [1, 1] as const, pads: [0, 0, 0, 0] as const, ...window, group };
  build.add('Conv', [input, `${name}.weight`, `${name}.bias`], attributes, { outputs: [name] });
  build.add('Relu', [name], {}, { outputs: [`${name}/relu`] });
}

/** Overlapping: windows of 3 x 3 every second position. */
function pool(build: GraphBuilder, name: string, input: string, pads: Pads): void {
  build.add('MaxPool', [input], { kernel: [3, 3], strides: [2, 2], dilations: [1, 1], pads }, { outputs: [name] });
}

function constant(build: GraphBuilder, name: string, shape: readonly number[], next: () => number): void {
  build.tensor({ name, dataType: 'float32', shape, data: Float32Array.from({ length: elementCount(shape) }, next) });
}

/** The same numbers in [0, 1) on every machine (a linear congruential generator; nothing here needs a better one). */
function seededNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
