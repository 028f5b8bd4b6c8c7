/**
 * Which constants of a network are its weights: filters, matrices and their biases (also where a bias is an Add of its own), the slopes of PReLU, scale and
 * shift of batch normalisation. Everything else (means to subtract, matrices of a resize, stored statistics) stays as it is.
 */
import { producers, type Graph, type Node } from '../../graph/graph.ts';

/** What a weight does; filters have bounds on their size, biases start at 0. */
export type WeightRole = 'filter' | 'matrix' | 'bias' | 'slope' | 'scale';

export interface Weight {
  /** Of the tensor. */
  readonly name: string;
  readonly role: WeightRole;
  /** Inputs that one unit of the output sums over; 1 for anything but filters and matrices. */
  readonly inputsOfUnit: number;
}

/** In the order in which they are read. A tensor that several nodes share is one weight. */
export function weightsOf(graph: Graph): readonly Weight[] {
  const makers = producers(graph);
  const weights = new Map<string, Weight>();
  for (const node of graph.nodes) {
    for (const [name, role] of weightInputs(node, graph, makers)) {
      const tensor = graph.tensors.get(name);
      if (!tensor || tensor.dataType !== 'float32' || weights.has(name)) continue;
      weights.set(name, { name, role, inputsOfUnit: role === 'filter' || role === 'matrix' ? inputsOfUnit(node, tensor.shape) : 1 });
    }
  }
  return [...weights.values()];
}

/** The weights of the last filter or matrix before the output. */
export function lastLayerWeights(graph: Graph): readonly Weight[] {
  const all = weightsOf(graph);
  const last = graph.nodes.findLast((node) => isLayer(node) && graph.tensors.has(node.inputs[1]!));
  const names = new Set(last ? [...last.inputs, ...graph.nodes.filter((node) => node.kind === 'Add' && node.inputs.includes(last.outputs[0]!)).flatMap((node) => node.inputs)] : []);
  return all.filter((weight) => names.has(weight.name));
}

function isLayer(node: Node | undefined): node is Node {
  return node?.kind === 'Conv' || node?.kind === 'ConvTranspose' || node?.kind === 'Gemm';
}

function weightInputs(node: Node, graph: Graph, makers: ReadonlyMap<string, Node>): readonly (readonly [name: string, role: WeightRole])[] {
  if (node.kind === 'Conv' || node.kind === 'ConvTranspose') return named(node, { 1: 'filter', 2: 'bias' });
  if (node.kind === 'Gemm') return named(node, { 1: 'matrix', 2: 'bias' });
  if (node.kind === 'PRelu') return named(node, { 1: 'slope' });
  if (node.kind === 'BatchNormalization') return named(node, { 1: 'scale', 2: 'bias' });
  // A bias that stands behind its layer, one value to a channel at most.
  const layer = node.kind === 'Add' ? node.inputs.map((input) => makers.get(input)).find(isLayer) : undefined;
  if (!layer) return [];
  const channels = graph.values.get(layer.outputs[0]!)?.shape[1];
  return node.inputs.filter((input) => graph.tensors.get(input)?.data.length === channels).map((input) => [input, 'bias'] as const);
}

function named(node: Node, roles: Readonly<Record<number, WeightRole>>): readonly (readonly [string, WeightRole])[] {
  return Object.entries(roles).flatMap(([index, role]) => (node.inputs[Number(index)] ? [[node.inputs[Number(index)]!, role] as const] : []));
}

function inputsOfUnit(node: Node, shape: readonly number[]): number {
  const size = shape.reduce((product, each) => product * each, 1);
  if (node.kind === 'Gemm') return shape[node.attributes.transposeB ? 1 : 0]!;
  if (node.kind === 'ConvTranspose') return Math.max(1, Math.round(size / (shape[1]! * node.attributes.group * node.attributes.strides[0] * node.attributes.strides[1])));
  return size / shape[0]!;
}
