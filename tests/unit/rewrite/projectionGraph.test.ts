/** What a projection is as a graph: which nonlinearities it rectified, where it starts, what it refuses; and the rows of the method table on small numbers. */
import { describe, expect, it } from 'vitest';
import { createGraphBuilder, type GraphBuilder } from '../../../src-main/graph/build.ts';
import { withBatch, type Graph } from '../../../src-main/graph/graph.ts';
import { verify } from '../../../src-main/graph/verify.ts';
import { createReferenceEngine } from '../../../src-main/inference/reference/engine.ts';
import { projectionGraph, rectifiedBy, upperBoundOf, type ProjectionOptions } from '../../../src-main/rewrite/backward/projectionGraph.ts';
import { floatTensor, windowOf } from '../../support/graphs.ts';
import { runOnce } from '../../parity/allEngines.ts';

/** The three whose rows are written out here. */
const methods = ['deconvnet', 'guided', 'gradient'] as const;
type Method = (typeof methods)[number];

function network(sizes: readonly number[], make: (builder: GraphBuilder) => readonly string[] | void): Graph {
  const builder = createGraphBuilder('network');
  builder.input('image', 'float32', ['batch', ...sizes]);
  const outputs = make(builder);
  return verify(builder.finish(outputs ?? ['y']));
}
const scaled = (b: GraphBuilder, input: string, factor: number, output: string) => b.add('Mul', [input, b.tensor(floatTensor(b.freeName('factor'), [], [factor]))], {}, { outputs: [output] })[0]!;

/** The projection of one image `values` of the graph's input shape with the whole seed given. */
async function project(graph: Graph, layer: string, method: Method, values: readonly number[], seed: readonly number[], options?: ProjectionOptions): Promise<number[]> {
  const down = projectionGraph(graph, 'image', layer, method, options);
  const feeds = {
    image: { shape: withBatch(graph.inputs[0]!.shape, 1), data: Float32Array.from(values) },
    [down.seed]: { shape: withBatch(down.graph.values.get(down.seed)!.shape, 1), data: Float32Array.from(seed) },
  };
  const result = await runOnce(createReferenceEngine(), down.graph, feeds, [down.projection]);
  return [...(result.get(down.projection)!.data as Float32Array)].map((value) => Number(value.toPrecision(6)) + 0);
}

describe('the rectifiers, row by row', () => {
  const x = [-2, -0.5, 0, 0.5, 6, 9];
  const g = [3, -3, 3, 3, 3, -3];
  const cases: readonly (readonly [title: string, make: (b: GraphBuilder) => void, expected: Readonly<Record<Method, readonly number[]>>])[] = [
    ['ReLU', (b) => b.add('Relu', ['image'], {}, { outputs: ['y'] }), { gradient: [0, 0, 0, 3, 3, -3], deconvnet: [3, 0, 3, 3, 3, 0], guided: [0, 0, 0, 3, 3, 0] }],
    ['LeakyReLU, whose slope at 0 is its lower one', (b) => b.add('LeakyRelu', ['image'], { alpha: 0.5 }, { outputs: ['y'] }), { gradient: [1.5, -1.5, 1.5, 3, 3, -3], deconvnet: [3, 0, 3, 3, 3, 0], guided: [1.5, 0, 1.5, 3, 3, 0] }],
    ['ReLU6, off at both bounds', (b) => b.add('Clip', ['image'], { minimum: 0, maximum: 6 }, { outputs: ['y'] }), { gradient: [0, 0, 0, 3, 0, 0], deconvnet: [3, 0, 3, 3, 3, 0], guided: [0, 0, 0, 3, 0, 0] }],
    ['Clip without bounds is the identity where it is on', (b) => b.add('Clip', ['image'], { minimum: -Infinity, maximum: Infinity }, { outputs: ['y'] }), { gradient: g, deconvnet: [3, 0, 3, 3, 3, 0], guided: [3, 0, 3, 3, 3, 0] }],
  ];
  it.each(cases)('%s', async (_, make, expected) => {
    const graph = network([1, 1, 6], (b) => void make(b));
    for (const method of methods) expect(await project(graph, 'y', method, x, g), method).toEqual(expected[method]);
  });
});

