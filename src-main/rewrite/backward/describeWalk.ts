/** The way down in words, to stand beside the drawing of the network: what became of each of its nodes in the projection graph. */
import { describeNode } from '../../graph/describeNode.ts';
import { consumers, producers, type Graph, type Node } from '../../graph/graph.ts';
import type { WayDown } from '../../graph/print.ts';
import type { ProjectionGraph } from './projectionGraph.ts';

/** Words by node of the network. They read from right to left, as the signal runs: `transposed conv 3x3/2 ← relu ← seed`. */
export function describeWalk(network: Graph, projection: ProjectionGraph): WayDown {
  const makers = producers(projection.graph);
  const nodes = new Map<string, string>();
  for (const [name, values] of projection.steps) nodes.set(name, stepWords(values.flatMap((value) => makers.get(value) ?? []), projection.graph));
  const first = producers(network).get(projection.start);
  if (first) nodes.set(first.name, nodes.get(first.name) ? `${nodes.get(first.name)} ← seed` : 'seed');
  const sums = [...consumers(network)].filter(([, readers]) => readers.filter((reader) => projection.steps.has(reader.name)).length > 1);
  const factor = projection.graph.nodes.some((node) => node.kind === 'Mul' && node.outputs[0] === makers.get(projection.projection)?.inputs[0] && node.inputs.includes(projection.image));
  return { nodes, sums: new Set(sums.map(([value]) => value)), arrival: new Map([[projection.image, factor ? 'projection ← times the image' : 'projection']]) };
}

/** Steps that follow each other are joined by an arrow, others (a slice for each part of a concat) by a comma. */
function stepWords(steps: readonly Node[], graph: Graph): string {
  let text = '';
  let before: Node | undefined;
  for (const step of steps) {
    const words = describeNode(step, graph);
    if (words === '') continue;
    const follows = before !== undefined && step.inputs.includes(before.outputs[0]!);
    text = text === '' ? words : follows ? `${words} ← ${text}` : `${text}, ${words}`;
    before = step;
  }
  return text;
}
