/**
 * A .caffemodel: the trained blobs of each layer by the layer's name, in the forms of all of Caffe's file versions (layers V0, V1 and V2; shapes as
 * num/channels/height/width or as BlobShape; float or double values). Field numbers are those of src/caffe/proto/caffe.proto.
 */
import { AppError } from '../../../src-shared/errors.ts';
import { elementCount } from '../../graph/graph.ts';
import { readMessage, WireError } from '../protobuf/readMessage.ts';
import { many, message, messages, one, packed, type Schema } from '../protobuf/schema.ts';

export interface CaffeBlob {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Blobs by layer name; layers without blobs are not listed. */
export type CaffeWeights = ReadonlyMap<string, readonly CaffeBlob[]>;

interface BlobMessage {
  readonly num?: number;
  readonly channels?: number;
  readonly height?: number;
  readonly width?: number;
  readonly shape?: { readonly dim: readonly number[] };
  readonly data: Float32Array;
  readonly doubleData: Float64Array;
}

interface LayerMessage {
  readonly name?: string;
  readonly inner?: { readonly name?: string; readonly blobs: readonly BlobMessage[] };
  readonly blobs: readonly BlobMessage[];
}

interface NetMessage {
  readonly older: readonly LayerMessage[];
  readonly layers: readonly LayerMessage[];
}

export const caffeSchema: Schema = {
  Net: { 1: one('name', 'string'), 2: messages('older', 'LayerV1'), 100: messages('layers', 'Layer') },
  Layer: { 1: one('name', 'string'), 7: messages('blobs', 'Blob') },
  LayerV1: { 1: message('inner', 'LayerV0'), 4: one('name', 'string'), 6: messages('blobs', 'Blob') },
  LayerV0: { 1: one('name', 'string'), 50: messages('blobs', 'Blob') },
  Blob: {
    1: one('num', 'integer'), 2: one('channels', 'integer'), 3: one('height', 'integer'), 4: one('width', 'integer'),
    5: packed('data', 'float'), 7: message('shape', 'BlobShape'), 8: packed('doubleData', 'double'),
  },
  BlobShape: { 1: many('dim', 'integer') },
};

/** Throws AppError UNREADABLE_FILE where the file is cut off or broken, or a blob's shape and values differ. */
export function readWeights(bytes: Uint8Array, fileName: string): CaffeWeights {
  const net = read<NetMessage>('Net', bytes, fileName);
  const weights = new Map<string, readonly CaffeBlob[]>();
  for (const { name, inner, blobs } of [...net.older, ...net.layers]) {
    const own = inner?.blobs.length ? inner.blobs : blobs;
    const layer = name ?? inner?.name ?? '';
    if (own.length > 0) weights.set(layer, own.map((blob, index) => blobOf(blob, `blob ${index + 1} of layer ${JSON.stringify(layer)}`, fileName)));
  }
  return weights;
}

/** A .binaryproto: one blob, e.g. the mean picture `[1, C, H, W]`. Throws as readWeights. */
export function readBlobFile(bytes: Uint8Array, fileName: string): CaffeBlob {
  return blobOf(read<BlobMessage>('Blob', bytes, fileName), 'its blob', fileName);
}

function read<T>(name: 'Net' | 'Blob', bytes: Uint8Array, fileName: string): T {
  try {
    return readMessage<T>(caffeSchema, name, bytes);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const data = { file: fileName, offset: error.offset, sizeBytes: bytes.length };
    const what = error.reason === 'truncated' ? `is cut off: ${error.message}` : `is broken at byte ${error.offset}: ${error.message}`;
    throw new AppError('UNREADABLE_FILE', `${fileName} ${what}. Download or copy it again.`, data, error);
  }
}

function blobOf(blob: BlobMessage, what: string, fileName: string): CaffeBlob {
  const data = blob.doubleData.length > 0 ? Float32Array.from(blob.doubleData) : blob.data;
  const shape = blob.shape ? blob.shape.dim : [blob.num ?? 0, blob.channels ?? 0, blob.height ?? 0, blob.width ?? 0];
  if (shape.some((size) => size < 0) || elementCount(shape) !== data.length) {
    throw new AppError('UNREADABLE_FILE', `${fileName} is broken: ${what} has the shape [${shape.join(', ')}], but ${data.length} values. Download or copy it again.`, { file: fileName });
  }
  return { shape, data };
}
