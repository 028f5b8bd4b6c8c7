/**
 * Every op kind as a graph of one node on sizes that are not tidy, with seeded weights: what engines are compared on, on the processor (ops.random.test.ts) and
 * on a GPU (tests/parity/webgpu.test.ts).
 */
import type { Graph } from '../../src-main/graph/graph.ts';
import type { OpKind } from '../../src-main/graph/ops/attributes.ts';
import type { Data } from '../../src-main/inference/engine.ts';
import { oneNodeGraph, randomData, randomTensor, seededRandom, windowOf, type Operand } from '../support/graphs.ts';
import { randomCases } from './activationCases.ts';

const batch = 2;
const random = seededRandom(20261122);
const fed = (name: string, ...sizes: number[]): Operand => ({ name, shape: ['batch', ...sizes] });
const weights = (name: string, ...shape: number[]) => randomTensor(random, name, shape);
const x = fed('x', 4, 9, 11);

export const opCases: readonly (readonly [kind: OpKind, title: string, graph: Graph])[] = [
  ['Conv', 'plain', oneNodeGraph('Conv', [x, weights('w', 5, 4, 3, 3), weights('b', 5)], { ...windowOf([3, 3]), group: 1 })],
  ['Conv', 'uneven in everything', oneNodeGraph('Conv', [x, weights('w', 6, 2, 3, 2), weights('b', 6)], { kernel: [3, 2], strides: [2, 3], dilations: [2, 1], pads: [3, 0, 1, 2], group: 2 })],
  ['Conv', 'dilated at stride 1', oneNodeGraph('Conv', [x, weights('w', 3, 4, 2, 3)], { ...windowOf([2, 3], { dilations: [3, 2], pads: [1, 2, 0, 0] }), group: 1 })],
  ['Conv', 'grouped and dilated at stride 1', oneNodeGraph('Conv', [x, weights('w', 4, 2, 3, 3)], { ...windowOf([3, 3], { dilations: [2, 2] }), group: 2 })],
  ['Conv', 'depthwise, strided and dilated', oneNodeGraph('Conv', [x, weights('w', 8, 1, 3, 3), weights('b', 8)], { ...windowOf([3, 3], { strides: [2, 2], dilations: [2, 2], pads: [2, 1, 0, 2] }), group: 4 })],
  ['Conv', 'depthwise with uneven strides', oneNodeGraph('Conv', [x, weights('w', 4, 1, 3, 3)], { ...windowOf([3, 3], { strides: [2, 1], pads: [1, 1, 1, 1] }), group: 4 })],
  ['ConvTranspose', 'at stride 1', oneNodeGraph('ConvTranspose', [x, weights('w', 4, 3, 3, 2), weights('b', 3)], { ...windowOf([3, 2], { pads: [1, 0, 0, 1] }), group: 1, outputPadding: [0, 0] })],
  ['ConvTranspose', 'at stride 1 with pads beyond the kernel', oneNodeGraph('ConvTranspose', [x, weights('w', 4, 3, 2, 2)], { ...windowOf([2, 2], { pads: [2, 3, 1, 2] }), group: 1, outputPadding: [0, 0] })],
  ['ConvTranspose', 'uneven in everything', oneNodeGraph('ConvTranspose', [x, weights('w', 4, 3, 3, 2), weights('b', 6)], { kernel: [3, 2], strides: [2, 3], dilations: [2, 1], pads: [3, 0, 1, 1], group: 2, outputPadding: [1, 2] })],
  ['ConvTranspose', 'kernel smaller than the stride', oneNodeGraph('ConvTranspose', [x, weights('w', 4, 2, 1, 2)], { ...windowOf([1, 2], { strides: [3, 4] }), group: 1, outputPadding: [2, 3] })],
  ['ConvTranspose', 'depthwise', oneNodeGraph('ConvTranspose', [x, weights('w', 4, 1, 3, 3)], { ...windowOf([3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }), group: 4, outputPadding: [1, 0] })],
  ['ConvWeightGradient', 'plain', oneNodeGraph('ConvWeightGradient', [x, fed('g', 5, 7, 9)], { ...windowOf([3, 3]), group: 1 })],
  ['ConvWeightGradient', 'uneven in everything', oneNodeGraph('ConvWeightGradient', [x, fed('g', 6, 5, 4)], { kernel: [3, 2], strides: [2, 3], dilations: [2, 1], pads: [3, 0, 1, 2], group: 2 })],
  ['ConvWeightGradient', 'depthwise', oneNodeGraph('ConvWeightGradient', [x, fed('g', 8, 5, 6)], { ...windowOf([3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }), group: 4 })],
  ['ConvWeightGradient', 'many channels', oneNodeGraph('ConvWeightGradient', [fed('x', 18, 6, 7), fed('g', 3, 3, 7)], { ...windowOf([3, 2], { strides: [2, 1], pads: [1, 0, 0, 1] }), group: 1 })],
  ['MaxPool', 'overlapping, with switches', oneNodeGraph('MaxPool', [x], windowOf([3, 3], { strides: [2, 2], pads: [1, 0, 1, 2] }), ['y', 's'])],
  ['MaxPool', 'dilated and uneven, with switches', oneNodeGraph('MaxPool', [x], windowOf([2, 3], { strides: [3, 2], dilations: [2, 3], pads: [1, 2, 0, 1] }), ['y', 's'])],
  ['MaxPool', 'overlapping', oneNodeGraph('MaxPool', [x], windowOf([3, 2], { strides: [2, 1], pads: [1, 0, 0, 1] }))],
  ['MaxPool', 'dilated', oneNodeGraph('MaxPool', [x], windowOf([3, 3], { dilations: [2, 2], pads: [2, 2, 2, 2] }))],
  ['AveragePool', 'inside only', oneNodeGraph('AveragePool', [x], { ...windowOf([3, 2], { strides: [2, 2], pads: [1, 1, 2, 0] }), countIncludePad: false })],
  ['AveragePool', 'with pads', oneNodeGraph('AveragePool', [x], { ...windowOf([3, 3], { strides: [2, 1], pads: [1, 1, 1, 1] }), countIncludePad: true })],
  ['MaxPool', 'dilated, with pads wider than the kernel', oneNodeGraph('MaxPool', [x], windowOf([2, 3], { strides: [1, 2], dilations: [4, 3], pads: [3, 3, 2, 0] }), ['y', 's'])],
  ['MaxPool', 'dilated, with pads as wide as the kernel, without switches', oneNodeGraph('MaxPool', [x], windowOf([2, 2], { dilations: [3, 3], pads: [2, 1, 0, 2] }))],
  ['AveragePool', 'dilated, inside only, with pads wider than the kernel', oneNodeGraph('AveragePool', [x], { ...windowOf([2, 3], { strides: [1, 2], dilations: [4, 3], pads: [3, 3, 2, 0] }), countIncludePad: false })],
  ['AveragePool', 'dilated, with pads wider than the kernel', oneNodeGraph('AveragePool', [x], { ...windowOf([2, 3], { strides: [1, 2], dilations: [4, 3], pads: [3, 3, 2, 0] }), countIncludePad: true })],
  ['GlobalAveragePool', '', oneNodeGraph('GlobalAveragePool', [x], {})],
  ['Relu', '', oneNodeGraph('Relu', [x], {})],
  ['LeakyRelu', '', oneNodeGraph('LeakyRelu', [x], { alpha: 0.2 })],
  ['Clip', '', oneNodeGraph('Clip', [x], { minimum: -0.5, maximum: 0.75 })],
  ['LRN', '', oneNodeGraph('LRN', [fed('x', 7, 3, 4)], { size: 5, alpha: 0.5, beta: 0.75, bias: 2 })],
  ['BatchNormalization', '', oneNodeGraph('BatchNormalization', [x, weights('scale', 4), weights('bias', 4), weights('mean', 4), { ...weights('variance', 4), data: Float32Array.of(0.5, 1, 2, 0.01) }], { epsilon: 1e-3 })],
  ['Add', 'two feature maps', oneNodeGraph('Add', [x, fed('z', 4, 9, 11)], {})],
  ['Sub', 'a column constant', oneNodeGraph('Sub', [x, weights('c', 1, 9, 1)], {})],
  ['Mul', 'a plane for each image', oneNodeGraph('Mul', [fed('z', 1, 9, 11), x], {})],
  ['Pow', '', oneNodeGraph('Pow', [x], { exponent: 3 })],
  ['Greater', '', oneNodeGraph('Greater', [x], { threshold: 0.3 })],
  ['Where', '', oneNodeGraph('Where', [{ name: 'c', shape: ['batch', 4, 9, 11], dataType: 'bool' }, x, weights('z', 4, 1, 1)], {})],
  ['Concat', 'rows', oneNodeGraph('Concat', [x, fed('z', 4, 2, 11)], { axis: 2 })],
  ['Slice', 'columns', oneNodeGraph('Slice', [x], { axis: 3, start: 2, end: 7 })],
  ['Pad', '', oneNodeGraph('Pad', [x], { pads: [1, 2, 3, 0], value: 0.5 })],
  ['Gemm', '', oneNodeGraph('Gemm', [fed('x', 37), weights('w', 19, 37), weights('b', 19)], { transposeB: true })],
  ['Reshape', 'to groups of channels', oneNodeGraph('Reshape', [x], { shape: ['batch', 2, 2, 9, 11] })],
  ['Reshape', 'from groups of channels', oneNodeGraph('Reshape', [fed('x', 2, 2, 3, 5)], { shape: ['batch', 4, 3, 5] })],
  ['Transpose', 'groups of channels', oneNodeGraph('Transpose', [fed('x', 2, 3, 3, 5)], { permutation: [0, 2, 1, 3, 4] })],
  ['Transpose', 'rows and channels', oneNodeGraph('Transpose', [x], { permutation: [0, 2, 1, 3] })],
  ['Softmax', 'channels', oneNodeGraph('Softmax', [x], { axis: 1 })],
  ['Softmax', 'rows', oneNodeGraph('Softmax', [x], { axis: 2 })],
  ['Softmax', 'classes', oneNodeGraph('Softmax', [fed('x', 30)], { axis: 1 })],
  ['ReduceSum', 'channels', oneNodeGraph('ReduceSum', [x], { axes: [1] })],
  ['ReduceSum', 'rows and columns', oneNodeGraph('ReduceSum', [x], { axes: [2, 3] })],
  ['Identity', '', oneNodeGraph('Identity', [x], {})],
  ['SpatialMax', '', oneNodeGraph('SpatialMax', [x], {}, ['y', 's'])],
  ...randomCases,
];

/** Unpool has no plain random input: its switches must be positions. It is covered by hand, and by the adjoint of MaxPool. */
export const elsewhere: readonly OpKind[] = ['Unpool'];

/** Seeded normal numbers for every input of a case; true and false by their sign. */
export function feedsOf(graph: Graph): Readonly<Record<string, Data>> {
  return Object.fromEntries(graph.inputs.map((input) => [input.name, feedFor(input.shape.slice(1) as number[], input.dataType)]));
}

function feedFor(sizes: readonly number[], dataType: string): Data {
  const values = randomData(random, [batch, ...sizes]);
  return dataType === 'bool' ? { shape: values.shape, data: Uint8Array.from(values.data as Float32Array, (value) => (value > 0 ? 1 : 0)) } : values;
}
