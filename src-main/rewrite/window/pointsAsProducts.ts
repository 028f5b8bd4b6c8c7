/**
 * Graph -> graph: a transposed convolution of a single point is a product with its filters, and so one matrix product for a whole batch of units where an engine would
 * otherwise take the units one by one. That is where every walk on a window begins.
 */
import { rewrite, type GraphBuilder } from '../../graph/build.ts';
import { valueOf, type Graph, type NodeOf, type Tensor } from '../../graph/graph.ts';
import { verify } from '../../graph/verify.ts';
import { truncate } from '../probe/truncate.ts';

/** Inputs, outputs and their names stay as they are. */
export function pointsAsProducts(graph: Graph): Graph {
  const build = rewrite(graph);
  for (const node of graph.nodes) {
    const filters = node.kind === 'ConvTranspose' && isOfPoint(graph, node) ? graph.tensors.get(node.inputs[1]!) : undefined;
    if (node.kind === 'ConvTranspose' && filters) writeProduct(build, node, filters);
    else build.copy(node);
  }
  const cut = truncate(build.finish(graph.outputs), graph.outputs);
  return verify({ ...cut, inputs: graph.inputs, values: new Map([...graph.inputs.map((input) => [input.name, input] as const), ...cut.values]) });
}

function isOfPoint(graph: Graph, { inputs, attributes: { group, dilations, pads, outputPadding } }: NodeOf<'ConvTranspose'>): boolean {
  const [, , rows, columns] = valueOf(graph, inputs[0]!).shape;
  return rows === 1 && columns === 1 && group === 1 && !inputs[2] && [...pads, ...outputPadding].every((size) => size === 0) && dilations.every((rate) => rate === 1);
}

/** `[N, C, 1, 1]` -> `[N, C]`, times `[C, M kh kw]`, -> `[N, M, kh, kw]`. */
function writeProduct(build: GraphBuilder, { name, inputs, outputs }: NodeOf<'ConvTranspose'>, filters: Tensor): void {
  const [channels, ...made] = filters.shape as readonly [number, number, number, number];
  const matrix: Tensor = { ...filters, name: build.freeName(`${filters.name}:matrix`), shape: [channels, made.reduce((product, size) => product * size, 1)] };
  const flat = build.add('Reshape', [inputs[0]!], { shape: ['batch', channels] }, { name: `${name}:flat` })[0]!;
  const product = build.add('Gemm', [flat, build.tensor(matrix), ''], { transposeB: false }, { name: `${name}:product` })[0]!;
  build.add('Reshape', [product], { shape: ['batch', ...made] }, { name, outputs });
}
