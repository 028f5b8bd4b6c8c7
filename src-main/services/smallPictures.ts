/** The small pictures of an index's images that are kept beside its features. */
import { readRowFile } from '../store/rowFiles.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import { scoreMatrixFolder } from '../store/scoreMatrix.ts';
import { isWhole, pixelsFile, rowImages } from './featureRows.ts';
import { rowOf } from './scoreRows.ts';

/** `pixels`: `[height, width, 3]` RGB. */
export interface SmallPicture {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface SmallPictures {
  /** By image number; null for an image that has none. */
  read(image: number): Promise<SmallPicture | null>;
  close(): Promise<void>;
}

/** Null where they are not kept, or not for every image. */
export async function openSmallPictures(store: Store, index: StoredIndex): Promise<SmallPictures | null> {
  const file = await store.rowFiles.find(index.id, pixelsFile);
  if (!isWhole(file, index)) return null;
  const reader = await readRowFile(scoreMatrixFolder(store.folder, file.folder), file);
  const numbers = await rowImages(store, index);
  const [height, width] = file.shape as [number, number];
  return {
    async read(image) {
      const row = rowOf(numbers, image);
      return row < 0 ? null : { pixels: await reader.read(row, 1), width, height };
    },
    close: () => reader.close(),
  };
}
