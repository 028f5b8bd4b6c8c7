/**
 * GrabCut (Rother, Kolmogorov & Blake 2004): foreground and background of a picture by two mixtures of colours and a minimal cut, begun from pixels that are surely one or the other
 * (method.md section 9, segmentation). OpenCV carries it, as WebAssembly of ten megabytes: it is loaded here when first wanted, in a process that can be ended.
 */
import { createRequire } from 'node:module';
import type * as OpenCv from '@techstark/opencv-js';
import { AppError } from '../../../src-shared/errors.ts';

export interface CutOutCall {
  /** `[H, W, 3]` 8-bit RGB. */
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
  /** `[H, W]`: 2 where a pixel is surely foreground, 1 surely background, 0 where the cut decides. */
  readonly hints: Uint8Array;
  readonly iterations: number;
}

type Library = typeof OpenCv;

/** OpenCV's words for the hints: 0 background, 1 foreground, 2 probably background. */
const maskOfHint = [2, 0, 1] as const;

let library: Promise<{ readonly cv: Library }> | undefined;

/** Throws AppError BAD_REQUEST where the hints leave one side empty: there is nothing to tell it by. */
export async function cutOut({ pixels, height, width, hints, iterations }: CutOutCall): Promise<Uint8Array> {
  for (const [hint, side] of [[2, 'foreground'], [1, 'background']] as const) {
    if (!hints.includes(hint)) throw new AppError('BAD_REQUEST', `No pixel is surely ${side}, so nothing tells it from the rest. Move its quantile.`, { side });
  }
  library ??= load();
  const { cv } = await library;
  const picture = cv.matFromArray(height, width, cv.CV_8UC3, pixels as unknown as number[]);
  const mask = cv.matFromArray(height, width, cv.CV_8UC1, Uint8Array.from(hints, (hint) => maskOfHint[hint]!) as unknown as number[]);
  const [background, foreground] = [new cv.Mat(), new cv.Mat()];
  try {
    // The colour mixtures start from randomly chosen pixels: the same ones each time.
    cv.setRNGSeed(1);
    cv.grabCut(picture, mask, new cv.Rect(0, 0, width, height), background, foreground, iterations, cv.GC_INIT_WITH_MASK);
    return Uint8Array.from(mask.data as Uint8Array, (value) => ((value & 1) === 1 ? 255 : 0));
  } finally {
    for (const matrix of [picture, mask, background, foreground]) matrix.delete();
  }
}

/** In an object, because the library itself is taken for a promise. */
async function load(): Promise<{ readonly cv: Library }> {
  const cv = createRequire(import.meta.url)('@techstark/opencv-js') as Library & { onRuntimeInitialized?: () => void };
  if (typeof cv.Mat !== 'function') await new Promise<void>((resolve) => (cv.onRuntimeInitialized = resolve));
  return { cv };
}
