/**
 * Is this device to be trusted? A tiny network is run forwards, ranked and projected back by a deconvnet on the device and on the reference, and everything is
 * compared. It takes milliseconds where no shaders have to be compiled. The switches of the network are fixed by real ties and by clear winners, so a
 * difference is an error of the device, not of rounding.
 */
import { elementCount, valueOf, type Graph } from '../../graph/graph.ts';
import { projectionGraph } from '../../rewrite/backward/projectionGraph.ts';
import { rankingGraph } from '../../rewrite/probe/rankingGraph.ts';
import type { Data, Engine, SelfTestResult } from '../engine.ts';
import { tinyNetwork } from './testNetwork.ts';

/** Largest difference over the largest value that passes (method.md section 3; the parity suite holds engines to the same). */
export function toleranceOf(device: Engine['device']): number {
  return device === 'cpu' ? 1e-4 : 2e-3;
}

/** Never rejects but for an abort: a device that throws has failed, and `detail` says how. */
export async function testEngine(engine: Engine, reference: Engine, signal?: AbortSignal): Promise<SelfTestResult> {
  let worst = { difference: 0, detail: 'all values are equal' };
  try {
    for (const { what, graph, feeds } of trials()) {
      const expected = await runOnce(reference, graph, feeds, signal);
      const actual = await runOnce(engine, graph, feeds, signal);
      for (const name of graph.outputs) {
        const found = compare(actual.get(name), expected.get(name)!, `${what}, ${name}`);
        if (found.difference > worst.difference || Number.isNaN(found.difference)) worst = found;
      }
    }
  } catch (error) {
    signal?.throwIfAborted();
    return { passed: false, worst: Infinity, detail: error instanceof Error ? error.message : String(error) };
  }
  return { passed: worst.difference <= toleranceOf(engine.device), worst: worst.difference, detail: worst.detail };
}

interface Trial {
  readonly what: string;
  readonly graph: Graph;
  readonly feeds: ReadonlyMap<string, Data>;
}

function trials(): readonly Trial[] {
  const { graph, layers, image } = tinyNetwork();
  const top = layers.at(-1)!;
  const { graph: down, seed } = projectionGraph(graph, 'image', top, 'deconvnet');
  const seedShape = valueOf(down, seed).shape.map((size) => (size === 'batch' ? image.shape[0]! : size));
  // Another unit for each image.
  const seeds = Float32Array.from({ length: elementCount(seedShape) }, (_, at) => (at % (seedShape[1]! + 3) === 2 ? 1 : 0));
  return [
    { what: 'going forth', graph, feeds: new Map([['image', image]]) },
    // Overlapping windows that share their winner make equal maxima.
    { what: 'ranking', graph: rankingGraph(graph, ['pool1', 'conv3/relu']).graph, feeds: new Map([['image', image]]) },
    { what: 'going back', graph: down, feeds: new Map([['image', image], [seed, { shape: seedShape, data: seeds }]]) },
  ];
}

async function runOnce(engine: Engine, graph: Graph, feeds: ReadonlyMap<string, Data>, signal: AbortSignal | undefined): Promise<ReadonlyMap<string, Data>> {
  const session = await engine.compile(graph);
  try {
    return await session.run(feeds, graph.outputs, signal);
  } finally {
    await session.close();
  }
}

function compare(actual: Data | undefined, expected: Data, where: string): { readonly difference: number; readonly detail: string } {
  if (actual?.shape.join() !== expected.shape.join()) {
    return { difference: Infinity, detail: `${where}: [${actual?.shape.join(', ') ?? 'nothing'}] where [${expected.shape.join(', ')}] is right` };
  }
  let [largest, difference, at] = [0, 0, 0];
  for (let index = 0; index < expected.data.length; index++) {
    const gap = Math.abs(Number(actual.data[index]) - Number(expected.data[index]));
    largest = Math.max(largest, Math.abs(Number(expected.data[index])));
    // A NaN compares as no larger, so it is asked for.
    if (gap > difference || (Number.isNaN(gap) && difference < Infinity)) [difference, at] = [Number.isNaN(gap) ? Infinity : gap, index];
  }
  // Positions are right or wrong.
  const relative = difference === 0 ? 0 : expected.data instanceof Float32Array ? difference / (largest || 1) : Infinity;
  return { difference: relative, detail: `${where}: ${actual.data[at]} where ${expected.data[at]} is right` };
}
