/**
 * ONNX as one of the formats: recognised by the fields at the top of the file, as ONNX has no signature. A model begins with its IR version and
 * holds a graph; both have field numbers and wire types that text, archives and other networks do not show together.
 */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { Match, ModelFormat } from '../format.ts';
import { convertOnnx } from './convert.ts';
import { withExternalData } from './externalData.ts';
import { readOnnx } from './read.ts';

export const onnxFormat: ModelFormat = {
  name: 'onnx',
  match: matchOnnx,
  convert: (bytes, fileName, options, siblings) => convertOnnx(withExternalData(readOnnx(bytes, fileName), fileName, siblings), fileName, options),
};

/** Field numbers of ModelProto: 1, 5 are numbers, the others blocks. */
const numbers = new Set([1, 5]);
const blocks = new Set([2, 3, 4, 6, 7, 8, 14, 20, 25, 26]);

function matchOnnx(bytes: Uint8Array): Match {
  const reader = new BinaryReader(bytes);
  let irVersion = 0;
  try {
    while (reader.pos < bytes.length) {
      const [number, wireType] = reader.tag();
      if (number === 1 && wireType === WireType.Varint) irVersion = Number(reader.int64());
      else if (numbers.has(number) && wireType === WireType.Varint) reader.int64();
      else if (blocks.has(number) && wireType === WireType.LengthDelimited) {
        const length = reader.uint32();
        if (number === 7 && irVersion >= 1 && irVersion < 1000) return { kind: 'yes' };
        reader.pos += length;
      } else return { kind: 'no', reason: `field ${number} at its top is none of an ONNX model` };
    }
  } catch (error) {
    // A file cut off in its first bytes ends here; one that is no protobuf, too.
    if (irVersion === 0) return { kind: 'no', reason: `its first bytes are no ONNX fields (${error instanceof Error ? error.message : String(error)})` };
  }
  return irVersion >= 1 && irVersion < 1000 ? { kind: 'yes' } : { kind: 'no', reason: 'it has no IR version and no graph' };
}
