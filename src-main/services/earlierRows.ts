/**
 * What a rescan takes over from the rows that an index has already (method.md section 8): which images need no computing, and their scores, read from the old score matrix in the order of
 * the manifest. An image whose size or time changed is hashed: the same bytes have the same row.
 */
import { join } from 'node:path';
import { contentHashOfFile } from '../dataset/contentHash.ts';
import type { ImagePlan, IndexedImage } from '../indexing/segments.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import { scoreMatrixFolder } from '../store/scoreMatrix.ts';
import { readScoreMatrix, type ScoreMatrixReader } from '../store/scoreMatrixReader.ts';

export interface EarlierRows {
  plan(images: readonly IndexedImage[], signal: AbortSignal): Promise<readonly ImagePlan[]>;
  /** Per layer `[sources, channels]`; `sources`: rising rows of the old matrix. */
  read(sources: readonly number[]): Promise<readonly Float32Array[]>;
  close(): Promise<void>;
}

/** Rows of an index that a rescan may take over, and why it may not take over all (null where it may). */
export function usableRows(index: StoredIndex): { readonly rows: number; readonly reason: string | null } {
  if (index.cursor === 0) return { rows: 0, reason: null };
  if (index.matrix !== 'float32') {
    const why = index.matrix === 'none' ? 'This index keeps no score matrix' : 'The score matrix of this index is rounded to float16';
    return { rows: 0, reason: `${why}, so rows of unchanged images cannot be taken over: all images are computed anew.` };
  }
  // Rows that were computed in another way than the index's own would not be those of a fresh index.
  const [firstChange] = index.placementChanges;
  const rows = Math.min(index.cursor, firstChange?.fromImage ?? Infinity);
  return { rows, reason: rows === 0 && firstChange ? `The rows of this index were computed on ${firstChange.description}, not on ${index.engineDescription}: all images are computed anew.` : null };
}

/** @param pass its manifest names images of `base` as sources */
export async function openEarlierRows(store: Store, base: StoredIndex, pass: StoredIndex): Promise<EarlierRows> {
  const skipped = await store.images.skippedNumbers(base.id, base.images);
  const rowOf = (number: number): number => number - countBelow(skipped, number);
  const readers: ScoreMatrixReader[] = [];
  const folder = scoreMatrixFolder(store.folder, base.matrixFolder);
  const committed = base.cursor - countBelow(skipped, base.cursor);

  async function planOf(image: IndexedImage, signal: AbortSignal): Promise<ImagePlan> {
    if (image.skipped != null) return { kind: 'leave' };
    if (image.source == null) return { kind: 'compute' };
    const taken = { kind: 'take', source: rowOf(image.source), contentHash: null } as const;
    if (image.contentHash != null) return taken;
    const [old, contentHash] = await Promise.all([store.images.get(base.id, image.source), hashOf(join(pass.imagesPath, image.file), signal)]);
    return contentHash !== null && contentHash === old.contentHash ? { ...taken, contentHash } : { kind: 'compute' };
  }

  return {
    async plan(images, signal) {
      const plans: ImagePlan[] = [];
      for (const image of images) plans.push(await planOf(image, signal));
      return plans;
    },
    async read(sources) {
      if (readers.length === 0) for (const layer of pass.layers) readers.push(await readScoreMatrix(folder, layer.number, { rows: committed }));
      return Promise.all(readers.map(({ channels, read }) => pickRows(sources, channels, new Float32Array(sources.length * channels), read)));
    },
    async close() {
      for (const reader of readers) await reader.close();
    },
  };
}

/** Rows that lie close together are read at once. */
const widestGap = 16;

/**
 * Rows picked out of a file, one after the other.
 * @param sources rising
 * @param width numbers of a row
 * @param rows where they go
 */
export async function pickRows<T extends Float32Array | Uint8Array>(sources: readonly number[], width: number, rows: T, read: (first: number, count: number) => Promise<T>): Promise<T> {
  for (let start = 0; start < sources.length; ) {
    let end = start + 1;
    while (end < sources.length && sources[end]! - sources[end - 1]! <= widestGap) end++;
    const first = sources[start]!;
    const piece = await read(first, sources[end - 1]! - first + 1);
    for (let at = start; at < end; at++) {
      const from = (sources[at]! - first) * width;
      rows.set(piece.subarray(from, from + width), at * width);
    }
    start = end;
  }
  return rows;
}

/** Null for a file that cannot be read, which decoding will put into words. */
async function hashOf(file: string, signal: AbortSignal): Promise<string | null> {
  try {
    return await contentHashOfFile(file, signal);
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

/** How many of the rising numbers are below a limit. */
function countBelow(numbers: Int32Array, limit: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numbers[middle]! < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
