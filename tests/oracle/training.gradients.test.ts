/**
 * Training as a graph against what it must be: the loss against its definition, every weight gradient against finite differences of that loss, on every
 * engine; and the update of one step against the same rule written out.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGraphBuilder, type GraphBuilder } from '../../src-main/graph/build.ts';
import { withBatch, type Graph } from '../../src-main/graph/graph.ts';
import type { Data, Engine, Session } from '../../src-main/inference/engine.ts';
import { createReferenceEngine } from '../../src-main/inference/reference/engine.ts';
import { stepGraph } from '../../src-main/rewrite/training/stepGraph.ts';
import { weightsOf } from '../../src-main/rewrite/training/trainable.ts';
import { logitsOf, trainingGraph, type TrainingGraph } from '../../src-main/rewrite/training/trainingGraph.ts';
import { allEngines } from '../parity/allEngines.ts';
import { floatData, floatTensor, randomData, randomTensor, relativeDifference, seededRandom, windowOf } from '../support/graphs.ts';

const random = seededRandom(4157);
const batch = 3;
const classes = 4;
/** Central differences: an exact power of two, small enough to cross no switch of a pool and large against the rounding of a float32 loss. */
const step = 2 ** -9;

let engines: Engine[];
beforeAll(async () => {
  engines = await allEngines();
});
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

const add = <K extends Parameters<GraphBuilder['add']>[0]>(build: GraphBuilder, kind: K, inputs: readonly string[], attributes: object) => build.add(kind, inputs, attributes as never)[0]!;
const weights = (build: GraphBuilder, name: string, shape: readonly number[], deviation = 0.5) => build.tensor(randomTensor(random, name, shape, deviation));

/** A network `image [N, sizes]` -> features -> a fixed matrix to the classes, so that only what is on trial trains. */
function network(sizes: readonly number[], make: (build: GraphBuilder) => string): Graph {
  const build = createGraphBuilder('network');
  build.input('image', 'float32', ['batch', ...sizes]);
  const features = make(build);
  const count = build.valueOf(features).shape.slice(1).reduce<number>((product, size) => product * Number(size), 1);
  const flat = add(build, 'Reshape', [features], { shape: ['batch', count] });
  return build.finish([add(build, 'Gemm', [flat, weights(build, 'classifier', [count, classes], 1 / Math.sqrt(count)), ''], { transposeB: false })]);
}

const convolution = (sizes: readonly number[], outputs: number, window: ReturnType<typeof windowOf>, group = 1): Graph =>
  network(sizes, (b) => add(b, 'Conv', ['image', weights(b, 'w', [outputs, sizes[0]! / group, ...window.kernel]), weights(b, 'bias', [outputs])], { ...window, group }));
const transposed = (sizes: readonly number[], outputs: number, window: ReturnType<typeof windowOf>, group: number, outputPadding: readonly [number, number]): Graph =>
  network(sizes, (b) => add(b, 'ConvTranspose', ['image', weights(b, 'w', [sizes[0]!, outputs / group, ...window.kernel]), weights(b, 'bias', [outputs])], { ...window, group, outputPadding }));

