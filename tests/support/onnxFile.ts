/** Small ONNX files written out in tests, and their graphs. */
import type { Graph } from '../../src-main/graph/graph.ts';
import { verify } from '../../src-main/graph/verify.ts';
import type { OpenOptions } from '../../src-main/importers/format.ts';
import { convertOnnx } from '../../src-main/importers/onnx/convert.ts';
import { onnxSchema } from '../../src-main/importers/onnx/messages.ts';
import { readOnnx } from '../../src-main/importers/onnx/read.ts';
import { writeMessage } from '../../src-main/importers/protobuf/writeMessage.ts';

type AttributeValue = number | string | readonly number[] | { readonly float: number } | { readonly floats: readonly number[] } | { readonly tensor: object };

export interface FileNode {
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly name?: string;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

export interface File {
  readonly nodes: readonly FileNode[];
  readonly input?: readonly (number | string)[];
  readonly initializers?: readonly object[];
  readonly outputs?: readonly string[];
  readonly opset?: number;
}

/** The file's bytes; its one input is `x`. */
export function onnxBytes({ nodes, input = [1, 2, 4, 4], initializers = [], outputs = ['y'], opset = 13 }: File): Uint8Array {
  const dimensions = input.map((size) => (typeof size === 'string' ? { parameter: size } : { value: size }));
  return writeMessage(onnxSchema, 'Model', {
    irVersion: opset > 20 ? 10 : opset > 17 ? 9 : 7,
    opsetImports: [{ domain: '', version: opset }],
    graph: {
      name: 'net',
      nodes: nodes.map((node) => ({ ...node, attributes: Object.entries(node.attributes ?? {}).map(([name, value]) => attribute(name, value)) })),
      initializers,
      inputs: [{ name: 'x', type: { tensorType: { elementType: 1, shape: { dimensions } } } }],
      outputs: outputs.map((name) => ({ name, type: { tensorType: { elementType: 1 } } })),
    },
  });
}

export function convert(file: File, options: OpenOptions = {}): Graph {
  return verify(convertOnnx(readOnnx(onnxBytes(file), 'net.onnx'), 'net.onnx', options).model.graph);
}

function attribute(name: string, value: AttributeValue): object {
  if (typeof value === 'number') return { name, type: 2, i: value };
  if (typeof value === 'string') return { name, type: 3, s: new TextEncoder().encode(value) };
  if ('float' in value) return { name, type: 1, f: value.float };
  if ('floats' in value) return { name, type: 6, floats: value.floats };
  if ('tensor' in value) return { name, type: 4, t: value.tensor };
  return { name, type: 7, ints: value };
}

export const floats = (name: string, dims: readonly number[], ...values: number[]): object => ({ name, dims, dataType: 1, floatData: values });
export const integers = (name: string, ...values: number[]): object => ({ name, dims: [values.length], dataType: 7, int64Data: values.map(BigInt) });
