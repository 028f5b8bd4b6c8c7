/**
 * Which values of a network can never be NaN or infinite: a bound on their size is carried from the image through the weights (at a convolution the largest sum of a filter's absolute weights
 * times the bound before it), and as long as it stays far below what float32 holds nothing overflows, from which alone a NaN could come. Ops that are not in the table are not vouched for.
 */
import type { Graph, Node, NodeOf, Tensor } from '../../graph/graph.ts';
import type { OpKind } from '../../graph/ops/attributes.ts';

/** Far below the largest float32 (3.4e38), so that rounding and the order of sums do not matter. */
const largestTrusted = 1e30;

/** What a rule may ask: the bound of an input, and the numbers of an input that is a constant (empty where it is absent or computed). */
interface Inputs {
  bound(index: number): number;
  numbers(index: number): ArrayLike<number>;
  /** Along its first axis. */
  size(index: number): number;
}

type Rule<K extends OpKind> = (node: NodeOf<K>, inputs: Inputs) => number;

/** What moves values, or takes one of them or their mean, keeps their bound. */
const kept = (_node: Node, { bound }: Inputs): number => bound(0);

const rules: { readonly [K in OpKind]?: Rule<K> } = {
  Conv: (_node, { bound, numbers, size }) => bound(0) * largestRow(numbers(1), size(1)) + largest(numbers(2)),
  // Rows or columns, as the matrix lies: all of it bounds both.
  Gemm: (_node, { bound, numbers }) => bound(0) * largestRow(numbers(1), 1) + largest(numbers(2)),
  Relu: kept,
  LeakyRelu: ({ attributes: { alpha } }, { bound }) => bound(0) * Math.max(1, Math.abs(alpha)),
  Clip({ attributes: { minimum, maximum } }, { bound }) {
    const finite = [minimum, maximum].filter(Number.isFinite).map(Math.abs);
    return Math.min(Math.max(bound(0), ...finite), Math.max(Math.abs(minimum), Math.abs(maximum)));
  },
  // A bound that is not known stays so.
  Sigmoid: (_node, { bound }) => Math.min(1, 1 + bound(0)),
  MaxPool: kept,
  AveragePool: kept,
  GlobalAveragePool: kept,
  Identity: kept,
  Reshape: kept,
  Transpose: kept,
  Slice: kept,
  Pad: (node, { bound }) => Math.max(bound(0), Math.abs(node.attributes.value)),
  Concat: (node, { bound }) => Math.max(...node.inputs.map((_, index) => bound(index))),
  Add: (_node, { bound }) => bound(0) + bound(1),
  Sub: (_node, { bound }) => bound(0) + bound(1),
  Mul: (_node, { bound }) => bound(0) * bound(1),
  LRN({ attributes: { size, alpha, beta, bias } }, { bound }) {
    const squares = size * bound(0) ** 2;
    return alpha >= 0 && beta >= 0 && bias > 0 && squares < largestTrusted ? bound(0) / Math.min(1, bias) ** beta : NaN;
  },
};

/**
 * Names of the values that are numbers whatever is fed.
 * @param largestInput of everything that is fed, by size
 */
export function boundedValues(graph: Graph, largestInput: number): ReadonlySet<string> {
  const bounds = new Map(graph.inputs.map(({ name }) => [name, largestInput]));
  const boundOf = (name: string): number => {
    const tensor = graph.tensors.get(name);
    return tensor ? largest(numbersOf(tensor)) : (bounds.get(name) ?? NaN);
  };
  for (const node of graph.nodes) {
    const rule = rules[node.kind] as Rule<OpKind> | undefined;
    const bound = rule?.(node as never, {
      bound: (index) => boundOf(node.inputs[index]!),
      numbers: (index) => constant(graph, node.inputs[index]),
      size: (index) => graph.tensors.get(node.inputs[index]!)?.shape[0] ?? 1,
    });
    // A comparison with NaN fails: weights that are not numbers, or not constants, bound nothing.
    if (bound !== undefined && bound < largestTrusted) bounds.set(node.outputs[0]!, bound);
  }
  return new Set(bounds.keys());
}

function constant(graph: Graph, name: string | undefined): ArrayLike<number> {
  if (!name) return [];
  const tensor = graph.tensors.get(name);
  return tensor ? numbersOf(tensor) : [NaN];
}

function numbersOf({ data }: Tensor): ArrayLike<number> {
  return data instanceof Float32Array ? data : [NaN];
}

function largest(values: ArrayLike<number>): number {
  return largestRow(values, values.length);
}

/** The largest sum of absolute values among `rows` equal parts; NaN where there is one. */
function largestRow(values: ArrayLike<number>, rows: number): number {
  const length = values.length / rows;
  let most = 0;
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let at = row * length; at < (row + 1) * length; at++) sum += Math.abs(values[at]!);
    most = Math.max(most, sum);
  }
  return most;
}
