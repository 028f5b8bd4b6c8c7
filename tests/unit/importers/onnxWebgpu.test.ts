/** The spelling for WebGPU means the same as the standard one: both run here on the processor. That shaders get it right is for tests/parity/webgpu.test.ts. */
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { createGraphBuilder } from '../../../src-main/graph/build.ts';
import type { Graph } from '../../../src-main/graph/graph.ts';
import { onnxModel, writeOnnx, type OnnxSpelling } from '../../../src-main/importers/onnx/write.ts';
import type { Data } from '../../../src-main/inference/engine.ts';
import { tinyNetwork } from '../../../src-main/inference/selfTest/testNetwork.ts';
import { projectionGraph } from '../../../src-main/rewrite/backward/projectionGraph.ts';
import { floatData, oneNodeGraph, randomData, randomTensor, relativeDifference, seededRandom, windowOf } from '../../support/graphs.ts';

async function run(graph: Graph, spelling: OnnxSpelling, feeds: Readonly<Record<string, Data>>): Promise<Readonly<Record<string, Data>>> {
  const session = await InferenceSession.create(writeOnnx(graph, spelling), { logSeverityLevel: 3 });
  const fed = Object.fromEntries(Object.entries(feeds).map(([name, { shape, data }]) => [name, new RuntimeTensor('float32', data as Float32Array, shape)]));
  const results = await session.run(fed);
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, { dims, data }]) => [name, { shape: dims, data: data as Float32Array | BigInt64Array }]));
}

async function expectSame(graph: Graph, feeds: Readonly<Record<string, Data>>): Promise<void> {
  const [expected, actual] = [await run(graph, 'standard', feeds), await run(graph, 'webgpu', feeds)];
  for (const name of graph.outputs) {
    const isFloat = expected[name]!.data instanceof Float32Array;
    expect(relativeDifference(actual[name]!, expected[name]!), name).toBeLessThanOrEqual(isFloat ? 1e-6 : 0);
  }
}

describe('the spelling for WebGPU', () => {
  it('gives the whole self-test network the same projection, and asks no pool for its indices', async () => {
    const { graph: network, image } = tinyNetwork();
    const { graph, seed } = projectionGraph(network, 'image', 'fc4', 'guided');
    const seeds = floatData([2, 10], Array.from({ length: 20 }, (_, at) => (at === 3 || at === 15 ? 1 : 0)));
    await expectSame(graph, { image, [seed]: seeds });
    const { nodes, initializers } = onnxModel(graph, 'webgpu').graph;
    expect(nodes.filter(({ opType }) => opType === 'MaxPool').map(({ outputs }) => outputs.length)).toEqual([1, 1]);
    expect(nodes.filter(({ opType }) => opType === 'ScatterElements')).toEqual([]);
    expect(nodes.filter(({ opType, attributes }) => opType!.startsWith('Conv') && attributes.some(({ name, i }) => name === 'group' && i !== 1))).toEqual([]);
    // Weights that were split are not carried twice.
    expect(initializers.map(({ name }) => name)).not.toContain('conv3.weight');
  });

  it.each([
    ['overlapping with ties', windowOf([3, 3], { strides: [2, 2], pads: [1, 0, 1, 2] })],
    ['with gaps', windowOf([2, 2], { strides: [3, 3] })],
    ['dilated, with pads wider than the kernel', windowOf([2, 3], { strides: [1, 2], dilations: [4, 3], pads: [3, 3, 2, 0] })],
  ])('finds and unpools the same maxima: windows %s', async (_title, attributes) => {
    const builder = createGraphBuilder('there and back');
    builder.input('x', 'float32', ['batch', 3, 9, 10]);
    const [y, switches] = builder.add('MaxPool', ['x'], attributes, { outputs: ['y', 'switches'] }) as [string, string];
    builder.input('signal', 'float32', builder.valueOf(y).shape);
    builder.add('Unpool', ['signal', switches], { height: 9, width: 10 }, { outputs: ['back'] });
    const graph = builder.finish(['y', 'switches', 'back']);
    const random = seededRandom(6);
    const x = floatData([2, 3, 9, 10], Array.from({ length: 540 }, () => Math.floor(4 * random()) - 3));
    await expectSame(graph, { x, signal: randomData(random, [2, ...(graph.values.get('y')!.shape.slice(1) as number[])]) });
  });

  it.each([
    [6, 8, 1], [9, 4, 1], [12, 12, 2], [4, 12, 4], [6, 6, 6],
  ])('convolves %i channels to %i in %i groups alike', async (channels, outputs, group) => {
    const random = seededRandom(channels);
    const operands = [{ name: 'x', shape: ['batch', channels, 6, 5] as const }, randomTensor(random, 'w', [outputs, channels / group, 3, 3]), randomTensor(random, 'b', [outputs])];
    await expectSame(oneNodeGraph('Conv', operands, { ...windowOf([3, 3], { pads: [1, 1, 1, 1] }), group }), { x: randomData(random, [2, channels, 6, 5]) });
  });

  it('refuses to rearrange weights that are computed, and names the node', () => {
    const inputs = [{ name: 'x', shape: ['batch', 6, 5, 5] as const }, { name: 'w', shape: [8, 6, 3, 3] }];
    expect(() => writeOnnx(oneNodeGraph('Conv', inputs, { ...windowOf([3, 3]), group: 1 }), 'webgpu')).toThrow('Node "Conv_1" (Conv) has groups or channel numbers that onnxruntime gets wrong on webgpu, and weights that are computed');
    expect(() => writeOnnx(oneNodeGraph('Conv', [{ name: 'x', shape: ['batch', 4, 5, 5] }, { name: 'w', shape: [8, 4, 3, 3] }], { ...windowOf([3, 3]), group: 1 }), 'webgpu')).not.toThrow();
  });
});
