/** What the captions and notes of experiments that learn have in common. */
import type { Pooling } from '../inference/worker/features.ts';

/** Parts of the training images that choose C in turn. */
export const penaltyParts = 3;

export const poolingWords: Readonly<Record<Pooling, string>> = {
  mean: "each channel's mean over its map",
  max: "each channel's largest value",
  flat: 'all values of the maps',
};

export function notesOnSkipped(skipped: readonly { readonly image: string; readonly reason: string }[]): readonly string[] {
  if (skipped.length === 0) return [];
  const [{ image, reason }] = skipped as [{ readonly image: string; readonly reason: string }];
  return [`${skipped.length} ${skipped.length === 1 ? 'image was' : 'images were'} left out, the first ${image}: ${reason}`];
}
