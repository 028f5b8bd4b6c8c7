/**
 * The pictures of an index, decoded. Before a picture is written off as unreadable, the folder itself is looked at: when its drive is gone, no image is to blame and the job pauses.
 */
import { opendir, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';
import { decodeImage, decodeWhole } from '../dataset/decode.ts';
import { perceptualHash } from '../dataset/perceptualHash.ts';
import type { DecodedPicture, IndexedImage } from '../indexing/segments.ts';
import type { StoredIndex } from '../store/indexes.ts';
import { createTurns } from './turns.ts';

export interface ImageSource {
  /** @throws AppError UNREADABLE_FILE for the picture, NOT_FOUND (which pauses a job) for the folder, CONFLICT for a picture that is not the one that was indexed */
  decode(image: IndexedImage, signal: AbortSignal): Promise<DecodedPicture>;
  /** The picture before the crop; throws as `decode` does. */
  whole(image: IndexedImage, signal: AbortSignal): Promise<Awaited<ReturnType<typeof decodeWhole>>>;
}

/** @throws AppError NOT_FOUND where the folder is gone */
export async function openImageSource({ imagesPath, preprocessing }: StoredIndex): Promise<ImageSource> {
  // More decoders than cores gain nothing, and would keep the store's queries and the thread that answers waiting behind them.
  const inTurn = createTurns(availableParallelism());
  const place = await placeOf(imagesPath);
  const read = async <T extends { readonly contentHash: string }>(image: IndexedImage, how: (file: string) => Promise<T>): Promise<T> => {
    let decoded: T;
    try {
      decoded = await inTurn(() => how(join(imagesPath, image.file)));
    } catch (error) {
      // An unplugged drive may leave an empty folder behind where it was mounted: another place under the same name.
      if (error instanceof AppError && error.code === 'UNREADABLE_FILE' && (await placeOf(imagesPath)) !== place) throw goneFolder(imagesPath);
      throw error;
    }
    if (image.contentHash && decoded.contentHash !== image.contentHash) {
      throw new AppError('CONFLICT', `The image ${image.path} was changed after it was indexed. Rescan the folder, then go on.`, { image: image.path });
    }
    return decoded;
  };
  return {
    async decode(image, signal) {
      const decoded = await read(image, (file) => decodeImage(file, preprocessing, signal));
      return { ...decoded, perceptualHash: perceptualHash(decoded.pixels, ...preprocessing.crop) };
    },
    whole: (image, signal) => read(image, (file) => decodeWhole(file, preprocessing, signal)),
  };
}

/** Device and number of the folder, which must be readable. */
async function placeOf(folder: string): Promise<string> {
  try {
    const [{ dev, ino }, listing] = await Promise.all([stat(folder, { bigint: true }), opendir(folder)]);
    try {
      await listing.read();
    } finally {
      await listing.close();
    }
    return `${dev} ${ino}`;
  } catch (cause) {
    throw goneFolder(folder, cause);
  }
}

/** Pauses a job until the folder is back. */
export function goneFolder(folder: string, cause?: unknown): AppError {
  return new AppError('NOT_FOUND', `The image folder ${folder} is gone. Bring it back, then resume; nothing that was done is lost.`, { path: folder, pauses: true }, cause);
}
