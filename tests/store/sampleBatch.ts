/** Rows for the store's tests, made from the cursor alone. */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Batch } from '../../src-main/store/hits.ts';
import type { NewIndex } from '../../src-main/store/indexes.ts';
import type { ManifestImage } from '../../src-main/store/images.ts';

export const sampleIndex: NewIndex = {
  key: 'sample',
  modelPath: '/models/net.onnx',
  modelName: 'net',
  modelHash: 'abc',
  imagesPath: '/images',
  preprocessing: { order: 'rgb', crop: [224, 224], resize: { kind: 'shorterSide', pixels: 256 }, scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
  engine: 'onnxruntime',
  device: 'cpu',
  engineDescription: 'onnxruntime cpu',
  batchSize: 8,
  top: 9,
  layers: [
    { name: 'relu1', title: 'conv1', kind: 'conv', number: 1, channels: 500, height: 55, width: 55, receptiveField: { size: [11, 11], stride: [4, 4], offset: [0, 0] }, nonNegative: true },
  ],
  labelsPath: null,
  computationVersion: 1,
  matrix: 'none',
  part: null,
};

export function sampleImages(count: number): ManifestImage[] {
  return Array.from({ length: count }, (_, i) => {
    const path = `class${i % 3}/${String(i).padStart(6, '0')}.png`;
    return { path, file: path, sizeBytes: 100 + i, modifiedMs: 1_700_000_000_000 + i, className: `class${i % 3}` };
  });
}

/** 4 layers of 500 channels, nine hits each: 18,000 rows. */
export function batchAt(indexId: IndexId, cursor: number): Batch {
  const channels = Array.from({ length: 2000 }, (_, i) => ({
    layer: 1 + Math.floor(i / 500),
    channel: i % 500,
    hits: Array.from({ length: 9 }, (_, rank) => ({ image: rank, score: Math.fround(cursor + (9 - rank) / 10), y: rank, x: cursor })),
  }));
  const statistics = [1, 2, 3, 4].map((layer) => ({ layer, data: Uint8Array.of(layer, cursor & 255, cursor >> 8) }));
  return { indexId, cursor, hashes: [[cursor - 1, `hash${cursor}`]], skipped: [], channels, statistics };
}
