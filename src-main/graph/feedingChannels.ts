/**
 * Which channels feed a channel, by the weights of its filter: from the layer's value back to the convolution or matrix that makes it, and from each channel that it reads back to the nearest
 * layer that a person knows, through everything that keeps channels apart (activations, normalisation, pooling, concatenation, slices).
 */
import { activationKinds } from './layerSelection.ts';
import { producers, valueOf, type Graph, type Model, type Node, type NodeOf, type Tensor } from './graph.ts';
import type { OpKind } from './ops/attributes.ts';

export interface FedLayer {
  /** Value name. */
  readonly layer: string;
  readonly channel: number;
  /** Value names that may be named as sources. */
  readonly layers: readonly string[];
}

export interface FeedingChannel {
  /** Channel of the value that the filter reads. */
  readonly input: number;
  /** Euclidean norm and sum of the slice's weights. The sign is that of the whole way to the layer's value, so also of a negative scale behind the filter. */
  readonly norm: number;
  readonly sum: number;
  /** Row-major `[height, width]`; empty for large slices. */
  readonly weights: readonly number[];
  readonly source: { readonly layer: string; readonly channel: number } | null;
}

export interface FeedingChannels {
  readonly kind: 'weighted' | 'none';
  readonly readsPicture: boolean;
  /** `[height, width]` of one slice. */
  readonly kernel: readonly [number, number];
  readonly inputs: number;
  /** Of the whole filter. */
  readonly norm: number;
  /** Largest weight by size in the listed slices. */
  readonly absmax: number;
  /** Largest norm first; ties by channel. */
  readonly channels: readonly FeedingChannel[];
}

/** A filter as slices: the weights that each channel of `value` gets. */
interface Filter {
  readonly value: string;
  /** First channel of `value` that it reads. */
  readonly first: number;
  readonly inputs: number;
  readonly kernel: readonly [number, number];
  weight(input: number, position: number): number;
}

/** A channel of a value. `sign`: what became of the sign on the way there. */
interface Strand {
  readonly value: string;
  readonly channel: number;
  readonly sign: 1 | -1;
}

const none: FeedingChannels = { kind: 'none', readsPicture: false, kernel: [0, 0], inputs: 0, norm: 0, absmax: 0, channels: [] };
/** Slices up to this many weights travel with the answer. */
const mostWeights = 15 * 15;

/** The `limit` channels with the largest norm. `none` where the layer is an addition or anything else without weights of its own. */
export function feedingChannels({ graph, imageInput }: Pick<Model, 'graph' | 'imageInput'>, { layer, channel, layers }: FedLayer, limit: number): FeedingChannels {
  const makers = producers(graph);
  const made = follow(graph, makers, { value: layer, channel, sign: 1 }, () => false);
  const node = makers.get(made.value);
  const filter = node && filterOf(graph, makers, node, made.channel);
  if (!filter) return none;
  const known = new Set(layers);
  const size = filter.kernel[0] * filter.kernel[1];
  const slices = Array.from({ length: filter.inputs }, (_, input) => {
    let [squares, sum] = [0, 0];
    for (let at = 0; at < size; at++) {
      const weight = made.sign * filter.weight(input, at);
      squares += weight * weight;
      sum += weight;
    }
    return { input, norm: Math.sqrt(squares), sum };
  });
  const norm = Math.hypot(...slices.map((slice) => slice.norm));
  const channels = slices
    .sort((a, b) => b.norm - a.norm || a.input - b.input)
    .slice(0, limit)
    .map(({ input, ...measures }): FeedingChannel => {
      const end = follow(graph, makers, { value: filter.value, channel: filter.first + input, sign: 1 }, (value) => known.has(value));
      return {
        input: filter.first + input,
        ...measures,
        weights: size <= mostWeights ? Array.from({ length: size }, (_, at) => made.sign * filter.weight(input, at)) : [],
        source: known.has(end.value) ? { layer: end.value, channel: end.channel } : null,
      };
    });
  const absmax = channels.reduce((most, { weights }) => weights.reduce((each, weight) => Math.max(each, Math.abs(weight)), most), 0);
  const start = follow(graph, makers, { value: filter.value, channel: filter.first, sign: 1 }, (value) => value === imageInput);
  return { kind: 'weighted', readsPicture: start.value === imageInput, kernel: filter.kernel, inputs: filter.inputs, norm, absmax, channels };
}

type Step<K extends OpKind> = (node: NodeOf<K>, strand: Strand, graph: Graph) => Strand | null;

const through = (node: Node, strand: Strand): Strand => ({ ...strand, value: node.inputs[0]! });

