/**
 * Convolutions of concatenated channels as sums of convolutions of the parts: a convolution is linear in its channels, and an engine adds the parts up in place, while a concatenation copies
 * every value once (6 % of squeezenet1.1's forward pass). Pools between the two go to the parts as well. Only where the sums are smaller than what would be copied. They are rounded in another
 * order, so that whatever is compared must be computed the same way.
 */
import { rewrite, type GraphBuilder } from '../../graph/build.ts';
import { consumers, elementCount, type Graph, type Node, type NodeOf, type Tensor } from '../../graph/graph.ts';
import { truncate } from './truncate.ts';

/** The same outputs from a graph that may lack values of the given one. */
export function withoutConcats(graph: Graph): Graph {
  const needless = needlessConcats(graph);
  if (needless.size === 0) return graph;
  const build = rewrite(graph);
  /** By the name of a value that is not made any more: what it would have been joined from. */
  const partsOf = new Map<string, readonly string[]>();
  for (const node of graph.nodes) {
    const parts = partsOf.get(node.inputs[0]!);
    if (needless.has(node)) partsOf.set(node.outputs[0]!, node.inputs);
    else if (parts && node.kind === 'MaxPool') partsOf.set(node.outputs[0]!, parts.map((part) => build.add('MaxPool', [part], node.attributes)[0]!));
    else if (parts && node.kind === 'Conv') addSum(build, graph, node, parts);
    else build.copy(node);
  }
  return truncate(build.finish(graph.outputs), graph.outputs);
}

/** The convolution of each part with its share of the weights; the first has the bias. */
function addSum(build: GraphBuilder, graph: Graph, { inputs, outputs, attributes }: NodeOf<'Conv'>, parts: readonly string[]): void {
  const [, weights, ...bias] = inputs as [string, string, ...string[]];
  let [sum, first] = ['', 0];
  for (const [at, part] of parts.entries()) {
    const channels = build.valueOf(part).shape[1] as number;
    const share = build.tensor(channelsOf(graph.tensors.get(weights)!, first, channels, build.freeName(`${weights}:${at}`)));
    const term = build.add('Conv', [part, share, ...(at === 0 ? bias : [])], attributes)[0]!;
    sum = at === 0 ? term : build.add('Add', [term, sum], {}, at === parts.length - 1 ? { outputs } : {})[0]!;
    first += channels;
  }
}

/** Weights of some of the channels that a filter reads. */
function channelsOf({ shape, data }: Tensor, first: number, channels: number, name: string): Tensor {
  const [outputs, inputs, ...kernel] = shape as [number, number, ...number[]];
  const taps = elementCount(kernel);
  const share = new Float32Array(outputs * channels * taps);
  for (let output = 0; output < outputs; output++) {
    const from = (output * inputs + first) * taps;
    share.set((data as Float32Array).subarray(from, from + channels * taps), output * channels * taps);
  }
  return { name, dataType: 'float32', shape: [outputs, channels, ...kernel], data: share };
}

/** Concatenations whose every reader, behind pools or not, can read the parts instead, and gains by it. */
function needlessConcats(graph: Graph): ReadonlySet<Node> {
  const readers = consumers(graph);
  const channels = (value: string) => graph.values.get(value)!.shape[1] as number;
  const canReadParts = (node: Node, value: string, parts: number): boolean => {
    if (node.kind === 'MaxPool') return node.outputs.length === 1 && isNeedless(node.outputs[0]!, parts);
    const isPlain = node.kind === 'Conv' && node.attributes.group === 1 && node.inputs.lastIndexOf(value) === 0 && graph.tensors.has(node.inputs[1]!);
    return isPlain && (parts - 1) * channels(node.outputs[0]!) < channels(value);
  };
  const isNeedless = (value: string, parts: number): boolean => {
    const theirs = readers.get(value) ?? [];
    return !graph.outputs.includes(value) && theirs.length > 0 && theirs.every((node) => canReadParts(node, value, parts));
  };
  const joinsChannels = (node: Node) => node.kind === 'Concat' && node.attributes.axis === 1 && node.inputs.length > 1 && node.inputs.every((input) => graph.values.get(input)?.shape.length === 4);
  return new Set(graph.nodes.filter((node) => joinsChannels(node) && isNeedless(node.outputs[0]!, node.inputs.length)));
}