/** Smooth activations between layers where the kink of a rectifier is not on trial: finite differences would step over it. */
const cases: readonly (readonly [title: string, graph: Graph])[] = [
  ['Conv, plain', convolution([2, 5, 6], 3, windowOf([3, 3]))],
  ['Conv, strides that leave a remainder, asymmetric pads', convolution([2, 7, 8], 3, windowOf([3, 2], { strides: [2, 3], pads: [2, 0, 1, 1] }))],
  ['Conv, dilated', convolution([2, 7, 6], 3, windowOf([3, 2], { dilations: [2, 3], pads: [1, 1, 0, 2] }))],
  ['Conv, dilated and strided', convolution([2, 9, 8], 3, windowOf([2, 3], { strides: [3, 2], dilations: [3, 2], pads: [1, 2, 0, 1] }))],
  ['Conv, two groups', convolution([4, 5, 5], 6, windowOf([3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }), 2)],
  ['Conv, depthwise, two outputs for each channel', convolution([3, 6, 5], 6, windowOf([3, 2], { strides: [2, 1], pads: [1, 0, 1, 1] }), 3)],
  ['Conv, many channels', convolution([20, 5, 4], 3, windowOf([3, 2], { strides: [2, 1], pads: [1, 0, 0, 1] }))],
  ['Conv, many channels in two groups, dilated', convolution([36, 5, 6], 4, windowOf([2, 2], { strides: [2, 1], dilations: [2, 3], pads: [1, 1, 1, 1] }), 2)],
  ['ConvTranspose, strided with output padding', transposed([2, 3, 4], 3, windowOf([3, 3], { strides: [2, 3], pads: [1, 0, 0, 1] }), 1, [1, 2])],
  ['ConvTranspose, two groups, dilated', transposed([4, 3, 3], 4, windowOf([2, 2], { strides: [2, 1], dilations: [2, 3], pads: [0, 1, 1, 0] }), 2, [0, 0])],
  ['ConvTranspose, unit stride', transposed([3, 4, 3], 2, windowOf([3, 2], { pads: [1, 0, 1, 1] }), 1, [0, 0])],
  ['Gemm as it stands', network([2, 2, 3], (b) => add(b, 'Gemm', [add(b, 'Reshape', ['image'], { shape: ['batch', 12] }), weights(b, 'w', [12, 5]), weights(b, 'bias', [5])], { transposeB: false }))],
  ['Gemm, transposed', network([2, 2, 3], (b) => add(b, 'Gemm', [add(b, 'Reshape', ['image'], { shape: ['batch', 12] }), weights(b, 'w', [5, 12]), weights(b, 'bias', [5])], { transposeB: true }))],
  ['PRelu, a slope for each channel', network([3, 2, 3], (b) => add(b, 'PRelu', ['image', weights(b, 'slope', [3, 1, 1])], {}))],
  [
    'BatchNormalization, scale and shift',
    network([3, 2, 3], (b) => add(b, 'BatchNormalization', ['image', weights(b, 'gamma', [3]), weights(b, 'beta', [3]), weights(b, 'mean', [3]), b.tensor(floatTensor('variance', [3], [0.25, 1, 4]))], { epsilon: 0.1 })),
  ],
  ['a bias that is an Add of its own', network([2, 3, 3], (b) => add(b, 'Add', [add(b, 'Conv', ['image', weights(b, 'w', [3, 2, 2, 2]), ''], { ...windowOf([2, 2]), group: 1 }), weights(b, 'bias', [3, 1, 1])], {}))],
  [
    'weights that two layers share',
    network([2, 4, 4], (b) => {
      const once = add(b, 'Tanh', [add(b, 'Conv', ['image', weights(b, 'w', [2, 2, 3, 3]), weights(b, 'bias', [2])], { ...windowOf([3, 3], { pads: [1, 1, 1, 1] }), group: 1 })], {});
      return add(b, 'Conv', [once, 'w', 'bias'], { ...windowOf([3, 3], { pads: [1, 1, 1, 1] }), group: 1 });
    }),
  ],
  [
    'two layers with pooling, LRN and dropped units between them',
    network([2, 8, 8], (b) => {
      const conv1 = add(b, 'Conv', ['image', weights(b, 'w1', [6, 2, 3, 3]), weights(b, 'b1', [6])], { ...windowOf([3, 3], { pads: [1, 1, 1, 1] }), group: 1 });
      const pooled = add(b, 'MaxPool', [add(b, 'Relu', [conv1], {})], windowOf([3, 3], { strides: [2, 2], pads: [0, 0, 1, 1] }));
      const normal = add(b, 'LRN', [pooled], { size: 5, alpha: 1, beta: 0.75, bias: 1 });
      const conv2 = add(b, 'Conv', [normal, weights(b, 'w2', [4, 6, 2, 2]), weights(b, 'b2', [4])], { ...windowOf([2, 2]), group: 1 });
      const flat = add(b, 'Reshape', [add(b, 'Tanh', [conv2], {})], { shape: ['batch', 36] });
      return add(b, 'Tanh', [add(b, 'Gemm', [flat, weights(b, 'w3', [36, 5]), weights(b, 'b3', [5])], { transposeB: false })], {});
    }),
  ],
];

describe('weight gradients are those of finite differences', () => {
  it.each(cases)('%s', async (_title, graph) => {
    const training = trainingGraph(graph, 'image', { dropout: true });
    const feeds = feedsOf(training, graph);
    const slopes = await finiteDifferences(training, feeds);
    expect(slopes.size).toBe(weightsOf(graph).length);
    for (const engine of engines) {
      const session = await engine.compile(training.graph);
      const found = await session.run(feeds, training.graph.outputs);
      await session.close();
      expect(Math.abs(Number(found.get(training.loss)!.data[0]) - lossTwin(await logitsThrough(training, graph, feeds), feeds, training)), `loss on ${engine.description}`).toBeLessThan(1e-5);
      for (const { name, gradient } of training.weights) {
        expect(relativeDifference(found.get(gradient)!, slopes.get(name)!), `${name} on ${engine.description}`).toBeLessThan(3e-3);
      }
    }
  });
});

