/** Keeps only what the wanted values need: the same graph, cut off behind them. */
import type { Graph, Node, Tensor, Value } from '../../graph/graph.ts';

/** A graph whose outputs are `outputs` and whose nodes, tensors and values are those that they depend on. Graph inputs stay only where they are read. */
export function truncate(graph: Graph, outputs: readonly string[]): Graph {
  const needed = new Set(outputs);
  const nodes: Node[] = [];
  for (let index = graph.nodes.length - 1; index >= 0; index--) {
    const node = graph.nodes[index]!;
    if (!node.outputs.some((output) => needed.has(output))) continue;
    nodes.unshift(node);
    for (const input of node.inputs) if (input !== '') needed.add(input);
  }
  const made = new Set([...needed, ...nodes.flatMap((node) => node.outputs)]);
  return {
    name: graph.name,
    inputs: graph.inputs.filter((input) => needed.has(input.name)),
    outputs: [...outputs],
    nodes,
    tensors: pick<Tensor>(graph.tensors, needed),
    values: pick<Value>(graph.values, made),
  };
}

function pick<T>(map: ReadonlyMap<string, T>, names: ReadonlySet<string>): Map<string, T> {
  return new Map([...map].filter(([name]) => names.has(name)));
}
