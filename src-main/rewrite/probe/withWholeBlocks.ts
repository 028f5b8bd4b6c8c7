/**
 * Last convolutions with their channels filled up to whole blocks. An engine's own layout holds channels in blocks of 16 (AVX-512), and a pool of a map with another number of them makes it lay
 * the whole map out anew: a twentieth of the forward pass for the 1,000 classes of squeezenet1.1. The additional channels are 0 everywhere and read by nobody.
 */
import { createGraphBuilder } from '../../graph/build.ts';
import { consumers, elementCount, producers, type Graph, type NodeOf, type Tensor } from '../../graph/graph.ts';
import { truncate } from './truncate.ts';

const block = 16;
/** Fewer channels would be too many that nobody reads. */
const fewest = 8 * block;

/**
 * The same network, but the channels of some outputs may be followed by others, which whoever reads them cuts off.
 * @param exact outputs that keep their channels
 */
export function withWholeBlocks(graph: Graph, exact: readonly string[] = []): Graph {
  const widened = new Set(graph.outputs.flatMap((output) => (exact.includes(output) ? [] : (lastConvolution(graph, output)?.name ?? []))));
  if (widened.size === 0) return graph;
  const build = createGraphBuilder(graph.name);
  for (const input of graph.inputs) build.input(input.name, input.dataType, input.shape);
  for (const tensor of graph.tensors.values()) build.tensor(tensor);
  for (const node of graph.nodes) {
    if (!widened.has(node.name)) build.copy(node);
    else {
      const [input, ...constants] = node.inputs as [string, ...string[]];
      const filled = constants.map((name) => (name === '' ? '' : build.tensor(fillUp(graph.tensors.get(name)!, build.freeName(`${name}:filled`)))));
      build.add('Conv', [input, ...filled], (node as NodeOf<'Conv'>).attributes, { name: node.name, outputs: node.outputs });
    }
  }
  return truncate(build.finish(graph.outputs), graph.outputs);
}

/** The convolution that makes an output, with at most a rectifier between them, where nobody else reads either. */
function lastConvolution(graph: Graph, output: string): NodeOf<'Conv'> | undefined {
  const makers = producers(graph);
  const readers = consumers(graph);
  const maker = makers.get(output);
  const conv = maker?.kind === 'Relu' ? makers.get(maker.inputs[0]!) : maker;
  if (conv?.kind !== 'Conv' || conv.attributes.group !== 1 || readers.has(output)) return undefined;
  if (conv !== maker && (graph.outputs.includes(conv.outputs[0]!) || readers.get(conv.outputs[0]!)!.length > 1)) return undefined;
  const channels = graph.values.get(output)!.shape[1] as number;
  const isConstant = conv.inputs.slice(1).every((name) => name === '' || graph.tensors.has(name));
  return isConstant && channels % block !== 0 && channels >= fewest ? conv : undefined;
}

/** Zeros behind, along the first axis. */
function fillUp({ shape, data }: Tensor, name: string): Tensor {
  const [outputs, ...rest] = shape as [number, ...number[]];
  const filled = Math.ceil(outputs / block) * block;
  const all = new Float32Array(filled * elementCount(rest));
  all.set(data as Float32Array);
  return { name, dataType: 'float32', shape: [filled, ...rest], data: all };
}
