/**
 * Features of a layer for all images of an index, and in the same pass what every map and every search for neighbours wants beside them: a small picture of each image and what the network
 * takes it for. What the score matrix holds already is copied from it: the maximum of each channel, and layers of one position. Every batch is flushed, then committed: killed at any instant,
 * a pass goes on and ends with the same bytes.
 */
import { keptThumbnailSize } from '../../src-shared/contract/mapMedia.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import { AppError } from '../../src-shared/errors.ts';
import { decodeCrop, resizePixels } from '../dataset/picture.ts';
import { decodedSegments, type IndexedImage } from '../indexing/segments.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import { placeOfLargest, probabilitiesOf } from '../lab/question.ts';
import type { GrowingArray } from '../store/growingArray.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import { growRowFile, writeRowPaths, type RowFileWish, type StoredRowFile } from '../store/rowFiles.ts';
import { scoreMatrixFolder } from '../store/scoreMatrix.ts';
import { readScoreMatrix } from '../store/scoreMatrixReader.ts';
import { withStrikes } from './atlasJob.ts';
import { featuresFile, isWhole, pixelsFile, predictionsFile, rowImages, type Pooling } from './featureRows.ts';
import { openImageSource } from './imageSource.ts';
import { subjectOfIndex, type LabSubject } from './labSubject.ts';
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

export interface PassPlan {
  readonly layers: readonly Layer[];
  readonly logits: string | null;
  /** Features of `layers` first, in their order; all with the shape of one row. */
  readonly wishes: readonly RowFileWish[];
}

/** Between two commits, so that a fast network does not wait for the disk after every batch. */
const commitEveryMs = 1000;

/** What a pass would write. @throws AppError NOT_FOUND for a layer that the network does not have */
export async function planPass(subject: LabSubject, { layers: wanted, pooling }: LayersChoice): Promise<PassPlan> {
  const layers: Layer[] = [];
  for (const wish of wanted) layers.push(await subject.layer(wish));
  const { classifier } = subject.description;
  const logits = classifier.kind === 'classifier' ? classifier.logits : null;
  const features = layers.map(({ name, title, channels, height, width }): RowFileWish => ({ ...featuresFile({ layer: name, pooling }), title, shape: [pooling === 'flat' ? channels * height * width : channels] }));
  const pixels: RowFileWish = { ...pixelsFile, title: '', shape: [...thumbnailSize(subject.network.preprocessing.crop), 3] };
  return { layers, logits, wishes: [...features, pixels, ...(logits === null ? [] : [{ ...predictionsFile, title: '', shape: [2] }])] };
}

/** Height and width of the kept picture of a crop: never enlarged, the longer edge at most `keptThumbnailSize`. */
export function thumbnailSize([height, width]: readonly [number, number]): readonly [number, number] {
  const scale = Math.min(1, keptThumbnailSize / Math.max(height, width));
  return [Math.max(1, Math.round(height * scale)), Math.max(1, Math.round(width * scale))];
}

