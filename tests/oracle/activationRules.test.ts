/**
 * What the methods make of activations outside the ReLU family and of gates (method.md section 3), on numbers worked out by hand: PReLU has the
 * rectifier's row, every other activation its plain derivative under every method, and a gate is held constant by deconvnet and guided only.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Method } from '../../src-shared/domain/projection.ts';
import { createGraphBuilder, type GraphBuilder } from '../../src-main/graph/build.ts';
import { withBatch, type Graph } from '../../src-main/graph/graph.ts';
import type { Engine } from '../../src-main/inference/engine.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { createReferenceEngine } from '../../src-main/inference/reference/engine.ts';
import { projectionGraph, rectifiedBy } from '../../src-main/rewrite/backward/projectionGraph.ts';
import { floatTensor, windowOf } from '../support/graphs.ts';
import { runOnce } from '../parity/allEngines.ts';

const methods: readonly Method[] = ['deconvnet', 'guided', 'gradient'];

let engines: Engine[];
beforeAll(async () => {
  engines = [createReferenceEngine(), await createOnnxruntimeEngine({ device: 'cpu' })];
});
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

/** A network of one channel, `image [N, 1, 1, width]` -> y. */
function network(width: number, make: (builder: GraphBuilder) => string): Graph {
  const builder = createGraphBuilder('network');
  builder.input('image', 'float32', ['batch', 1, 1, width]);
  return builder.finish([make(builder)]);
}
const scalar = (b: GraphBuilder, value: number) => b.tensor(floatTensor(b.freeName('number'), [], [value]));
const times = (b: GraphBuilder, one: string, other: string) => b.add('Mul', [one, other], {})[0]!;
const plus = (b: GraphBuilder, one: string, shift: number) => b.add('Add', [one, scalar(b, shift)], {})[0]!;
const of = (b: GraphBuilder, kind: 'Sigmoid' | 'HardSwish' | 'GlobalAveragePool' | 'Relu' | 'Tanh' | 'Softplus' | 'Identity', input: string) => b.add(kind, [input], {})[0]!;

/** Signals at the image for one image and one seed, on both engines. */
async function expectProjection(graph: Graph, method: Method, image: readonly number[], seed: readonly number[], expected: readonly number[]): Promise<void> {
  const layer = graph.outputs[0]!;
  const down = projectionGraph(graph, 'image', layer, method);
  const feeds = {
    image: { shape: withBatch(graph.inputs[0]!.shape, 1), data: Float32Array.from(image) },
    [down.seed]: { shape: withBatch(graph.values.get(layer)!.shape, 1), data: Float32Array.from(seed) },
  };
  for (const engine of engines) {
    const result = (await runOnce(engine, down.graph, feeds, [down.projection])).get(down.projection)!;
    expect(result.data.length).toBe(expected.length);
    expected.forEach((value, at) => expect(Number(result.data[at]), `${method} on ${engine.description}, pixel ${at}`).toBeCloseTo(value, 5));
  }
}

describe('PReLU', () => {
  // x = -2, 0, 2 twice, g = 3 and then -3; the slope is a quarter.
  const graph = network(6, (b) => b.add('PRelu', ['image', b.tensor(floatTensor('slope', [1, 1, 1], [0.25]))], {})[0]!);
  const x = [-2, 0, 2, -2, 0, 2];
  const g = [3, 3, 3, -3, -3, -3];
  it.each([
    ['deconvnet', [3, 3, 3, 0, 0, 0]],
    ['guided', [0.75, 0.75, 3, 0, 0, 0]],
    ['gradient', [0.75, 0.75, 3, -0.75, -0.75, -3]],
  ] as const)('has the rectifier\'s row under %s; its slope at 0 is the lower one', async (method, expected) => {
    await expectProjection(graph, method, x, g, expected);
  });
});

