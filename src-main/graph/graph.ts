/**
 * The graph: the product's centre (design.md section 3). Immutable; about 25 op kinds in ONNX terms; feature maps are `[N, C, H, W]`.
 * Importers produce it, rewrites turn one into another, engines compile it. Everything is named: an edge is the name of a value.
 */
import type { Preprocessing, Resize } from '../../src-shared/domain/preprocessing.ts';
import type { OpAttributes, OpKind } from './ops/attributes.ts';

export type DataType = 'float32' | 'int64' | 'bool' | 'uint8';

/** A dimension is a fixed size, or `batch`: the one dimension that is chosen at run time. */
export type Dimension = number | 'batch';
export type Shape = readonly Dimension[];

/** An edge: what flows there. The element type and shape of every value of a graph is known. */
export interface Value {
  readonly name: string;
  readonly dataType: DataType;
  readonly shape: Shape;
}

/** Constant data (weights): row-major. float16 and float64 are converted to float32 when a file is read. */
export interface Tensor {
  readonly name: string;
  readonly dataType: DataType;
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array | Uint8Array;
}

/** One operation; a union over all op kinds, discriminated by `kind`. */
export type Node = { readonly [K in OpKind]: NodeOf<K> }[OpKind];

export interface NodeOf<K extends OpKind> {
  readonly kind: K;
  /** The file's own node name, or one made from the op kind; unique within its graph. */
  readonly name: string;
  /** Names of values or tensors; an optional input that is absent is ''. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: OpAttributes[K];
}

export interface Graph {
  readonly name: string;
  /** What is fed at run time, in order. */
  readonly inputs: readonly Value[];
  /** Names of the values that may be fetched. */
  readonly outputs: readonly string[];
  /** In topological order: each node stands after the producers of its inputs. */
  readonly nodes: readonly Node[];
  /** Constants by name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Every graph input and every node output by name. Tensors are not repeated here. */
  readonly values: ReadonlyMap<string, Value>;
}

/** How pictures become the network's input, where the file says it; `source` is one sentence about where. */
export interface StatedPreparation extends Pick<Preprocessing, 'order' | 'scale' | 'mean' | 'std'> {
  /** Absent where the file says nothing of it. */
  readonly resize?: Resize;
  readonly source: string;
}

/** A network as a file gave it: its graph and where it came from. */
export interface Model {
  readonly format: 'onnx' | 'caffe' | 'tensorflowjs' | 'keras';
  readonly graph: Graph;
  /** Name of the value that holds the picture. */
  readonly imageInput: string;
  /** What the file says about itself, e.g. `IR 6, opset 11, producer pytorch 1.4`. */
  readonly provenance: string;
  /** Absent where the file says nothing and it must be guessed. */
  readonly preparation?: StatedPreparation;
}

/** The value or tensor of that name as an edge; throws when the graph has neither (a bug of the caller). */
export function valueOf(graph: Graph, name: string): Value {
  const value = graph.values.get(name);
  if (value) return value;
  const tensor = graph.tensors.get(name);
  if (tensor) return { name, dataType: tensor.dataType, shape: tensor.shape };
  throw new Error(`graph ${graph.name} has no value named ${JSON.stringify(name)}`);
}

/** Node that produces the value, or undefined for graph inputs and tensors. */
export function producers(graph: Graph): ReadonlyMap<string, Node> {
  const map = new Map<string, Node>();
  for (const node of graph.nodes) for (const output of node.outputs) if (output) map.set(output, node);
  return map;
}

/** Nodes that read the value, in graph order. */
export function consumers(graph: Graph): ReadonlyMap<string, readonly Node[]> {
  const map = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const input of new Set(node.inputs)) {
      if (!input) continue;
      const list = map.get(input);
      if (list) list.push(node);
      else map.set(input, [node]);
    }
  }
  return map;
}

/** Sizes with the batch dimension put in. */
export function withBatch(shape: Shape, batch: number): number[] {
  return shape.map((dimension) => (dimension === 'batch' ? batch : dimension));
}

/** Number of elements of a fixed shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** Elements between neighbours along each axis of a row-major array. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** The same graph with tensors that have a shape and no data: enough to feed and understand a session that holds the weights itself. */
export function withoutWeights(graph: Graph): Graph {
  const tensors = new Map([...graph.tensors].map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice(0, 0) }]));
  return { ...graph, tensors };
}
