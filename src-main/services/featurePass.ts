/**
 * Features of a layer for all images of an index, and in the same pass what every map and every search for neighbours wants beside them: a small picture of each image and what the network
 * takes it for. What the score matrix holds already is copied from it: the maximum of each channel, and layers of one position. Every batch is flushed, then committed: killed at any instant,
 * a pass goes on and ends with the same bytes.
 */
import { AppError } from '../../src-shared/errors.ts';
import { decodeCrop } from '../dataset/picture.ts';
import { decodedSegments, type IndexedImage } from '../indexing/segments.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import type { StoredRowFile } from '../store/rowFiles.ts';
import { scoreMatrixFolder } from '../store/scoreMatrix.ts';
import { readScoreMatrix } from '../store/scoreMatrixReader.ts';
import { withStrikes } from './atlasJob.ts';
import { requireSameComputation } from './computation.ts';
import { planPass, type PassPlan } from './featurePlan.ts';
import { featuresFile, isWhole, pixelsFile, rowImages, type Pooling } from './featureRows.ts';
import { openImageSource } from './imageSource.ts';
import { subjectOfIndex } from './labSubject.ts';
import { openColumn, rowsOfValues, scoredLayer, thumbnails, writePaths, writeRows, type Column } from './rowColumns.ts';
import { wayOf } from './scoringFor.ts';

export interface FeaturePass {
  readonly store: Store;
  readonly inference: InferenceClient;
  readonly signal: AbortSignal;
  report(done: number, total: number, step: string): void;
}

/** Layers by name or title. */
export interface LayersChoice {
  readonly layers: readonly string[];
  readonly pooling: Pooling;
}

/** Between two commits, so that a fast network does not wait for the disk after every batch. */
const commitEveryMs = 1000;

/** Brings the features of these layers, and what belongs to them, to completion: their records, in the order of the layers. */
export async function completeFeatures(pass: FeaturePass, index: StoredIndex, choice: LayersChoice): Promise<readonly StoredRowFile[]> {
  const { store, inference, signal } = pass;
  const known: StoredRowFile[] = [];
  for (const layer of choice.layers) {
    const file = await store.rowFiles.find(index.id, featuresFile({ layer, pooling: choice.pooling }));
    if (isWhole(file, index)) known.push(file);
  }
  if (known.length === choice.layers.length && isWhole(await store.rowFiles.find(index.id, pixelsFile), index)) return known;
  requireSameComputation(index);
  const plan = await planPass(await subjectOfIndex(inference, store, index, signal), choice.layers.map((layer) => ({ layer, pooling: choice.pooling })));
  if (index.matrix === 'none') await writePaths(store, index);
  const claimed: StoredRowFile[] = [];
  for (const wish of plan.wishes) claimed.push(await store.rowFiles.claim(index, wish));
  const folder = scoreMatrixFolder(store.folder, index.matrixFolder);
  const columns: Column[] = [];
  try {
    for (const file of claimed) columns.push(await openColumn(folder, file));
    const numbers = await rowImages(store, index);
    await fromMatrix(pass, index, plan, columns, numbers.length);
    await fromImages(pass, index, plan, choice.pooling, columns, numbers);
  } finally {
    for (const { array } of columns) await array.close();
  }
  const done: StoredRowFile[] = [];
  for (const { id } of claimed.slice(0, plan.layers.length)) {
    const file = await store.rowFiles.get(id);
    if (!file) throw new AppError('NOT_FOUND', `The index ${index.id} was deleted while its features were computed.`, { index: index.id });
    done.push(file);
  }
  return done;
}

const rowsAtOnce = 1024;

/** What the score matrix says exactly, which it does not where its numbers were rounded. */
async function fromMatrix(pass: FeaturePass, index: StoredIndex, { logits }: PassPlan, columns: readonly Column[], total: number): Promise<void> {
  if (index.matrix !== 'float32') return;
  for (const column of columns) {
    const layer = scoredLayer(index, column.file, logits);
    if (layer === null || column.rows >= total) continue;
    const reader = await readScoreMatrix(scoreMatrixFolder(pass.store.folder, index.matrixFolder), layer.number, { rows: total });
    try {
      while (column.rows < total) {
        pass.signal.throwIfAborted();
        pass.report(column.rows, total, 'reading kept scores');
        const scores = await reader.read(column.rows, rowsAtOnce);
        await writeRows(column, column.rows, rowsOfValues(column.file, scores, scores.length / reader.channels));
      }
      await commit(pass.store, [column]);
    } finally {
      await reader.close();
    }
  }
}

