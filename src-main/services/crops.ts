/**
 * Images as the network sees them: from memory, from the workspace, else from their file. Those that hold hits are kept in the workspace, so that looking needs no decoding and survives
 * a moved, changed or deleted image folder.
 */
import { LRUCache } from 'lru-cache';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError, isAbort } from '../../src-shared/errors.ts';
import { decodeImage } from '../dataset/decode.ts';
import { decodeCrop, encodeCrop, resizePixels } from '../dataset/picture.ts';
import type { StoredImage } from '../store/images.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import { openSmallPictures } from './smallPictures.ts';
import { createTurns } from './turns.ts';

export interface CropService {
  /**
   * `[H, W, 3]` 8-bit RGB. `holdsHit`: the image holds a hit of the index, so its crop is worth keeping.
   * @throws AppError UNREADABLE_FILE, CONFLICT where only the file could give it and cannot
   */
  pixels(store: Store, index: StoredIndex, imageNumber: number, holdsHit?: boolean): Promise<Uint8Array>;
  /** The same to be looked at as a whole: of a pack that lacks it, from the image's small picture. No patch is drawn from that, which would not be what a channel saw. */
  shown(store: Store, index: StoredIndex, imageNumber: number): Promise<Uint8Array>;
}

/** Crops kept in memory. */
const memoryBytes = 192 * 2 ** 20;
/** Crops that keepCrops writes in one transaction. */
const writtenTogether = 16;

export function createCropService(): CropService {
  const held = new LRUCache<string, Promise<Uint8Array>>({ maxSize: memoryBytes });
  const service: CropService = {
    async pixels(store, index, imageNumber, holdsHit = false) {
      const image = await store.images.get(index.id, imageNumber);
      // By content: a rescan renumbers images.
      const key = `${store.folder} ${index.id} ${image.contentHash ?? image.path}`;
      let crop = held.get(key);
      if (!crop) {
        crop = read(store, index, image, holdsHit);
        crop.catch(() => held.delete(key));
        held.set(key, crop, { size: index.preprocessing.crop[0] * index.preprocessing.crop[1] * 3 });
      }
      return crop;
    },
    async shown(store, index, imageNumber) {
      try {
        return await service.pixels(store, index, imageNumber);
      } catch (error) {
        const small = store.kind === 'pack' && error instanceof AppError && error.code === 'NOT_FOUND' ? await enlarged(store, index, imageNumber) : null;
        if (small) return small;
        throw error;
      }
    },
  };
  return service;
}

async function read(store: Store, index: StoredIndex, image: StoredImage, holdsHit: boolean): Promise<Uint8Array> {
  const kept = image.contentHash === null ? null : await store.crops.get(index.id, image.contentHash);
  if (kept) return checkedCrop(await decodeCrop(kept), index, image);
  if (store.kind === 'pack') {
    throw new AppError('NOT_FOUND', `The picture of ${image.path} is not in this pack, and the image folder "${index.imagesPath}" is not on this machine. Ask whoever made the pack for one with this image.`, { image: image.path });
  }
  const pixels = await decodeFile(index, image);
  // While an index grows its hits come and go.
  if (holdsHit && store.mode === 'write' && image.contentHash !== null && index.cursor === index.images) {
    await store.crops.put(index.id, [{ contentHash: image.contentHash, picture: await encode(pixels, index) }]).catch(() => undefined);
  }
  return pixels;
}

async function enlarged(store: Store, index: StoredIndex, imageNumber: number): Promise<Uint8Array | null> {
  const kept = await openSmallPictures(store, index);
  try {
    const small = await kept?.read(imageNumber);
    const [height, width] = index.preprocessing.crop;
    return small ? (await resizePixels({ ...small, channels: 3 }, width, height)).pixels : null;
  } finally {
    await kept?.close();
  }
}

/** A pack may hold anything. */
function checkedCrop(pixels: Uint8Array, { preprocessing: { crop } }: StoredIndex, image: StoredImage): Uint8Array {
  if (pixels.length === crop[0] * crop[1] * 3) return pixels;
  throw new AppError('UNREADABLE_FILE', `The kept picture of ${image.path} is damaged: it is not ${crop[1]} x ${crop[0]} pixels.`, { image: image.path });
}

export interface KeepCropsOptions {
  /** How many of the missing ones are done. */
  progress?(done: number, total: number): void;
  /** Images decoded at once: as many as there are cores if absent. More gain nothing and would keep the store's queries waiting behind them. */
  readonly atOnce?: number;
  /** Images to keep though they may hold no hit. */
  readonly also?: readonly number[];
}

/**
 * Keeps the crops of all images that hold hits, and drops those of images that hold none any more. Images that can be read no more are passed over. Stopped at any time, it goes on where
 * it was.
 */
export async function keepCrops(store: Pick<Store, 'indexes' | 'images' | 'crops'>, id: IndexId, signal: AbortSignal, { progress = () => undefined, atOnce = availableParallelism(), also = [] }: KeepCropsOptions = {}): Promise<void> {
  const index = await store.indexes.get(id);
  await store.crops.prune(id);
  const missing = await store.crops.missing(id);
  const numbers = [...missing, ...(await withoutCrops(store, id, also)).filter((number) => !missing.includes(number))];
  for (let start = 0; start < numbers.length; start += writtenTogether) {
    progress(start, numbers.length);
    const crops = await inTurns(numbers.slice(start, start + writtenTogether), atOnce, async (number) => {
      signal.throwIfAborted();
      try {
        const image = await store.images.get(id, number);
        return { contentHash: image.contentHash!, picture: await encode(await decodeFile(index, image, signal), index) };
      } catch (error) {
        if (isAbort(error) || !(error instanceof AppError)) throw error;
        return undefined;
      }
    });
    await store.crops.put(id, crops.filter((crop) => crop !== undefined));
  }
}

async function withoutCrops({ images, crops }: Pick<Store, 'images' | 'crops'>, id: IndexId, numbers: readonly number[]): Promise<number[]> {
  const found: number[] = [];
  for (const { number, contentHash, skipped } of (await images.several(id, numbers)).values()) {
    if (contentHash !== null && skipped === null && !(await crops.get(id, contentHash))) found.push(number);
  }
  return found;
}

async function inTurns<T, R>(items: readonly T[], atOnce: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const inTurn = createTurns(atOnce);
  return Promise.all(items.map((item) => inTurn(() => work(item))));
}

function encode(pixels: Uint8Array, { preprocessing: { crop } }: StoredIndex): Promise<Uint8Array> {
  return encodeCrop(pixels, crop[1], crop[0]);
}

async function decodeFile(index: StoredIndex, image: StoredImage, signal?: AbortSignal): Promise<Uint8Array> {
  if (image.skipped !== null) throw new AppError('UNREADABLE_FILE', `${image.path}: ${image.skipped}`, { image: image.path });
  const decoded = await decodeImage(join(index.imagesPath, image.file), index.preprocessing, signal).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== 'UNREADABLE_FILE') throw error;
    throw new AppError('UNREADABLE_FILE', `${image.path} in ${index.imagesPath} cannot be shown: ${error.message} Put the file back, or index the folder again.`, { image: image.path }, error);
  });
  if (image.contentHash !== null && decoded.contentHash !== image.contentHash) {
    throw new AppError('CONFLICT', `The image ${image.path} was changed after it was indexed. Put the old file back, or index the folder again.`, { image: image.path });
  }
  return decoded.pixels;
}
