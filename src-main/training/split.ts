/** Which images train and which judge: of each class the same share, chosen by seed. */
import { seededNumbers, shuffled } from '../rewrite/training/seededNumbers.ts';

export interface Split {
  /** Image numbers, ascending. */
  readonly training: readonly number[];
  readonly validation: readonly number[];
}

/** At least one image of each class trains. @param labels class of each image */
export function splitImages(labels: readonly number[], share: number, seed: number): Split {
  const byClass = new Map<number, number[]>();
  labels.forEach((label, image) => (byClass.get(label) ?? byClass.set(label, []).get(label)!).push(image));
  const validation = new Set<number>();
  for (const [label, images] of byClass) {
    const order = shuffled(images.length, seededNumbers(seed, `split ${label}`));
    const kept = Math.min(images.length - 1, Math.round(images.length * share));
    for (let at = 0; at < kept; at++) validation.add(images[order[at]!]!);
  }
  const all = labels.map((_, image) => image);
  return { training: all.filter((image) => !validation.has(image)), validation: all.filter((image) => validation.has(image)) };
}
