/**
 * How much work a graph is, per image: a model of time that is good enough to choose between two ways of computing the same. Multiplications of convolutions and
 * products count one each; whatever else is made or moved counts per element, at what such an element was seen to cost beside them.
 */
import { elementCount, valueOf, withBatch, type Graph, type Node } from '../../graph/graph.ts';

/** Multiplications in the time that any other op takes for one element of its result. */
const perElement = 30;
/** The same for pooling with switches and its way back, which go element by element. */
const perSwitch = 500;

/** In multiplications per image. */
export function workOf(graph: Graph): number {
  return graph.nodes.reduce((sum, node) => sum + workOfNode(graph, node), 0);
}

function workOfNode(graph: Graph, node: Node): number {
  const sizeOf = (name: string) => elementCount(withBatch(valueOf(graph, name).shape, 1));
  const made = node.outputs.reduce((sum, name) => sum + (name === '' ? 0 : sizeOf(name)), 0);
  switch (node.kind) {
    case 'Conv':
      return made * (perElement + elementCount(withBatch(valueOf(graph, node.inputs[1]!).shape, 1).slice(1)));
    case 'ConvTranspose':
      return made * perElement + sizeOf(node.inputs[0]!) * elementCount(withBatch(valueOf(graph, node.inputs[1]!).shape, 1).slice(1));
    case 'Gemm':
    case 'SpatialLinear':
      return made * perElement + (sizeOf(node.inputs[1]!) * made) / shapeAlong(graph, node);
    case 'MaxPool':
      return sizeOf(node.outputs[0]!) * (node.outputs[1] ? perSwitch : perElement);
    case 'Unpool':
      return sizeOf(node.inputs[0]!) * perSwitch + made * perElement;
    default:
      return made * perElement;
  }
}

/** Results that share the matrix: rows of a product do not read all of it. */
function shapeAlong(graph: Graph, node: Node): number {
  const shape = withBatch(valueOf(graph, node.outputs[0]!).shape, 1);
  if (node.kind === 'Gemm') return shape.at(-1)!;
  return node.kind === 'SpatialLinear' ? node.attributes.size : 1;
}
