/**
 * The reference engine: every op in plain TypeScript, float32 storage with float64 sums, slow and meant to be read. It is the oracle of the
 * other engines and never what a person runs an index with (design.md section 3).
 */
import { setImmediate } from 'node:timers/promises';
import { AppError } from '../../../src-shared/errors.ts';
import { elementCount, type Graph } from '../../graph/graph.ts';
import type { Data, Engine, Session } from '../engine.ts';
import { kernelOf } from './kernels.ts';

/** Always available. Its sessions hold nothing but the graph; an abort is seen between two nodes. */
export function createReferenceEngine(): Engine {
  return {
    kind: 'reference',
    device: 'cpu',
    description: 'reference, plain TypeScript',
    compile: async (graph) => sessionOf(graph),
    close: async () => {},
  };
}

function sessionOf(graph: Graph): Session {
  return {
    async run(feeds, fetches, signal) {
      signal?.throwIfAborted();
      const batch = checkedBatch(graph, feeds);
      const values = new Map<string, Data>([...graph.tensors, ...feeds]);
      const needed = ancestors(graph, fetches);
      for (const node of graph.nodes) {
        if (!node.outputs.some((output) => needed.has(output))) continue;
        await setImmediate();
        signal?.throwIfAborted();
        const inputs = node.inputs.map((name) => (name === '' ? undefined : values.get(name)));
        const outputs = kernelOf(node.kind)(inputs, node.attributes, batch);
        node.outputs.forEach((name, at) => values.set(name, outputs[at]!));
      }
      return new Map(fetches.map((name) => [name, resultOf(values.get(name)!)]));
    },
    close: async () => {},
  };
}

/** Names of the fetches and of everything that they are computed from. */
function ancestors(graph: Graph, fetches: readonly string[]): ReadonlySet<string> {
  for (const fetch of fetches) {
    if (!graph.outputs.includes(fetch)) throw new AppError('BAD_REQUEST', `Graph ${graph.name} has no output ${JSON.stringify(fetch)}; its outputs are ${graph.outputs.join(', ')}.`, { fetch });
  }
  const needed = new Set(fetches);
  for (const node of graph.nodes.toReversed()) {
    if (node.outputs.some((output) => needed.has(output))) for (const input of node.inputs) needed.add(input);
  }
  return needed;
}

/** The one batch size that all feeds have (1 where the graph has no batch). Throws AppError BAD_REQUEST naming an input that does not fit. */
function checkedBatch(graph: Graph, feeds: ReadonlyMap<string, Data>): number {
  const batches = new Set<number>();
  for (const { name, shape } of graph.inputs) {
    const feed = feeds.get(name);
    const fits = feed?.shape.length === shape.length && shape.every((size, axis) => size === 'batch' || size === feed.shape[axis]) && feed.data.length === elementCount(feed.shape);
    if (!fits) throw new AppError('BAD_REQUEST', `Input ${JSON.stringify(name)} of graph ${graph.name} takes [${shape.join(', ')}]; fed was ${feed ? `${feed.data.length} values as [${feed.shape.join(', ')}]` : 'nothing'}.`, { input: name });
    const axis = shape.indexOf('batch');
    if (axis >= 0) batches.add(feed.shape[axis]!);
  }
  if (batches.size > 1) throw new AppError('BAD_REQUEST', `The inputs of graph ${graph.name} were fed with several batch sizes: ${[...batches].join(', ')}; feed one.`);
  return [...batches][0] ?? 1;
}

/** A copy, so that no caller can write into a weight or a feed. */
function resultOf({ shape, data }: Data): Data {
  return { shape: [...shape], data: data.slice() };
}
