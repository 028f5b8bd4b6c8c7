/**
 * Graph -> graph for ablation (method.md section 9; the paper's Table 3): whole layers taken out, others made wider or narrower. A removed layer goes with what follows it up to its activation, its input takes
 * the place of its output, and every layer behind takes the channels that now reach it. Weights whose size changes are zero: a variant is trained from its own first weights.
 */
import { AppError } from '../../src-shared/errors.ts';
import { createGraphBuilder, type GraphBuilder } from '../graph/build.ts';
import { consumers, valueOf, type Graph, type Node, type NodeOf, type Tensor } from '../graph/graph.ts';
import { verify } from '../graph/verify.ts';
import { weightedLayers, type WeightedLayer } from '../graph/weightedLayers.ts';

export interface Variant {
  /** Layers by value name, title or node name. */
  readonly remove: readonly string[];
  /** Channels or units of layers, by the same names. */
  readonly widths: Readonly<Record<string, number>>;
}

/** Throws AppError NOT_FOUND for a layer that there is not, BAD_REQUEST where the last layer is meant, UNSUPPORTED where what is left does not fit together. */
export function variantGraph(network: Graph, { remove, widths }: Variant): Graph {
  const layers = weightedLayers(network);
  const removed = remove.map((wish) => hiddenLayer(layers, wish));
  const width = new Map(Object.entries(widths).map(([wish, channels]) => [hiddenLayer(layers, wish).node, channels]));
  const gone = new Set<Node>();
  const standIn = new Map<string, string>();
  for (const { node, layer } of removed) {
    for (const each of chainOf(network, node, layer)) gone.add(each);
    standIn.set(layer, node.inputs[0]!);
  }
  const lasting = (name: string): string => (standIn.has(name) ? lasting(standIn.get(name)!) : name);
  const build = createGraphBuilder(network.name);
  for (const input of network.inputs) build.input(input.name, input.dataType, input.shape);
  for (const node of network.nodes) {
    if (gone.has(node)) continue;
    const inputs = node.inputs.map((name) => (network.tensors.has(name) ? name : lasting(name)));
    const fitted = fit(network, build, { ...node, inputs } as Node, node, width.get(node as WeightedLayer['node']));
    for (const tensor of fitted.tensors) build.tensor(tensor);
    build.copy(fitted.node);
  }
  return verify(build.finish(network.outputs.map(lasting)));
}

/** The layer that a person means. The last one makes the class scores: it stays as it is. */
function hiddenLayer(layers: readonly WeightedLayer[], wish: string): WeightedLayer {
  const found = layers.find(({ layer }) => layer === wish) ?? layers.find(({ title }) => title === wish) ?? layers.find(({ node }) => node.name === wish);
  const names = layers.slice(0, -1).map(({ title }) => title).join(', ');
  if (!found) throw new AppError('NOT_FOUND', `The network has no layer ${JSON.stringify(wish)} with weights. It has ${names}.`, { layer: wish });
  if (found === layers.at(-1)) throw new AppError('BAD_REQUEST', `${JSON.stringify(wish)} is the last layer, which makes the class scores: it can be neither removed nor given another width. Choose among ${names}.`, { layer: wish });
  return found;
}

/** From the layer's node to what makes its value. */
function chainOf(network: Graph, start: Node, layer: string): readonly Node[] {
  const readers = consumers(network);
  const chain = [start];
  while (!chain.at(-1)!.outputs.includes(layer)) chain.push(readers.get(chain.at(-1)!.outputs[0]!)![0]!);
  return chain;
}

interface Fitted {
  readonly node: Node;
  readonly tensors: readonly Tensor[];
}

/** The node for the channels that now reach it. @param before the same node as it was */
function fit(network: Graph, build: GraphBuilder, node: Node, before: Node, width: number | undefined): Fitted {
  const data = node.inputs.find((name) => name !== '' && !network.tensors.has(name));
  const old = before.inputs.find((name) => name !== '' && !network.tensors.has(name));
  if (data === undefined || old === undefined) return { node, tensors: tensorsOf(network, node) };
  const channels = Number(build.valueOf(data).shape[1]);
  const channelsBefore = Number(valueOf(network, old).shape[1]);
  const sized = (index: number, shape: readonly number[]): Tensor => resized(network.tensors.get(node.inputs[index]!)!, shape);
  const shapeOf = (index: number) => network.tensors.get(node.inputs[index] ?? '')?.shape;
  switch (node.kind) {
    case 'Conv': {
      const [outputs, , ...kernel] = shapeOf(1) as number[];
      const isDepthwise = node.attributes.group === channelsBefore && channelsBefore > 1;
      const group = isDepthwise ? channels : node.attributes.group;
      const made = width ?? (isDepthwise ? (outputs! / channelsBefore) * channels : outputs!);
      if (channels % group !== 0 || made % group !== 0) throw groups(node, group, channels, made);
      return { node: { ...node, attributes: { ...node.attributes, group } }, tensors: [sized(1, [made, channels / group, ...kernel]), ...(shapeOf(2) ? [sized(2, [made])] : [])] };
    }
    case 'ConvTranspose': {
      const [, outputs, ...kernel] = shapeOf(1) as number[];
      const { group } = node.attributes;
      const made = width ?? outputs! * group;
      if (channels % group !== 0 || made % group !== 0) throw groups(node, group, channels, made);
      return { node, tensors: [sized(1, [channels, made / group, ...kernel]), ...(shapeOf(2) ? [sized(2, [made])] : [])] };
    }
    case 'Gemm': {
      const [rows, columns] = shapeOf(1) as [number, number];
      const made = width ?? (node.attributes.transposeB ? rows : columns);
      const shape = node.attributes.transposeB ? [made, channels] : [channels, made];
      return { node, tensors: [sized(1, shape), ...(shapeOf(2) ? [sized(2, shapeOf(2)!.map((size) => (size > 1 ? made : size)))] : [])] };
    }
    case 'Reshape': {
      const [flat, flatBefore] = [sizeOf(build.valueOf(data).shape), sizeOf(valueOf(network, old).shape)];
      return { node: { ...node, attributes: { shape: node.attributes.shape.map((size) => (size === flatBefore ? flat : size)) } }, tensors: [] };
    }
    default:
      return { node, tensors: tensorsOf(network, node).map((tensor) => (channels === channelsBefore ? tensor : resized(tensor, tensor.shape.map((size) => (size === channelsBefore ? channels : size))))) };
  }
}

function tensorsOf(network: Graph, node: Node): readonly Tensor[] {
  return node.inputs.flatMap((name) => network.tensors.get(name) ?? []);
}

/** The same tensor where nothing changes. */
function resized(tensor: Tensor, shape: readonly number[]): Tensor {
  if (shape.every((size, axis) => size === tensor.shape[axis])) return tensor;
  return { ...tensor, shape, data: new Float32Array(shape.reduce((product, size) => product * size, 1)) };
}

/** Values of one image. */
function sizeOf(shape: readonly (number | 'batch')[]): number {
  return shape.slice(1).reduce<number>((product, size) => product * Number(size), 1);
}

function groups(node: NodeOf<'Conv'> | NodeOf<'ConvTranspose'>, group: number, channels: number, made: number): AppError {
  return new AppError('UNSUPPORTED', `${node.name} works in ${group} groups, which cannot share ${channels} channels coming in and ${made} going out evenly. Choose widths that ${group} divides, or other layers.`, { layer: node.name });
}
