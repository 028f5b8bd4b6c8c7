/**
 * Arrays of numbers as one row of bytes, for what a map is resumed from and for an index that is kept: a line of JSON that says what follows, then the arrays,
 * little-endian, each on a multiple of eight.
 */
import { AppError } from '../../src-shared/errors.ts';

const kinds = { Float32Array, Float64Array, Int32Array, Uint8Array } as const;
type Kind = keyof typeof kinds;
export type PackedArray = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

interface Header {
  /** What the bytes are for: who unpacks them must ask for the same. */
  readonly of: string;
  readonly arrays: readonly { readonly kind: Kind; readonly length: number }[];
}

export function packArrays(of: string, arrays: readonly PackedArray[]): Uint8Array<ArrayBuffer> {
  const header: Header = { of, arrays: arrays.map((array) => ({ kind: array.constructor.name as Kind, length: array.length })) };
  const line = new TextEncoder().encode(`${JSON.stringify(header)}\n`);
  const bytes = new Uint8Array(arrays.reduce((end, array) => aligned(end) + array.byteLength, line.length));
  bytes.set(line);
  let end = line.length;
  for (const array of arrays) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), aligned(end));
    end = aligned(end) + array.byteLength;
  }
  return bytes;
}

/** Throws CONFLICT if the bytes are of something else, UNREADABLE_FILE if they are cut short or no such bytes at all. `what` names them in the message. */
export function unpackArrays(bytes: Uint8Array, of: string, what: string): PackedArray[] {
  const header = headerOf(bytes, what);
  if (header.of !== of) throw new AppError('CONFLICT', `${what} belongs to other data or other settings (${header.of}) than asked for (${of}): delete it and start anew.`);
  // A copy, since the bytes may lie anywhere in a larger buffer.
  let end = bytes.indexOf(newline) + 1;
  return header.arrays.map(({ kind, length }) => {
    const [first, size] = [aligned(end), length * kinds[kind].BYTES_PER_ELEMENT];
    end = first + size;
    if (end > bytes.length) throw new AppError('UNREADABLE_FILE', `${what} ends at byte ${bytes.length}, but ${end} bytes or more were written: delete it and start anew.`);
    return new kinds[kind](bytes.slice(first, end).buffer as ArrayBuffer);
  });
}

const newline = 10;

function headerOf(bytes: Uint8Array, what: string): Header {
  try {
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(newline)))) as Header;
    if (typeof header.of === 'string' && header.arrays.every(({ kind, length }) => kind in kinds && Number.isInteger(length) && length >= 0)) return header;
  } catch {
    // Said below, with everything else that is no header.
  }
  throw new AppError('UNREADABLE_FILE', `${what} does not begin with a line that says what it holds: delete it and start anew.`);
}

function aligned(end: number): number {
  return Math.ceil(end / 8) * 8;
}
