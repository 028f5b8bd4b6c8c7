/**
 * Many images of an index as one picture, or each by itself at a size. Small ones come from the pictures that are kept beside the features, so that no file is decoded; others from the
 * images as the network sees them. One that is not square stands in the middle of its tile.
 */
import { keptThumbnailSize } from '../../src-shared/contract/mapMedia.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import { encodePng, resizePixels } from '../dataset/picture.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import type { CropService } from './crops.ts';
import { openSmallPictures, type SmallPicture } from './smallPictures.ts';
import { createTurns } from './turns.ts';
import type { WorkspaceService } from './workspaces.ts';

export interface ThumbnailService {
  /** PNG; tiles of images that cannot be shown are empty. */
  sheet(request: { readonly index: string; readonly size: number; readonly columns: number; readonly images: readonly number[] }, signal?: AbortSignal): Promise<Uint8Array>;
  /** Each by itself, in order, at most `size` pixels on its longer edge; null for one that cannot be shown. */
  each(store: Store, index: StoredIndex, images: readonly number[], size: number, signal?: AbortSignal): AsyncGenerator<SmallPicture | null, void, void>;
}

/** Pictures that are decoded at once. */
const atOnce = 4;
/** Images that are read together. */
const piece = 64;

export function createThumbnailService(workspaces: WorkspaceService, crops: CropService): ThumbnailService {
  const inTurn = createTurns(atOnce);

  async function fromCrop(store: Store, index: StoredIndex, image: number, size: number): Promise<SmallPicture | null> {
    const [height, width] = index.preprocessing.crop;
    try {
      const pixels = await inTurn(() => crops.pixels(store, index, image));
      return await fitted({ pixels, width, height }, size);
    } catch (error) {
      if (error instanceof AppError) return null;
      throw error;
    }
  }

  const service: ThumbnailService = {
    async sheet({ index: id, size, columns, images }, signal) {
      const { store } = workspaces.required();
      const index = await store.indexes.get(id as IndexId);
      const across = Math.max(1, Math.min(columns, images.length));
      const sheet = blank(across * size, Math.max(1, Math.ceil(images.length / across)) * size);
      let at = 0;
      for await (const picture of service.each(store, index, images, size, signal)) {
        if (picture) place(sheet, picture, (at % across) * size, Math.floor(at / across) * size, size);
        at++;
      }
      return encodePng(sheet.pixels, sheet.width, sheet.height, 4, true);
    },
    async *each(store, index, images, size, signal) {
      // Opened when the first is asked of it.
      const opened: { kept?: ReturnType<typeof openSmallPictures> } = {};
      const small = async (image: number) => {
        const picture = await (await (opened.kept ??= openSmallPictures(store, index)))?.read(image);
        return picture ? fitted(picture, size) : null;
      };
      const large = (image: number) => fromCrop(store, index, image, size);
      // A small one enlarged is better than none, where the file is not there.
      const [first, second] = size <= keptThumbnailSize ? [small, large] : [large, small];
      try {
        for (let start = 0; start < images.length; start += piece) {
          signal?.throwIfAborted();
          yield* await Promise.all(images.slice(start, start + piece).map(async (image) => (await first(image)) ?? second(image)));
        }
      } finally {
        await (await opened.kept)?.close();
      }
    },
  };
  return service;
}

/** The longer edge at `size`. */
async function fitted(picture: SmallPicture, size: number): Promise<SmallPicture> {
  const scale = size / Math.max(picture.width, picture.height);
  const [width, height] = [Math.max(1, Math.round(picture.width * scale)), Math.max(1, Math.round(picture.height * scale))];
  if (width === picture.width && height === picture.height) return picture;
  return picture.width * picture.height <= fewPixels ? averaged(picture, width, height) : resizePixels({ ...picture, channels: 3 }, width, height, scale > 1 ? 'nearest' : 'cubic');
}

/** Of so few the library's call costs more than its work: a mosaic of 100,000 of them took minutes. */
const fewPixels = keptThumbnailSize ** 2;

/** Each pixel is the mean of those that it covers; enlarged ones keep hard edges. */
export function averaged({ pixels, width, height }: SmallPicture, newWidth: number, newHeight: number): SmallPicture {
  const made = new Uint8Array(newWidth * newHeight * 3);
  for (let y = 0, to = 0; y < newHeight; y++) {
    const [top, bottom] = covered(y, newHeight, height);
    for (let x = 0; x < newWidth; x++, to += 3) {
      const [left, right] = covered(x, newWidth, width);
      let [red, green, blue] = [0, 0, 0];
      for (let row = top; row < bottom; row++) {
        for (let from = (row * width + left) * 3, end = (row * width + right) * 3; from < end; from += 3) {
          red += pixels[from]!;
          green += pixels[from + 1]!;
          blue += pixels[from + 2]!;
        }
      }
      const count = (bottom - top) * (right - left);
      made[to] = Math.round(red / count);
      made[to + 1] = Math.round(green / count);
      made[to + 2] = Math.round(blue / count);
    }
  }
  return { pixels: made, width: newWidth, height: newHeight };
}

/** Old pixels under a new one, half-open. */
function covered(at: number, newLength: number, length: number): readonly [number, number] {
  const from = Math.floor((at * length) / newLength);
  return [from, Math.max(from + 1, Math.floor(((at + 1) * length) / newLength))];
}

/** RGBA. */
export interface Sheet {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export function blank(width: number, height: number): Sheet {
  return { pixels: new Uint8Array(width * height * 4), width, height };
}

/** Into the middle of a tile of `size` whose corner is at `left`, `top`. */
export function place(sheet: Sheet, { pixels, width, height }: SmallPicture, left: number, top: number, size: number): void {
  const [x0, y0] = [left + Math.floor((size - width) / 2), top + Math.floor((size - height) / 2)];
  for (let y = 0; y < height; y++) {
    for (let x = 0, from = y * width * 3, to = ((y0 + y) * sheet.width + x0) * 4; x < width; x++, from += 3, to += 4) {
      sheet.pixels[to] = pixels[from]!;
      sheet.pixels[to + 1] = pixels[from + 1]!;
      sheet.pixels[to + 2] = pixels[from + 2]!;
      sheet.pixels[to + 3] = 255;
    }
  }
}
