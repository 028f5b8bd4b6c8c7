/** What a merge computes rather than copies: added-up statistics, and the score matrix appended part by part. */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import { AppError } from '../../src-shared/errors.ts';
import { isWholeTaken, type MergePlan, type Piece } from '../indexing/mergePlan.ts';
import { addRows, addStatistics, createStatistics, packStatistics, unpackStatistics, type LayerStatistics } from '../indexing/statistics.ts';
import type { Store } from '../store/open.ts';
import { openScoreMatrix, scoreMatrixFolder, type Precision } from '../store/scoreMatrix.ts';
import { readScoreMatrix, type ScoreMatrixReader } from '../store/scoreMatrixReader.ts';
import type { MergePart } from './mergeParts.ts';

/** Scores in memory at once, over all layers. */
const chunkBytes = 64 * 2 ** 20;

/**
 * Statistics of one layer over all taken rows, as one run over them would have counted. A part whose rows are taken in part is counted anew from its exact score matrix.
 * @throws AppError CONFLICT where that is needed and there is none
 */
export async function mergedStatistics(parts: readonly MergePart[], plan: MergePlan, layer: Layer): Promise<Uint8Array> {
  const sum = createStatistics(layer.channels);
  for (const [at, part] of parts.entries()) {
    const sourcePlan = plan.sources[at]!;
    if (sourcePlan.taken.length === 0) continue;
    if (!isWholeTaken(sourcePlan)) addStatistics(sum, await countedAnew(part, sourcePlan.taken, layer));
    else {
      const bytes = await part.store.statistics.read(part.index.id, layer.number);
      if (bytes) addStatistics(sum, unpackStatistics(bytes));
    }
  }
  return packStatistics(sum);
}

async function countedAnew(part: MergePart, taken: readonly Piece[], layer: Layer): Promise<LayerStatistics> {
  if (part.index.matrix !== 'float32') {
    throw new AppError('CONFLICT', `${part.name} overlaps another part in some images but not in all, and keeps no float32 score matrix to count them apart. Leave it out, or split the images without overlap.`, { part: part.name });
  }
  const statistics = createStatistics(layer.channels);
  const reader = await openRows(part, layer);
  try {
    const numbers = await reader.images();
    for (const piece of taken) {
      for (const { from, to } of chunks(rowsOf(numbers, piece), layer.channels * 4)) {
        addRows(statistics, { images: [...numbers.subarray(from, to)], score: await reader.read(from, to - from), position: new Int32Array(0) });
      }
    }
  } finally {
    await reader.close();
  }
  return statistics;
}

/** Appends the taken rows of all parts to the matrix of index `id`, in the order of their new numbers. */
export async function mergeMatrices(store: Store, id: IndexId, parts: readonly MergePart[], plan: MergePlan, layers: readonly Layer[], precision: Precision, signal?: AbortSignal): Promise<void> {
  const writer = await openScoreMatrix(scoreMatrixFolder(store.folder, id), { layers, precision, rows: 0 });
  try {
    for (const { source, piece } of plan.order) {
      const readers = await openAll(parts[source]!, layers);
      try {
        const numbers = await readers[0]!.images();
        for (const { from, to } of chunks(rowsOf(numbers, piece), layers.reduce((bytes, { channels }) => bytes + channels * 4, 0))) {
          signal?.throwIfAborted();
          const images = await pathsOf(store, id, numbers.subarray(from, to), piece.shift);
          const scores = await Promise.all(readers.map((reader) => reader.read(from, to - from)));
          await writer.append({ images, layers: layers.map(({ number }, at) => ({ number, scores: scores[at]! })) });
        }
      } finally {
        for (const reader of readers) await reader.close();
      }
    }
    await writer.flush();
    await writer.confirm();
  } finally {
    await writer.close();
  }
}

/** @throws AppError CONFLICT where rows that a part has in common with the merged matrix differ from it */
export async function checkMatrices(store: Store, matrixFolder: string, part: MergePart, pieces: readonly Piece[], layers: readonly Layer[]): Promise<void> {
  for (const layer of layers) {
    const [ours, theirs] = [await readScoreMatrix(scoreMatrixFolder(store.folder, matrixFolder), layer.number), await openRows(part, layer)];
    try {
      const [ourNumbers, theirNumbers] = [await ours.images(), await theirs.images()];
      for (const piece of pieces) {
        const offset = firstAtLeast(ourNumbers, piece.from + piece.shift) - firstAtLeast(theirNumbers, piece.from);
        for (const { from, to } of chunks(rowsOf(theirNumbers, piece), layer.channels * 4)) {
          const [a, b] = [await ours.read(from + offset, to - from), await theirs.read(from, to - from)];
          if (Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength))) continue;
          throw new AppError('CONFLICT', `${part.name} has other scores in ${layer.name} than another part for the same images: they were not computed the same way. Index one of the two again.`, { part: part.name, layer: layer.name });
        }
      }
    } finally {
      await ours.close();
      await theirs.close();
    }
  }
}

async function openAll(part: MergePart, layers: readonly Layer[]): Promise<readonly ScoreMatrixReader[]> {
  const readers: ScoreMatrixReader[] = [];
  try {
    for (const layer of layers) readers.push(await openRows(part, layer));
    return readers;
  } catch (thrown) {
    for (const reader of readers) await reader.close();
    throw thrown;
  }
}

function openRows({ store, index, name }: MergePart, layer: Layer): Promise<ScoreMatrixReader> {
  return readScoreMatrix(scoreMatrixFolder(store.folder, index.matrixFolder), layer.number).catch((cause: unknown) => {
    if (!(cause instanceof AppError)) throw cause;
    throw new AppError(cause.code, `The score matrix of ${name} cannot be read: ${cause.message}`, cause.data, cause);
  });
}

/** Rows of the images of a piece; images without a row have none. */
export function rowsOf(numbers: Int32Array, { from, to }: Pick<Piece, 'from' | 'to'>): { readonly from: number; readonly to: number } {
  return { from: firstAtLeast(numbers, from), to: firstAtLeast(numbers, to) };
}

function firstAtLeast(sorted: Int32Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** So many rows at once as fit into memory beside everything else. */
export function* chunks({ from, to }: { readonly from: number; readonly to: number }, rowBytes: number): Generator<{ readonly from: number; readonly to: number }> {
  const rows = Math.max(1, Math.floor(chunkBytes / rowBytes));
  for (let start = from; start < to; start += rows) yield { from: start, to: Math.min(to, start + rows) };
}

/** The merged index's images for some rows of a part. */
async function pathsOf(store: Store, id: IndexId, numbers: Int32Array, shift: number): Promise<readonly { readonly number: number; readonly path: string }[]> {
  if (numbers.length === 0) return [];
  const first = numbers[0]! + shift;
  const images = await store.images.page(id, first, numbers.at(-1)! + shift - first + 1);
  return [...numbers].map((number) => ({ number: number + shift, path: images[number + shift - first]!.path }));
}
