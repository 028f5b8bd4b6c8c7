/** What the ranking graph for processors leaves out: concatenations, maps in other layouts, long strides down a map. The numbers stay those of the network. */
import { expect, it } from 'vitest';
import { createGraphBuilder } from '../../../src-main/graph/build.ts';
import type { Graph } from '../../../src-main/graph/graph.ts';
import { createReferenceEngine } from '../../../src-main/inference/reference/engine.ts';
import { profileGraph } from '../../../src-main/rewrite/probe/profileGraph.ts';
import { withoutConcats } from '../../../src-main/rewrite/probe/withoutConcats.ts';
import { withWholeBlocks } from '../../../src-main/rewrite/probe/withWholeBlocks.ts';
import { floatTensor, randomData, randomTensor, relativeDifference, seededRandom, windowOf } from '../../support/graphs.ts';
import { runOnce } from '../../parity/allEngines.ts';

const kindsOf = (graph: Graph) => graph.nodes.map(({ kind }) => kind);

/** Two convolutions side by side, joined (2 + 3 channels), pooled, and read by a narrow convolution that may have a bias and groups. */
function fire({ outputs = 4, bias = true, group = 1 } = {}) {
  const random = seededRandom(5);
  const build = createGraphBuilder('fire');
  build.input('image', 'float32', ['batch', 2, 7, 7]);
  for (const [name, channels, size] of [['left', 2, 1], ['right', 3, 3]] as const) {
    build.add('Conv', ['image', build.tensor(randomTensor(random, `${name} weights`, [channels, 2, size, size]))], { ...windowOf([size, size], { pads: size === 3 ? [1, 1, 1, 1] : [0, 0, 0, 0] }), group: 1 }, { outputs: [name] });
  }
  build.add('Concat', ['left', 'right'], { axis: 1 }, { outputs: ['joined'] });
  build.add('MaxPool', ['joined'], windowOf([3, 3], { strides: [2, 2] }), { outputs: ['pooled'] });
  const constants = [build.tensor(randomTensor(random, 'weights', [outputs, 5 / group, 1, 1])), ...(bias ? [build.tensor(randomTensor(random, 'bias', [outputs]))] : [])];
  build.add('Conv', ['pooled', ...constants], { ...windowOf([1, 1]), group }, { outputs: ['squeezed'] });
  build.add('Softmax', ['joined'], { axis: 1 }, { outputs: ['shares'] });
  return build;
}

it.each([true, false])('sums convolutions of the parts in the place of joining them, behind a pool too (bias: %s)', async (bias) => {
  const network = fire({ bias }).finish(['squeezed', 'left']);
  const graph = withoutConcats({ ...network, nodes: network.nodes.filter(({ kind }) => kind !== 'Softmax') });
  expect(kindsOf(graph)).toEqual(['Conv', 'Conv', 'MaxPool', 'MaxPool', 'Conv', 'Conv', 'Add']);
  expect([...graph.tensors.values()].map(({ shape }) => shape.join(' '))).toEqual(['2 2 1 1', '3 2 3 3', ...(bias ? ['4'] : []), '4 2 1 1', '4 3 1 1']);
  expect(graph.outputs).toEqual(['squeezed', 'left']);
  const feeds = { image: randomData(seededRandom(9), [2, 2, 7, 7]) };
  const [expected, found] = [await runOnce(createReferenceEngine(), network, feeds), await runOnce(createReferenceEngine(), graph, feeds)];
  for (const name of graph.outputs) expect(relativeDifference(found.get(name)!, expected.get(name)!), name).toBeLessThan(1e-6);
});

it.each([
  ['is wanted itself', fire(), ['squeezed', 'joined']],
  ['is wanted as a pool gives it', fire(), ['squeezed', 'pooled']],
  ['is read by something else', fire(), ['squeezed', 'shares']],
  ['is read by a convolution with as many outputs', fire({ outputs: 5 }), ['squeezed']],
  ['is read in groups', fire({ outputs: 5, group: 5 }), ['squeezed']],
])('leaves a concatenation that %s', (_title, build, outputs) => {
  const { nodes, ...rest } = build.finish(outputs);
  const graph: Graph = { ...rest, nodes: outputs.includes('shares') ? nodes : nodes.filter(({ kind }) => kind !== 'Softmax') };
  expect(withoutConcats(graph)).toBe(graph);
});

