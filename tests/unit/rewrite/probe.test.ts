/** Cutting a network behind its wanted layers, and the graph that ranks them. */
import { expect, it } from 'vitest';
import { createGraphBuilder } from '../../../src-main/graph/build.ts';
import { createReferenceEngine } from '../../../src-main/inference/reference/engine.ts';
import { rankingGraph } from '../../../src-main/rewrite/probe/rankingGraph.ts';
import { truncate } from '../../../src-main/rewrite/probe/truncate.ts';
import { floatTensor } from '../../support/graphs.ts';
import { runOnce } from '../../parity/allEngines.ts';

function network() {
  const builder = createGraphBuilder('network');
  builder.input('image', 'float32', ['batch', 2, 1, 3]);
  builder.input('unused', 'float32', ['batch', 1]);
  builder.add('Relu', ['image'], {}, { outputs: ['first'] });
  builder.add('Mul', ['first', builder.tensor(floatTensor('two', [], [2]))], {}, { outputs: ['second'] });
  builder.add('Mul', ['second', builder.tensor(floatTensor('three', [], [3]))], {}, { outputs: ['third'] });
  builder.add('Reshape', ['second'], { shape: ['batch', 6] }, { outputs: ['flat'] });
  return builder.finish(['third', 'flat']);
}

it('keeps of a network what the wanted values need, and nothing else', () => {
  const cut = truncate(network(), ['second']);
  expect(cut.nodes.map((node) => node.outputs[0])).toEqual(['first', 'second']);
  expect([...cut.tensors.keys()]).toEqual(['two']);
  expect(cut.inputs.map((input) => input.name)).toEqual(['image']);
  expect([...cut.values.keys()].sort()).toEqual(['first', 'image', 'second']);
  expect(cut.outputs).toEqual(['second']);
});

it('ranks each wanted layer by its largest value and the first place of it, in the order asked for', async () => {
  const ranking = rankingGraph(network(), ['flat', 'first']);
  expect(ranking.heads).toEqual([{ score: 'flat:score', position: 'flat:position' }, { score: 'first:score', position: 'first:position' }]);
  const feeds = { image: { shape: [2, 2, 1, 3], data: Float32Array.of(1, 5, 5, -1, -2, -3, 0, 0, 2, 7, 1, 7) } };
  const result = await runOnce(createReferenceEngine(), ranking.graph, feeds);
  expect([...result.get('first:score')!.data]).toEqual([5, 0, 2, 7]);
  expect([...result.get('first:position')!.data].map(Number)).toEqual([1, 0, 2, 0]);
  expect(result.get('flat:score')).toEqual({ shape: [2, 6], data: Float32Array.of(2, 10, 10, 0, 0, 0, 0, 0, 4, 14, 2, 14) });
  expect(ranking.graph.nodes.map((node) => node.kind)).toEqual(['Relu', 'Mul', 'Reshape', 'SpatialMax', 'SpatialMax']);
});
