/** The table-driven reader and writer of Protocol Buffers messages: bytes written out by hand from the wire format's description. */
import { describe, expect, it } from 'vitest';
import { readMessage, WireError } from '../../../src-main/importers/protobuf/readMessage.ts';
import { many, message, messages, one, packed, type Schema } from '../../../src-main/importers/protobuf/schema.ts';
import { writeMessage } from '../../../src-main/importers/protobuf/writeMessage.ts';

const schema: Schema = {
  Tree: { 1: one('name', 'string'), 2: messages('children', 'Tree'), 3: packed('weights', 'float'), 4: many('sizes', 'integer'), 5: one('blob', 'bytes'), 6: message('only', 'Tree') },
};

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const read = (hex: string): Record<string, unknown> => readMessage(schema, 'Tree', bytes(hex));

function failure(hex: string): unknown {
  try {
    read(hex);
  } catch (error) {
    if (error instanceof WireError) return { reason: error.reason, offset: error.offset, message: error.message };
    throw error;
  }
  return 'was read';
}

describe('readMessage', () => {
  it('reads text, nested messages and repeated numbers', () => {
    expect(read('0a 02 6869 12 03 0a 01 61 20 05 20 ffffffffffffffffff01')).toMatchObject({ name: 'hi', children: [{ name: 'a' }], sizes: [5, -1] });
  });

  it('takes floats packed, single and mixed', () => {
    expect(read('1a 04 0000803f 1d 00000040 1d 00004040 1a 04 00008040')['weights']).toEqual(Float32Array.of(1, 2, 3, 4));
    expect(read('')['weights']).toEqual(new Float32Array(0));
  });

  it('skips what the table does not know', () => {
    expect(read('78 01 7a 02 ffff 79 0000000000000000 0a 01 61')).toMatchObject({ name: 'a' });
  });

  it('gives blocks of bytes as views of the file', () => {
    const file = bytes('2a 03 010203');
    const { blob } = readMessage<{ blob: Uint8Array }>(schema, 'Tree', file);
    expect(blob).toEqual(Uint8Array.of(1, 2, 3));
    expect(blob.buffer).toBe(file.buffer);
  });

  it('tells where a file is cut off, without trusting its lengths', () => {
    expect(failure('0a 05 6869')).toEqual({ reason: 'truncated', offset: 2, message: 'field 1 of Tree announces 5 bytes at byte 2, but only 2 are left' });
    expect(failure('2a ffffffff0f')).toMatchObject({ reason: 'truncated', message: 'field 5 of Tree announces 4294967295 bytes at byte 6, but only 0 are left' });
    expect(failure('1d 0000')).toMatchObject({ reason: 'truncated' });
    expect(failure('20')).toEqual({ reason: 'truncated', offset: 1, message: 'the file ends inside a number' });
  });

  it('refuses an inner message that reaches beyond its outer one', () => {
    expect(failure('12 02 0a 05 6869 6869 68')).toMatchObject({ reason: 'truncated', offset: 4 });
  });

  it('refuses nesting without end', () => {
    let nested = new Uint8Array();
    for (let depth = 0; depth < 70; depth++) nested = Uint8Array.from([0x12, ...varint(nested.length), ...nested]);
    expect(() => readMessage(schema, 'Tree', nested)).toThrow('messages are nested more than 64 deep');
  });
});

describe('writeMessage', () => {
  it('writes what the reader reads', () => {
    const tree = { name: 'hi', children: [{ name: 'a', sizes: [1, -1] }, {}], weights: Float32Array.of(1, -2.5), sizes: [300], blob: Uint8Array.of(7) };
    const written = writeMessage(schema, 'Tree', tree);
    expect(readMessage(schema, 'Tree', written)).toMatchObject({ ...tree, children: [{ name: 'a', sizes: [1, -1] }, {}] });
  });

  it('leaves out what is absent', () => {
    expect(writeMessage(schema, 'Tree', { weights: [], children: [] })).toEqual(new Uint8Array());
  });
});

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, value >> 7];
}