describe('an activation outside the ReLU family is walked by its derivative under every method', () => {
  const g = -3;
  const cases: readonly (readonly [title: string, make: (b: GraphBuilder) => string, x: number, slope: number])[] = [
    ['ELU below 0', (b) => b.add('Elu', ['image'], { alpha: 2, gamma: 1 })[0]!, -Math.LN2, 1],
    ['SELU above 0', (b) => b.add('Elu', ['image'], { alpha: 2, gamma: 1.5 })[0]!, 4, 1.5],
    ['thresholded ReLU above', (b) => b.add('ThresholdedRelu', ['image'], { alpha: 1 })[0]!, 2, 1],
    ['thresholded ReLU at its threshold', (b) => b.add('ThresholdedRelu', ['image'], { alpha: 1 })[0]!, 1, 0],
    ['sigmoid', (b) => of(b, 'Sigmoid', 'image'), Math.log(3), 0.75 * 0.25],
    ['hard sigmoid between its bounds', (b) => b.add('HardSigmoid', ['image'], { alpha: 0.25, beta: 0.5 })[0]!, 1, 0.25],
    ['hard sigmoid at its bound', (b) => b.add('HardSigmoid', ['image'], { alpha: 0.25, beta: 0.5 })[0]!, 2, 0],
    ['hard-swish at -3', (b) => of(b, 'HardSwish', 'image'), -3, 0],
    ['hard-swish between', (b) => of(b, 'HardSwish', 'image'), -2.25, -0.25],
    ['hard-swish at 3', (b) => of(b, 'HardSwish', 'image'), 3, 1],
    ['tanh', (b) => of(b, 'Tanh', 'image'), Math.LN2, 1 - 0.36],
    ['softplus', (b) => of(b, 'Softplus', 'image'), Math.log(3), 0.75],
    ['error function', (b) => b.add('Erf', ['image'], {})[0]!, 0.5, (2 / Math.sqrt(Math.PI)) * Math.exp(-0.25)],
    ['logarithm', (b) => b.add('Log', ['image'], {})[0]!, 4, 0.25],
    ['square root', (b) => b.add('Pow', ['image'], { exponent: 0.5 })[0]!, 4, 0.25],
    ['mish, a product without a gate: tanh(ln 4) + x * (1 - tanh^2) * sigmoid(x)', (b) => times(b, 'image', of(b, 'Tanh', of(b, 'Softplus', 'image'))), Math.log(3), 15 / 17 + Math.log(3) * (64 / 289) * 0.75],
    ['GELU, a product without a gate: the normal distribution and x times its density', (b) => {
      const [bell] = b.add('Erf', [times(b, 'image', scalar(b, Math.SQRT1_2))], {}) as [string];
      return times(b, 'image', times(b, plus(b, bell, 1), scalar(b, 0.5)));
    }, 1, 0.8413447461 + 0.2419707245],
    ['a square', (b) => times(b, 'image', 'image'), 3, 6],
    ['the square of a sigmoid: a value times itself has no gate', (b) => {
      const s = of(b, 'Sigmoid', 'image');
      return times(b, s, s);
    }, Math.log(3), 2 * 0.75 * 0.75 * 0.25],
  ];
  it.each(cases)('%s', async (_, make, x, slope) => {
    const graph = network(1, make);
    for (const method of methods) await expectProjection(graph, method, [x], [g], [g * slope]);
  });
});

describe('a normalisation by mean and variance', () => {
  it('has no gate: its factor 1 / deviation is differentiated under every method', async () => {
    const graph = network(2, (b) => {
      const mean = (value: string) => times(b, b.add('ReduceSum', [value], { axes: [2, 3] })[0]!, scalar(b, 0.5));
      const centred = b.add('Sub', ['image', mean('image')], {})[0]!;
      return times(b, centred, b.add('Pow', [plus(b, mean(times(b, centred, centred)), 3)], { exponent: -0.5 })[0]!);
    });
    // Centred: -1 and 1; variance + 3 = 4. y0 = c0 / 2, and d(1 / deviation) = -c / 16: dy0 = (1/4 - 1/16, -1/4 + 1/16).
    for (const method of methods) await expectProjection(graph, method, [1, 3], [1, 0], [0.1875, -0.1875]);
  });
});

describe('a gate', () => {
  const x = Math.log(3);
  const swish = { held: 0.75, whole: 0.75 + x * 0.75 * 0.25 };
  // At x = 1.5 a hard sigmoid of slope 1/6 stands at 0.75.
  const hard = { held: 0.75, whole: 0.75 + 1.5 / 6 };
  const clipped = (b: GraphBuilder, shift: number, maximum: number, input = 'image') => b.add('Clip', [plus(b, input, shift)], { minimum: 0, maximum })[0]!;
  const cases: readonly (readonly [title: string, make: (b: GraphBuilder) => string, x: number, slopes: { readonly held: number; readonly whole: number }])[] = [
    ['swish', (b) => times(b, 'image', of(b, 'Sigmoid', 'image')), x, swish],
    ['swish, the gate first', (b) => times(b, of(b, 'Sigmoid', 'image'), 'image'), x, swish],
    ['swish with a factor inside', (b) => times(b, 'image', of(b, 'Sigmoid', times(b, 'image', scalar(b, 2)))), x, { held: 0.9, whole: 0.9 + x * 2 * 0.09 }],
    ['hard-swish by a hard sigmoid', (b) => times(b, 'image', b.add('HardSigmoid', ['image'], { alpha: 1 / 6, beta: 0.5 })[0]!), 1.5, hard],
    ['hard-swish by Clip(x + 3, 0, 6) / 6', (b) => times(b, 'image', times(b, clipped(b, 3, 6), scalar(b, 1 / 6))), 1.5, hard],
    ['hard-swish by x Clip(x + 3, 0, 6) and then / 6', (b) => times(b, times(b, 'image', clipped(b, 3, 6)), scalar(b, 1 / 6)), 1.5, hard],
    ['hard-swish by Clip(x / 6 + 1/2, 0, 1)', (b) => times(b, clipped(b, 0.5, 1, times(b, 'image', scalar(b, 1 / 6))), 'image'), 1.5, hard],
    ['a gate behind Identity, Reshape and Transpose', (b) => {
      const moved = b.add('Transpose', b.add('Reshape', [of(b, 'Identity', of(b, 'Sigmoid', 'image'))], { shape: ['batch', 1, 1, 1] }), { permutation: [0, 1, 3, 2] })[0]!;
      return times(b, moved, 'image');
    }, x, swish],
  ];
  it.each(cases)('%s: held constant by deconvnet and guided, differentiated by gradient', async (_, make, at, { held, whole }) => {
    const graph = network(1, make);
    await expectProjection(graph, 'deconvnet', [at], [-3], [-3 * held]);
    await expectProjection(graph, 'guided', [at], [-3], [-3 * held]);
    await expectProjection(graph, 'gradient', [at], [-3], [-3 * whole]);
  });

  it('a ReLU6 of something else times a value is no gate: both factors get their signal', async () => {
    const graph = network(1, (b) => times(b, 'image', b.add('Clip', [plus(b, 'image', 1)], { minimum: 0, maximum: 6 })[0]!));
    // y = x (x + 1), y' = 2x + 1; the Clip has the rectifier's row, so a negative signal stops there.
    await expectProjection(graph, 'gradient', [2], [3], [15]);
    await expectProjection(graph, 'deconvnet', [2], [3], [15]);
    await expectProjection(graph, 'deconvnet', [2], [-3], [-9]);
  });
});

