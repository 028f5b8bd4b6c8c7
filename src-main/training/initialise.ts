/**
 * First weights: normal numbers of deviation 0.01 (Zeiler & Fergus 2013, section 3), or by He et al. 2015 sqrt(2 / inputs of a unit), which narrow networks
 * need for their signals to get through (the last layer, whose outputs no layer reads, keeps 0.01); biases 0, scales 1, slopes 0.25. Each tensor draws its own numbers, so that they do not depend on its neighbours.
 */
import type { Graph, Tensor } from '../graph/graph.ts';
import { seededNormals } from '../rewrite/training/seededNumbers.ts';
import { lastLayerWeights, weightsOf, type Weight } from '../rewrite/training/trainable.ts';

export type Initialisation = 'paper' | 'he';

/** The graph with new values for these weights (all of them if absent). */
export function initialised(graph: Graph, { initialisation, seed }: { readonly initialisation: Initialisation; readonly seed: number }, weights: readonly Weight[] = weightsOf(graph)): Graph {
  const last = new Set(lastLayerWeights(graph).map((weight) => weight.name));
  const fresh = new Map(weights.map((weight) => [weight.name, firstValues(graph.tensors.get(weight.name)!, weight, last.has(weight.name) ? 'paper' : initialisation, seed)]));
  return { ...graph, tensors: new Map([...graph.tensors].map(([name, tensor]) => [name, fresh.get(name) ?? tensor])) };
}

function firstValues(tensor: Tensor, { role, inputsOfUnit }: Weight, initialisation: Initialisation, seed: number): Tensor {
  const { length } = tensor.data;
  if (role === 'bias') return { ...tensor, data: new Float32Array(length) };
  if (role === 'scale') return { ...tensor, data: new Float32Array(length).fill(1) };
  if (role === 'slope') return { ...tensor, data: new Float32Array(length).fill(0.25) };
  const deviation = initialisation === 'paper' ? 0.01 : Math.sqrt(2 / inputsOfUnit);
  const normal = seededNormals(seed, tensor.name);
  return { ...tensor, data: Float32Array.from({ length }, () => deviation * normal()) };
}
