/** Weights of linear classifiers against those that scikit-learn 1.2.1 finds (LogisticRegression, and LinearSVC with its primal solver; tolerance 1e-12) on twelve samples. tests/bench/classifiers.ts compares whole analyses. */
import { describe, expect, it } from 'vitest';
import { trainLinear, type LossKind, type Targets } from '../../src-main/classifiers/linear.ts';
import { averagePrecisionOf } from '../../src-main/classifiers/measures.ts';
import type { Samples } from '../../src-main/classifiers/samples.ts';

const values = Float64Array.from([[0, 1, 2], [1, 0, 3], [2, 1, 1], [0, 2, 4], [3, 1, 0], [4, 0, 1], [5, 2, 0], [3, 3, 1], [1, 4, 2], [0, 5, 1], [2, 4, 3], [1, 6, 0]].flat());
const samples: Samples = { values, count: 12, width: 3 };
const single: Targets = { kind: 'single', classes: 3, labels: Int32Array.from([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]) };
const several: Targets = { kind: 'several', classes: 2, marks: Uint8Array.from([1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 0, 1, 1, 0, 0, 1]) };

/** Three weights and the constant of each class. */
const expected: readonly (readonly [LossKind, number, Targets, readonly number[]])[] = [
  ['softmax', 0.1, single, [-0.22344, -0.27146, 0.16027, 0.86558, 0.33391, -0.11434, -0.18096, -0.06747, -0.11047, 0.38579, 0.02069, -0.79811]],
  ['softmax', 2, single, [-0.81863, -0.96032, 0.32867, 3.62699, 1.1693, -0.10494, -0.55559, -1.14079, -0.35067, 1.06526, 0.22692, -2.4862]],
  ['svm', 0.1, single, [-0.22701, -0.27693, 0.28635, 0.1477, 0.30528, -0.13964, -0.29475, -0.1118, -0.26758, 0.31539, -0.17959, -0.23547]],
  ['svm', 2, single, [-0.50825, -0.50296, 0.31091, 1.13375, 0.76131, -0.0573, -0.49632, -1.23032, -0.76169, 1.09394, -0.44769, -1.09508]],
  ['logistic', 2, several, [0.01227, -0.43538, 0.36839, 0.44915, -0.34273, 0.09111, 0.01372, 1.13766]],
];

describe('linear classifiers', () => {
  it.each(expected)('%s with C %d has the weights of scikit-learn', (loss, penalty, targets, weights) => {
    const found = trainLinear(samples, targets, { loss, penalty });
    const worst = Math.max(...weights.map((weight, at) => Math.abs(weight - found.weights[at]!)));
    expect(worst).toBeLessThan(1e-4);
  });

  it('average precision is that of scikit-learn, samples of one score together', () => {
    const scores = Float64Array.from([0.9, 0.1, 0.8, 0.5, 0.7, 0.5, 0.6, 0.5, 0.5, 0.2, 0.4, 0.9, 0.4, 0.3, 0.4, 0.3]);
    const marks = Uint8Array.from([1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 1]);
    const { mean, ofClass } = averagePrecisionOf(scores, { kind: 'several', classes: 2, marks });
    expect(ofClass[0]).toBeCloseTo(2 / 3, 12);
    expect(ofClass[1]).toBeCloseTo(19 / 24, 12);
    expect(mean).toBeCloseTo((2 / 3 + 19 / 24) / 2, 12);
  });
});