/** One step back along a channel, beside activations; ops that are not here, and null, end the way. */
const steps: { readonly [K in OpKind]?: Step<K> } = {
  MaxPool: through,
  AveragePool: through,
  GlobalAveragePool: through,
  LRN: through,
  Pad: through,
  SpatialLinear: through,
  Identity: through,
  BatchNormalization: (node, strand, graph) => ({ ...strand, value: node.inputs[0]!, sign: signed(strand.sign, numberOf(graph.tensors.get(node.inputs[1]!), strand.channel)) }),
  Add: (node, strand, graph) => withConstant(node, strand, graph, () => 1),
  Sub: (node, strand, graph) => withConstant(node, strand, graph, (_, place) => (place === 0 ? -1 : 1)),
  Mul: (node, strand, graph) => withConstant(node, strand, graph, (constant) => numberOf(constant, strand.channel)),
  Concat(node, strand, graph) {
    if (node.attributes.axis !== 1) return null;
    let first = 0;
    for (const input of node.inputs) {
      const channels = channelsOf(graph, input);
      if (strand.channel < first + channels) return { ...strand, value: input, channel: strand.channel - first };
      first += channels;
    }
    return null;
  },
  Slice: (node, strand) => ({ ...strand, value: node.inputs[0]!, channel: strand.channel + (node.attributes.axis === 1 ? node.attributes.start : 0) }),
  Reshape: (node, strand, graph) => (channelsOf(graph, node.inputs[0]!) === channelsOf(graph, strand.value) ? through(node, strand) : null),
};

function follow(graph: Graph, makers: ReadonlyMap<string, Node>, from: Strand, ended: (value: string) => boolean): Strand {
  for (let strand = from; ; ) {
    const node = ended(strand.value) ? undefined : makers.get(strand.value);
    const step = node && (activationKinds.has(node.kind) ? through : (steps[node.kind] as Step<OpKind> | undefined));
    const next = step?.(node as never, strand, graph);
    if (!next) return strand;
    strand = next;
  }
}

/** Past an operation with a constant; `factor` is what the value is multiplied by there. */
function withConstant(node: Node, strand: Strand, graph: Graph, factor: (constant: Tensor, place: number) => number): Strand | null {
  const place = node.inputs.findIndex((input) => graph.tensors.has(input));
  const value = node.inputs[1 - place];
  if (place === -1 || value === undefined || graph.tensors.has(value)) return null;
  return { ...strand, value, sign: signed(strand.sign, factor(graph.tensors.get(node.inputs[place]!)!, place)) };
}

function filterOf(graph: Graph, makers: ReadonlyMap<string, Node>, node: Node, channel: number): Filter | null {
  const tensor = graph.tensors.get(node.inputs[1] ?? '');
  if (!tensor || !(tensor.data instanceof Float32Array)) return null;
  const value = node.inputs[0]!;
  if (node.kind === 'Conv') {
    const { data, shape: [filters = 0, inputs = 0, height = 1, width = 1] } = tensor as FloatTensor;
    const size = height * width;
    return { value, first: Math.floor((channel * node.attributes.group) / filters) * inputs, inputs, kernel: [height, width], weight: (input, at) => data[(channel * inputs + input) * size + at]! };
  }
  if (node.kind === 'ConvTranspose') {
    const { data, shape: [channels = 0, perGroup = 0, height = 1, width = 1] } = tensor as FloatTensor;
    const size = height * width;
    const inputs = channels / node.attributes.group;
    const first = Math.floor(channel / perGroup) * inputs;
    return { value, first, inputs, kernel: [height, width], weight: (input, at) => data[((first + input) * perGroup + (channel % perGroup)) * size + at]! };
  }
  if (node.kind === 'Gemm') {
    const { data, shape: [rows = 0, columns = 0] } = tensor as FloatTensor;
    const { transposeB } = node.attributes;
    const length = transposeB ? columns : rows;
    const map = unflattened(graph, makers, value);
    const [, inputs = length, height = 1, width = 1] = valueOf(graph, map).shape as number[];
    const size = height * width;
    if (inputs * size !== length) return null;
    return { value: map, first: 0, inputs, kernel: [height, width], weight: (input, at) => data[transposeB ? channel * columns + input * size + at : (input * size + at) * columns + channel]! };
  }
  return null;
}

type FloatTensor = Tensor & { readonly data: Float32Array };

/** The map `[N, C, H, W]` that was flattened into this value, past what touches single numbers only; the value itself where it never was a map. */
function unflattened(graph: Graph, makers: ReadonlyMap<string, Node>, value: string): string {
  for (let current = value; ; ) {
    const node = makers.get(current);
    if (!node) return value;
    if (valueOf(graph, node.inputs[0]!).shape.length === 4 && node.kind === 'Reshape') return node.inputs[0]!;
    if (node.kind !== 'Identity' && node.kind !== 'Reshape') return value;
    current = node.inputs[0]!;
  }
}

function channelsOf(graph: Graph, value: string): number {
  return Number(valueOf(graph, value).shape[1] ?? 0);
}

/** A constant's number for a channel: its only one, or the one in its place. */
function numberOf(tensor: Tensor | undefined, channel: number): number {
  if (!tensor) return 1;
  return Number(tensor.data.length === 1 ? tensor.data[0] : (tensor.data[channel] ?? 1));
}

function signed(sign: 1 | -1, factor: number): 1 | -1 {
  return factor < 0 ? (-sign as 1 | -1) : sign;
}
