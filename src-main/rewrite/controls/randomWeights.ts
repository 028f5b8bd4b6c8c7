/**
 * An honesty control: the same network with weights that learned nothing. What a projection still shows comes from architecture and image, not from the
 * weights (the model randomisation test of Adebayo et al., "Sanity Checks for Saliency Maps", 2018). Filters, matrices and their biases become normal numbers
 * of the same mean and deviation, tensor by tensor, so that signals keep their size; normalisation keeps its statistics.
 */
import type { Graph, Node, Tensor } from '../../graph/graph.ts';

/** The same seed gives the same weights, whatever order the nodes stand in. */
export function withRandomWeights(graph: Graph, seed: number): Graph {
  const weights = new Set(graph.nodes.filter(isWeighted).flatMap((node) => node.inputs.slice(1)));
  const tensors = new Map([...graph.tensors].map(([name, tensor]) => [name, weights.has(name) ? randomLike(tensor, seed) : tensor]));
  return { ...graph, tensors };
}

function isWeighted(node: Node): boolean {
  return node.kind === 'Conv' || node.kind === 'ConvTranspose' || node.kind === 'Gemm';
}

function randomLike(tensor: Tensor, seed: number): Tensor {
  if (!(tensor.data instanceof Float32Array)) return tensor;
  let [sum, squares] = [0, 0];
  for (const value of tensor.data) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / tensor.data.length;
  const deviation = Math.sqrt(Math.max(0, squares / tensor.data.length - mean * mean));
  const random = uniformNumbers(seedOf(tensor.name, seed));
  // Box-Muller, one of each pair.
  const data = Float32Array.from(tensor.data, () => mean + deviation * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
  return { ...tensor, data };
}

/** A 32-bit number from a name and a seed (FNV-1a). */
function seedOf(name: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** Numbers in [0, 1): a Weyl sequence through a mixing function with good avalanche (splitmix32). */
function uniformNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
