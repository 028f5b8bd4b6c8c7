/**
 * What a run of a graph needs before any number is computed: which nodes lead to the fetched values, when each value is read for the last time,
 * and whether the feeds are what the graph declares. Pure, no tfjs in it.
 */
import { AppError } from '../../../src-shared/errors.ts';
import { elementCount, type Graph, type Node } from '../../graph/graph.ts';
import type { Data } from '../engine.ts';

export interface Plan {
  /** Nodes that the fetches depend on, in graph order. */
  readonly nodes: readonly Node[];
  /** For each node, the values that nobody reads after it and that are not fetched. */
  readonly spent: readonly (readonly string[])[];
}

/** Plans a run for these fetches. Throws AppError BAD_REQUEST naming a fetch that is not among the outputs of the graph. */
export function planRun(graph: Graph, fetches: readonly string[]): Plan {
  for (const fetch of fetches) {
    if (!graph.outputs.includes(fetch)) {
      throw new AppError('BAD_REQUEST', `Graph ${graph.name} has no output ${JSON.stringify(fetch)}; its outputs are ${graph.outputs.join(', ')}.`, { fetch });
    }
  }
  const needed = new Set(fetches);
  const nodes: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    for (const input of node.inputs) if (input !== '') needed.add(input);
    nodes.unshift(node);
  }
  return { nodes, spent: spentValues(graph, nodes, new Set(fetches)) };
}

/**
 * Checks feeds against the declared inputs and returns the batch size (1 for a graph without a batch dimension).
 * Throws AppError BAD_REQUEST naming the input and both shapes.
 */
export function batchOf(graph: Graph, feeds: ReadonlyMap<string, Data>): number {
  let batch: number | undefined;
  for (const input of graph.inputs) {
    const feed = feeds.get(input.name);
    if (!feed) throw new AppError('BAD_REQUEST', `Input ${JSON.stringify(input.name)} of graph ${graph.name} is not fed.`, { input: input.name });
    const wanted = input.shape.map((size) => (size === 'batch' ? 'N' : size)).join(', ');
    const refuse = (problem: string): never => {
      throw new AppError('BAD_REQUEST', `Input ${JSON.stringify(input.name)} of graph ${graph.name} takes ${input.dataType} [${wanted}]; ${problem}.`, { input: input.name });
    };
    if (feed.shape.length !== input.shape.length) refuse(`[${feed.shape.join(', ')}] was fed`);
    input.shape.forEach((size, axis) => {
      const fed = feed.shape[axis]!;
      if (size === 'batch') {
        if (batch !== undefined && batch !== fed) refuse(`a batch of ${fed} was fed beside a batch of ${batch}`);
        batch = fed;
      } else if (size !== fed) refuse(`[${feed.shape.join(', ')}] was fed`);
    });
    if (feed.data.length !== elementCount(feed.shape)) refuse(`${feed.data.length} values were fed for [${feed.shape.join(', ')}]`);
    if (!(feed.data instanceof arrayTypes[input.dataType])) refuse(`a ${feed.data.constructor.name} was fed`);
  }
  return batch ?? 1;
}

const arrayTypes = { float32: Float32Array, int64: BigInt64Array, bool: Uint8Array, uint8: Uint8Array } as const;

function spentValues(graph: Graph, nodes: readonly Node[], kept: ReadonlySet<string>): string[][] {
  const seen = new Set<string>();
  const spent: string[][] = [];
  for (const node of nodes.toReversed()) {
    const names = new Set([...node.inputs, ...node.outputs].filter((name) => name !== '' && !graph.tensors.has(name)));
    spent.unshift([...names].filter((name) => !seen.has(name) && !kept.has(name)));
    for (const name of names) seen.add(name);
  }
  return spent;
}