describe('what deconvnet and guided do not differentiate', () => {
  it('passes LRN by, and gradient does not', async () => {
    const graph = network([1, 1, 1], (b) => void b.add('LRN', ['image'], { size: 1, alpha: 1, beta: 1, bias: 1 }, { outputs: ['y'] }));
    expect(await project(graph, 'y', 'deconvnet', [1], [3])).toEqual([3]);
    expect(await project(graph, 'y', 'guided', [1], [-3])).toEqual([-3]);
    // y = x / (1 + x^2), y' = (1 - x^2) / (1 + x^2)^2 = -0.12 at x = 2
    expect(await project(graph, 'y', 'gradient', [2], [1])).toEqual([-0.12]);
  });

  it.each(['the gate last', 'the gate first'])('holds the gate of a squeeze-and-excitation constant, %s', async (order) => {
    const graph = network([1, 1, 2], (b) => {
      const shifted = b.add('Add', [b.add('GlobalAveragePool', ['image'], {})[0]!, b.tensor(floatTensor('three', [], [3]))], {})[0]!;
      const gate = b.add('Clip', [shifted], { minimum: 0, maximum: 6 })[0]!;
      b.add('Mul', order === 'the gate last' ? ['image', gate] : [gate, 'image'], {}, { outputs: ['y'] });
    });
    // The gate, a hard sigmoid, is the mean 2 and 3: held constant, only the first pixel is reached; differentiated, both get g * x / 2 more.
    expect(await project(graph, 'y', 'deconvnet', [1, 3], [1, 0])).toEqual([5, 0]);
    expect(await project(graph, 'y', 'guided', [1, 3], [1, 0])).toEqual([5, 0]);
    expect(await project(graph, 'y', 'gradient', [1, 3], [1, 0])).toEqual([5.5, 0.5]);
  });

  it('differentiates a value multiplied by itself under every method: a square has no gate', async () => {
    const graph = network([1, 1, 1], (b) => void b.add('Mul', ['image', 'image'], {}, { outputs: ['y'] }));
    for (const method of methods) expect(await project(graph, 'y', method, [3], [1]), method).toEqual([6]);
  });
});

describe('n of m nonlinearities rectified', () => {
  /** image -> ReLU a -> (ReLU b, LeakyReLU c) -> Add -> Clip d -> y; beside it a ReLU that leads nowhere near y, and one on a constant. */
  const graph = network([1, 2, 2], (b) => {
    b.add('Relu', ['image'], {}, { outputs: ['a'] });
    b.add('Relu', ['a'], {}, { outputs: ['b'] });
    b.add('LeakyRelu', ['a'], { alpha: 0.1 }, { outputs: ['c'] });
    b.add('Relu', ['a'], {}, { outputs: ['elsewhere'] });
    const constant = b.add('Relu', [b.tensor(floatTensor('constant', [1, 1, 2, 2], [1, 2, 3, 4]))], {})[0]!;
    const sum = b.add('Add', ['b', 'c'], {})[0]!;
    b.add('Clip', [b.add('Add', [sum, constant], {})[0]!], { minimum: 0, maximum: 6 }, { outputs: ['d'] });
    scaled(b, 'd', 2, 'y');
    return ['y', 'elsewhere'];
  });

  it('counts those on any path from the layer to the image, its own included', () => {
    expect(rectifiedBy(graph, 'image', 'y', 'deconvnet')).toEqual({ handled: 4, total: 4 });
    expect(rectifiedBy(graph, 'image', 'd', 'guided')).toEqual({ handled: 4, total: 4 });
    expect(rectifiedBy(graph, 'image', 'c', 'deconvnet')).toEqual({ handled: 2, total: 2 });
  });

  it('is 0 of m for gradient, which rectifies nothing', () => {
    expect(projectionGraph(graph, 'image', 'y', 'gradient').rectified).toEqual({ handled: 0, total: 4 });
  });

  it('is one less where the walk starts below the layer\'s own activation', () => {
    expect(projectionGraph(graph, 'image', 'd', 'deconvnet', { belowActivation: true }).rectified).toEqual({ handled: 3, total: 4 });
  });
});

describe('a unit at its activation\'s upper bound', () => {
  const graph = network([1, 1, 2], (b) => void b.add('Clip', [scaled(b, 'image', 2, 'below')], { minimum: 0, maximum: 6 }, { outputs: ['y'] }));

  it('is one where the activation has such a bound', () => {
    expect(upperBoundOf(graph, 'y')).toBe(6);
    expect(upperBoundOf(graph, 'below')).toBeUndefined();
    const relu = network([1, 1, 1], (b) => void b.add('Clip', ['image'], { minimum: 0, maximum: Infinity }, { outputs: ['y'] }));
    expect(upperBoundOf(relu, 'y')).toBeUndefined();
  });

  it('has a picture from the activation\'s input, where its own slope would leave none', async () => {
    expect(await project(graph, 'y', 'guided', [5, 1], [1, 0])).toEqual([0, 0]);
    expect(await project(graph, 'y', 'guided', [5, 1], [1, 0], { belowActivation: true })).toEqual([2, 0]);
    expect(projectionGraph(graph, 'image', 'y', 'guided', { belowActivation: true }).start).toBe('below');
  });

  it('cannot start below a layer that is no activation', () => {
    expect(() => projectionGraph(graph, 'image', 'below', 'guided', { belowActivation: true })).toThrow('below is not the output of an activation');
  });
});

