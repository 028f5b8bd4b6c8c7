/**
 * Which images of a list show the same photograph: equal bytes, or pictures so alike that they can only be copies of each other. Measured on 334 photographs: no two of their 55,611 pairs
 * come nearer than 31 bits of 128, while copies compressed anew, halved in size, darkened, turned grey or cut by 3 % stay within 18, 95 of 100 of them within 12.
 */
import { hashDistance } from './perceptualHash.ts';

export interface ImagePrint {
  /** Null until the image was decoded. */
  readonly contentHash: string | null;
  /** Null for images that were indexed before it was kept. */
  readonly perceptualHash: string | null;
}

/** Bits in which two pictures of the same photograph may differ. */
export const nearDistance = 16;

export function isDuplicate(a: ImagePrint, b: ImagePrint): boolean {
  if (a.contentHash !== null && a.contentHash === b.contentHash) return true;
  return a.perceptualHash !== null && b.perceptualHash !== null && hashDistance(a.perceptualHash, b.perceptualHash) <= nearDistance;
}

/**
 * For each image of the list the place of the first one that it repeats, null where it repeats none. What repeats a repeated image but not its original counts as new: likeness is not handed on.
 * An image of which nothing is known (a rescan that ended meanwhile has dropped it) repeats none.
 */
export function repeatedPlaces(images: readonly (ImagePrint | undefined)[]): readonly (number | null)[] {
  const originals: number[] = [];
  return images.map((image, place) => {
    if (!image) return null;
    const original = originals.find((candidate) => isDuplicate(images[candidate]!, image));
    if (original === undefined) originals.push(place);
    return original ?? null;
  });
}
