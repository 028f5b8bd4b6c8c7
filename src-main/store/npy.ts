/**
 * NumPy's .npy format, version 1.0 (numpy.lib.format): magic, version, header length, a Python dict, then little-endian data in C order. The header always takes 128 bytes, so
 * that it can be rewritten in place while a file grows.
 */
/// <reference lib="esnext.float16" />
import { AppError } from '../../src-shared/errors.ts';

export type NpyType = 'float32' | 'float16' | 'int32' | 'uint8';

export interface NpyHeader {
  readonly type: NpyType;
  readonly shape: readonly number[];
  /** Where the data begins. */
  readonly dataOffset: number;
}

/** Bytes of the headers that are written here; read ones may be longer. */
export const npyHeaderBytes = 128;

const prefixBytes = 10;
const magic = '\x93NUMPY';

const types = {
  float32: { description: '<f4', bytes: 4 },
  float16: { description: '<f2', bytes: 2 },
  int32: { description: '<i4', bytes: 4 },
  uint8: { description: '|u1', bytes: 1 },
} satisfies Record<NpyType, { readonly description: string; readonly bytes: number }>;

export function bytesPerElement(type: NpyType): number {
  return types[type].bytes;
}

/** Throws where the shape does not fit into the fixed size (more than six axes of ten digits). */
export function npyHeader(type: NpyType, shape: readonly number[]): Buffer {
  const dictionary = `{'descr': '${types[type].description}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
  if (prefixBytes + dictionary.length + 1 > npyHeaderBytes) throw new Error(`npyHeader: the shape ${shape.join(' x ')} does not fit into ${npyHeaderBytes} bytes.`);
  const header = Buffer.alloc(npyHeaderBytes, ' ');
  header.write(`${magic}\x01\x00`, 0, 'latin1');
  header.writeUInt16LE(npyHeaderBytes - prefixBytes, 8);
  header.write(dictionary, prefixBytes, 'latin1');
  header.write('\n', npyHeaderBytes - 1, 'latin1');
  return header;
}

/**
 * @param bytes the beginning of the file, at least its whole header
 * @param file only named in messages
 * @throws AppError UNREADABLE_FILE for anything but little-endian float32, float16, int32 or uint8 in C order
 */
export function parseNpyHeader(bytes: Uint8Array, file: string): NpyHeader {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < prefixBytes || buffer.toString('latin1', 0, magic.length) !== magic || buffer[magic.length] !== 1) throw unreadable(file, 'it does not begin as a NumPy file of version 1');
  const dataOffset = prefixBytes + buffer.readUInt16LE(8);
  if (buffer.length < dataOffset) throw unreadable(file, 'its header is cut off');
  const dictionary = buffer.toString('latin1', prefixBytes, dataOffset);
  const described = /'descr': *'([^']*)'/.exec(dictionary)?.[1];
  const type = (Object.keys(types) as NpyType[]).find((candidate) => types[candidate].description === described);
  if (!type) throw unreadable(file, `its element type is "${described ?? ''}", not float32, float16, int32 or uint8`);
  if (!/'fortran_order': *False/.test(dictionary)) throw unreadable(file, 'its elements are not in C order');
  const shape = /'shape': *\(([^)]*)\)/.exec(dictionary)?.[1]?.split(',').map((part) => part.trim()).filter((part) => part !== '').map(Number);
  if (!shape?.every((size) => Number.isSafeInteger(size) && size >= 0)) throw unreadable(file, 'its shape is missing');
  return { type, shape, dataOffset };
}

/** A whole file of float32. */
export function npyBytes(values: Float32Array, shape: readonly number[]): Uint8Array {
  return Buffer.concat([npyHeader('float32', shape), bytesOf(values)]);
}

/** As little-endian bytes. To float16 values are rounded to the nearest, ties to even; NaN and infinities stay, and what lies beyond 65,504 becomes an infinity. */
export function encodeFloats(values: Float32Array, type: 'float32' | 'float16'): Uint8Array {
  return bytesOf(type === 'float32' ? values : new Float16Array(values));
}

/** The inverse; every float16 is a float32. `bytes` must be aligned to its elements. */
export function decodeFloats(bytes: Uint8Array, type: 'float32' | 'float16'): Float32Array {
  if (type === 'float32') return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  return new Float32Array(new Float16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2));
}

function bytesOf(values: Float32Array | Float16Array | Int32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function unreadable(file: string, reason: string): AppError {
  return new AppError('UNREADABLE_FILE', `${file} cannot be read: ${reason}.`, { path: file });
}