describe('what has no way down', () => {
  it('names Softmax and what to choose instead', () => {
    const graph = network([1, 1, 3], (b) => {
      const flat = b.add('Reshape', ['image'], { shape: ['batch', 3] }, { outputs: ['logits'] })[0]!;
      b.add('Softmax', [flat], { axis: 1 }, { name: 'prob', outputs: ['y'] });
    });
    expect(() => projectionGraph(graph, 'image', 'y', 'deconvnet')).toThrow('There is no way down through Softmax (node "prob"). Choose the layer before it: the logits are projected, never the probabilities.');
    expect(projectionGraph(graph, 'image', 'logits', 'deconvnet').start).toBe('logits');
  });

  it('names any other op without a rule', () => {
    const graph = network([1, 2, 2], (b) => void b.add('Unpool', ['image', b.add('MaxPool', ['image'], windowOf([1, 1]), { outputs: ['pooled', 'switches'] })[1]!], { height: 2, width: 2 }, { name: 'up', outputs: ['y'] }));
    expect(() => projectionGraph(graph, 'image', 'y', 'gradient')).toThrow('There is no way down through Unpool (node "up"). Choose a layer before it.');
  });

  it('says so of a layer that does not depend on the image', () => {
    const graph = network([1, 1, 1], (b) => {
      b.add('Relu', [b.tensor(floatTensor('constant', [1, 1, 1, 1], [1]))], {}, { outputs: ['fixed'] });
      b.add('Relu', ['image'], {}, { outputs: ['y'] });
      return ['y', 'fixed'];
    });
    expect(() => projectionGraph(graph, 'image', 'fixed', 'deconvnet')).toThrow('The layer "fixed" does not depend on the image, so it cannot be projected back to it.');
  });

  it('says so of batch normalisation whose statistics are computed', () => {
    const graph = network([1, 1, 1], (b) => {
      const ones = b.tensor(floatTensor('ones', [1], [1]));
      b.add('BatchNormalization', ['image', ones, ones, ones, b.add('Relu', [ones], {})[0]!], { epsilon: 0 }, { name: 'bn', outputs: ['y'] });
    });
    expect(() => projectionGraph(graph, 'image', 'y', 'gradient')).toThrow('Batch normalisation "bn" has computed statistics; only constant ones can be projected through.');
  });
});

describe('the graph that comes out', () => {
  it('is cut at the layer: nothing behind it is run, and a Softmax behind it does no harm', () => {
    const graph = network([1, 1, 3], (b) => {
      b.add('Relu', ['image'], {}, { outputs: ['layer'] });
      b.add('Softmax', [b.add('Reshape', ['layer'], { shape: ['batch', 3] })[0]!], { axis: 1 }, { outputs: ['y'] });
    });
    expect(projectionGraph(graph, 'image', 'layer', 'guided').graph.nodes.map((node) => node.kind)).toEqual(['Relu', 'Relu', 'Greater', 'Where', 'Identity']);
  });

  it('holds of the forward pass only what the rules and the layer need', () => {
    const graph = network([1, 1, 2], (b) => void scaled(b, scaled(b, 'image', 2, 'first'), 3, 'y'));
    const down = projectionGraph(graph, 'image', 'y', 'deconvnet');
    expect(down.graph.outputs).toEqual(['projection', 'y']);
    expect(down.graph.inputs.map(({ name, shape }) => [name, shape])).toEqual([['image', ['batch', 1, 1, 2]], ['seed', ['batch', 1, 1, 2]]]);
  });

  it('keeps clear of names that the network uses itself', async () => {
    const graph = network([1, 1, 2], (b) => {
      b.add('Relu', ['image'], {}, { name: 'zero', outputs: ['seed'] });
      b.add('Relu', ['seed'], {}, { name: 'minus one', outputs: ['projection'] });
      b.add('Clip', ['projection'], { minimum: 0, maximum: 6 }, { name: 'back:zero', outputs: ['y'] });
    });
    expect(await project(graph, 'y', 'gradient', [-1, 2], [5, 7])).toEqual([0, 7]);
    expect(await project(graph, 'y', 'guided', [-1, 2], [5, 7])).toEqual([0, 7]);
  });

  it('does not mistake a node\'s own signal for a shared constant of the same name', async () => {
    // The signal of a node named "zero" must not stand in for the constant 0 of the ReLU below it.
    const graph = network([1, 1, 2], (b) => {
      b.add('Relu', ['image'], {}, { outputs: ['r'] });
      b.add('Mul', ['r', b.tensor(floatTensor('f', [], [2]))], {}, { name: 'zero', outputs: ['y'] });
    });
    expect(await project(graph, 'y', 'gradient', [-1, 2], [5, 7])).toEqual([0, 14]);
  });

  it('runs a batch of different images, each with its own switches', async () => {
    const graph = network([1, 1, 2], (b) => void b.add('MaxPool', ['image'], windowOf([1, 2]), { outputs: ['y'] }));
    const down = projectionGraph(graph, 'image', 'y', 'deconvnet');
    const feeds = { image: { shape: [2, 1, 1, 2], data: Float32Array.of(1, 2, 4, 3) }, [down.seed]: { shape: [2, 1, 1, 1], data: Float32Array.of(1, 1) } };
    expect([...(await runOnce(createReferenceEngine(), down.graph, feeds, [down.projection])).get(down.projection)!.data]).toEqual([0, 1, 1, 0]);
  });
});
