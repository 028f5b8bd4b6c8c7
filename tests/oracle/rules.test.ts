/**
 * Every backward rule against what it must be: the adjoint of its forward op where that is linear (<A x, y> = <x, A' y>), the derivative found by
 * finite differences everywhere (method.md section 3). Both go through projectionGraph, so the walker is on trial too.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGraphBuilder, type GraphBuilder } from '../../src-main/graph/build.ts';
import { withBatch, type Graph } from '../../src-main/graph/graph.ts';
import type { OpKind } from '../../src-main/graph/ops/attributes.ts';
import type { Data, Engine } from '../../src-main/inference/engine.ts';
import { createReferenceEngine } from '../../src-main/inference/reference/engine.ts';
import { projectionGraph } from '../../src-main/rewrite/backward/projectionGraph.ts';
import { rules } from '../../src-main/rewrite/backward/rules/rules.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { floatTensor, innerProduct, randomData, randomTensor, seededRandom, windowOf } from '../support/graphs.ts';
import { runOnce } from '../parity/allEngines.ts';
import { ruleCases } from './activationCases.ts';

interface Case {
  readonly title: string;
  /** The op kinds on trial. */
  readonly kinds: readonly OpKind[];
  readonly graph: Graph;
  /** Affine in the image: the adjoint identity must hold. */
  readonly linear: boolean;
}

let engines: Engine[];
beforeAll(async () => {
  engines = [createReferenceEngine(), await createOnnxruntimeEngine({ device: 'cpu' })];
});
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

const random = seededRandom(1311_2901);
const batch = 2;
/** Central differences: an exact power of two, small against the slopes' own change and large against float32 rounding. */
const step = 2 ** -7;
const tolerance = 2e-3;

/** A network `image [N, sizes]` -> y. */
function network(sizes: readonly number[], make: (builder: GraphBuilder) => string): Graph {
  const builder = createGraphBuilder('network');
  builder.input('image', 'float32', ['batch', ...sizes]);
  return builder.finish([make(builder)]);
}
const add = <K extends OpKind>(builder: GraphBuilder, kind: K, inputs: readonly string[], attributes: Parameters<typeof builder.add<K>>[2]) => builder.add(kind, inputs, attributes)[0]!;
const weights = (builder: GraphBuilder, name: string, shape: readonly number[], deviation = 1) => builder.tensor(randomTensor(random, name, shape, deviation));

function convolution(title: string, sizes: readonly number[], outputs: number, window: ReturnType<typeof windowOf>, group = 1): Case {
  return {
    title: `Conv: ${title}`, kinds: ['Conv'], linear: true,
    graph: network(sizes, (b) => add(b, 'Conv', ['image', weights(b, 'w', [outputs, sizes[0]! / group, ...window.kernel]), weights(b, 'bias', [outputs])], { ...window, group })),
  };
}
const transposedConvolution = (title: string, sizes: readonly number[], outputs: number, window: ReturnType<typeof windowOf>, group: number, outputPadding: readonly [number, number]): Case => ({
  title: `ConvTranspose: ${title}`, kinds: ['ConvTranspose'], linear: true,
  graph: network(sizes, (b) => add(b, 'ConvTranspose', ['image', weights(b, 'w', [sizes[0]!, outputs / group, ...window.kernel]), weights(b, 'bias', [outputs])], { ...window, group, outputPadding })),
});
const averagePool = (title: string, sizes: readonly number[], window: ReturnType<typeof windowOf>, countIncludePad: boolean): Case => ({
  title: `AveragePool: ${title}`, kinds: ['AveragePool'], linear: true, graph: network(sizes, (b) => add(b, 'AveragePool', ['image'], { ...window, countIncludePad })),
});
const plain = <K extends OpKind>(kind: K, title: string, linear: boolean, sizes: readonly number[], attributes: Parameters<GraphBuilder['add']>[2]): Case => ({
  title: `${kind}: ${title}`, kinds: [kind], linear, graph: network(sizes, (b) => add(b, kind, ['image'], attributes as never)),
});
/** A second computed value with its own weights, so that both operands depend on the image. */
const branch = (b: GraphBuilder, name: string, channels: number, outputs = channels) =>
  add(b, 'Conv', ['image', weights(b, `${name}.w`, [outputs, channels, 1, 1]), weights(b, `${name}.b`, [outputs])], { ...windowOf([1, 1]), group: 1 });