describe('the loss', () => {
  it('is finite and exact where exponentials overflow, and counts what is right', async () => {
    const build = createGraphBuilder('logits alone');
    build.input('image', 'float32', ['batch', 3]);
    build.tensor(floatTensor('w', [3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1]));
    const graph = build.finish([add(build, 'Softmax', [add(build, 'Gemm', ['image', 'w', ''], { transposeB: false })], { axis: 1 })]);
    const training = trainingGraph(graph, 'image');
    const feeds = new Map<string, Data>([
      ['image', floatData([4, 3], [1000, 0, -1000, 0, 0, 0, -500, 500, 499, 7, 7, 7])],
      [training.targets, floatData([4, 3], [0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1])],
      // The last row only fills the batch.
      [training.shares, floatData([4, 1], [1 / 3, 1 / 3, 1 / 3, 0])],
      ['w', graph.tensors.get('w') as Data],
    ]);
    // (1000 + ln 3 + ln(1 + e^-1)) / 3
    const expected = (1000 + Math.log(3) + Math.log1p(Math.exp(-1))) / 3;
    for (const engine of engines) {
      const session = await engine.compile(training.graph);
      const found = await session.run(feeds, [training.loss, training.correct]);
      await session.close();
      expect(Math.abs(Number(found.get(training.loss)!.data[0]) - expected) / expected, engine.description).toBeLessThan(1e-6);
      expect([...found.get(training.correct)!.data].map(Number), engine.description).toEqual([0, 1, 1, 1]);
    }
  });

  it('is taken before the softmax', () => {
    const build = createGraphBuilder('with softmax');
    build.input('image', 'float32', ['batch', 2]);
    const logits = add(build, 'Gemm', ['image', weights(build, 'w', [2, 3]), ''], { transposeB: false });
    expect(logitsOf(build.finish([add(build, 'Softmax', [logits], { axis: 1 })]))).toBe(logits);
  });

  it('says which output is no list of classes', () => {
    expect(() => trainingGraph(convolutionOnly(), 'image')).toThrow('has shape [batch, 2, 3, 3]; training needs one value for each class. Choose a network that ends in a classifier.');
  });
});

describe('a step', () => {
  it('moves each weight by momentum and decay, and scales filters back to the radius', async () => {
    const graph = convolution([2, 5, 5], 3, windowOf([3, 3]));
    const training = trainingGraph(graph, 'image');
    const [momentum, weightDecay, radius, rate] = [0.9, 0.05, 0.52, 0.3];
    const descent = stepGraph(training, { momentum, weightDecay, filterRms: radius });
    const feeds = feedsOf(training, graph);
    const velocities = new Map(descent.weights.map(({ velocity, shape }) => [velocity, randomData(random, shape, 0.2)]));
    const gradients = await runReference(training.graph, feeds, training.graph.outputs);
    const all = new Map([...feeds, ...velocities, [descent.rate, floatData([1], [rate])]]);
    for (const engine of engines) {
      const session = await engine.compile(descent.graph);
      const found = await session.run(all, descent.graph.outputs);
      await session.close();
      let bounded = 0;
      for (const { name, velocity, nextWeight, nextVelocity } of descent.weights) {
        const { role, gradient, shape } = training.weights.find((weight) => weight.name === name)!;
        const [w, v, g] = [feeds.get(name)!.data, velocities.get(velocity)!.data, gradients.get(gradient)!.data].map((data) => Array.from(data as Float32Array)) as [number[], number[], number[]];
        const nextV = v.map((value, at) => momentum * value - rate * (g[at]! + (role === 'bias' ? 0 : weightDecay * w[at]!)));
        const nextW = w.map((value, at) => value + nextV[at]!);
        if (role === 'filter') {
          const size = nextW.length / shape[0]!;
          for (let filter = 0; filter < shape[0]!; filter++) {
            const rms = Math.sqrt(nextW.slice(filter * size, (filter + 1) * size).reduce((sum, value) => sum + value * value, 0) / size);
            if (rms <= radius) continue;
            bounded++;
            for (let at = filter * size; at < (filter + 1) * size; at++) nextW[at]! *= radius / rms;
          }
        }
        expect(relativeDifference(found.get(nextVelocity)!, floatData(shape, nextV)), `velocity of ${name}, ${engine.description}`).toBeLessThan(1e-5);
        expect(relativeDifference(found.get(nextWeight)!, floatData(shape, nextW)), `${name}, ${engine.description}`).toBeLessThan(1e-5);
      }
      expect(bounded).toBeGreaterThan(0);
      expect(bounded).toBeLessThan(3);
    }
  });
});

