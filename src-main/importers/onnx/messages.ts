/**
 * The messages of an ONNX file that Switchback reads and writes. Field and enum numbers are those of onnx.proto (IR 3 to 13);
 * https://github.com/onnx/onnx/blob/main/docs/IR.md says what they mean.
 */
import { many, message, messages, one, packed, type Schema } from '../protobuf/schema.ts';

export interface OnnxModel {
  readonly irVersion?: number;
  readonly producerName?: string;
  readonly producerVersion?: string;
  readonly docString?: string;
  readonly graph?: OnnxGraph;
  readonly opsetImports: readonly OnnxOpset[];
  readonly functions: readonly { readonly name?: string; readonly domain?: string }[];
  readonly metadataProps: readonly { readonly key?: string; readonly value?: string }[];
}

export interface OnnxOpset {
  readonly domain?: string;
  readonly version?: number;
}

export interface OnnxGraph {
  readonly name?: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly sparseInitializers: readonly object[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
}

export interface OnnxNode {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly name?: string;
  readonly opType?: string;
  readonly domain?: string;
  readonly attributes: readonly OnnxAttribute[];
}

export interface OnnxAttribute {
  readonly name?: string;
  readonly type?: number;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly t?: OnnxTensor;
  readonly floats: Float32Array | readonly number[];
  readonly ints: readonly number[];
  readonly strings: readonly Uint8Array[];
}

export interface OnnxTensor {
  readonly name?: string;
  readonly dims: readonly number[];
  readonly dataType?: number;
  readonly floatData: Float32Array;
  readonly int32Data: readonly number[];
  readonly int64Data: readonly bigint[];
  readonly doubleData: Float64Array;
  readonly rawData?: Uint8Array;
  readonly externalData: readonly { readonly key?: string; readonly value?: string }[];
  readonly dataLocation?: number;
}

export interface OnnxValueInfo {
  readonly name?: string;
  readonly type?: { readonly tensorType?: { readonly elementType?: number; readonly shape?: { readonly dimensions: readonly OnnxDimension[] } } };
}

export interface OnnxDimension {
  readonly value?: number;
  readonly parameter?: string;
}

/** TensorProto.DataType. */
export const dataTypeNumbers = {
  float32: 1, uint8: 2, int8: 3, uint16: 4, int16: 5, int32: 6, int64: 7, string: 8, bool: 9, float16: 10, float64: 11, uint32: 12, uint64: 13, complex64: 14, complex128: 15, bfloat16: 16,
} as const;

export type OnnxDataType = keyof typeof dataTypeNumbers;

/** AttributeProto.AttributeType. */
export const attributeTypes = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8 } as const;

export const onnxSchema: Schema = {
  Model: {
    1: one('irVersion', 'integer'),
    2: one('producerName', 'string'),
    3: one('producerVersion', 'string'),
    6: one('docString', 'string'),
    7: message('graph', 'Graph'),
    8: messages('opsetImports', 'Opset'),
    14: messages('metadataProps', 'StringEntry'),
    25: messages('functions', 'Function'),
  },
  Opset: { 1: one('domain', 'string'), 2: one('version', 'integer') },
  Function: { 1: one('name', 'string'), 10: one('domain', 'string') },
  Graph: {
    1: messages('nodes', 'Node'),
    2: one('name', 'string'),
    5: messages('initializers', 'Tensor'),
    11: messages('inputs', 'ValueInfo'),
    12: messages('outputs', 'ValueInfo'),
    15: messages('sparseInitializers', 'SparseTensor'),
  },
  SparseTensor: {},
  Node: {
    1: many('inputs', 'string'),
    2: many('outputs', 'string'),
    3: one('name', 'string'),
    4: one('opType', 'string'),
    5: messages('attributes', 'Attribute'),
    7: one('domain', 'string'),
  },
  Attribute: {
    1: one('name', 'string'),
    2: one('f', 'float'),
    3: one('i', 'integer'),
    4: one('s', 'bytes'),
    5: message('t', 'Tensor'),
    7: many('floats', 'float'),
    8: many('ints', 'integer'),
    9: many('strings', 'bytes'),
    20: one('type', 'int32'),
  },
  Tensor: {
    1: many('dims', 'integer'),
    2: one('dataType', 'int32'),
    4: packed('floatData', 'float'),
    5: packed('int32Data', 'int32'),
    7: packed('int64Data', 'int64'),
    8: one('name', 'string'),
    9: one('rawData', 'bytes'),
    10: packed('doubleData', 'double'),
    13: messages('externalData', 'StringEntry'),
    14: one('dataLocation', 'int32'),
  },
  StringEntry: { 1: one('key', 'string'), 2: one('value', 'string') },
  ValueInfo: { 1: one('name', 'string'), 2: message('type', 'Type') },
  Type: { 1: message('tensorType', 'TensorType') },
  TensorType: { 1: one('elementType', 'int32'), 2: message('shape', 'TensorShape') },
  TensorShape: { 1: messages('dimensions', 'Dimension') },
  Dimension: { 1: one('value', 'integer'), 2: one('parameter', 'string') },
};
