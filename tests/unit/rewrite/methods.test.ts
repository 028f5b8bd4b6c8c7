/** The method table: every row on numbers worked out by hand, the four switches one at a time, and what the rows say of themselves. */
import { describe, expect, it } from 'vitest';
import { methods, seedsOf, type Method } from '../../../src-shared/domain/projection.ts';
import { createGraphBuilder, type GraphBuilder } from '../../../src-main/graph/build.ts';
import { withBatch, type Graph } from '../../../src-main/graph/graph.ts';
import { verify } from '../../../src-main/graph/verify.ts';
import { createReferenceEngine } from '../../../src-main/inference/reference/engine.ts';
import { methodTable } from '../../../src-main/rewrite/backward/methods.ts';
import { projectionGraph, rectifiedBy, type ProjectionOptions } from '../../../src-main/rewrite/backward/projectionGraph.ts';
import { withRandomWeights } from '../../../src-main/rewrite/controls/randomWeights.ts';
import { floatTensor, normalFloats, seededRandom, windowOf } from '../../support/graphs.ts';
import { runOnce } from '../../parity/allEngines.ts';

function network(sizes: readonly number[], make: (builder: GraphBuilder) => void): Graph {
  const builder = createGraphBuilder('network');
  builder.input('image', 'float32', ['batch', ...sizes]);
  make(builder);
  return verify(builder.finish(['y']));
}

async function project(graph: Graph, method: Method, values: readonly number[], seed: readonly number[], options?: ProjectionOptions): Promise<number[]> {
  const down = projectionGraph(graph, 'image', 'y', method, options);
  const feeds = {
    image: { shape: withBatch(graph.inputs[0]!.shape, 1), data: Float32Array.from(values) },
    [down.seed]: { shape: withBatch(down.graph.values.get(down.seed)!.shape, 1), data: Float32Array.from(seed) },
  };
  const result = await runOnce(createReferenceEngine(), down.graph, feeds, [down.projection]);
  return [...(result.get(down.projection)!.data as Float32Array)].map((value) => Number(value.toPrecision(6)) + 0);
}

/** image -> ReLU -> times 2 -> y */
const rectified = network([1, 1, 4], (b) => {
  b.add('Relu', ['image'], {}, { outputs: ['on'] });
  b.add('Mul', ['on', b.tensor(floatTensor('two', [], [2]))], {}, { outputs: ['y'] });
});

describe('every method of the table', () => {
  const image = [3, 3, -3, -3];
  const seed = [1, -1, 1, -1];
  const expected: Readonly<Record<Method, readonly number[]>> = {
    deconvnet: [2, 0, 2, 0],
    guided: [2, 0, 0, 0],
    gradient: [2, -2, 0, 0],
    gradientInput: [6, -6, 0, 0],
    desalinet: [2, 0, 0, 0],
  };
  it.each(methods)('%s at a rectifier', async (method) => {
    expect(await project(rectified, method, image, seed)).toEqual(expected[method]);
  });

  it.each([['deconvnet', 1], ['guided', 1], ['gradient', 0], ['gradientInput', 0], ['desalinet', 1]] as const)('%s rectifies %d of 1', (method, handled) => {
    expect(rectifiedBy(rectified, 'image', 'y', method)).toEqual({ handled, total: 1 });
  });

  it('multiplies by the image after all branches are summed', async () => {
    const sum = network([1, 1, 2], (b) => void b.add('Add', ['image', 'image'], {}, { outputs: ['y'] }));
    expect(await project(sum, 'gradientInput', [3, -5], [1, 1])).toEqual([6, -10]);
  });

  it('has DeSaliNet with all four switches set', () => {
    expect(methodTable.desalinet).toMatchObject({ maskByForward: true, unpool: 'switches', rectifySignal: true, lrn: 'identity' });
  });
});

