/**
 * Features that grow in the pass that fills an index, beside its score matrix and by the same commits: what is kept for every image so far goes on being kept. A rescan takes the rows of
 * unchanged images over from the old files. What was asked for later, or lags behind, is left to a pass of its own (featurePass.ts), which ends with the same rows.
 */
import { AppError } from '../../src-shared/errors.ts';
import type { RowBatch, RowSink } from '../indexing/buildIndex.ts';
import type { SegmentRow } from '../indexing/segments.ts';
import type { VectorWish } from '../rewrite/probe/featureGraph.ts';
import { allWritten } from '../store/filePieces.ts';
import type { StoredIndex } from '../store/indexes.ts';
import { readRowFile, rowBytes, type RowCount, type RowFileReader, type StoredRowFile } from '../store/rowFiles.ts';
import { scoreMatrixFolder } from '../store/scoreMatrix.ts';
import { pickRows } from './earlierRows.ts';
import { logitsOf } from './featurePlan.ts';
import { isWhole, type Pooling } from './featureRows.ts';
import type { IndexRun } from './indexJob.ts';
import { subjectOfIndex } from './labSubject.ts';
import { openColumn, rowsOfValues, scoredLayer, thumbnails, type Column } from './rowColumns.ts';
import { rowsBefore } from './scoreRows.ts';

export interface FeaturesInPass extends RowSink {
  /** What the network's run of every batch must give. */
  readonly vectors: readonly VectorWish[];
  /** As of the last flush, for the commit that counts the same images. */
  flushed(): readonly RowCount[];
  close(): Promise<void>;
}

/** Where the rows of a file come from: the scores of a layer, a vector of the same run, or the pictures themselves. */
type Origin = { readonly kind: 'scores'; readonly layer: number } | { readonly kind: 'vector'; readonly at: number } | { readonly kind: 'pictures' };

interface Growing extends Column {
  readonly origin: Origin;
  /** Rows of the index that is rescanned. */
  readonly earlier: RowFileReader | null;
}

/** Null where nothing is kept beside the scores. @param base the index that `index` is a pass over */
export async function openFeaturesInPass(run: Pick<IndexRun, 'store' | 'inference' | 'signal'>, index: StoredIndex, base: StoredIndex | null): Promise<FeaturesInPass | null> {
  const { store, inference, signal } = run;
  const rows = await rowsBefore(store, index);
  const opened: { close(): Promise<void> }[] = [];
  const closeAll = async () => {
    for (let next = opened.pop(); next; next = opened.pop()) await next.close();
  };
  try {
    const found = base ? await carriedOver(run, index, rows, base) : (await store.rowFiles.list(index.id)).map((file) => ({ file, earlier: null }));
    for (const { earlier } of found) if (earlier) opened.push(earlier);
    const vectors: VectorWish[] = [];
    const logits = found.some(({ file }) => file.what === 'predictions') ? logitsOf(await subjectOfIndex(inference, store, index, signal)) : null;
    const columns: Growing[] = [];
    for (const { file, earlier } of found) {
      // One that lags behind cannot be caught up with here.
      if (file.folder !== index.matrixFolder || file.rows !== rows) continue;
      const column = await openColumn(scoreMatrixFolder(store.folder, index.matrixFolder), file).catch(unreadable);
      if (column === null) continue;
      opened.push(column.array);
      if (column.rows === rows) columns.push({ ...column, origin: originOf(index, file, logits, vectors), earlier });
    }
    if (columns.length > 0) return createSink(index, rows, columns, vectors, closeAll);
    await closeAll();
    return null;
  } catch (thrown) {
    await closeAll();
    throw thrown;
  }
}

interface Found {
  readonly file: StoredRowFile;
  readonly earlier: RowFileReader | null;
}

/** The whole files of a rescanned index, as they grow for its new images. */
async function carriedOver({ store }: Pick<IndexRun, 'store'>, pass: StoredIndex, rows: number, base: StoredIndex): Promise<readonly Found[]> {
  // More layers are for the images that are there already. And rows that were computed in several ways would not be those of a fresh index: which they are is only known of scores.
  if (pass.stagedKind !== 'rescan' || base.placementChanges.length > 0) return [];
  const found: Found[] = [];
  for (const old of await store.rowFiles.list(base.id)) {
    if (!isWhole(old, base)) continue;
    const file = rows === 0 ? await store.rowFiles.claim(pass, old) : await store.rowFiles.find(pass.id, old);
    if (!file) continue;
    const earlier = await readRowFile(scoreMatrixFolder(store.folder, old.folder), old).catch(unreadable);
    if (earlier) found.push({ file, earlier });
  }
  return found;
}