async function fromImages({ store, inference, signal, report }: FeaturePass, index: StoredIndex, { logits }: PassPlan, pooling: Pooling, columns: readonly Column[], numbers: Int32Array): Promise<void> {
  const wanted = columns.filter(({ rows }) => rows < numbers.length);
  if (wanted.length === 0) return;
  const vectors = wanted.filter(({ file }) => file.what !== 'pixels');
  const pixels = wanted.find(({ file }) => file.what === 'pixels');
  const values = [...new Set(vectors.map(({ file }) => (file.what === 'features' ? file.layer : logits!)))];
  const first = Math.min(...wanted.map(({ rows }) => rows));
  const { engine, device, batchSize } = wayOf(index);
  const source = await openImageSource(index);
  let row = first;
  let committedAt = performance.now();
  const step = vectors.length > 0 ? `decoding and running on ${engine} ${device}` : 'decoding';
  report(row, numbers.length, step);
  const segments = decodedSegments(
    {
      batchSize,
      images: index.cursor,
      cursor: numbers[first]!,
      crop: index.preprocessing.crop,
      page: (from, limit) => store.images.page(index.id, from, limit),
      plan: async (images) => images.map(({ skipped }) => ({ kind: skipped == null ? 'compute' : 'leave' })),
      decode: (image, decodeSignal) => decodeOrKept(store, index, source, image, decodeSignal),
    },
    signal,
  );
  for await (const { rows, pixels: batch, skipped } of segments) {
    signal.throwIfAborted();
    const [gone] = skipped;
    if (gone) throw unreadable((await store.images.get(index.id, gone[0])).path, gone[1]);
    if (batch === null || rows.length === 0) continue;
    if (vectors.length > 0) {
      const found = await withStrikes(
        () => inference.call('features', { model: { path: index.modelPath, hash: index.modelHash }, preprocessing: index.preprocessing, placement: { engine, device }, values, pooling, batch: batchSize, pixels: batch }, signal),
        () => report(row, numbers.length, 'the inference process ended and was started again'),
      );
      for (const column of vectors) {
        const { what, layer } = column.file;
        const rowsOfValue = found[values.indexOf(what === 'features' ? layer : logits!)]!;
        const width = rowsOfValue.length / batchSize;
        await writeRows(column, row, rowsOfValues(column.file, rowsOfValue.subarray(0, rows.length * width), rows.length));
      }
    }
    if (pixels && row + rows.length > pixels.rows) await writeRows(pixels, row, await thumbnails(batch, rows.map((each) => each.row), index.preprocessing.crop));
    row += rows.length;
    report(row, numbers.length, step);
    if (performance.now() - committedAt < commitEveryMs) continue;
    await commit(store, wanted);
    committedAt = performance.now();
  }
  signal.throwIfAborted();
  await commit(store, wanted);
}

async function commit(store: Store, columns: readonly Column[]): Promise<void> {
  for (const { array } of columns) await array.flush();
  await store.rowFiles.commit(columns.map(({ file, rows }) => ({ id: file.id, rows })));
  for (const { array, rows } of columns) await array.count(rows);
}

type ImageSource = Awaited<ReturnType<typeof openImageSource>>;

/** A file that is gone or was changed may still be kept as the network saw it. */
async function decodeOrKept(store: Store, index: StoredIndex, source: ImageSource, image: IndexedImage, signal: AbortSignal): ReturnType<ImageSource['decode']> {
  try {
    return await source.decode(image, signal);
  } catch (error) {
    const isOfFile = error instanceof AppError && (error.code === 'UNREADABLE_FILE' || error.code === 'CONFLICT');
    const kept = isOfFile && image.contentHash ? await store.crops.get(index.id, image.contentHash) : null;
    if (!kept) throw error;
    return { pixels: await decodeCrop(kept), contentHash: image.contentHash! };
  }
}

function unreadable(image: string, reason: string): AppError {
  return new AppError('CONFLICT', `${image} can be read no more: ${reason} Put the file back, or rescan the folder, then start again.`, { image });
}
