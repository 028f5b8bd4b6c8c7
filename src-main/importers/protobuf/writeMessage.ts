/**
 * Writes a Protocol Buffers message by its table (schema.ts). A message becomes a list of chunks in which blocks of bytes (weights) stand as they
 * are, so that hundreds of megabytes are copied once, at the end, and not once per level of nesting.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Field, Schema, ScalarType } from './schema.ts';

/** The bytes of message `name`. Fields of `value` that are undefined are left out, empty lists too. */
export function writeMessage(schema: Schema, name: string, value: object): Uint8Array {
  const chunks = messageChunks(schema, name, value as Readonly<Record<string, unknown>>);
  const bytes = new Uint8Array(totalLength(chunks));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function messageChunks(schema: Schema, name: string, value: Readonly<Record<string, unknown>>): Uint8Array[] {
  const table = schema[name];
  if (!table) throw new Error(`no message ${name} in the schema`);
  const chunks: Uint8Array[] = [];
  for (const [number, field] of Object.entries(table)) {
    const content = value[field.name];
    if (content === undefined) continue;
    const items = field.repeated ? (content as Iterable<unknown>) : [content];
    if (field.packed) pushBlock(chunks, Number(number), [packedNumbers(field, items)], true);
    else for (const item of items) pushItem(schema, chunks, Number(number), field, item);
  }
  return chunks;
}

function pushItem(schema: Schema, chunks: Uint8Array[], number: number, field: Field, item: unknown): void {
  const { type } = field;
  if (typeof type === 'object') pushBlock(chunks, number, messageChunks(schema, type.message, item as Record<string, unknown>), false);
  else if (type === 'bytes') pushBlock(chunks, number, [item as Uint8Array], false);
  else if (type === 'string') pushBlock(chunks, number, [new TextEncoder().encode(item as string)], false);
  else {
    const wireType = type === 'float' ? WireType.Bit32 : type === 'double' ? WireType.Bit64 : WireType.Varint;
    const writer = new BinaryWriter().tag(number, wireType);
    writeScalar(writer, type, item);
    chunks.push(writer.finish());
  }
}

function pushBlock(chunks: Uint8Array[], number: number, content: readonly Uint8Array[], leaveOutEmpty: boolean): void {
  const length = totalLength(content);
  if (length === 0 && leaveOutEmpty) return;
  chunks.push(new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(length).finish());
  for (const chunk of content) chunks.push(chunk);
}

function packedNumbers(field: Field, items: Iterable<unknown>): Uint8Array {
  const writer = new BinaryWriter();
  for (const item of items) writeScalar(writer, field.type as ScalarType, item);
  return writer.finish();
}

function writeScalar(writer: BinaryWriter, type: ScalarType, item: unknown): void {
  if (type === 'integer' || type === 'int64') writer.int64(BigInt(item as number | bigint));
  else if (type === 'int32') writer.int32(item as number);
  else if (type === 'bool') writer.bool(item as boolean);
  else if (type === 'float') writer.float(item as number);
  else writer.double(item as number);
}

function totalLength(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((total, chunk) => total + chunk.length, 0);
}
