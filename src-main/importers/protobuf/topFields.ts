/** The fields at the top of a file as a Protocol Buffers message, to tell whose it is before a schema is chosen. */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

export interface TopField {
  readonly number: number;
  /** The bytes of a length-delimited field (as far as the file goes); undefined for numbers. */
  readonly block: Uint8Array | undefined;
}

/** The first `most` fields, or undefined where the bytes are no message. A last block may be cut off. */
export function topFields(bytes: Uint8Array, most: number): readonly TopField[] | undefined {
  const reader = new BinaryReader(bytes);
  const fields: TopField[] = [];
  try {
    while (reader.pos < bytes.length && fields.length < most) {
      const [number, wireType] = reader.tag();
      if (wireType === WireType.LengthDelimited) {
        const length = reader.uint32();
        fields.push({ number, block: bytes.subarray(reader.pos, reader.pos + length) });
        reader.pos += length;
      } else {
        reader.skip(wireType, number);
        fields.push({ number, block: undefined });
      }
    }
  } catch {
    return undefined;
  }
  return fields;
}
