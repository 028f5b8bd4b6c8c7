/** The rows of two indexes that belong to the same image: the same path with the same content. Both manifests are in path order, so one walk through both finds them all. */
import { comparePaths } from '../dataset/scan.ts';
import type { StoredImage } from '../store/images.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';

/** Rows of both sides, rising; entry i of one belongs to entry i of the other. */
export interface ImagePairs {
  readonly left: Int32Array;
  readonly right: Int32Array;
}

export async function pairImages(store: Store, left: StoredIndex, right: StoredIndex, signal?: AbortSignal): Promise<ImagePairs> {
  if (left.id === right.id) {
    const rows = Int32Array.from({ length: left.cursor - left.skipped }, (_, row) => row);
    return { left: rows, right: rows };
  }
  const lefts = rowsOf(store, left, signal);
  const rights = rowsOf(store, right, signal);
  const pairs: { readonly left: number[]; readonly right: number[] } = { left: [], right: [] };
  let a = await lefts.next();
  let b = await rights.next();
  while (!a.done && !b.done) {
    const order = comparePaths(a.value.image.path, b.value.image.path);
    if (order === 0 && a.value.image.contentHash === b.value.image.contentHash) {
      pairs.left.push(a.value.row);
      pairs.right.push(b.value.row);
    }
    if (order <= 0) a = await lefts.next();
    if (order >= 0) b = await rights.next();
  }
  return { left: Int32Array.from(pairs.left), right: Int32Array.from(pairs.right) };
}

async function* rowsOf(store: Store, index: StoredIndex, signal: AbortSignal | undefined): AsyncGenerator<{ readonly row: number; readonly image: StoredImage }, void, void> {
  const atOnce = 10_000;
  let row = 0;
  for (let from = 0; from < index.cursor; from += atOnce) {
    signal?.throwIfAborted();
    for (const image of await store.images.page(index.id, from, Math.min(atOnce, index.cursor - from))) if (image.skipped === null) yield { row: row++, image };
  }
}
