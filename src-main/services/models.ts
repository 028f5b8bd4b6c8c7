/** Model files: the import report, and a preview of one image as the network will see it. */
import { LRUCache } from 'lru-cache';
import { randomBytes } from 'node:crypto';
import { basename, join, resolve } from 'node:path';
import type * as z from 'zod';
import type { importReport } from '../../src-shared/contract/models.ts';
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';
import { AppError } from '../../src-shared/errors.ts';
import { decodeImage } from '../dataset/decode.ts';
import { encodePng } from '../dataset/picture.ts';
import { scanImages } from '../dataset/scan.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { DrawnNetwork, WorkerCalls } from '../inference/worker/protocol.ts';

export type ImportReport = z.infer<typeof importReport>;

export interface PreviewRequest {
  readonly imagePath?: string;
  readonly imagesPath?: string;
  readonly preprocessing: Preprocessing;
}

export interface ModelService {
  /** `inputSize`: `[height, width]` where the file leaves it open. */
  inspect(path: string, signal?: AbortSignal, inputSize?: readonly [number, number]): Promise<ImportReport>;
  /** The network with the way down beside it; without `layer` from the last one. */
  draw(request: WorkerCalls['draw'][0], signal?: AbortSignal): Promise<DrawnNetwork>;
  preview(request: PreviewRequest, signal?: AbortSignal): Promise<{ media: string; image: string; width: number; height: number }>;
  /** PNG of a preview made before. */
  previewPicture(id: string): Uint8Array;
}

export function createModelService(inference: InferenceClient): ModelService {
  const previews = new LRUCache<string, Uint8Array>({ max: 16 });
  return {
    async inspect(path, signal, inputSize) {
      const full = resolve(path);
      const inspection = await inference.call('inspect', { path: full, ...(inputSize ? { inputSize } : {}) }, signal);
      return { ...inspection, name: basename(full).replace(/\.[^.]+$/, '') };
    },
    draw: ({ path, ...request }, signal) => inference.call('draw', { ...request, path: resolve(path) }, signal),
    async preview({ imagePath, imagesPath, preprocessing }, signal) {
      const { picture, image } = imagePath
        ? { picture: await decodeImage(resolve(imagePath), preprocessing, signal), image: basename(imagePath) }
        : await firstDecodable(imagesPath, preprocessing, signal);
      const id = randomBytes(12).toString('hex');
      previews.set(id, await encodePng(seenPixels(picture.pixels, preprocessing), picture.width, picture.height, 3));
      return { media: `/media/preview/${id}`, image, width: picture.width, height: picture.height };
    },
    previewPicture(id) {
      const picture = previews.get(id);
      if (!picture) throw new AppError('NOT_FOUND', 'This preview is gone; change a setting to make a new one.');
      return picture;
    },
  };
}

async function firstDecodable(imagesPath: string | undefined, preprocessing: Preprocessing, signal: AbortSignal | undefined) {
  if (!imagesPath) throw new AppError('BAD_REQUEST', 'Choose an image or a folder of images to preview.');
  const { root, images } = await scanImages(resolve(imagesPath), signal);
  let lastError: unknown;
  for (const image of images.slice(0, 20)) {
    try {
      return { picture: await decodeImage(join(root, image.file), preprocessing, signal), image: image.path };
    } catch (error) {
      lastError = error;
    }
  }
  throw lastError ?? new AppError('NOT_FOUND', `There are no images in ${root}.`, { path: root });
}

/** A grey network sees luma; colours are shown true, whatever order the network receives them in. */
function seenPixels(pixels: Uint8Array, { order }: Preprocessing): Uint8Array {
  if (order !== 'grey') return pixels;
  const grey = new Uint8Array(pixels.length);
  for (let at = 0; at < pixels.length; at += 3) grey.fill(Math.round(0.299 * pixels[at]! + 0.587 * pixels[at + 1]! + 0.114 * pixels[at + 2]!), at, at + 3);
  return grey;
}
