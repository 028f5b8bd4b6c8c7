/**
 * How well a channel's scores tell a class from all other labelled images: the area under the ROC curve, that is the share of pairs (image of the class, other image) where the first scores
 * higher, ties counted half (Mann and Whitney 1947). It does not depend on the scale of a channel, so that channels can be compared. NaN scores are left out.
 */
import { createPauses } from './blocks.ts';

export interface ClassSelectivity {
  /** As in `classes`. */
  readonly class: number;
  readonly images: number;
  readonly mean: number;
  /** 0 to 1; null where all images are of this class. */
  readonly auc: number | null;
}

export interface ColumnSelectivity {
  /** Labelled images with a score. */
  readonly images: number;
  /** Over these; null without any. */
  readonly mean: number | null;
  /** Classes with images, best first; ties by class. */
  readonly classes: readonly ClassSelectivity[];
}

const rowsBetweenPauses = 16_384;

/** @param classes class of each row, from 0; -1 for an image without one */
export async function selectivityOfColumn(column: Float32Array, classes: Int32Array, classCount: number, signal?: AbortSignal): Promise<ColumnSelectivity> {
  const labelled = column.filter((score, row) => classes[row]! >= 0 && !Number.isNaN(score)).sort();
  const images = new Float64Array(classCount);
  const sum = new Float64Array(classCount);
  const rankSum = new Float64Array(classCount);
  let total = 0;
  const pause = createPauses(signal);
  for (let row = 0; row < column.length; row++) {
    if (row % rowsBetweenPauses === 0) await pause();
    const score = column[row]!;
    const of = classes[row]!;
    if (of < 0 || Number.isNaN(score)) continue;
    images[of]!++;
    sum[of]! += score;
    total += score;
    // The mean rank of all scores that are equal to this one, counted from 1.
    rankSum[of]! += (firstAtLeast(labelled, score) + firstAbove(labelled, score) + 1) / 2;
  }
  const found: ClassSelectivity[] = [];
  images.forEach((count, of) => {
    if (count === 0) return;
    const others = labelled.length - count;
    found.push({ class: of, images: count, mean: sum[of]! / count, auc: others === 0 ? null : (rankSum[of]! - (count * (count + 1)) / 2) / (count * others) });
  });
  found.sort((a, b) => (b.auc ?? -1) - (a.auc ?? -1) || a.class - b.class);
  return { images: labelled.length, mean: labelled.length === 0 ? null : total / labelled.length, classes: found };
}

/** A class with how surely it is told apart: `deviations` of its AUC above chance, in standard deviations of U without ties. */
export interface SurestClass {
  readonly class: number;
  readonly images: number;
  readonly auc: number;
  readonly deviations: number;
}

/**
 * The class that a channel tells apart most surely, among those with enough images: an area of 1 over three images may be chance, over fifty it is not, so areas are compared in standard deviations.
 * Null where no class lies above chance. Parameters as of `selectivityOfColumn`.
 */
export async function surestClass(column: Float32Array, classes: Int32Array, classCount: number, leastImages: number, signal?: AbortSignal): Promise<SurestClass | null> {
  const all = await selectivityOfColumn(column, classes, classCount, signal);
  let best: SurestClass | null = null;
  for (const { class: of, images, auc } of all.classes) {
    if (auc === null || auc <= 0.5 || images < leastImages) continue;
    const deviations = deviationsAboveChance(auc, images, all.images);
    if (!best || deviations > best.deviations) best = { class: of, images, auc, deviations };
  }
  return best;
}

/** How far an area lies above chance, in standard deviations of U without ties: what makes classes of different sizes comparable. `images` of the class, of `all` that were scored. */
export function deviationsAboveChance(auc: number, images: number, all: number): number {
  return (auc - 0.5) / Math.sqrt((all + 1) / (12 * images * (all - images)));
}

function firstAtLeast(sorted: Float32Array, value: number): number {
  return firstWhere(sorted, (each) => each >= value);
}

function firstAbove(sorted: Float32Array, value: number): number {
  return firstWhere(sorted, (each) => each > value);
}

/** First place where a condition holds that holds for all after it; the length where it never does. */
function firstWhere(sorted: Float32Array, holds: (value: number) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(sorted[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
