/**
 * One trial: features of some images train linear classifiers, others judge them. How much losses count against weights is chosen beforehand on the training images alone: each penalty is tried on parts
 * of them, the one that is right most often is taken (of equals the smaller, which keeps the simpler weights), and the classifier is trained again on all.
 */
import { dealOut, type Chance } from './folds.ts';
import { scoresOf, targetsOf, trainLinear, type LinearClassifier, type LossKind, type Targets } from './linear.ts';
import { accuracyOf, averagePrecisionOf } from './measures.ts';
import { prepareSamples, type Features, type Samples } from './samples.ts';

export interface Trial {
  readonly features: Features;
  /** Of all rows of the features. */
  readonly targets: Targets;
  readonly training: Uint32Array;
  readonly test: Uint32Array;
  readonly losses: readonly LossKind[];
  /** Ascending. */
  readonly penalties: readonly number[];
  /** Parts of the training images that judge penalties in turn. */
  readonly parts: number;
}

export interface TrialResult {
  readonly loss: LossKind;
  readonly penalty: number;
  /** One class to a sample: mean of the classes' shares that are right. Several: mean average precision. */
  readonly score: number;
  readonly ofClass: readonly (number | null)[];
}

/** @param chance decides which training images judge together */
export function runTrial({ features, targets, training, test, losses, penalties, parts }: Trial, chance: Chance): readonly TrialResult[] {
  const samples = prepareSamples(features, training, test);
  const known = targetsOf(targets, training);
  const asked = targetsOf(targets, test);
  const part = penalties.length > 1 ? dealOut(firstClasses(known, training.length), parts, chance) : new Uint8Array(training.length);
  return losses.map((loss) => {
    const penalty = penalties.length > 1 ? choosePenalty(samples.training, known, loss, penalties, part, parts) : penalties[0]!;
    const classifier = trainLinear(samples.training, known, { loss, penalty });
    return { loss, penalty, ...judge(classifier, samples.test, asked) };
  });
}

function choosePenalty(samples: Samples, targets: Targets, loss: LossKind, penalties: readonly number[], part: Uint8Array, parts: number): number {
  const scores = new Float64Array(penalties.length);
  for (let own = 0; own < parts; own++) {
    const rows = (isOwn: boolean) => [...part.keys()].filter((row) => (part[row] === own) === isOwn);
    const [training, judging] = [rows(false), rows(true)];
    const [known, asked] = [rowsOf(samples, training), rowsOf(samples, judging)];
    let before: LinearClassifier | undefined;
    penalties.forEach((penalty, at) => {
      before = trainLinear(known, targetsOf(targets, training), { loss, penalty, precision: 'near', ...(before ? { start: before } : {}) });
      scores[at]! += judge(before, asked, targetsOf(targets, judging)).score;
    });
  }
  return penalties[scores.reduce((best, score, at) => (score > scores[best]! + 1e-12 ? at : best), 0)]!;
}

function judge(classifier: LinearClassifier, samples: Samples, targets: Targets): Pick<TrialResult, 'score' | 'ofClass'> {
  const scores = scoresOf(classifier, samples);
  if (targets.kind === 'single') {
    const { perClass, ofClass } = accuracyOf(scores, targets);
    return { score: perClass, ofClass };
  }
  const { mean, ofClass } = averagePrecisionOf(scores, targets);
  return { score: mean, ofClass };
}

function rowsOf({ values, width }: Samples, rows: readonly number[]): Samples {
  const chosen = new Float64Array(rows.length * width);
  rows.forEach((row, at) => chosen.set(values.subarray(row * width, (row + 1) * width), at * width));
  return { values: chosen, count: rows.length, width };
}

/** -1 where a sample has none. */
export function firstClasses(targets: Targets, samples: number): Int32Array {
  if (targets.kind === 'single') return targets.labels;
  return Int32Array.from({ length: samples }, (_, sample) => targets.marks.subarray(sample * targets.classes, (sample + 1) * targets.classes).indexOf(1));
}
