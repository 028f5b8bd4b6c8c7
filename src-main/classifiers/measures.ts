/** How well scores tell classes apart: the share that is right, taken class by class and averaged as the paper's tables do, and average precision where a sample may have several classes. */
import { hasClass, type Targets } from './linear.ts';

export interface Accuracy {
  /** Share of all samples that are right. */
  readonly overall: number;
  /** Mean of the classes' own shares. */
  readonly perClass: number;
  /** Null for a class without a sample. */
  readonly ofClass: readonly (number | null)[];
}

/** The class with the largest score is the answer, the first of several. @param scores float64 `[samples, classes]` */
export function accuracyOf(scores: Float64Array, targets: Targets & { readonly kind: 'single' }): Accuracy {
  const { classes, labels } = targets;
  const right = new Float64Array(classes);
  const seen = new Float64Array(classes);
  labels.forEach((label, sample) => {
    let best = 0;
    for (let index = 1; index < classes; index++) if (scores[sample * classes + index]! > scores[sample * classes + best]!) best = index;
    seen[label]! += 1;
    if (best === label) right[label]! += 1;
  });
  const ofClass = [...right].map((count, index) => (seen[index] === 0 ? null : count / seen[index]!));
  return { overall: right.reduce((sum, each) => sum + each, 0) / labels.length, perClass: meanOf(ofClass), ofClass };
}

/** Mean over the classes that occur of the precision at each sample that has the class, ordered by score; samples of equal score come together. @param scores float64 `[samples, classes]` */
export function averagePrecisionOf(scores: Float64Array, targets: Targets): { readonly mean: number; readonly ofClass: readonly (number | null)[] } {
  const { classes } = targets;
  const samples = scores.length / classes;
  const ofClass = Array.from({ length: classes }, (_, index) => {
    const order = Array.from({ length: samples }, (__, sample) => sample).sort((a, b) => scores[b * classes + index]! - scores[a * classes + index]!);
    let [found, precision] = [0, 0];
    for (let at = 0; at < samples; ) {
      const score = scores[order[at]! * classes + index]!;
      let hits = 0;
      for (; at < samples && scores[order[at]! * classes + index] === score; at++) if (hasClass(targets, order[at]!, index)) hits++;
      found += hits;
      precision += (hits * found) / at;
    }
    return found === 0 ? null : precision / found;
  });
  return { mean: meanOf(ofClass), ofClass };
}

/** Of those that are not null; NaN where all are. */
function meanOf(values: readonly (number | null)[]): number {
  const known = values.filter((value) => value !== null);
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}