/** A file that was cut off or replaced is no reason to stop an index. */
function unreadable(thrown: unknown): null {
  if (thrown instanceof AppError && thrown.code === 'UNREADABLE_FILE') return null;
  throw thrown;
}

function originOf(index: StoredIndex, file: StoredRowFile, logits: string | null, vectors: VectorWish[]): Origin {
  if (file.what === 'pixels') return { kind: 'pictures' };
  const layer = scoredLayer(index, file, logits);
  if (layer) return { kind: 'scores', layer: layer.number };
  vectors.push(file.what === 'features' ? { value: file.layer, pooling: file.pooling as Pooling } : { value: logits!, pooling: 'flat' });
  return { kind: 'vector', at: vectors.length - 1 };
}

function createSink({ preprocessing: { crop } }: StoredIndex, before: number, columns: readonly Growing[], vectors: readonly VectorWish[], close: () => Promise<void>): FeaturesInPass {
  let rows = before;
  let flushed = before;
  return {
    vectors,
    async append(batch) {
      if (batch.images.length === 0) return;
      await allWritten(columns.map(async (column) => column.array.write(rows, await rowsOf(column, batch, crop))));
      // All at once: a batch that fails half-way is not counted anywhere.
      rows += batch.images.length;
    },
    async flush() {
      const written = rows;
      await allWritten(columns.map(({ array }) => array.flush()));
      flushed = written;
    },
    flushed: () => columns.map(({ file: { id } }) => ({ id, rows: flushed })),
    confirm: () => allWritten(columns.map(({ array }) => array.count(flushed))),
    close,
  };
}

/** The bytes of one file's rows for the images of a batch. */
async function rowsOf({ file, origin, earlier }: Growing, { segment, layers, images, vectors }: RowBatch, [height, width]: readonly [number, number]): Promise<Uint8Array> {
  if (origin.kind === 'scores') return bytesOf(rowsOfValues(file, layers.find(({ number }) => number === origin.layer)!.scores, images.length));
  const [computed, taken] = (['engine', 'earlier'] as const).map((where) => segment.rows.flatMap(({ from, row }) => (from === where ? [row] : []))) as [number[], number[]];
  const make = async (): Promise<Float32Array | Uint8Array> => {
    if (computed.length === 0) return new Uint8Array(0);
    if (origin.kind === 'pictures') return thumbnails(segment.pixels!, computed, [height, width]);
    const values = vectors[origin.at]!;
    return rowsOfValues(file, picked(values, values.length / (segment.pixels!.length / (height * width * 3)), computed), computed.length);
  };
  const made = bytesOf(await make());
  if (taken.length === 0) return made;
  const bytes = rowBytes(file);
  return inOrder(segment.rows, bytes, made, await pickRows(taken, bytes, new Uint8Array(taken.length * bytes), (first, count) => earlier!.read(first, count)));
}

function picked(values: Float32Array, dimensions: number, rows: readonly number[]): Float32Array {
  if (rows.every((row, at) => row === at)) return values.subarray(0, rows.length * dimensions);
  const found = new Float32Array(rows.length * dimensions);
  rows.forEach((row, at) => found.set(values.subarray(row * dimensions, (row + 1) * dimensions), at * dimensions));
  return found;
}

/** Rows of two kinds, each in its own order, as the segment has them. */
function inOrder(rows: readonly SegmentRow[], bytes: number, computed: Uint8Array, taken: Uint8Array): Uint8Array {
  const found = new Uint8Array(rows.length * bytes);
  const next = { engine: 0, earlier: 0 };
  rows.forEach(({ from }, at) => {
    const row = next[from]++;
    found.set((from === 'engine' ? computed : taken).subarray(row * bytes, (row + 1) * bytes), at * bytes);
  });
  return found;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
