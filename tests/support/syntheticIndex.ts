/**
 * Indexes without a network: pictures are made from their paths and scores from the pictures, by the real ranking into a real store and matrix. Scores tie often, are NaN, infinite, 0 and -0
 * now and then, and differ in size by many orders, so that a merge that is not exact shows.
 */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Layer } from '../../src-shared/domain/layers.ts';
import { AppError } from '../../src-shared/errors.ts';
import { buildIndex } from '../../src-main/indexing/buildIndex.ts';
import { partOf, shardRange, type Shard } from '../../src-main/indexing/shards.ts';
import { wholeKeyOf } from '../../src-main/services/startIndex.ts';
import type { NewIndex, StoredIndex } from '../../src-main/store/indexes.ts';
import { openStore } from '../../src-main/store/open.ts';
import { openScoreMatrix, scoreMatrixFolder } from '../../src-main/store/scoreMatrix.ts';

const crop = [2, 3] as const;
const bytes = crop[0] * crop[1] * 3;

const layer = (number: number, channels: number, nonNegative: boolean): Layer => ({
  name: `value${number}`, title: `conv${number}`, kind: 'conv', number, channels, height: 4, width: 5, receptiveField: { size: [1, 1], stride: [1, 1], offset: [0, 0] }, nonNegative,
});

const record: Omit<NewIndex, 'key' | 'part'> = {
  modelPath: '/models/net.onnx',
  modelName: 'net',
  modelHash: 'feedbeef',
  imagesPath: '/images',
  preprocessing: { order: 'rgb', crop, resize: { kind: 'exact' }, scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
  engine: 'onnxruntime',
  device: 'cpu',
  engineDescription: 'onnxruntime cpu',
  batchSize: 4,
  top: 5,
  layers: [layer(1, 5, true), layer(2, 3, false)],
  labelsPath: null,
  computationVersion: 1,
  matrix: 'float32',
};

export interface SyntheticOptions {
  readonly images?: number;
  readonly shard?: Shard;
  /** Another range than the shard's, for overlaps. */
  readonly range?: readonly [from: number, to: number];
  readonly change?: Partial<NewIndex>;
  /** Hash of the whole listing. */
  readonly listing?: string;
  /** Stops after so many images. */
  readonly until?: number;
  /** Stirred into the pictures of these images, so that they are others than elsewhere. */
  readonly altered?: ReadonlySet<string>;
}

/** Every seventh image cannot be read. */
export function syntheticPath(number: number): string {
  return `class${Math.floor(number / 10)}/${String(number).padStart(4, '0')}${number % 7 === 3 ? '-broken' : ''}.png`;
}

/** Fills a new workspace; returns the index as it is stored. */
export async function makeSyntheticIndex(workspace: string, { images = 37, shard, range, change, listing = 'listing', until, altered }: SyntheticOptions = {}): Promise<StoredIndex> {
  const [from, to] = range ?? (shard ? shardRange(images, shard) : [0, images]);
  const part = range ? { images, listing, ranges: [range] } : shard ? partOf(images, listing, shard) : null;
  const store = await openStore(workspace, { mode: 'write', create: true, name: 'synthetic' });
  try {
    const manifest = Array.from({ length: to - from }, (_, at) => syntheticPath(from + at)).map((path, at) => ({ path, file: path, sizeBytes: 10, modifiedMs: from + at, className: path.slice(0, 6), classIndex: null, classWnid: null }));
    const wanted = { ...record, ...change, part };
    const key = wholeKeyOf(wanted as unknown as StoredIndex);
    const index = await store.indexes.create({ ...wanted, key: part ? `${key} of ${from} to ${to}` : key }, manifest);
    const matrix = index.matrix === 'none' ? null : await openScoreMatrix(scoreMatrixFolder(store.folder, index.matrixFolder), { layers: index.layers, precision: index.matrix, rows: 0 });
    const stop = new AbortController();
    let finished = 0;
    // One batch ahead of what is finished, as an engine would be, so that a stop leaves something undone.
    const inTurn = async (first: number, signal: AbortSignal): Promise<void> => {
      while (first > finished + index.batchSize && !signal.aborted) await setImmediate();
      signal.throwIfAborted();
    };
    await buildIndex(
      {
        layers: index.layers,
        top: index.top,
        batchSize: index.batchSize,
        images: index.images,
        cursor: 0,
        crop,
        page: (first, limit) => store.images.page(index.id, first, limit),
        decode: (image) => decode(image.path, altered),
        score: async (pixels, first, signal) => {
          await inTurn(first, signal);
          return { layers: index.layers.map((each) => score(pixels, each, index.batchSize)) };
        },
        ...(matrix ? { rows: matrix } : {}),
        commit: (batch) => store.hits.commitBatch({ indexId: index.id, ...batch }),
        storedHits: () => Promise.resolve([]),
        storedStatistics: () => Promise.resolve(null),
        onProgress: (done) => {
          finished = done;
          if (until !== undefined && done >= until) stop.abort();
        },
        commitEveryMs: 0,
      },
      stop.signal,
    ).catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
    await matrix?.close();
    const crops = await store.crops.missing(index.id);
    await store.crops.put(index.id, await Promise.all(crops.map(async (number) => {
      const { contentHash } = await store.images.get(index.id, number);
      return { contentHash: contentHash!, picture: Buffer.from(`picture ${contentHash}`) };
    })));
    return await store.indexes.get(index.id);
  } finally {
    await store.close();
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

async function decode(path: string, altered: ReadonlySet<string> | undefined): Promise<{ readonly pixels: Uint8Array; readonly contentHash: string; readonly perceptualHash: string }> {
  if (path.includes('broken')) throw new AppError('UNREADABLE_FILE', 'The file is broken.');
  const pixels = digest(altered?.has(path) ? `${path} altered` : path).subarray(0, bytes);
  return { pixels, contentHash: digest(pixels.toString('hex')).toString('hex').slice(0, 32), perceptualHash: digest(path).toString('hex').slice(0, 32) };
}

function score(pixels: Uint8Array, { number, channels, nonNegative, height, width }: Layer, batch: number): { readonly score: Float32Array; readonly position: Int32Array } {
  const rows = Array.from({ length: batch }, (_, row) => digest(`${number} ${Buffer.from(pixels.subarray(row * bytes, (row + 1) * bytes)).toString('hex')}`));
  return {
    score: Float32Array.from({ length: batch * channels }, (_, at) => scoreFrom(rows[Math.floor(at / channels)]!.subarray(at % channels), nonNegative)),
    position: Int32Array.from({ length: batch * channels }, (_, at) => rows[Math.floor(at / channels)]![at % channels]! % (height * width)),
  };
}

function scoreFrom(random: Uint8Array, nonNegative: boolean): number {
  const [kind = 0, size = 0, small = 0] = random;
  if (kind < 12) return NaN;
  if (kind < 60) return kind < 36 ? 0 : -0;
  if (kind < 130) return small % 4;
  const value = (small + 1 / 3) * 2 ** ((size % 60) - 30);
  return nonNegative || kind % 2 === 0 ? value : -value;
}