const cases: readonly Case[] = [
  convolution('plain', [2, 5, 6], 3, windowOf([3, 3])),
  convolution('strides that leave a remainder, asymmetric pads', [2, 7, 8], 3, windowOf([3, 2], { strides: [2, 3], pads: [2, 0, 1, 1] })),
  convolution('dilated and strided', [2, 9, 8], 3, windowOf([2, 3], { strides: [3, 2], dilations: [3, 2], pads: [1, 2, 0, 1] })),
  convolution('two groups', [4, 5, 5], 6, windowOf([3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }), 2),
  convolution('depthwise, two outputs for each channel', [3, 5, 4], 6, windowOf([3, 3], { pads: [1, 1, 1, 1] }), 3),
  transposedConvolution('strided with output padding', [2, 3, 4], 3, windowOf([3, 3], { strides: [2, 3], pads: [1, 0, 0, 1] }), 1, [1, 2]),
  transposedConvolution('two groups, dilated', [4, 3, 3], 4, windowOf([2, 2], { strides: [2, 1], dilations: [2, 3], pads: [0, 1, 1, 0] }), 2, [0, 0]),
  averagePool('overlapping', [2, 7, 7], windowOf([3, 3], { strides: [2, 2] }), false),
  averagePool('padded, the pads not counted', [2, 5, 6], windowOf([3, 2], { strides: [2, 2], pads: [1, 1, 1, 0] }), false),
  averagePool('padded, the pads counted', [2, 5, 6], windowOf([3, 2], { strides: [2, 2], pads: [1, 1, 1, 0] }), true),
  averagePool('extended past the border as ceil_mode does', [2, 6, 6], windowOf([3, 3], { strides: [2, 2], pads: [0, 0, 1, 1] }), false),
  averagePool('strides with a remainder', [1, 8, 9], windowOf([2, 2], { strides: [3, 3] }), false),
  plain('GlobalAveragePool', 'an equal share', true, [3, 3, 4], {}),
  plain('Identity', 'as it is', true, [2, 2, 2], {}),
  plain('Pad', 'each side by its own amount', true, [2, 3, 4], { pads: [1, 0, 2, 3], value: 0.5 }),
  plain('Transpose', 'three axes in a circle', true, [2, 3, 4], { permutation: [0, 2, 3, 1] }),
  plain('Reshape', 'to a vector', true, [2, 3, 4], { shape: ['batch', 24] }),
  plain('ReduceSum', 'over rows and columns', true, [2, 3, 4], { axes: [2, 3] }),
  plain('ReduceSum', 'over channels', true, [3, 2, 2], { axes: [1] }),
  plain('Slice', 'of channels', true, [5, 2, 3], { axis: 1, start: 1, end: 3 }),
  plain('Slice', 'of rows', true, [2, 5, 3], { axis: 2, start: 2, end: 4 }),
  plain('Slice', 'of columns', true, [2, 3, 5], { axis: 3, start: 0, end: 4 }),
  {
    title: 'Gemm: weights as they stand', kinds: ['Gemm', 'Reshape'], linear: true,
    graph: network([2, 2, 3], (b) => add(b, 'Gemm', [add(b, 'Reshape', ['image'], { shape: ['batch', 12] }), weights(b, 'w', [12, 5]), weights(b, 'bias', [5])], { transposeB: false })),
  },
  {
    title: 'Gemm: transposed weights', kinds: ['Gemm', 'Reshape'], linear: true,
    graph: network([2, 2, 3], (b) => add(b, 'Gemm', [add(b, 'Reshape', ['image'], { shape: ['batch', 12] }), weights(b, 'w', [5, 12]), weights(b, 'bias', [5])], { transposeB: true })),
  },
  {
    title: 'BatchNormalization: scaled, the shift dropped', kinds: ['BatchNormalization'], linear: true,
    graph: network([3, 2, 3], (b) => add(b, 'BatchNormalization', ['image', weights(b, 'gamma', [3]), weights(b, 'beta', [3]), weights(b, 'mean', [3]), b.tensor(floatTensor('variance', [3], [0.25, 1, 4]))], { epsilon: 0.1 })),
  },
  {
    title: 'BatchNormalization: after a fully connected layer', kinds: ['BatchNormalization'], linear: true,
    graph: network([2, 1, 2], (b) => add(b, 'BatchNormalization', [add(b, 'Reshape', ['image'], { shape: ['batch', 4] }), weights(b, 'gamma', [4]), weights(b, 'beta', [4]), weights(b, 'mean', [4]), b.tensor(floatTensor('variance', [4], [0.5, 1, 2, 3]))], { epsilon: 1e-5 })),
  },
  { title: 'Add: two computed values', kinds: ['Add'], linear: true, graph: network([2, 3, 3], (b) => add(b, 'Add', ['image', branch(b, 'second', 2)], {})) },
  { title: 'Add: a value to itself', kinds: ['Add'], linear: true, graph: network([2, 2, 2], (b) => add(b, 'Add', ['image', 'image'], {})) },
  {
    title: 'Add: one value for each channel, broadcast over positions', kinds: ['Add', 'GlobalAveragePool'], linear: true,
    graph: network([2, 3, 3], (b) => add(b, 'Add', [add(b, 'GlobalAveragePool', [branch(b, 'gate', 2)], {}), 'image'], {})),
  },
  {
    title: 'Add: a single map broadcast over channels, of lower rank', kinds: ['Add', 'Reshape'], linear: true,
    graph: network([1, 2, 3], (b) => add(b, 'Add', [weights(b, 'constant', [4, 1, 1]), add(b, 'Mul', ['image', weights(b, 'scale', [4, 1, 1])], {})], {})),
  },
  { title: 'Sub: both ways round', kinds: ['Sub'], linear: true, graph: network([2, 2, 3], (b) => add(b, 'Sub', [add(b, 'Sub', [weights(b, 'constant', [1]), 'image'], {}), branch(b, 'second', 2)], {})) },
  { title: 'Mul: by a constant for each channel', kinds: ['Mul'], linear: true, graph: network([3, 2, 2], (b) => add(b, 'Mul', [weights(b, 'scale', [1, 3, 1, 1]), 'image'], {})) },
  { title: 'Mul: by a constant that makes the result larger', kinds: ['Mul'], linear: true, graph: network([1, 2, 2], (b) => add(b, 'Mul', ['image', weights(b, 'scale', [1, 3, 1, 1])], {})) },
  {
    title: 'Concat: four branches, the image itself twice', kinds: ['Concat'], linear: true,
    graph: network([2, 2, 3], (b) => add(b, 'Concat', [branch(b, 'first', 2, 3), 'image', branch(b, 'third', 2, 1), 'image'], { axis: 1 })),
  },
  { title: 'Concat: along rows', kinds: ['Concat'], linear: true, graph: network([2, 2, 3], (b) => add(b, 'Concat', ['image', branch(b, 'second', 2)], { axis: 2 })) },
  {
    title: 'Where: each position to the branch that was chosen', kinds: ['Where'], linear: true,
    graph: network([2, 2, 3], (b) => add(b, 'Where', [b.tensor({ name: 'mask', dataType: 'bool', shape: [1, 1, 2, 3], data: Uint8Array.of(1, 0, 1, 0, 0, 1) }), 'image', branch(b, 'second', 2)], {})),
  },
  { title: 'Mul: of two computed values', kinds: ['Mul'], linear: false, graph: network([2, 3, 2], (b) => add(b, 'Mul', [branch(b, 'first', 2), branch(b, 'second', 2)], {})) },
  { title: 'Mul: a value by itself', kinds: ['Mul'], linear: false, graph: network([2, 2, 2], (b) => add(b, 'Mul', ['image', 'image'], {})) },
  { title: 'Mul: a gate broadcast over positions', kinds: ['Mul'], linear: false, graph: network([2, 3, 2], (b) => add(b, 'Mul', ['image', add(b, 'GlobalAveragePool', [branch(b, 'gate', 2)], {})], {})) },
  { title: 'Pow: squared, negative values included', kinds: ['Pow'], linear: false, graph: network([2, 3, 2], (b) => add(b, 'Pow', ['image'], { exponent: 2 })) },
  { title: 'Pow: a root of what is above 1', kinds: ['Pow'], linear: false, graph: network([1, 2, 3], (b) => add(b, 'Pow', [add(b, 'Add', [add(b, 'Pow', ['image'], { exponent: 2 }), b.tensor(floatTensor('one', [], [1]))], {})], { exponent: -0.5 })) },
  { title: 'LRN: odd size', kinds: ['LRN'], linear: false, graph: network([6, 2, 2], (b) => add(b, 'LRN', ['image'], { size: 5, alpha: 2, beta: 0.75, bias: 1 })) },
  { title: 'LRN: even size, whose window leans to one side', kinds: ['LRN'], linear: false, graph: network([5, 2, 2], (b) => add(b, 'LRN', ['image'], { size: 4, alpha: 3, beta: 0.6, bias: 2 })) },
  { title: 'LRN: wider than the channels', kinds: ['LRN'], linear: false, graph: network([3, 1, 2], (b) => add(b, 'LRN', ['image'], { size: 9, alpha: 5, beta: 0.75, bias: 1 })) },
  plain('Relu', 'away from 0', false, [2, 3, 4], {}),
  plain('LeakyRelu', 'both slopes', false, [2, 3, 4], { alpha: 0.3 }),
  plain('Clip', 'both bounds', false, [2, 3, 4], { minimum: -0.4, maximum: 0.6 }),
  plain('Clip', 'from below only', false, [2, 3, 4], { minimum: 0.2, maximum: Infinity }),
  plain('Clip', 'from above only', false, [2, 3, 4], { minimum: -Infinity, maximum: 0.2 }),
  plain('MaxPool', 'overlapping windows, padded', false, [2, 5, 6], windowOf([3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] })),
  plain('MaxPool', 'extended past the border as ceil_mode does', false, [1, 6, 6], windowOf([3, 3], { strides: [2, 2], pads: [0, 0, 1, 1] })),
  plain('MaxPool', 'dilated', false, [1, 6, 7], windowOf([2, 3], { dilations: [2, 2] })),
  ...ruleCases,
];

