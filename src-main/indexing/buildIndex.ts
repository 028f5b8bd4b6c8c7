/**
 * Fills an index: decode, run, rank, commit, batch by batch (method.md section 2). Batches are cut from the manifest at fixed places, so that a resumed
 * run meets the very same batches; the last one is padded. While one batch runs, the next is
 * ready, the one after it is being decoded and the previous one committed. It knows no
 * engine, image library or database: all of them are handed in.
 */
import type { Layer } from '../../src-shared/domain/layers.ts';
import { AppError, isAbort } from '../../src-shared/errors.ts';
import { addRows, createStatistics, packStatistics, unpackStatistics, type LayerStatistics } from './statistics.ts';
import { createTopLists, hitsOf, offer, restore, type ListedHit, type TopLists } from './topList.ts';

export interface IndexedImage {
  readonly number: number;
  readonly path: string;
  readonly file: string;
}

export interface CommittedBatch {
  /** Images of the manifest that are done after this batch. */
  readonly cursor: number;
  readonly hashes: readonly (readonly [image: number, contentHash: string])[];
  readonly skipped: readonly (readonly [image: number, reason: string])[];
  readonly channels: readonly { readonly layer: number; readonly channel: number; readonly hits: readonly { readonly image: number; readonly score: number; readonly y: number; readonly x: number }[] }[];
  readonly statistics: readonly { readonly layer: number; readonly data: Uint8Array }[];
}

export interface BuildIndexOptions {
  readonly layers: readonly Layer[];
  readonly top: number;
  readonly batchSize: number;
  /** Images in the manifest, and how many of them are done. */
  readonly images: number;
  readonly cursor: number;
  /** `[height, width]` of the network input. */
  readonly crop: readonly [number, number];
  page(from: number, limit: number): Promise<readonly IndexedImage[]>;
  /** `[H, W, 3]` 8-bit RGB. Rejects with AppError UNREADABLE_FILE for a picture that has no row; anything else stops the job. */
  decode(image: IndexedImage, signal: AbortSignal): Promise<{ readonly pixels: Uint8Array; readonly contentHash: string }>;
  /** Scores of one full batch, per layer `[batch, channels]`. */
  score(pixels: Uint8Array, signal: AbortSignal): Promise<readonly { readonly score: Float32Array; readonly position: Int32Array }[]>;
  commit(batch: CommittedBatch): Promise<void>;
  storedHits(layer: number): Promise<readonly (ListedHit & { readonly channel: number })[]>;
  storedStatistics(layer: number): Promise<Uint8Array | null>;
  onProgress(done: number): void;
}

interface LayerState {
  readonly layer: Layer;
  readonly lists: TopLists;
  readonly statistics: LayerStatistics;
}

interface DecodedBatch {
  readonly images: readonly IndexedImage[];
  readonly pixels: Uint8Array;
  readonly hashes: readonly (readonly [number, string])[];
  readonly skipped: readonly (readonly [number, string])[];
}

/** Batches handed to the engine at once: the next stands ready when one is done, so that the engine never waits for the ranking. */
const mostInFlight = 2;

/** Runs until all images are done or the signal aborts; what is committed stays. */
export async function buildIndex(options: BuildIndexOptions, signal: AbortSignal): Promise<void> {
  const states = await restoreStates(options);
  const ended = new AbortController();
  const working = AbortSignal.any([signal, ended.signal]);
  const inFlight: { readonly end: number; readonly batch: DecodedBatch; readonly scores: Promise<Scores> }[] = [];
  let committing: Promise<void> = Promise.resolve();

  const finishOldest = async () => {
    const { end, batch, scores } = inFlight.shift()!;
    const committed = rank(states, batch, await scores, end);
    await committing;
    committing = options.commit(committed).then(() => options.onProgress(committed.cursor));
    committing.catch(() => undefined);
  };

  try {
    let ahead = options.cursor < options.images ? decodeBatch(options, options.cursor, working) : undefined;
    ahead?.catch(() => undefined);
    for (let start = options.cursor; ahead; start += options.batchSize) {
      signal.throwIfAborted();
      const batch = await ahead;
      const next = start + options.batchSize;
      ahead = next < options.images ? decodeBatch(options, next, working) : undefined;
      ahead?.catch(() => undefined);
      const scores = batch.hashes.length > 0 ? options.score(batch.pixels, working) : Promise.resolve([]);
      scores.catch(() => undefined);
      inFlight.push({ end: start + batch.images.length, batch, scores });
      if (inFlight.length === mostInFlight) await finishOldest();
    }
    while (inFlight.length > 0) await finishOldest();
  } finally {
    ended.abort();
    await committing;
  }
}

type Scores = Awaited<ReturnType<BuildIndexOptions['score']>>;

async function restoreStates({ layers, top, cursor, storedHits, storedStatistics }: BuildIndexOptions): Promise<readonly LayerState[]> {
  const states: LayerState[] = [];
  for (const layer of layers) {
    const lists = createTopLists(layer.channels, top, layer.nonNegative);
    const bytes = cursor > 0 ? await storedStatistics(layer.number) : null;
    if (cursor > 0) {
      const byChannel = Map.groupBy(await storedHits(layer.number), (hit) => hit.channel);
      for (const [channel, hits] of byChannel) restore(lists, channel, hits);
    }
    states.push({ layer, lists, statistics: bytes ? unpackStatistics(bytes) : createStatistics(layer.channels) });
  }
  return states;
}

async function decodeBatch({ page, decode, batchSize, crop }: BuildIndexOptions, start: number, signal: AbortSignal): Promise<DecodedBatch> {
  const images = await page(start, batchSize);
  const bytes = crop[0] * crop[1] * 3;
  const pixels = new Uint8Array(batchSize * bytes);
  const hashes: [number, string][] = [];
  const skipped: [number, string][] = [];
  await Promise.all(
    images.map(async (image, row) => {
      try {
        const decoded = await decode(image, signal);
        pixels.set(decoded.pixels, row * bytes);
        hashes.push([image.number, decoded.contentHash]);
      } catch (error) {
        if (isAbort(error) || !(error instanceof AppError) || error.code !== 'UNREADABLE_FILE') throw error;
        skipped.push([image.number, error.message]);
      }
    }),
  );
  return { images, pixels, hashes, skipped };
}

function rank(states: readonly LayerState[], batch: DecodedBatch, scores: Scores, cursor: number): CommittedBatch {
  const unreadable = new Set(batch.skipped.map(([image]) => image));
  const images = batch.images.map((image) => (unreadable.has(image.number) ? -1 : image.number));
  const channels: CommittedBatch['channels'][number][] = [];
  const statistics: CommittedBatch['statistics'][number][] = [];
  states.forEach((state, index) => {
    const output = scores[index];
    if (output) {
      const rows = { images, score: output.score, position: output.position };
      addRows(state.statistics, rows);
      for (const channel of offer(state.lists, rows)) channels.push({ layer: state.layer.number, channel, hits: places(state, channel) });
    }
    statistics.push({ layer: state.layer.number, data: packStatistics(state.statistics) });
  });
  return { cursor, hashes: batch.hashes, skipped: batch.skipped, channels, statistics };
}

function places({ layer, lists }: LayerState, channel: number): CommittedBatch['channels'][number]['hits'] {
  return hitsOf(lists, channel).map(({ image, score, position }) => ({ image, score, y: Math.floor(position / layer.width), x: position % layer.width }));
}
