/** The self-test finds devices that compute wrong numbers in any of the ways that were met, and passes those that do not. */
import { describe, expect, it } from 'vitest';
import { createGraphBuilder } from '../../../src-main/graph/build.ts';
import type { Graph, Node } from '../../../src-main/graph/graph.ts';
import type { Data, Engine } from '../../../src-main/inference/engine.ts';
import { createOnnxruntimeEngine } from '../../../src-main/inference/onnxruntime/engine.ts';
import { createReferenceEngine } from '../../../src-main/inference/reference/engine.ts';
import { testEngine, toleranceOf } from '../../../src-main/inference/selfTest/selfTest.ts';
import { tinyNetwork } from '../../../src-main/inference/selfTest/testNetwork.ts';
import { createEngines, probeEngine } from '../../../src-main/inference/worker/engines.ts';
import { floatTensor } from '../../support/graphs.ts';

const reference = createReferenceEngine();

interface Damage {
  readonly node?: (node: Node) => Node;
  readonly rewrite?: (graph: Graph) => Graph;
  readonly result?: (data: Data, name: string) => Data;
}

/** The reference with an error built in: into the nodes or the graph before they run, or into the results. */
function broken({ node = (each) => each, rewrite = (graph) => graph, result = (data) => data }: Damage): Engine {
  return {
    ...reference,
    async compile(graph) {
      const session = await reference.compile(rewrite({ ...graph, nodes: graph.nodes.map(node) }));
      return {
        ...session,
        run: async (feeds, fetches, signal) => new Map([...(await session.run(feeds, fetches, signal))].map(([name, data]) => [name, result(data, name)])),
      };
    },
  };
}

/** Where switches are used every pool sees a slope too small to show in any value, so that the last of equal maxima wins and not the first. */
function lastOfEqualsWins(graph: Graph): Graph {
  if (!graph.nodes.some(({ kind }) => kind === 'Unpool')) return graph;
  const build = createGraphBuilder(graph.name);
  for (const input of graph.inputs) build.input(input.name, input.dataType, input.shape);
  for (const tensor of graph.tensors.values()) build.tensor(tensor);
  for (const node of graph.nodes) {
    if (node.kind !== 'MaxPool') build.copy(node);
    else {
      const [, , height, width] = build.valueOf(node.inputs[0]!).shape as [unknown, unknown, number, number];
      const slope = build.tensor(floatTensor(`${node.name} slope`, [height, width], Array.from({ length: height * width }, (_, at) => at * 1e-7)));
      const [sloped] = build.add('Add', [node.inputs[0]!, slope], {}) as [string];
      build.copy({ ...node, inputs: [sloped] });
    }
  }
  return build.finish(graph.outputs);
}

const scaled = (factor: number) => (data: Data) => (data.data instanceof Float32Array ? { ...data, data: data.data.map((value) => value * factor) } : data);

describe('the self-test', () => {
  it('passes engines that are right', async () => {
    expect(await testEngine(reference, reference)).toEqual({ passed: true, worst: 0, detail: 'all values are equal' });
    const onnxruntime = await createOnnxruntimeEngine({ device: 'cpu' });
    const result = await testEngine(onnxruntime, reference);
    expect(result.passed).toBe(true);
    expect(result.worst).toBeLessThan(1e-5);
    await onnxruntime.close();
  });

  it('allows a processor 1e-4 of the largest value, a GPU 2e-3', async () => {
    expect([toleranceOf('cpu'), toleranceOf('webgpu'), toleranceOf('cuda')]).toEqual([1e-4, 2e-3, 2e-3]);
    const off = broken({ result: scaled(1.001) });
    expect(await testEngine(off, reference)).toMatchObject({ passed: false, worst: expect.closeTo(1e-3, 5) });
    expect(await testEngine({ ...off, device: 'webgpu' }, reference)).toMatchObject({ passed: true });
  });

  it.each<readonly [string, Engine, RegExp]>([
    ['a pool that lets the last of equal maxima win', broken({ rewrite: lastOfEqualsWins }), /^going back, projection: /],
    ['normalisation that is left out', broken({ node: (node) => (node.kind === 'LRN' ? ({ ...node, kind: 'Identity', attributes: {} } as Node) : node) }), /^going forth, |^ranking, |^going back, /],
    ['rectification that is left out', broken({ node: (node) => (node.kind === 'Relu' ? { ...node, kind: 'Identity' } : node) }), /: -?[\d.e-]+ where -?[\d.e-]+ is right$/],
    ['a NaN', broken({ result: (data) => (data.data instanceof Float32Array ? { ...data, data: data.data.map((value, at) => (at === 3 ? NaN : value)) } : data) }), /: NaN where /],
    ['a position that is off by one', broken({ result: (data) => (data.data instanceof BigInt64Array ? { ...data, data: data.data.map((value) => value + 1n) } : data) }), /^ranking, .*: \d+ where \d+ is right$/],
    ['another shape', broken({ result: (data) => ({ ...data, shape: [...data.shape, 1] }) }), /where \[2, 6, 10, 10\] is right$/],
  ])('fails %s', async (_title, engine, detail) => {
    const result = await testEngine(engine, reference);
    expect(result.passed).toBe(false);
    expect(result.detail).toMatch(detail);
  });

  it('fails a device that throws, with what it said', async () => {
    const engine: Engine = { ...reference, compile: () => Promise.reject(new Error('shader compiler crashed')) };
    expect(await testEngine(engine, reference)).toEqual({ passed: false, worst: Infinity, detail: 'shader compiler crashed' });
  });

  it('runs on a network with ties in its windows, dead ones among them', async () => {
    const { graph, image } = tinyNetwork();
    const session = await reference.compile(graph);
    const { data, shape } = (await session.run(new Map([['image', image]]), ['conv1/relu'])).get('conv1/relu')!;
    const [, , , width] = shape as [number, number, number, number];
    const pairs = (data as Float32Array).map((value, at, all) => (at % width < width - 1 && value === all[at + 1] ? 1 : 0)).reduce((sum, each) => sum + each, 0);
    expect(pairs).toBeGreaterThan(100);
  });
});

describe('a trial', () => {
  it('of a device that is wrong says by how much and where, and does not time it', async () => {
    const row = await probeEngine({ engine: 'onnxruntime', device: 'webgpu' }, async () => broken({ result: scaled(2) }), { benchmark: true });
    expect(row).toMatchObject({ engine: 'onnxruntime', device: 'webgpu', available: false, imagesPerSecond: null, selfTest: { passed: false, worst: expect.closeTo(1, 3) } });
    expect(row.reason).toMatch(/^It failed its self-test and is not used \(off by 1\.0 of the largest value; going forth, .* is right\)\. A newer driver may help\.$/);
  });

  it('of a device that does not start says why', async () => {
    const row = await createEngines().probe({ engine: 'tensorflow', device: 'dml' }, { benchmark: false });
    expect(row).toMatchObject({ available: false, selfTest: null, reason: 'TensorFlow runs on cpu, cuda or webgpu, not on dml; choose one of these, or the engine onnxruntime.' });
  });

  it('of the processor passes and is timed where asked', async () => {
    const engines = createEngines();
    const row = await engines.probe({ engine: 'onnxruntime', device: 'cpu' }, { benchmark: true });
    expect(row).toMatchObject({ available: true, reason: '', driver: '', software: false, selfTest: { passed: true } });
    expect(row.imagesPerSecond).toBeGreaterThan(1);
    expect((await engines.probe({ engine: 'onnxruntime', device: 'cpu' }, { benchmark: false })).imagesPerSecond).toBeNull();
  });
});
