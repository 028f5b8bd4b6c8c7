/**
 * Protocol Buffers messages as tables: field number -> name and type. The numbers are facts of a published schema (onnx.proto, caffe.proto);
 * a table holds only the fields that Switchback reads or writes, all others are skipped.
 */

/**
 * `integer` is an int64 read as a number (sizes, axes); `int64` keeps 64 bits as a bigint (tensor data).
 * Repeated floats and doubles become typed arrays, everything else repeated becomes an array.
 */
export type ScalarType = 'int32' | 'integer' | 'int64' | 'float' | 'double' | 'bool' | 'string' | 'bytes';

export interface Field {
  readonly name: string;
  readonly type: ScalarType | { readonly message: string };
  readonly repeated: boolean;
  /** Written as one length-delimited block; when reading, both forms are taken whatever this says. */
  readonly packed: boolean;
}

/** Fields by number. */
export type MessageTable = Readonly<Record<number, Field>>;
export type Schema = Readonly<Record<string, MessageTable>>;

export function one(name: string, type: ScalarType): Field {
  return { name, type, repeated: false, packed: false };
}

export function many(name: string, type: ScalarType): Field {
  return { name, type, repeated: true, packed: false };
}

export function packed(name: string, type: ScalarType): Field {
  return { name, type, repeated: true, packed: true };
}

export function message(name: string, type: string): Field {
  return { name, type: { message: type }, repeated: false, packed: false };
}

export function messages(name: string, type: string): Field {
  return { name, type: { message: type }, repeated: true, packed: false };
}
