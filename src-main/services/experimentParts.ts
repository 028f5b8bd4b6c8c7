/**
 * Parts that a person marks on pictures (Zeiler & Fergus 2013, section 4.3). They are kept with the picture's content, as shares of the upright picture, so that every index that holds the picture
 * has them; asked for by an index they are boxes in its network's input.
 */
import { join } from 'node:path';
import type * as z from 'zod';
import type { markedPart } from '../../src-shared/contract/experimentStudies.ts';
import type { Box } from '../../src-shared/domain/geometry.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import { planOfFile, type ResizePlan } from '../dataset/decode.ts';
import type { StoredImage } from '../store/images.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import type { PartBox, StoredPart } from '../store/pictureParts.ts';
import type { WorkspaceService } from './workspaces.ts';

export type MarkedPart = z.output<typeof markedPart>;

interface PartPlace {
  readonly index: string;
  readonly image: number;
  readonly name: string;
}

export interface PictureParts {
  list(request: { readonly index: string; readonly image?: number | undefined }): Promise<MarkedPart[]>;
  set(request: { readonly index: string; readonly imageNumber: number; readonly name: string; readonly box: Box }): Promise<void>;
  remove(place: PartPlace): Promise<void>;
}

/** Images looked up together. */
const together = 1000;

export function createPictureParts(workspaces: WorkspaceService): PictureParts {
  return {
    async list({ index: id, image }) {
      const { store } = workspaces.required();
      const index = await store.indexes.get(id as IndexId);
      return partsOf(store, index, image === undefined ? undefined : [image]);
    },
    async set({ index: id, imageNumber, name, box }) {
      const { store } = workspaces.required();
      const index = await store.indexes.get(id as IndexId);
      const image = await store.images.get(index.id, imageNumber);
      const [height, width] = index.preprocessing.crop;
      const [y0, x0, y1, x1] = box;
      if (!(y0 >= 0 && x0 >= 0 && y1 <= height && x1 <= width && y0 < y1 && x0 < x1)) {
        throw new AppError('BAD_REQUEST', `The box [${box.join(', ')}] of "${name}" is empty or reaches outside the network's input of ${height} rows and ${width} columns. Draw it within the picture.`, { image: image.path });
      }
      const plan = await planOf(index, image, null);
      await store.pictureParts.set({ contentHash: hashOf(image), name, ...sharesOf(box, plan), height: plan.size.height, width: plan.size.width });
    },
    async remove({ index: id, image: number, name }) {
      const { store } = workspaces.required();
      const image = await store.images.get(id as IndexId, number);
      await store.pictureParts.remove(hashOf(image), name);
    },
  };
}

/** Parts of these images (all where absent) in order of images, then names; one of which the network sees nothing is left out. */
export async function partsOf(store: Store, index: StoredIndex, numbers?: readonly number[]): Promise<MarkedPart[]> {
  const found: MarkedPart[] = [];
  const images = numbers ? [...(await store.images.several(index.id, numbers)).values()].sort((a, b) => a.number - b.number) : null;
  for (let from = 0; from < (images?.length ?? index.images); from += together) {
    const some = images ? images.slice(from, from + together) : await store.images.page(index.id, from, together);
    const parts = Map.groupBy(await store.pictureParts.of(some.flatMap(({ contentHash }) => contentHash ?? [])), ({ contentHash }) => contentHash);
    for (const image of some) {
      const marked = image.contentHash === null ? undefined : parts.get(image.contentHash);
      if (!marked) continue;
      const plan = await planOf(index, image, marked.map(sizeOf).find((size) => size !== null) ?? null);
      for (const { name, ...shares } of marked) {
        const box = boxOf(shares, plan);
        if (box) found.push({ imageNumber: image.number, image: image.path, name, box });
      }
    }
  }
  return found;
}

function hashOf({ contentHash, path }: StoredImage): string {
  if (contentHash !== null) return contentHash;
  throw new AppError('CONFLICT', `${path} was not indexed yet, so nothing can be kept with it. Wait until the index has got to it.`, { image: path });
}

/** @param size of the upright picture; null where the file has to say it */
async function planOf(index: StoredIndex, image: StoredImage, size: { readonly height: number; readonly width: number } | null): ReturnType<typeof planOfFile> {
  try {
    return await planOfFile(join(index.imagesPath, image.file), index.preprocessing, size ?? undefined);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'UNREADABLE_FILE') throw error;
    throw new AppError('UNREADABLE_FILE', `${image.path}: ${error.message} Its parts cannot be placed without it.`, { image: image.path }, error);
  }
}

function sizeOf({ height, width }: StoredPart): { readonly height: number; readonly width: number } | null {
  return height === null || width === null ? null : { height, width };
}

function sharesOf([y0, x0, y1, x1]: Box, { resized, crop }: ResizePlan): PartBox {
  return { upper: (crop.top + y0) / resized.height, leftmost: (crop.left + x0) / resized.width, lower: (crop.top + y1) / resized.height, rightmost: (crop.left + x1) / resized.width };
}

/** Rounded to whole pixels and clipped to the crop; null where nothing is left. */
function boxOf({ upper, leftmost, lower, rightmost }: PartBox, { resized, crop }: ResizePlan): Box | null {
  const row = (share: number) => Math.min(crop.height, Math.max(0, Math.round(share * resized.height) - crop.top));
  const column = (share: number) => Math.min(crop.width, Math.max(0, Math.round(share * resized.width) - crop.left));
  const [y0, x0, y1, x1] = [row(upper), column(leftmost), row(lower), column(rightmost)];
  return y0 < y1 && x0 < x1 ? [y0, x0, y1, x1] : null;
}
