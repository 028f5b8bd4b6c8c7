/** The labelled pictures of a training: found, decoded once to squares of one size, kept in memory as far as they fit. */
import { LRUCache } from 'lru-cache';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';
import { decodeImage } from '../dataset/decode.ts';
import { classesOf, readLabels } from '../dataset/labels.ts';
import { scanImages } from '../dataset/scan.ts';
import type { PictureSize } from '../training/pictures.ts';
import { createTurns } from './turns.ts';

export interface LabelledImages {
  /** Paths relative to the folder, and the class of each. */
  readonly images: readonly string[];
  readonly labels: readonly number[];
  readonly classes: readonly string[];
  readonly skipped: readonly { readonly image: string; readonly reason: string }[];
  /** `[edge, edge, 3]` 8-bit RGB. */
  picture(image: number, signal?: AbortSignal): Promise<Uint8Array>;
}

const cacheBytes = 2 ** 30;

export interface FoundImage {
  /** Relative to the folder. */
  readonly path: string;
  readonly file: string;
  readonly className: string;
}

/** Images with a class, not yet tried. */
export interface FoundImages {
  readonly root: string;
  readonly images: readonly FoundImage[];
  /** Sorted. */
  readonly classes: readonly string[];
  readonly skipped: readonly { readonly image: string; readonly reason: string }[];
}

/** Looks for images and their classes; decodes nothing. Throws AppError NOT_FOUND or BAD_REQUEST where there is nothing to learn from. */
export async function findLabelledImages(imagesPath: string, labelsPath: string | undefined, signal?: AbortSignal): Promise<FoundImages> {
  const labelsFile = labelsPath ? await readLabels(resolve(labelsPath)) : null;
  const { root, images: found, unreadable } = await scanImages(resolve(imagesPath), signal);
  const skipped = unreadable.map(({ path, reason }) => ({ image: path, reason }));
  const images: FoundImage[] = [];
  for (const { path, file } of found) {
    const { className } = classesOf(labelsFile, path);
    if (className === null) skipped.push({ image: path, reason: 'it has no class' });
    else images.push({ path, file, className });
  }
  const classes = [...new Set(images.map((image) => image.className))].sort();
  if (classes.length < 2) {
    const advice = labelsFile ? 'check that its file column names the images' : 'put the images of each class into a folder of its own, or give a labels file';
    throw new AppError('BAD_REQUEST', `The images in ${root} have ${classes.length === 0 ? 'no classes' : `one class, ${JSON.stringify(classes[0])}`}; learning to tell them apart needs two or more: ${advice}.`, { path: root });
  }
  return { root, images, classes, skipped };
}

/** Images that cannot be decoded are left out, each with its reason. `onProgress` is told how many of how many were tried. Fails as findLabelledImages does. */
export async function openLabelledImages(imagesPath: string, labelsPath: string | undefined, size: PictureSize, onProgress: (done: number, of: number) => void, signal: AbortSignal): Promise<LabelledImages> {
  const { root, images: labelled, classes, skipped: others } = await findLabelledImages(imagesPath, labelsPath, signal);
  const inTurn = createTurns(availableParallelism());
  const kept = new LRUCache<string, Uint8Array>({ maxSize: cacheBytes, sizeCalculation: (pixels) => pixels.length });
  const decode = async (file: string, decodeSignal: AbortSignal | undefined): Promise<Uint8Array> => {
    const known = kept.get(file);
    if (known) return known;
    const { pixels } = await inTurn(() => decodeImage(join(root, file), { crop: [size.edge, size.edge], resize: { kind: 'shorterSide', pixels: size.edge } }, decodeSignal));
    kept.set(file, pixels);
    return pixels;
  };
  const skipped = [...others];
  let done = 0;
  const usable = await Promise.all(
    labelled.map(async (image) => {
      try {
        await decode(image.file, signal);
        return true;
      } catch (error) {
        if (signal.aborted || !(error instanceof AppError)) throw error;
        skipped.push({ image: image.path, reason: error.message });
        return false;
      } finally {
        onProgress(++done, labelled.length);
      }
    }),
  );
  const used = labelled.filter((_, at) => usable[at]);
  return {
    images: used.map((image) => image.path),
    labels: used.map((image) => classes.indexOf(image.className)),
    classes,
    skipped: skipped.sort((a, b) => (a.image < b.image ? -1 : 1)),
    picture: (image, pictureSignal) => decode(used[image]!.file, pictureSignal),
  };
}