it('has a case for every op kind with a way down', () => {
  const tried = new Set(cases.flatMap((one) => one.kinds));
  expect(Object.entries(rules).flatMap(([kind, rule]) => (rule && !tried.has(kind as OpKind) ? [kind] : []))).toEqual([]);
});

describe('the way down is the adjoint: <A x, y> = <x, A\' y>', () => {
  it.each(cases.filter((one) => one.linear))('$title', async ({ graph }) => {
    const layer = graph.outputs[0]!;
    const x = randomData(random, withBatch(graph.inputs[0]!.shape, batch));
    const signal = randomData(random, withBatch(graph.values.get(layer)!.shape, batch));
    for (const engine of engines) {
      const [at, origin] = await Promise.all([x, zerosLike(x)].map(async (image) => (await runOnce(engine, graph, { image })).get(layer)!));
      // A is the op without its shift: what it gives beyond its value at the origin.
      const linear: Data = { shape: at!.shape, data: Float32Array.from(at!.data as Float32Array, (value, index) => value - (origin!.data as Float32Array)[index]!) };
      const back = await project(engine, graph, x, signal);
      const [left, right] = [innerProduct(linear, signal), innerProduct(x, back)];
      expect(left).not.toBe(0);
      expect(Math.abs(left - right) / Math.max(1, Math.abs(left)), `${engine.description}: ${left} and ${right}`).toBeLessThan(2e-5);
    }
  });
});

