/** Every op kind on cases small enough to work out by hand, on every engine. The expected numbers are written out. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGraphBuilder } from '../../src-main/graph/build.ts';
import type { Graph } from '../../src-main/graph/graph.ts';
import type { OpKind } from '../../src-main/graph/ops/attributes.ts';
import { specs } from '../../src-main/graph/ops/specs.ts';
import type { Data, Engine } from '../../src-main/inference/engine.ts';
import { floatData, floatTensor, oneNodeGraph, relativeDifference, windowOf } from '../support/graphs.ts';
import { allEngines, runOnce } from '../parity/allEngines.ts';
import { handCases } from './activationCases.ts';

interface Case {
  readonly kind: OpKind;
  readonly title: string;
  readonly graph: Graph;
  readonly feeds: Readonly<Record<string, Data>>;
  readonly expected: Readonly<Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>>;
}

const inf = Infinity;
const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const sixteen = Array.from({ length: 16 }, (_, index) => index + 1);
const switchesOf = (shape: readonly number[], values: readonly number[]): Data => ({ shape, data: BigInt64Array.from(values, BigInt) });
const x = (...sizes: number[]) => ({ name: 'x', shape: ['batch' as const, ...sizes] });
const image = (sizes: readonly number[], values: readonly number[]) => ({ x: floatData([values.length / sizes.reduce((a, b) => a * b, 1), ...sizes], values) });
const y = (shape: readonly number[], values: readonly number[]) => ({ y: { shape, values } });

const cases: readonly Case[] = [
  {
    kind: 'Conv', title: 'is a cross-correlation: the kernel is not turned',
    graph: oneNodeGraph('Conv', [x(1, 2, 3), floatTensor('w', [1, 1, 1, 2], [1, 10])], { ...windowOf([1, 2]), group: 1 }),
    feeds: image([1, 2, 3], [1, 2, 3, 4, 5, 6]), expected: y([1, 1, 2, 2], [21, 32, 54, 65]),
  },
  {
    kind: 'Conv', title: 'pads each side by its own amount and adds the bias',
    graph: oneNodeGraph('Conv', [x(1, 2, 2), floatTensor('w', [1, 1, 2, 2], [1, 2, 3, 4]), floatTensor('b', [1], [100])], { ...windowOf([2, 2], { pads: [1, 0, 0, 2] }), group: 1 }),
    feeds: image([1, 2, 2], [1, 2, 3, 4]), expected: y([1, 1, 2, 3], [111, 106, 100, 130, 114, 100]),
  },
  {
    kind: 'Conv', title: 'dilates and strides at once',
    graph: oneNodeGraph('Conv', [x(1, 4, 4), floatTensor('w', [1, 1, 2, 2], [1, 10, 100, 1000])], { ...windowOf([2, 2], { dilations: [2, 2], strides: [2, 1] }), group: 1 }),
    feeds: image([1, 4, 4], sixteen), expected: y([1, 1, 1, 2], [1 + 30 + 900 + 11000, 2 + 40 + 1000 + 12000]),
  },
  {
    kind: 'Conv', title: 'keeps two groups apart',
    graph: oneNodeGraph('Conv', [x(4, 1, 1), floatTensor('w', [2, 2, 1, 1], [1, 10, 100, 1000])], { ...windowOf([1, 1]), group: 2 }),
    feeds: image([4, 1, 1], [1, 2, 3, 4]), expected: y([1, 2, 1, 1], [21, 4300]),
  },
  {
    kind: 'Conv', title: 'runs depthwise with two outputs for each channel',
    graph: oneNodeGraph('Conv', [x(2, 1, 1), floatTensor('w', [4, 1, 1, 1], [1, 10, 100, 1000])], { ...windowOf([1, 1]), group: 2 }),
    feeds: image([2, 1, 1], [3, 7]), expected: y([1, 4, 1, 1], [3, 30, 700, 7000]),
  },
  {
    kind: 'ConvTranspose', title: 'lays overlapping kernels over one another',
    graph: oneNodeGraph('ConvTranspose', [x(1, 1, 2), floatTensor('w', [1, 1, 1, 3], [1, 10, 100])], { ...windowOf([1, 3], { strides: [1, 2] }), group: 1, outputPadding: [0, 0] }),
    feeds: image([1, 1, 2], [1, 2]), expected: y([1, 1, 1, 5], [1, 10, 102, 20, 200]),
  },
  {
    kind: 'ConvTranspose', title: 'adds output padding at the end, where only the bias stands',
    graph: oneNodeGraph('ConvTranspose', [x(1, 1, 2), floatTensor('w', [1, 1, 1, 2], [1, 10]), floatTensor('b', [1], [0.5])], { ...windowOf([1, 2], { strides: [1, 2] }), group: 1, outputPadding: [0, 1] }),
    feeds: image([1, 1, 2], [1, 2]), expected: y([1, 1, 1, 5], [1.5, 10.5, 2.5, 20.5, 0.5]),
  },
  {
    kind: 'ConvTranspose', title: 'cuts its pads off, and output padding gives back what the last pad took',
    graph: oneNodeGraph('ConvTranspose', [x(1, 1, 2), floatTensor('w', [1, 1, 1, 3], [1, 10, 100])], { ...windowOf([1, 3], { strides: [1, 2], pads: [0, 1, 0, 1] }), group: 1, outputPadding: [0, 1] }),
    feeds: image([1, 1, 2], [1, 2]), expected: y([1, 1, 1, 4], [10, 102, 20, 200]),
  },
  {
    kind: 'ConvTranspose', title: 'keeps two groups apart at stride 1, dilated',
    graph: oneNodeGraph('ConvTranspose', [x(2, 1, 1), floatTensor('w', [2, 2, 1, 2], [1, 2, 3, 4, 5, 6, 7, 8])], { ...windowOf([1, 2], { dilations: [1, 2] }), group: 2, outputPadding: [0, 0] }),
    feeds: image([2, 1, 1], [1, 10]), expected: y([1, 4, 1, 3], [1, 0, 2, 3, 0, 4, 50, 0, 60, 70, 0, 80]),
  },
  {
    kind: 'ConvWeightGradient', title: 'correlates the input with the signal, summed over the images',
    graph: oneNodeGraph('ConvWeightGradient', [x(1, 1, 3), { name: 'g', shape: ['batch', 2, 1, 2] }], { ...windowOf([1, 2]), group: 1 }),
    feeds: { ...image([1, 1, 3], [1, 2, 3, 4, 5, 6]), g: floatData([2, 2, 1, 2], [1, 10, 100, 0, 1, 0, 0, 100]) },
    // First output: 1 * 1 + 10 * 2 + 1 * 4, then one to the right; second: 100 * 1 + 100 * 5.
    expected: y([2, 1, 1, 2], [25, 37, 600, 800]),
  },
  {
    kind: 'MaxPool', title: 'never lets padding win over negative values',
    graph: oneNodeGraph('MaxPool', [x(1, 2, 2)], windowOf([2, 2], { strides: [2, 2], pads: [1, 1, 1, 1] }), ['y', 's']),
    feeds: image([1, 2, 2], [-1, -2, -3, -4]), expected: { ...y([1, 1, 2, 2], [-1, -2, -3, -4]), s: { shape: [1, 1, 2, 2], values: [0, 1, 2, 3] } },
  },
  {
    kind: 'MaxPool', title: 'gives ties to the first in row-major order, also among zeros and at the padded border',
    graph: oneNodeGraph('MaxPool', [x(1, 3, 3)], windowOf([2, 2], { pads: [1, 0, 0, 1] }), ['y', 's']),
    feeds: image([1, 3, 3], [0, 0, 0, 0, 5, 5, 0, 5, 5]),
    expected: { ...y([1, 1, 3, 3], [0, 0, 0, 5, 5, 5, 5, 5, 5]), s: { shape: [1, 1, 3, 3], values: [0, 1, 2, 4, 4, 5, 4, 4, 5] } },
  },
  {
    kind: 'MaxPool', title: 'reads windows that reach past the bottom (pads as ceil_mode extends them)',
    graph: oneNodeGraph('MaxPool', [x(1, 4, 4)], windowOf([3, 3], { strides: [2, 2], pads: [0, 0, 1, 1] }), ['y', 's']),
    feeds: image([1, 4, 4], sixteen), expected: { ...y([1, 1, 2, 2], [11, 12, 15, 16]), s: { shape: [1, 1, 2, 2], values: [10, 11, 14, 15] } },
  },
  {
    kind: 'MaxPool', title: 'dilates; switches count through the whole batch and all channels',
    graph: oneNodeGraph('MaxPool', [x(2, 1, 3)], windowOf([1, 2], { dilations: [1, 2] }), ['y', 's']),
    feeds: image([2, 1, 3], [1, 9, 2, 4, 9, 3, 5, 9, 5, -1, 9, -2]),
    expected: { ...y([2, 2, 1, 1], [2, 4, 5, -1]), s: { shape: [2, 2, 1, 1], values: [2, 3, 6, 9] } },
  },
  {
    kind: 'MaxPool', title: 'takes -0 and 0 for equal, so the first wins',
    graph: oneNodeGraph('MaxPool', [x(1, 1, 2)], windowOf([1, 2]), ['y', 's']),
    feeds: image([1, 1, 2], [-0, 0]), expected: { ...y([1, 1, 1, 1], [0]), s: { shape: [1, 1, 1, 1], values: [0] } },
  },
  {
    kind: 'MaxPool', title: 'without switches, a 1 x 1 window with a stride picks every second value',
    graph: oneNodeGraph('MaxPool', [x(1, 3, 3)], windowOf([1, 1], { strides: [2, 2] })),
    feeds: image([1, 3, 3], nine), expected: y([1, 1, 2, 2], [1, 3, 7, 9]),
  },
  {
    kind: 'Unpool', title: 'sums signals whose windows share a winner, and leaves 0 elsewhere',
    graph: oneNodeGraph('Unpool', [x(2, 1, 2), { name: 's', shape: ['batch', 2, 1, 2], dataType: 'int64' }], { height: 2, width: 2 }),
    feeds: { ...image([2, 1, 2], [1, 10, 100, 1000]), s: switchesOf([1, 2, 1, 2], [3, 3, 4, 7]) }, expected: y([1, 2, 2, 2], [0, 0, 0, 11, 100, 0, 0, 1000]),
  },
  {
    kind: 'AveragePool', title: 'divides by the positions inside the input',
    graph: oneNodeGraph('AveragePool', [x(1, 2, 2)], { ...windowOf([2, 2], { pads: [1, 1, 0, 0] }), countIncludePad: false }),
    feeds: image([1, 2, 2], [1, 2, 3, 6]), expected: y([1, 1, 2, 2], [1, 1.5, 2, 3]),
  },
  {
    kind: 'AveragePool', title: 'divides by the whole window where pads count',
    graph: oneNodeGraph('AveragePool', [x(1, 2, 2)], { ...windowOf([2, 2], { pads: [1, 1, 0, 0] }), countIncludePad: true }),
    feeds: image([1, 2, 2], [1, 2, 3, 6]), expected: y([1, 1, 2, 2], [0.25, 0.75, 1, 3]),
  },
  {
    kind: 'AveragePool', title: 'does not count what a ceil-extended window covers past the end',
    graph: oneNodeGraph('AveragePool', [x(1, 1, 4)], { ...windowOf([1, 3], { strides: [1, 2], pads: [0, 0, 0, 1] }), countIncludePad: false }),
    feeds: image([1, 1, 4], [1, 2, 6, 8]), expected: y([1, 1, 1, 2], [3, 7]),
  },
  {
    kind: 'GlobalAveragePool', title: 'is the mean of each channel',
    graph: oneNodeGraph('GlobalAveragePool', [x(2, 2, 2)], {}),
    feeds: image([2, 2, 2], [1, 2, 3, 6, -4, 0, 0, 0]), expected: y([1, 2, 1, 1], [3, -1]),
  },
  { kind: 'Relu', title: 'cuts at 0', graph: oneNodeGraph('Relu', [x(3)], {}), feeds: image([3], [-2, -0, 3]), expected: y([1, 3], [0, 0, 3]) },
  { kind: 'LeakyRelu', title: 'keeps a tenth below 0', graph: oneNodeGraph('LeakyRelu', [x(3)], { alpha: 0.1 }), feeds: image([3], [-20, 0, 3]), expected: y([1, 3], [-2, 0, 3]) },
  { kind: 'Clip', title: 'is ReLU6', graph: oneNodeGraph('Clip', [x(4)], { minimum: 0, maximum: 6 }), feeds: image([4], [-1, 0, 5, 7]), expected: y([1, 4], [0, 0, 5, 6]) },
  { kind: 'Clip', title: 'has no lower bound where that is -Infinity', graph: oneNodeGraph('Clip', [x(3)], { minimum: -inf, maximum: 2 }), feeds: image([3], [-1e30, 2, 3]), expected: y([1, 3], [-1e30, 2, 2]) },
  {
    kind: 'LRN', title: 'size 3 looks one channel to both sides: x / (1 + 3/3 * sum of squares)',
    graph: oneNodeGraph('LRN', [x(3, 1, 1)], { size: 3, alpha: 3, beta: 1, bias: 1 }),
    feeds: image([3, 1, 1], [1, 2, 3]), expected: y([1, 3, 1, 1], [1 / 6, 2 / 15, 3 / 14]),
  },
  {
    kind: 'LRN', title: 'size 2 looks at the channel itself and the next',
    graph: oneNodeGraph('LRN', [x(3, 1, 1)], { size: 2, alpha: 2, beta: 1, bias: 1 }),
    feeds: image([3, 1, 1], [1, 2, 3]), expected: y([1, 3, 1, 1], [1 / 6, 2 / 14, 3 / 10]),
  },
  {
    kind: 'BatchNormalization', title: '(x - mean) / sqrt(variance + epsilon) * scale + bias',
    graph: oneNodeGraph('BatchNormalization', [x(2, 1, 2), floatTensor('scale', [2], [2, 1]), floatTensor('bias', [2], [10, 0]), floatTensor('mean', [2], [1, 0]), floatTensor('variance', [2], [3, 15])], { epsilon: 1 }),
    feeds: image([2, 1, 2], [1, 5, 8, -4]), expected: y([1, 2, 1, 2], [10, 14, 2, -1]),
  },
  {
    kind: 'Add', title: 'broadcasts a [C, 1, 1] constant over positions',
    graph: oneNodeGraph('Add', [x(2, 1, 2), floatTensor('c', [2, 1, 1], [10, 20])], {}),
    feeds: image([2, 1, 2], [1, 2, 3, 4]), expected: y([1, 2, 1, 2], [11, 12, 23, 24]),
  },
  {
    kind: 'Add', title: 'broadcasts a row over channels: the last axis is the width, not the channels',
    graph: oneNodeGraph('Add', [x(2, 1, 2), floatTensor('c', [2], [10, 20])], {}),
    feeds: image([2, 1, 2], [1, 2, 3, 4]), expected: y([1, 2, 1, 2], [11, 22, 13, 24]),
  },
  {
    kind: 'Sub', title: 'takes a constant from the left',
    graph: oneNodeGraph('Sub', [floatTensor('c', [1], [10]), x(2)], {}), feeds: image([2], [1, 2]), expected: y([1, 2], [9, 8]),
  },
  {
    kind: 'Mul', title: 'gates a feature map by one value for each channel',
    graph: oneNodeGraph('Mul', [x(2, 1, 2), { name: 'gate', shape: ['batch', 2, 1, 1] }], {}),
    feeds: { ...image([2, 1, 2], [1, 2, 3, 4]), gate: floatData([1, 2, 1, 1], [10, 100]) }, expected: y([1, 2, 1, 2], [10, 20, 300, 400]),
  },
  { kind: 'Pow', title: 'squares negative values too', graph: oneNodeGraph('Pow', [x(3)], { exponent: 2 }), feeds: image([3], [-3, 0, 2]), expected: y([1, 3], [9, 0, 4]) },
  { kind: 'Pow', title: 'takes roots', graph: oneNodeGraph('Pow', [x(2)], { exponent: -0.5 }), feeds: image([2], [4, 0.25]), expected: y([1, 2], [0.5, 2]) },
  { kind: 'Greater', title: 'is strict', graph: oneNodeGraph('Greater', [x(4)], { threshold: 0 }), feeds: image([4], [-1, -0, 0, 1e-30]), expected: y([1, 4], [0, 0, 0, 1]) },
  {
    kind: 'Where', title: 'chooses value by value, with a constant for the rest',
    graph: oneNodeGraph('Where', [{ name: 'c', shape: ['batch', 2, 1, 2], dataType: 'bool' }, x(2, 1, 2), floatTensor('zero', [1], [0])], {}),
    feeds: { ...image([2, 1, 2], [1, 2, 3, 4]), c: { shape: [1, 2, 1, 2], data: Uint8Array.of(1, 0, 0, 1) } }, expected: y([1, 2, 1, 2], [1, 0, 0, 4]),
  },
  {
    kind: 'Concat', title: 'joins channels in order',
    graph: oneNodeGraph('Concat', [x(1, 1, 2), { name: 'c', shape: ['batch', 2, 1, 2] }], { axis: 1 }),
    feeds: { ...image([1, 1, 2], [1, 2]), c: floatData([1, 2, 1, 2], [5, 6, 7, 8]) }, expected: y([1, 3, 1, 2], [1, 2, 5, 6, 7, 8]),
  },
  {
    kind: 'Slice', title: 'takes a stretch of channels',
    graph: oneNodeGraph('Slice', [x(3, 1, 2)], { axis: 1, start: 1, end: 3 }), feeds: image([3, 1, 2], [1, 2, 3, 4, 5, 6]), expected: y([1, 2, 1, 2], [3, 4, 5, 6]),
  },
  {
    kind: 'Pad', title: 'pads top, left, bottom, right',
    graph: oneNodeGraph('Pad', [x(1, 1, 2)], { pads: [1, 0, 0, 2], value: -1 }), feeds: image([1, 1, 2], [1, 2]), expected: y([1, 1, 2, 4], [-1, -1, -1, -1, 1, 2, -1, -1]),
  },
  {
    kind: 'Gemm', title: 'multiplies by [K, M] and adds the bias',
    graph: oneNodeGraph('Gemm', [x(2), floatTensor('w', [2, 3], [1, 2, 3, 4, 5, 6]), floatTensor('b', [3], [100, 200, 300])], { transposeB: false }),
    feeds: image([2], [1, 10]), expected: y([1, 3], [141, 252, 363]),
  },
  {
    kind: 'Gemm', title: 'multiplies by [M, K]',
    graph: oneNodeGraph('Gemm', [x(2), floatTensor('w', [3, 2], [1, 2, 3, 4, 5, 6])], { transposeB: true }), feeds: image([2], [1, 10]), expected: y([1, 3], [21, 43, 65]),
  },
  {
    kind: 'Reshape', title: 'flattens channels first',
    graph: oneNodeGraph('Reshape', [x(2, 1, 2)], { shape: ['batch', 4] }), feeds: image([2, 1, 2], [1, 2, 3, 4]), expected: y([1, 4], [1, 2, 3, 4]),
  },
  {
    kind: 'Reshape', title: 'makes a feature map of a row',
    graph: oneNodeGraph('Reshape', [x(4)], { shape: ['batch', 2, 2, 1] }), feeds: image([4], [1, 2, 3, 4]), expected: y([1, 2, 2, 1], [1, 2, 3, 4]),
  },
  {
    kind: 'Transpose', title: 'puts channels last: [1, 2, 1, 3] becomes [1, 1, 3, 2]',
    graph: oneNodeGraph('Transpose', [x(2, 1, 3)], { permutation: [0, 2, 3, 1] }), feeds: image([2, 1, 3], [1, 2, 3, 4, 5, 6]), expected: y([1, 1, 3, 2], [1, 4, 2, 5, 3, 6]),
  },
  {
    kind: 'Softmax', title: 'along channels, without overflow',
    graph: oneNodeGraph('Softmax', [x(2, 1, 2)], { axis: 1 }),
    feeds: image([2, 1, 2], [1000, 0, 1000, Math.log(3)]), expected: y([1, 2, 1, 2], [0.5, 0.25, 0.5, 0.75]),
  },
  {
    kind: 'Softmax', title: 'along the width',
    graph: oneNodeGraph('Softmax', [x(2, 1, 2)], { axis: 3 }),
    feeds: image([2, 1, 2], [0, 0, 0, Math.log(3)]), expected: y([1, 2, 1, 2], [0.5, 0.5, 0.25, 0.75]),
  },
  {
    kind: 'ReduceSum', title: 'keeps summed axes with size 1',
    graph: oneNodeGraph('ReduceSum', [x(2, 1, 2)], { axes: [2, 3] }), feeds: image([2, 1, 2], [1, 2, 3, 4]), expected: y([1, 2, 1, 1], [3, 7]),
  },
  { kind: 'Identity', title: 'changes nothing', graph: oneNodeGraph('Identity', [x(2)], {}), feeds: image([2], [1, -2]), expected: y([1, 2], [1, -2]) },
  {
    kind: 'SpatialMax', title: 'names the first maximum in row-major order',
    graph: oneNodeGraph('SpatialMax', [x(3, 2, 2)], {}, ['y', 's']),
    feeds: image([3, 2, 2], [1, 7, 7, 2, 0, 0, 0, 0, -5, -4, -3, -3]), expected: { ...y([1, 3], [7, 0, -3]), s: { shape: [1, 3], values: [1, 0, 2] } },
  },
  {
    kind: 'SpatialMax', title: 'of a row is the row',
    graph: oneNodeGraph('SpatialMax', [x(3)], {}, ['y', 's']), feeds: image([3], [4, -1, 0]), expected: { ...y([1, 3], [4, -1, 0]), s: { shape: [1, 3], values: [0, 0, 0] } },
  },
  ...handCases,
];

let engines: Engine[];
beforeAll(async () => {
  engines = await allEngines();
});
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

describe('each op by hand, on every engine', () => {
  it('has a case for every op kind', () => {
    expect(Object.keys(specs).filter((kind) => !cases.some((known) => known.kind === kind))).toEqual([]);
  });

  it.each(cases.map((known) => [`${known.kind}: ${known.title}`, known] as const))('%s', async (_, { graph, feeds, expected }) => {
    for (const engine of engines) {
      const results = await runOnce(engine, graph, feeds);
      for (const [name, { shape, values }] of Object.entries(expected)) {
        const actual = results.get(name)!;
        const wanted: Data = { shape, data: Float32Array.from(values) };
        expect(relativeDifference(actual, wanted), `${engine.description}: ${name} is [${actual.shape.join(', ')}] ${[...actual.data].join(', ')}, expected [${shape.join(', ')}] ${values.join(', ')}`).toBeLessThanOrEqual(1e-6);
      }
    }
  });
});

describe('switches', () => {
  it('find the first position inside the input when everything is -Infinity', async () => {
    const graph = oneNodeGraph('MaxPool', [x(1, 1, 2)], windowOf([1, 3], { pads: [0, 1, 0, 1] }), ['y', 's']);
    for (const engine of engines.filter((candidate) => candidate.kind !== 'onnxruntime')) {
      const results = await runOnce(engine, graph, image([1, 1, 2], [-inf, -inf]));
      expect(results.get('s')!.data, engine.description).toEqual(BigInt64Array.of(0n, 0n));
    }
  });

  it('carry one signal back through pool and unpool: four windows share the centre', async () => {
    const builder = createGraphBuilder('pool and unpool');
    builder.input('x', 'float32', ['batch', 1, 3, 3]);
    builder.add('MaxPool', ['x'], windowOf([2, 2]), { outputs: ['y', 's'] });
    builder.add('Unpool', ['y', 's'], { height: 3, width: 3 }, { outputs: ['back'] });
    const graph = builder.finish(['back']);
    for (const engine of engines) {
      const results = await runOnce(engine, graph, image([1, 3, 3], [1, 1, 1, 1, 8, 1, 1, 1, 1]));
      expect([...results.get('back')!.data], engine.description).toEqual([0, 0, 0, 0, 32, 0, 0, 0, 0]);
    }
  });
});

describe('a score that is no number', () => {
  const graph = oneNodeGraph('SpatialMax', [x(2, 1, 3)], {}, ['y', 's']);
  const feeds = image([2, 1, 3], [1, NaN, 3, 5, 4, 6]);

  it('is reported as NaN, wherever in the channel it stands', async () => {
    for (const engine of engines) {
      expect([...(await runOnce(engine, graph, feeds)).get('y')!.data], engine.description).toEqual([NaN, 6]);
    }
  });
});

describe('zeros put on before a max pool', () => {
  it('win over negative values, unlike the padding of the pool', async () => {
    const builder = createGraphBuilder('pad and pool');
    builder.input('x', 'float32', ['batch', 1, 2, 2]);
    builder.add('Pad', ['x'], { pads: [1, 1, 0, 0], value: 0 }, { outputs: ['padded'] });
    builder.add('MaxPool', ['padded'], windowOf([2, 2]), { outputs: ['y'] });
    const graph = builder.finish(['y']);
    for (const engine of engines) {
      const results = await runOnce(engine, graph, image([1, 2, 2], [-1, -2, -3, -4]));
      expect([...results.get('y')!.data], engine.description).toEqual([0, 0, 0, -1]);
    }
  });
});
