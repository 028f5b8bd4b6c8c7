/**
 * Reads a Protocol Buffers message by its table (schema.ts). Made for files that nobody vouches for: every length is compared with what the
 * file still holds before anything is made of it, nesting is limited, and an error names the byte where reading stopped.
 * Blocks of bytes are views into the file, not copies: weights may be hundreds of megabytes.
 *
 * Wire format: https://protobuf.dev/programming-guides/encoding
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { Field, Schema, ScalarType } from './schema.ts';

/** Why a message could not be read. `truncated`: the file ends before the message does. `offset`: byte in the file. */
export class WireError extends Error {
  readonly reason: 'truncated' | 'malformed';
  readonly offset: number;

  constructor(reason: 'truncated' | 'malformed', offset: number, sentence: string) {
    super(sentence);
    this.name = 'WireError';
    this.reason = reason;
    this.offset = offset;
  }
}

/** Deeper than any network description; a hostile file must not exhaust the stack. */
const maximumDepth = 64;

type Fields = Record<string, unknown>;

interface Source {
  readonly schema: Schema;
  readonly bytes: Uint8Array;
  readonly reader: BinaryReader;
}

/** The message `name` of `schema` in `bytes`; absent fields are absent, absent repeated fields are empty. Throws WireError. */
export function readMessage<T>(schema: Schema, name: string, bytes: Uint8Array): T {
  const reader = new BinaryReader(bytes);
  try {
    return readFields({ schema, bytes, reader }, name, bytes.length, 0) as T;
  } catch (error) {
    if (error instanceof WireError) throw error;
    const sentence = error instanceof Error ? error.message : String(error);
    throw new WireError(reader.pos >= bytes.length ? 'truncated' : 'malformed', Math.min(reader.pos, bytes.length), sentence);
  }
}

function readFields(source: Source, name: string, end: number, depth: number): Fields {
  const { reader, schema } = source;
  if (depth > maximumDepth) throw new WireError('malformed', reader.pos, `messages are nested more than ${maximumDepth} deep`);
  const table = schema[name];
  if (!table) throw new Error(`no message ${name} in the schema`);
  const result: Fields = {};
  for (const field of Object.values(table)) if (field.repeated) result[field.name] = [];
  while (reader.pos < end) {
    const start = reader.pos;
    const [number, wireType] = reader.tag();
    const field = table[number];
    if (wireType === WireType.LengthDelimited) {
      const stop = blockEnd(reader, end, `field ${number} of ${name}`);
      if (field) readBlock(source, field, stop, depth, result);
      reader.pos = stop;
    } else if (wireType === WireType.EndGroup) {
      throw new WireError('malformed', start, `an unexpected end of a group in ${name}`);
    } else if (!field || wireTypeOf(field) !== wireType) {
      reader.skip(wireType, number);
    } else {
      store(result, field, readScalar(reader, field.type as ScalarType, end));
    }
    if (reader.pos > end) throw new WireError('malformed', end, `field ${number} of ${name} reaches beyond its message`);
  }
  for (const field of Object.values(table)) if (isFloating(field)) result[field.name] = joinFloats(field, result[field.name] as FloatPart[]);
  return result;
}

/** A length-delimited field: a message, text, bytes, or packed numbers. */
function readBlock(source: Source, field: Field, stop: number, depth: number, result: Fields): void {
  const { type } = field;
  const { reader } = source;
  if (typeof type === 'object') return store(result, field, readFields(source, type.message, stop, depth + 1));
  const block = source.bytes.subarray(reader.pos, stop);
  if (type === 'bytes') return store(result, field, block);
  if (type === 'string') return store(result, field, new TextDecoder().decode(block));
  if (!field.repeated) throw new WireError('malformed', reader.pos, `${field.name} holds a block of bytes where one number is expected`);
  if (isFloating(field)) {
    (result[field.name] as FloatPart[]).push(copyFloats(block, type === 'double' ? 8 : 4, reader.pos));
    return;
  }
  while (reader.pos < stop) store(result, field, readScalar(reader, type, stop));
  if (reader.pos > stop) throw new WireError('malformed', stop, `the numbers of ${field.name} do not fill their block`);
}

function store(result: Fields, field: Field, value: unknown): void {
  if (!field.repeated) {
    result[field.name] = value;
    return;
  }
  const list = result[field.name] as unknown[];
  if (!isFloating(field)) {
    list.push(value);
    return;
  }
  const last = list.at(-1);
  if (Array.isArray(last)) last.push(value);
  else list.push([value]);
}

/** Packed floats come in blocks, unpacked ones singly; a file may mix both. */
type FloatPart = Float32Array | Float64Array | number[];

function joinFloats(field: Field, parts: readonly FloatPart[]): Float32Array | Float64Array {
  const [first] = parts;
  if (parts.length === 1 && first && !Array.isArray(first)) return first;
  const length = parts.reduce((total, part) => total + part.length, 0);
  const joined = field.type === 'double' ? new Float64Array(length) : new Float32Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Packed floats may start at any byte, typed arrays may not: so they are copied, once. */
function copyFloats(block: Uint8Array, size: 4 | 8, offset: number): Float32Array | Float64Array {
  if (block.length % size !== 0) throw new WireError('malformed', offset, `a block of ${size}-byte numbers has ${block.length} bytes`);
  const { buffer } = new Uint8Array(block);
  return size === 8 ? new Float64Array(buffer) : new Float32Array(buffer);
}

/** Reads a length and returns where its block ends; the length must fit into what encloses it. */
function blockEnd(reader: BinaryReader, end: number, what: string): number {
  const length = reader.uint32();
  if (length > end - reader.pos) {
    throw new WireError('truncated', reader.pos, `${what} announces ${length} bytes at byte ${reader.pos}, but only ${Math.max(0, end - reader.pos)} are left`);
  }
  return reader.pos + length;
}

function readScalar(reader: BinaryReader, type: ScalarType, end: number): number | bigint | boolean {
  if (reader.pos >= end) throw new WireError('truncated', reader.pos, 'the file ends inside a number');
  if (type === 'integer') return Number(reader.int64());
  if (type === 'int64') return BigInt(reader.int64());
  if (type === 'int32') return reader.int32();
  if (type === 'bool') return reader.bool();
  if (type === 'float') return reader.float();
  return reader.double();
}

function isFloating(field: Field): boolean {
  return field.repeated && (field.type === 'float' || field.type === 'double');
}

function wireTypeOf({ type }: Field): WireType {
  if (type === 'float') return WireType.Bit32;
  if (type === 'double') return WireType.Bit64;
  return type === 'string' || type === 'bytes' || typeof type === 'object' ? WireType.LengthDelimited : WireType.Varint;
}
