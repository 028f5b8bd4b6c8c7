/**
 * Features of a merged index, and what is kept with them: appended part by part like the score matrix. Only what every part has whole is taken over; the rest is computed when it is wanted,
 * from the images, as for any index.
 */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { MergePlan } from '../indexing/mergePlan.ts';
import type { Store } from '../store/open.ts';
import { growRowFile, readRowFile, rowBytes, type RowFileReader, type StoredRowFile } from '../store/rowFiles.ts';
import { scoreMatrixFolder } from '../store/scoreMatrix.ts';
import { isWhole, rowImages } from './featureRows.ts';
import type { MergePart } from './mergeParts.ts';
import { chunks, rowsOf } from './mergeRows.ts';
import { writePaths } from './rowColumns.ts';

/** @param id the hidden index that the parts are put together in */
export async function mergeFeatures(store: Store, id: IndexId, parts: readonly MergePart[], plan: MergePlan, signal?: AbortSignal): Promise<void> {
  const sources = parts.filter((_, at) => plan.sources[at]!.taken.length > 0);
  const kept = await Promise.all(sources.map(wholeFiles));
  const [first = [], ...others] = kept;
  const isWithoutMatrix = sources[0]?.index.matrix === 'none';
  for (const wish of first) {
    const theirs = others.map((files) => files.find((file) => isSame(file, wish)));
    if (theirs.some((file) => file === undefined)) continue;
    const fileOf = new Map([wish, ...(theirs as readonly StoredRowFile[])].map((file, at) => [sources[at]!, file]));
    await append(store, id, wish, plan.order.map(({ source, piece }) => ({ part: parts[source]!, file: fileOf.get(parts[source]!)!, piece })), signal);
    if (isWithoutMatrix) await writePaths(store, { id, cursor: plan.images, matrixFolder: id });
  }
}

async function wholeFiles({ store, index }: MergePart): Promise<readonly StoredRowFile[]> {
  return (await store.rowFiles.list(index.id)).filter((file) => isWhole(file, index));
}

function isSame(a: StoredRowFile, b: StoredRowFile): boolean {
  return a.what === b.what && a.layer === b.layer && a.pooling === b.pooling && a.shape.join() === b.shape.join();
}

interface Piece {
  readonly part: MergePart;
  readonly file: StoredRowFile;
  readonly piece: MergePlan['order'][number]['piece'];
}

async function append(store: Store, id: IndexId, wish: StoredRowFile, pieces: readonly Piece[], signal: AbortSignal | undefined): Promise<void> {
  const made = await store.rowFiles.claim({ id, matrixFolder: id }, wish);
  const array = await growRowFile(scoreMatrixFolder(store.folder, id), made);
  let rows = 0;
  try {
    for (const { part, file, piece } of pieces) {
      const reader = await opened(part, file);
      try {
        for (const { from, to } of chunks(rowsOf(await rowImages(part.store, part.index), piece), rowBytes(file))) {
          signal?.throwIfAborted();
          await array.write(rows, await reader.read(from, to - from));
          rows += to - from;
        }
      } finally {
        await reader.close();
      }
    }
    await array.flush();
    await array.count(rows);
  } finally {
    await array.close();
  }
  await store.rowFiles.commit([{ id: made.id, rows }]);
}

function opened({ store, name }: MergePart, file: StoredRowFile): Promise<RowFileReader> {
  return readRowFile(scoreMatrixFolder(store.folder, file.folder), file).catch((cause: unknown) => {
    if (!(cause instanceof AppError)) throw cause;
    throw new AppError(cause.code, `The features of ${file.title || name} in ${name} cannot be read: ${cause.message} Delete them there, or compute them again.`, cause.data, cause);
  });
}
