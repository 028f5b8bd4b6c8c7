/**
 * Graph -> two graphs: a projection cut where the way down reads the forward pass (switches, masks, factors). The forward part runs once per image, the way down once
 * per unit, so that an image's forward pass serves all of its units.
 */
import { valueOf, type Graph, type Tensor, type Value } from '../../graph/graph.ts';
import { verify } from '../../graph/verify.ts';
import { truncate } from '../probe/truncate.ts';
import type { ProjectionGraph } from './projectionGraph.ts';

export interface SplitProjection {
  /** Image -> the start of the walk and all that is saved but the image itself. */
  readonly forward: Graph;
  /** Seed and all that is saved -> projection. */
  readonly backward: Graph;
  readonly saved: readonly SavedValue[];
}

export interface SavedValue {
  readonly name: string;
  /** For switches, which count through the whole batch: elements per image of the value that they point into. */
  readonly pointsInto?: number;
}

export function splitProjection({ graph, image, seed, projection, start }: ProjectionGraph): SplitProjection {
  const down = new Set([seed]);
  const nodes = graph.nodes.filter((node) => {
    const isDown = node.inputs.some((input) => down.has(input));
    if (isDown) for (const output of node.outputs) down.add(output);
    return isDown;
  });
  const saved = [...new Set(nodes.flatMap((node) => node.inputs))].filter((name) => graph.values.has(name) && !down.has(name));
  const backward: Graph = {
    name: `${graph.name} back`,
    inputs: [seed, ...saved].map((name) => valueOf(graph, name)),
    outputs: [projection],
    nodes,
    tensors: new Map<string, Tensor>([...graph.tensors].filter(([name]) => nodes.some((node) => node.inputs.includes(name)))),
    values: new Map<string, Value>([...graph.values].filter(([name]) => down.has(name) || saved.includes(name))),
  };
  const forward = truncate(graph, [...new Set([start, ...saved.filter((name) => name !== image)])]);
  return { forward: verify({ ...forward, name: `${graph.name} forward` }), backward: verify(backward), saved: saved.map((name) => savedValue(graph, name)) };
}

function savedValue(graph: Graph, name: string): SavedValue {
  const pool = graph.nodes.find((node) => node.kind === 'MaxPool' && node.outputs[1] === name);
  if (!pool) return { name };
  const [, channels, height, width] = valueOf(graph, pool.inputs[0]!).shape as number[];
  return { name, pointsInto: channels! * height! * width! };
}
