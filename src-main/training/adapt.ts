/**
 * Graph -> graph, before training: another number of classes at the end, and pixels as they are at the beginning. A trained network then holds all that it
 * needs: the mean that was subtracted is its first node, not a note beside it.
 */
import { AppError } from '../../src-shared/errors.ts';
import { createGraphBuilder, rewrite } from '../graph/build.ts';
import type { Graph, Node, NodeOf, Shape, Tensor } from '../graph/graph.ts';
import { lastLayerWeights } from '../rewrite/training/trainable.ts';
import { verify } from '../graph/verify.ts';

/** The last layer with another number of outputs, its weights zero; what comes after it follows. Throws AppError UNSUPPORTED where that cannot be. */
export function withClasses(network: Graph, classes: number): Graph {
  const names = new Set(lastLayerWeights(network).map((weight) => weight.name));
  const at = network.nodes.findIndex((node) => isLayer(node) && names.has(node.inputs[1]!));
  const last = network.nodes[at];
  if (!last || !isLayer(last)) throw new AppError('UNSUPPORTED', `${network.name} has no layer that could be given ${classes} classes.`);
  const before = outputsOf(last, network.tensors.get(last.inputs[1]!)!);
  const resized = (tensor: Tensor): Tensor => {
    const shape = tensor.shape.map((size, axis) => (axis === outputAxis(last, tensor) ? classes : size));
    return { ...tensor, shape, data: new Float32Array(shape.reduce((product, size) => product * size, 1)) };
  };
  const build = createGraphBuilder(network.name);
  for (const input of network.inputs) build.input(input.name, input.dataType, input.shape);
  for (const tensor of network.tensors.values()) build.tensor(names.has(tensor.name) ? resized(tensor) : tensor);
  network.nodes.forEach((node, index) => build.copy(index > at && node.kind === 'Reshape' ? reshaped(node, before, classes) : node));
  return verify(build.finish(network.outputs));
}

export interface PixelInput {
  /** What is subtracted, `[C, H, W]` or `[C, 1, 1]`, in 0..255; absent: nothing. */
  readonly mean?: { readonly shape: readonly number[]; readonly data: Float32Array };
  /** One factor to each channel, applied behind the mean; absent: none. */
  readonly factor?: readonly number[];
}

/** The network with `(image - mean) * factor` as its first nodes, so that it takes pixels as they are, 0..255. */
export function withPixelInput(network: Graph, image: string, { mean, factor }: PixelInput): Graph {
  if (!mean && !factor) return network;
  const build = rewrite(network);
  let value = image;
  const constant = (name: string, shape: readonly number[], data: Float32Array) => build.tensor({ name: build.freeName(name), dataType: 'float32', shape, data });
  if (mean) [value] = build.add('Sub', [value, constant('mean', mean.shape, mean.data)], {}, { name: build.freeName('centred') }) as [string];
  if (factor) [value] = build.add('Mul', [value, constant('factor', [factor.length, 1, 1], Float32Array.from(factor))], {}, { name: build.freeName('scaled') }) as [string];
  for (const node of network.nodes) build.copy({ ...node, inputs: node.inputs.map((input) => (input === image ? value : input)) } as Node);
  return verify(build.finish(network.outputs));
}

/** The inverse: the network behind what shifts and scales its pictures by constants, for who prepares them anew. A network that begins otherwise is returned as it is. */
export function withoutPixelInput(network: Graph, image: string): Graph {
  const first: Node[] = [];
  for (let value = image; ; value = first.at(-1)!.outputs[0]!) {
    const readers = network.nodes.filter((node) => node.inputs.includes(value));
    const [next] = readers;
    if (readers.length !== 1 || !next || network.outputs.includes(next.outputs[0]!) || !preparing.has(next.kind) || next.inputs[0] !== value || !network.tensors.has(next.inputs[1]!)) break;
    first.push(next);
  }
  const last = first.at(-1);
  if (!last) return network;
  const build = createGraphBuilder(network.name);
  for (const input of network.inputs) build.input(input.name, input.dataType, input.shape);
  const rest = network.nodes.filter((node) => !first.includes(node));
  const read = new Set(rest.flatMap((node) => node.inputs));
  for (const tensor of network.tensors.values()) if (read.has(tensor.name)) build.tensor(tensor);
  for (const node of rest) build.copy({ ...node, inputs: node.inputs.map((input) => (input === last.outputs[0] ? image : input)) } as Node);
  return verify(build.finish(network.outputs));
}

const preparing: ReadonlySet<Node['kind']> = new Set<Node['kind']>(['Sub', 'Add', 'Mul']);

function isLayer(node: Node): node is NodeOf<'Conv'> | NodeOf<'ConvTranspose'> | NodeOf<'Gemm'> {
  return node.kind === 'Conv' || node.kind === 'ConvTranspose' || node.kind === 'Gemm';
}

/** Along which axis a weight of the layer counts outputs. */
function outputAxis(layer: NodeOf<'Conv'> | NodeOf<'ConvTranspose'> | NodeOf<'Gemm'>, tensor: Tensor): number {
  if (tensor.name !== layer.inputs[1]) return tensor.shape.findIndex((size) => size > 1);
  if (layer.kind === 'Gemm') return layer.attributes.transposeB ? 0 : 1;
  return layer.kind === 'Conv' ? 0 : 1;
}

function outputsOf(layer: NodeOf<'Conv'> | NodeOf<'ConvTranspose'> | NodeOf<'Gemm'>, weights: Tensor): number {
  return weights.shape[outputAxis(layer, weights)]!;
}

function reshaped(node: NodeOf<'Reshape'>, before: number, classes: number): NodeOf<'Reshape'> {
  const shape: Shape = node.attributes.shape.map((size) => (size === before ? classes : size));
  return { ...node, attributes: { shape } };
}
