/** Which values of a truncated graph depend on the image: all of them lead to its outputs. */
import type { Graph } from '../../graph/graph.ts';

/** Names of the values between the image and the outputs; the image itself comes first. */
export function valuesOnPath(forward: Graph, imageInput: string): ReadonlySet<string> {
  const path = new Set([imageInput]);
  for (const node of forward.nodes) {
    if (!node.inputs.some((input) => path.has(input))) continue;
    for (const output of node.outputs) if (output !== '') path.add(output);
  }
  return path;
}
