/**
 * Linear classifiers: a weight for each class and column and a constant for each class, found by minimising half the sum of squared weights plus `penalty` (the C of most libraries) times the losses of the samples.
 *
 * - `softmax`: multinomial logistic regression; the constants are free.
 * - `svm`: one class against the rest, squared hinge max(0, 1 - t s)^2 with t = 1 or -1; the constant counts as the weight of a column of ones, as in LIBLINEAR (Fan et al. 2008).
 * - `logistic`: one class against the rest, log(1 + exp(-t s)), for samples with several classes at once; the constants are free.
 */
import { minimise } from './lbfgs.ts';
import type { Samples } from './samples.ts';

export type LossKind = 'softmax' | 'svm' | 'logistic';

/** Which classes a sample has: its one class, or a row of `[samples, classes]` with 1 for each that it has. */
export type Targets = { readonly kind: 'single'; readonly classes: number; readonly labels: Int32Array } | { readonly kind: 'several'; readonly classes: number; readonly marks: Uint8Array };

export interface LinearClassifier {
  /** Float64 `[classes, width + 1]`, the constant last. */
  readonly weights: Float64Array;
  readonly classes: number;
  readonly width: number;
}

export interface LinearTraining {
  readonly loss: LossKind;
  /** How much a loss counts against the weights. */
  readonly penalty: number;
  /** Where the search begins: what another penalty led to is near. */
  readonly start?: LinearClassifier;
  /** Largest slope that is left, of the objective for one sample. `near`: enough to say which of two penalties is better. */
  readonly precision?: keyof typeof precisions;
}

const precisions = {
  exact: { tolerance: 1e-6, mostIterations: 1000 },
  near: { tolerance: 1e-4, mostIterations: 200 },
} as const;

interface Loss {
  readonly constantIsFree: boolean;
  /** Turns a sample's scores into the derivative of its loss by them, in place; returns the loss. `has(c)`: whether the sample has class c. */
  derive(scores: Float64Array, has: (index: number) => boolean): number;
}

const losses = {
  softmax: {
    constantIsFree: true,
    derive(scores, has) {
      const largest = scores.reduce((most, score) => Math.max(most, score), -Infinity);
      const own = scores.findIndex((_, index) => has(index));
      const shifted = scores[own]! - largest;
      let total = 0;
      for (let index = 0; index < scores.length; index++) total += scores[index] = Math.exp(scores[index]! - largest);
      for (let index = 0; index < scores.length; index++) scores[index]! /= total;
      scores[own]! -= 1;
      return Math.log(total) - shifted;
    },
  },
  svm: {
    constantIsFree: false,
    derive(scores, has) {
      let loss = 0;
      for (let index = 0; index < scores.length; index++) {
        const sign = has(index) ? 1 : -1;
        const short = Math.max(0, 1 - sign * scores[index]!);
        loss += short * short;
        scores[index] = -2 * sign * short;
      }
      return loss;
    },
  },
  logistic: {
    constantIsFree: true,
    derive(scores, has) {
      let loss = 0;
      for (let index = 0; index < scores.length; index++) {
        const sign = has(index) ? 1 : -1;
        const against = -sign * scores[index]!;
        loss += Math.max(0, against) + Math.log1p(Math.exp(-Math.abs(against)));
        scores[index] = -sign / (1 + Math.exp(-against));
      }
      return loss;
    },
  },
} satisfies Record<LossKind, Loss>;

/** Finds the classifier. `targets` are those of the samples, in their order. */
export function trainLinear(samples: Samples, targets: Targets, { loss: kind, penalty, start, precision = 'exact' }: LinearTraining): LinearClassifier {
  const loss: Loss = losses[kind];
  const { count, width } = samples;
  const { classes } = targets;
  const row = width + 1;
  const scores = new Float64Array(classes);
  const weight = 1 / (penalty * count);
  const { point } = minimise(
    (weights, gradient) => {
      let value = 0;
      for (let index = 0; index < classes; index++) {
        for (let at = index * row; at < (index + 1) * row; at++) {
          const kept = at === index * row + width && loss.constantIsFree ? 0 : weights[at]! * weight;
          gradient[at] = kept;
          value += (kept * weights[at]!) / 2;
        }
      }
      const { values } = samples;
      for (let sample = 0; sample < count; sample++) {
        scoreSample(weights, samples, sample, scores);
        value += loss.derive(scores, (index) => hasClass(targets, sample, index)) / count;
        for (let index = 0; index < classes; index++) {
          const slope = scores[index]! / count;
          if (slope === 0) continue;
          for (let column = 0, from = sample * width, to = index * row; column < width; column++) gradient[to + column]! += slope * values[from + column]!;
          gradient[index * row + width]! += slope;
        }
      }
      return value;
    },
    start?.weights ?? new Float64Array(classes * row),
    precisions[precision],
  );
  return { weights: point, classes, width };
}

/** Float64 `[count, classes]`. */
export function scoresOf({ weights, classes }: LinearClassifier, samples: Samples): Float64Array {
  const result = new Float64Array(samples.count * classes);
  for (let sample = 0; sample < samples.count; sample++) scoreSample(weights, samples, sample, result.subarray(sample * classes, (sample + 1) * classes));
  return result;
}

export function hasClass(targets: Targets, sample: number, index: number): boolean {
  return targets.kind === 'single' ? targets.labels[sample] === index : targets.marks[sample * targets.classes + index] === 1;
}

/** Those of some samples, in the order given. */
export function targetsOf(targets: Targets, rows: ArrayLike<number>): Targets {
  const { classes } = targets;
  if (targets.kind === 'single') return { kind: 'single', classes, labels: Int32Array.from(rows, (row) => targets.labels[row]!) };
  const marks = new Uint8Array(rows.length * classes);
  for (let at = 0; at < rows.length; at++) marks.set(targets.marks.subarray(rows[at]! * classes, (rows[at]! + 1) * classes), at * classes);
  return { kind: 'several', classes, marks };
}

function scoreSample(weights: Float64Array, { values, width }: Samples, sample: number, scores: Float64Array): void {
  for (let index = 0, at = 0; index < scores.length; index++, at++) {
    let sum = 0;
    for (let column = 0, from = sample * width; column < width; column++, at++) sum += weights[at]! * values[from + column]!;
    scores[index] = sum + weights[at]!;
  }
}