function convolutionOnly(): Graph {
  const build = createGraphBuilder('no classifier');
  build.input('image', 'float32', ['batch', 1, 5, 5]);
  return build.finish([add(build, 'Conv', ['image', weights(build, 'w', [2, 1, 3, 3]), ''], { ...windowOf([3, 3]), group: 1 })]);
}

/** Random pictures, labels and masks; the last image counts less, as in a batch that is not full. */
function feedsOf(training: TrainingGraph, network: Graph): Map<string, Data> {
  const image = training.graph.inputs.find((input) => input.name === training.image)!;
  const feeds = new Map<string, Data>([[training.image, randomData(random, withBatch(image.shape, batch))]]);
  feeds.set(training.targets, floatData([batch, classes], Array.from({ length: batch * classes }, (_, at) => (at % classes === (2 * Math.floor(at / classes) + 1) % classes ? 1 : 0))));
  feeds.set(training.shares, floatData([batch, 1], [0.4, 0.4, 0.2]));
  for (const { name, units } of training.masks) feeds.set(name, floatData([batch, units], Array.from({ length: batch * units }, () => (random() < 0.5 ? 0 : 2))));
  for (const { name } of training.weights) feeds.set(name, network.tensors.get(name) as Data);
  return feeds;
}

/** (loss(w + h) - loss(w - h)) / 2h for every element of every weight, on the reference engine. */
async function finiteDifferences(training: TrainingGraph, feeds: ReadonlyMap<string, Data>): Promise<ReadonlyMap<string, Data>> {
  const engine = createReferenceEngine();
  const session = await engine.compile(training.graph);
  const slopes = new Map<string, Data>();
  for (const { name, shape } of training.weights) {
    const { data } = feeds.get(name)!;
    const values: number[] = [];
    for (let at = 0; at < data.length; at++) values.push(((await lossAt(session, training, feeds, name, at, step)) - (await lossAt(session, training, feeds, name, at, -step))) / (2 * step));
    slopes.set(name, floatData(shape, values));
  }
  await session.close();
  return slopes;
}

async function lossAt(session: Session, training: TrainingGraph, feeds: ReadonlyMap<string, Data>, name: string, at: number, by: number): Promise<number> {
  const { shape, data } = feeds.get(name)!;
  const moved = Float32Array.from(data as Float32Array);
  moved[at]! += by;
  const found = await session.run(new Map([...feeds, [name, { shape, data: moved }]]), [training.loss]);
  return Number(found.get(training.loss)!.data[0]);
}

/** What the network itself says of these pictures, with the masks applied to nothing: these networks have none. */
async function logitsThrough(training: TrainingGraph, network: Graph, feeds: ReadonlyMap<string, Data>): Promise<Data> {
  const logits = network.outputs[0]!;
  if (training.masks.length === 0) return (await runReference(network, new Map([['image', feeds.get('image')!]]), [logits])).get(logits)!;
  const inside = { ...training.graph, outputs: [logits] };
  return (await runReference(inside, feeds, [logits])).get(logits)!;
}

async function runReference(graph: Graph, feeds: ReadonlyMap<string, Data>, fetches: readonly string[]): Promise<ReadonlyMap<string, Data>> {
  const session = await createReferenceEngine().compile(graph);
  return session.run(feeds, fetches);
}

/** Mean of -log of the label's probability, from the definition in float64. */
function lossTwin(logits: Data, feeds: ReadonlyMap<string, Data>, training: TrainingGraph): number {
  const [targets, shares] = [feeds.get(training.targets)!.data, feeds.get(training.shares)!.data];
  let loss = 0;
  for (let image = 0; image < batch; image++) {
    const row = Array.from({ length: classes }, (_, k) => Number(logits.data[image * classes + k]));
    const total = row.reduce((sum, value) => sum + Math.exp(value), 0);
    row.forEach((value, k) => (loss -= Number(shares[image]) * Number(targets[image * classes + k]) * Math.log(Math.exp(value) / total)));
  }
  return loss;
}