describe('the gradient is the derivative that finite differences find', () => {
  it.each(cases)('$title', async ({ graph }) => {
    const layer = graph.outputs[0]!;
    const shape = withBatch(graph.inputs[0]!.shape, 1);
    const x = steppedImage(shape);
    const signal = randomData(random, withBatch(graph.values.get(layer)!.shape, 1));
    const expected = await finiteDifferences(engines[0]!, graph, x, signal);
    const largest = Math.max(...expected.map(Math.abs));
    expect(largest).toBeGreaterThan(0.01);
    for (const engine of engines) {
      const back = await project(engine, graph, x, signal);
      const worst = Math.max(...expected.map((value, at) => Math.abs(value - Number(back.data[at]))));
      expect(worst / largest, engine.description).toBeLessThan(tolerance);
    }
  });
});

async function project(engine: Engine, graph: Graph, image: Data, seed: Data): Promise<Data> {
  const down = projectionGraph(graph, 'image', graph.outputs[0]!, 'gradient');
  return (await runOnce(engine, down.graph, { image, [down.seed]: seed }, [down.projection])).get(down.projection)!;
}

/** d<f(x), signal>/dx by central differences: every pixel's two shifts are rows of one batch. */
async function finiteDifferences(engine: Engine, graph: Graph, x: Data, signal: Data): Promise<number[]> {
  const size = x.data.length;
  const rows = new Float32Array(2 * size * size);
  for (let pixel = 0; pixel < size; pixel++) {
    for (const [row, sign] of [[2 * pixel, 1], [2 * pixel + 1, -1]] as const) {
      rows.set(x.data as Float32Array, row * size);
      rows[row * size + pixel]! += sign * step;
    }
  }
  const layer = graph.outputs[0]!;
  const values = (await runOnce(engine, graph, { image: { shape: [2 * size, ...x.shape.slice(1)], data: rows } }, [layer])).get(layer)!.data as Float32Array;
  const length = signal.data.length;
  const weighted = (row: number) => (signal.data as Float32Array).reduce((sum, weight, at) => sum + weight * values[row * length + at]!, 0);
  return Array.from({ length: size }, (_, pixel) => (weighted(2 * pixel) - weighted(2 * pixel + 1)) / (2 * step));
}

