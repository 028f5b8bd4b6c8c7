/**
 * Last convolutions with their channels filled up to whole blocks. An engine's own layout holds channels in blocks of 16 (AVX-512), and a pool of a map with another number of them makes it lay
 * the whole map out anew: a twentieth of the forward pass for the 1,000 classes of squeezenet1.1. The additional channels are 0 everywhere and read by nobody.
 */
import { rewrite } from '../../graph/build.ts';
import { consumers, elementCount, producers, type Graph, type Node, type Tensor } from '../../graph/graph.ts';
import { truncate } from './truncate.ts';

const block = 16;
/** With fewer channels, those that nobody reads would be too large a share of the work. */
const fewest = 8 * block;

/**
 * The same network, but the channels of some outputs may be followed by others, which whoever reads them cuts off.
 * @param exact outputs that keep their channels
 */
export function withWholeBlocks(graph: Graph, exact: readonly string[] = []): Graph {
  const last = lastConvolutions(graph, graph.outputs.filter((output) => !exact.includes(output)));
  if (last.size === 0) return graph;
  const build = rewrite(graph);
  const filled = (name: string) => (name === '' ? '' : build.tensor(fillUp(graph.tensors.get(name)!, build.freeName(`${name}:filled`))));
  for (const node of graph.nodes) {
    const [input, ...constants] = node.inputs as [string, ...string[]];
    build.copy(last.has(node) ? { ...node, inputs: [input, ...constants.map(filled)] } : node);
  }
  return truncate(build.finish(graph.outputs), graph.outputs);
}

/** The convolutions that make these outputs, with at most a rectifier between the two, where nobody else reads either. */
function lastConvolutions(graph: Graph, outputs: readonly string[]): ReadonlySet<Node> {
  const makers = producers(graph);
  const readers = consumers(graph);
  const isReadOnlyBy = (value: string, count: number) => (readers.get(value)?.length ?? 0) === count;
  const isLast = (node: Node): boolean => {
    const channels = graph.values.get(node.outputs[0]!)!.shape[1] as number;
    const isPlain = node.kind === 'Conv' && node.attributes.group === 1 && node.inputs.slice(1).every((name) => name === '' || graph.tensors.has(name));
    return isPlain && channels % block !== 0 && channels >= fewest;
  };
  const found = outputs.flatMap((output) => {
    const maker = makers.get(output);
    if (!maker || !isReadOnlyBy(output, 0)) return [];
    if (maker.kind !== 'Relu') return [maker];
    const [value] = maker.inputs as [string];
    return isReadOnlyBy(value, 1) && !graph.outputs.includes(value) ? (makers.get(value) ?? []) : [];
  });
  return new Set(found.filter(isLast));
}

/** Zeros behind, along the first axis. */
function fillUp({ shape, data }: Tensor, name: string): Tensor {
  const [outputs, ...rest] = shape as [number, ...number[]];
  const filled = Math.ceil(outputs / block) * block;
  const all = new Float32Array(filled * elementCount(rest));
  all.set(data as Float32Array);
  return { name, dataType: 'float32', shape: [filled, ...rest], data: all };
}