describe('unpooling to the centre of the window', () => {
  it('leaves the switches aside, whatever the method', async () => {
    const pooled = network([1, 3, 3], (b) => void b.add('MaxPool', ['image'], windowOf([3, 3]), { outputs: ['y'] }));
    const corner = [9, 0, 0, 0, 1, 0, 0, 0, 0];
    for (const method of ['deconvnet', 'guided', 'gradient'] as const) {
      expect(await project(pooled, method, corner, [5])).toEqual([5, 0, 0, 0, 0, 0, 0, 0, 0]);
      expect(await project(pooled, method, corner, [5], { unpool: 'centre' })).toEqual([0, 0, 0, 0, 5, 0, 0, 0, 0]);
    }
  });

  it('takes the part of a window inside the input, the first of two middles, and sums where centres meet', async () => {
    // Windows of 3 at stride 1 over 4 columns, padded by 1: taps -1..1 (inside 0, 1), 0..2, 1..3, 2..4 (inside 2, 3): centres 0, 1, 2, 2.
    const pooled = network([1, 1, 4], (b) => void b.add('MaxPool', ['image'], windowOf([1, 3], { pads: [0, 1, 0, 1] }), { outputs: ['y'] }));
    expect(await project(pooled, 'deconvnet', [1, 2, 3, 4], [1, 10, 100, 1000], { unpool: 'centre' })).toEqual([1, 10, 1100, 0]);
  });

  it('writes no switches in the forward pass', () => {
    const pooled = network([1, 3, 3], (b) => void b.add('Relu', b.add('MaxPool', ['image'], windowOf([2, 2])), {}, { outputs: ['y'] }));
    const { graph } = projectionGraph(pooled, 'image', 'y', 'guided', { unpool: 'centre' });
    expect(graph.nodes.find((node) => node.kind === 'MaxPool')!.outputs).toHaveLength(1);
    expect(graph.nodes.some((node) => node.kind === 'Unpool')).toBe(false);
  });
});

describe('a walk that lets the upper bound pass', () => {
  const bounded = network([1, 1, 4], (b) => {
    b.add('Mul', ['image', b.tensor(floatTensor('two', [], [2]))], {}, { outputs: ['x'] });
    b.add('Clip', ['x'], { minimum: 0, maximum: 6 }, { outputs: ['y'] });
  });
  it.each(['guided', 'gradient'] as const)('%s: a unit at 6 passes, one at 0 does not, one between is as ever', async (method) => {
    const at = (unit: number, options: ProjectionOptions) => project(bounded, method, [5, 3, 1, -1], [0, 0, 0, 0].map((_, place) => (place === unit ? 1 : 0)), options);
    expect(await at(0, {})).toEqual([0, 0, 0, 0]);
    expect(await at(0, { passesUpperBound: true })).toEqual([2, 0, 0, 0]);
    expect(await at(1, { passesUpperBound: true })).toEqual([0, 2, 0, 0]);
    expect(await at(2, { passesUpperBound: true })).toEqual([0, 0, 2, 0]);
    expect(await at(3, { passesUpperBound: true })).toEqual([0, 0, 0, 0]);
  });
});

describe('random weights', () => {
  const weights = floatTensor('w', [8, 4, 3, 3], normalFloats(seededRandom(5), 288, 0.2).map((value) => value + 1));
  const graph = network([4, 5, 5], (b) => {
    b.tensor(weights);
    const convolved = b.add('Conv', ['image', 'w', b.tensor(floatTensor('bias', [8], new Array<number>(8).fill(0.5)))], { ...windowOf([3, 3]), group: 1 })[0]!;
    b.add('Mul', [convolved, b.tensor(floatTensor('scale', [], [3]))], {}, { outputs: ['y'] });
  });

  it('keep shapes, mean and deviation, and leave other constants alone', () => {
    const random = withRandomWeights(graph, 1);
    const data = random.tensors.get('w')!.data as Float32Array;
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
    const deviation = Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length);
    expect(verify(random).tensors.get('w')!.shape).toEqual([8, 4, 3, 3]);
    expect(data).not.toEqual(weights.data);
    expect(Math.abs(mean - 1)).toBeLessThan(0.05);
    expect(Math.abs(deviation - 0.2)).toBeLessThan(0.03);
    expect([...random.tensors.get('bias')!.data]).toEqual(new Array(8).fill(0.5));
    expect(random.tensors.get('scale')).toBe(graph.tensors.get('scale'));
  });

  it('are the same for the same seed only', () => {
    const of = (seed: number) => withRandomWeights(graph, seed).tensors.get('w')!.data;
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
  });
});

it('offers a class score as a seed only where a channel is one number', () => {
  expect(seedsOf({ height: 1, width: 1 })).toEqual(['one', 'value', 'map', 'logit']);
  expect(seedsOf({ height: 13, width: 13 })).toEqual(['one', 'value', 'map']);
});