/** Distinct values in seeded order, 0.05 apart and none within 0.02 of a multiple of 0.2, so that no shift by one step crosses a kink or changes a winner. */
function steppedImage(shape: readonly number[]): Data {
  const count = shape.reduce((product, size) => product * size, 1);
  const grid: number[] = [];
  for (let level = 0; grid.length < count; level++) {
    const value = 0.05 * (Math.floor(level / 2) + 1) * (level % 2 ? -1 : 1);
    const fromKink = Math.abs(value / 0.2 - Math.round(value / 0.2)) * 0.2;
    if (fromKink > 0.02) grid.push(value);
  }
  for (let at = count - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [grid[at], grid[other]] = [grid[other]!, grid[at]!];
  }
  return { shape, data: Float32Array.from(grid) };
}

function zerosLike({ shape, data }: Data): Data {
  return { shape, data: new Float32Array(data.length) };
}

describe('local response normalisation within channels, as Caffe files spell it', () => {
  const graph = network([2, 5, 5], (b) => {
    const means = b.add('AveragePool', [b.add('Pow', ['image'], { exponent: 2 })[0]!], { ...windowOf([3, 3], { pads: [1, 1, 1, 1] }), countIncludePad: true })[0]!;
    const sums = b.add('Add', [b.add('Mul', [means, b.tensor(floatTensor('alpha', [], [0.5]))], {})[0]!, b.tensor(floatTensor('k', [], [1]))], {})[0]!;
    return b.add('Mul', ['image', b.add('Pow', [sums], { exponent: -0.75 })[0]!], {})[0]!;
  });
  const image = randomData(random, [1, 2, 5, 5]);
  const seed = randomData(random, [1, 2, 5, 5]);
  const down = async (method: 'deconvnet' | 'guided' | 'gradient') => {
    const walked = projectionGraph(graph, 'image', graph.outputs[0]!, method);
    return [...(await runOnce(engines[0]!, walked.graph, { [walked.image]: image, [walked.seed]: seed })).get(walked.projection)!.data];
  };

  it('is passed by in deconvnet and guided, and differentiated in gradient', async () => {
    expect(await down('deconvnet')).toEqual([...seed.data]);
    expect(await down('guided')).toEqual([...seed.data]);
    expect(await down('gradient')).not.toEqual([...seed.data]);
  });
});