/** A classifier of 130 channels behind a ReLU. */
function classifier() {
  const random = seededRandom(7);
  const build = createGraphBuilder('classifier');
  build.input('image', 'float32', ['batch', 3, 4, 4]);
  build.add('Conv', ['image', build.tensor(randomTensor(random, 'weights', [130, 3, 1, 1])), build.tensor(randomTensor(random, 'bias', [130]))], { ...windowOf([1, 1]), group: 1 }, { outputs: ['conv'] });
  build.add('Relu', ['conv'], {}, { outputs: ['relu'] });
  return build;
}

it('fills the channels of a last convolution up to whole blocks, with zeros', async () => {
  const network = classifier().finish(['relu']);
  const graph = withWholeBlocks(network);
  const feeds = { image: randomData(seededRandom(3), [1, 3, 4, 4]) };
  const [expected, found] = [await runOnce(createReferenceEngine(), network, feeds), await runOnce(createReferenceEngine(), graph, feeds)];
  expect(found.get('relu')!.shape).toEqual([1, 144, 4, 4]);
  expect([...(found.get('relu')!.data as Float32Array)]).toEqual([...(expected.get('relu')!.data as Float32Array), ...new Array<number>(14 * 16).fill(0)]);
});

it('leaves channels that somebody else reads', () => {
  const both = classifier().finish(['relu', 'conv']);
  expect(withWholeBlocks(both)).toBe(both);
  const vector = classifier().finish(['relu']);
  expect(withWholeBlocks(vector, ['relu'])).toBe(vector);
  const read = classifier();
  read.add('Softmax', ['relu'], { axis: 1 }, { outputs: ['shares'] });
  const shares = read.finish(['relu', 'shares']);
  expect(withWholeBlocks(shares)).toBe(shares);
});

it('gives profiles of the network\'s own channels', async () => {
  const network = classifier().finish(['relu']);
  const { graph, heads: [head] } = profileGraph(network, ['relu'], 1);
  if (head?.kind !== 'map') throw new Error('a map was expected');
  const feeds = { image: randomData(seededRandom(3), [2, 3, 4, 4]) };
  const [expected, found] = [await runOnce(createReferenceEngine(), network, feeds), await runOnce(createReferenceEngine(), graph, feeds)];
  const values = expected.get('relu')!.data as Float32Array;
  expect(found.get(head.rows)!.shape).toEqual([2, 130, 4, 1]);
  expect([...(found.get(head.rows)!.data as Float32Array)]).toEqual(Array.from({ length: 2 * 130 * 4 }, (_, row) => Math.max(...values.subarray(row * 4, row * 4 + 4))));
});

it.each([63, 64, 65, 72, 111])('finds the largest of every column of a map of %s rows, whose values are all below 0', async (height) => {
  const build = createGraphBuilder('tall');
  build.input('image', 'float32', ['batch', 1, height, 3]);
  build.add('Add', ['image', build.tensor(floatTensor('shift', [], [-100]))], {}, { outputs: ['low'] });
  const { graph, heads: [head] } = profileGraph(build.finish(['low']), ['low'], 10);
  if (head?.kind !== 'map') throw new Error('a map was expected');
  const image = randomData(seededRandom(height), [1, 1, height, 3]);
  const values = image.data as Float32Array;
  const found = await runOnce(createReferenceEngine(), graph, { image });
  const largestOf = (column: number) => Math.max(...Array.from({ length: height }, (_, row) => Math.fround(values[row * 3 + column]! - 100)));
  expect([...(found.get(head.columns)!.data as Float32Array)]).toEqual([0, 1, 2].map(largestOf));
  expect(graph.nodes.filter(({ kind }) => kind === 'MaxPool').length).toBe(height < 64 ? 2 : 3);
});