describe('a squeeze-and-excitation block', () => {
  /** image -> ReLU u; the mean of u, times 2, through ReLU and sigmoid, scales u. */
  const graph = network(2, (b) => {
    const u = of(b, 'Relu', 'image');
    const doubling = b.tensor(floatTensor('w', [1, 1, 1, 1], [2]));
    const squeezed = b.add('Conv', [of(b, 'GlobalAveragePool', u), doubling], { ...windowOf([1, 1]), group: 1 })[0]!;
    return times(b, u, of(b, 'Sigmoid', of(b, 'Relu', squeezed)));
  });
  // u = x, its mean ln(3) / 2, so the gate is sigmoid(ln 3) = 3/4.
  const image = [Math.log(3) / 2 - 0.25, Math.log(3) / 2 + 0.25];

  it('carries the signal through the gate\'s present value in deconvnet and guided, and only where it came from', async () => {
    await expectProjection(graph, 'deconvnet', image, [4, 0], [3, 0]);
    await expectProjection(graph, 'guided', image, [4, 0], [3, 0]);
  });

  it('reaches every position through the mean in gradient', async () => {
    // Through the gate: 4 u0 * 3/16 * 2 * 1/2 at each of the two positions.
    const through = 4 * image[0]! * (3 / 16);
    await expectProjection(graph, 'gradient', image, [4, 0], [3 + through, through]);
  });

  it('counts three nonlinearities, of which deconvnet rectifies the one that the signal passes', () => {
    const layer = graph.outputs[0]!;
    expect(rectifiedBy(graph, 'image', layer, 'deconvnet')).toEqual({ handled: 1, total: 3 });
    expect(rectifiedBy(graph, 'image', layer, 'guided')).toEqual({ handled: 1, total: 3 });
    expect(rectifiedBy(graph, 'image', layer, 'gradient')).toEqual({ handled: 0, total: 3 });
  });
});

describe('n of m nonlinearities rectified', () => {
  it('counts activations of every kind, and those of the ReLU family as rectified', () => {
    const graph = network(1, (b) => {
      let value = b.add('PRelu', ['image', b.tensor(floatTensor('slope', [1], [0.1]))], {})[0]!;
      value = b.add('LeakyRelu', [value], { alpha: 0.1 })[0]!;
      value = b.add('Elu', [value], { alpha: 1, gamma: 1 })[0]!;
      value = b.add('HardSigmoid', [of(b, 'HardSwish', of(b, 'Softplus', of(b, 'Tanh', value)))], { alpha: 0.2, beta: 0.5 })[0]!;
      value = b.add('Erf', b.add('ThresholdedRelu', [value], { alpha: 1 }), {})[0]!;
      return b.add('Clip', [of(b, 'Relu', of(b, 'Sigmoid', value))], { minimum: 0, maximum: 6 })[0]!;
    });
    const layer = graph.outputs[0]!;
    expect(rectifiedBy(graph, 'image', layer, 'deconvnet')).toEqual({ handled: 4, total: 12 });
    expect(rectifiedBy(graph, 'image', layer, 'gradient')).toEqual({ handled: 0, total: 12 });
  });
});

it('refuses to project through a linear map whose matrix is computed', () => {
  const builder = createGraphBuilder('network');
  builder.input('image', 'float32', ['batch', 1, 2, 2]);
  const matrix = builder.input('matrix', 'float32', [2, 2]);
  builder.add('SpatialLinear', ['image', matrix], { axis: 2, size: 2, window: { size: 2, stride: 0, offset: 0 } }, { name: 'resize', outputs: ['y'] });
  expect(() => projectionGraph(builder.finish(['y']), 'image', 'y', 'gradient')).toThrow('Node "resize" (SpatialLinear) has a computed matrix; only a constant one can be projected through.');
});
