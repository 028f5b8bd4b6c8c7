/** What the writers of single ops share: what they may ask and add, and constants as ONNX wants them. */
import type { DataType, Node, NodeOf, Shape, Tensor, Value } from '../../graph/graph.ts';
import type { OpKind, WindowAttributes } from '../../graph/ops/attributes.ts';

type AttributeValue = number | string | readonly number[] | { readonly float: number };

export interface NodeWriter {
  /** Type of the node's input or output. */
  input(index: number): Value;
  output(index: number): Value;
  /** The constant of that name, or undefined where it is computed. */
  tensor(name: string): Tensor | undefined;
  /** The graph's node that makes the value, and those that read it; whether it is an output of the graph. */
  producer(name: string): Node | undefined;
  readers(name: string): readonly Node[];
  isOutput(name: string): boolean;
  /** Values of this file that a writer leaves for those of later nodes, by a key of its own. */
  readonly shared: Map<string, string>;
  /** A free name for a value between two ONNX nodes. */
  intermediate(suffix: string): string;
  /** Adds a constant under a free name and returns that name. */
  constant(suffix: string, dataType: DataType, shape: readonly number[], data: Tensor['data']): string;
  /** Adds an ONNX node. The first takes the graph node's own name. */
  add(opType: string, inputs: readonly string[], outputs: readonly string[], attributes?: Readonly<Record<string, AttributeValue>>): void;
}

export type OperatorWriter<K extends OpKind> = (node: NodeOf<K>, writer: NodeWriter) => void;

/** A sliding window's attributes as ONNX names them. */
export function window({ kernel, strides, dilations, pads }: WindowAttributes): { readonly kernel_shape: readonly number[]; readonly strides: readonly number[]; readonly dilations: readonly number[]; readonly pads: readonly number[] } {
  return { kernel_shape: kernel, strides, dilations, pads };
}

/** A Reshape target: the batch is the one size left open. */
export function target(writer: NodeWriter, suffix: string, shape: Shape): string {
  return integers(writer, suffix, shape.map((dimension) => (dimension === 'batch' ? -1 : dimension)));
}

/** A constant list of int64. */
export function integers(writer: NodeWriter, suffix: string, values: readonly number[]): string {
  return writer.constant(suffix, 'int64', [values.length], BigInt64Array.from(values, BigInt));
}

/** A constant without axes, of the type given. */
export function scalar(writer: NodeWriter, suffix: string, dataType: DataType, value: number): string {
  if (dataType === 'float32') return writer.constant(suffix, 'float32', [], Float32Array.of(value));
  if (dataType === 'int64') return writer.constant(suffix, 'int64', [], BigInt64Array.of(BigInt(value)));
  return writer.constant(suffix, dataType, [], Uint8Array.of(value));
}