/** Brings the features of these layers, and what belongs to them, to completion: their records, in the order of the layers. */
export async function completeFeatures(pass: FeaturePass, index: StoredIndex, choice: LayersChoice): Promise<readonly StoredRowFile[]> {
  const { store, inference, signal } = pass;
  const known: StoredRowFile[] = [];
  for (const layer of choice.layers) {
    const file = await store.rowFiles.find(index.id, featuresFile({ layer, pooling: choice.pooling }));
    if (isWhole(file, index)) known.push(file);
  }
  if (known.length === choice.layers.length && isWhole(await store.rowFiles.find(index.id, pixelsFile), index)) return known;
  const plan = await planPass(await subjectOfIndex(inference, store, index, signal), choice);
  if (index.matrix === 'none') await writePaths(store, index);
  const claimed: StoredRowFile[] = [];
  for (const wish of plan.wishes) claimed.push(await store.rowFiles.claim(index, wish));
  const folder = scoreMatrixFolder(store.folder, index.matrixFolder);
  const columns: Column[] = [];
  try {
    for (const file of claimed) {
      const array = await growRowFile(folder, file);
      columns.push({ file, array, rows: array.rows });
    }
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

interface Column {
  readonly file: StoredRowFile;
  readonly array: GrowingArray & { readonly rows: number };
  /** Written so far. */
  rows: number;
}

const rowsAtOnce = 1024;

/** Whether the score matrix says the same: exactly, so not where its numbers were rounded. */
function isInMatrix(index: StoredIndex, name: string, pooling: string): number | null {
  const layer = index.layers.find((candidate) => candidate.name === name);
  return layer && index.matrix === 'float32' && (pooling === 'max' || layer.height * layer.width === 1) ? layer.number : null;
}

async function fromMatrix(pass: FeaturePass, index: StoredIndex, { logits }: PassPlan, columns: readonly Column[], total: number): Promise<void> {
  for (const column of columns) {
    const { what, layer, pooling } = column.file;
    const number = what === 'features' ? isInMatrix(index, layer, pooling) : what === 'predictions' && logits !== null ? isInMatrix(index, logits, 'max') : null;
    if (number === null || column.rows >= total) continue;
    const reader = await readScoreMatrix(scoreMatrixFolder(pass.store.folder, index.matrixFolder), number, { rows: total });
    try {
      while (column.rows < total) {
        pass.signal.throwIfAborted();
        pass.report(column.rows, total, 'reading kept scores');
        const scores = await reader.read(column.rows, rowsAtOnce);
        const rows = scores.length / reader.channels;
        await write(column, column.rows, what === 'features' ? scores : predictionsOf(scores, reader.channels, rows));
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
  const [height, width] = index.preprocessing.crop;
  const pixelBytes = height * width * 3;
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
        await write(column, row, what === 'features' ? rowsOfValue.subarray(0, rows.length * width) : predictionsOf(rowsOfValue, width, rows.length));
      }
    }
    if (pixels && row + rows.length > pixels.rows) await write(pixels, row, await thumbnails(batch, rows.map((each) => each.row * pixelBytes), index.preprocessing.crop));
    row += rows.length;
    report(row, numbers.length, step);
    if (performance.now() - committedAt < commitEveryMs) continue;
    await commit(store, wanted);
    committedAt = performance.now();
  }
  signal.throwIfAborted();
  await commit(store, wanted);
}

/** Rows that are there already stay as they are. */
async function write(column: Column, at: number, values: Float32Array | Uint8Array): Promise<void> {
  const width = column.file.shape.reduce((product, size) => product * size, 1);
  const skip = Math.min(values.length / width, Math.max(0, column.rows - at));
  const rest = values.subarray(skip * width);
  if (rest.length === 0) return;
  await column.array.write(at + skip, new Uint8Array(rest.buffer, rest.byteOffset, rest.byteLength));
  column.rows = at + skip + rest.length / width;
}

async function commit(store: Store, columns: readonly Column[]): Promise<void> {
  for (const { array } of columns) await array.flush();
  await store.rowFiles.commit(columns.map(({ file, rows }) => ({ id: file.id, rows })));
  for (const { array, rows } of columns) await array.count(rows);
}

/** `[rows, 2]`: most probable class and its probability. */
function predictionsOf(logits: Float32Array, classes: number, rows: number): Float32Array {
  const found = new Float32Array(rows * 2);
  for (let row = 0; row < rows; row++) {
    const scores = logits.subarray(row * classes, (row + 1) * classes);
    const best = placeOfLargest(scores);
    found[2 * row] = best;
    found[2 * row + 1] = probabilitiesOf(scores)[best]!;
  }
  return found;
}

async function thumbnails(batch: Uint8Array, places: readonly number[], [height, width]: readonly [number, number]): Promise<Uint8Array> {
  const [small, narrow] = thumbnailSize([height, width]);
  const result = new Uint8Array(places.length * small * narrow * 3);
  await Promise.all(
    places.map(async (place, at) => {
      const { pixels } = await resizePixels({ pixels: batch.subarray(place, place + height * width * 3), width, height, channels: 3 }, narrow, small);
      result.set(pixels, at * small * narrow * 3);
    }),
  );
  return result;
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

async function writePaths(store: Store, index: StoredIndex): Promise<void> {
  const atOnce = 10_000;
  const paths: string[] = [];
  for (let from = 0; from < index.cursor; from += atOnce) {
    for (const image of await store.images.page(index.id, from, Math.min(atOnce, index.cursor - from))) if (image.skipped === null) paths.push(image.path);
  }
  await writeRowPaths(scoreMatrixFolder(store.folder, index.matrixFolder), paths);
}
