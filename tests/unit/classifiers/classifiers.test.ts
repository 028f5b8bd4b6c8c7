/** Linear classifiers piece by piece: the minimiser, scaled and spanned samples, folds and draws, the choice of C. */
import { describe, expect, it } from 'vitest';
import { dealOut, drawPerClass } from '../../../src-main/classifiers/folds.ts';
import { minimise } from '../../../src-main/classifiers/lbfgs.ts';
import { scoresOf, trainLinear, type Targets } from '../../../src-main/classifiers/linear.ts';
import { accuracyOf } from '../../../src-main/classifiers/measures.ts';
import { prepareSamples, type Features } from '../../../src-main/classifiers/samples.ts';
import { runTrial, type Trial } from '../../../src-main/classifiers/trial.ts';
import { createClassifierThreads } from '../../../src-main/services/classifierThreads.ts';
import { seededNumbers } from '../../../src-main/rewrite/training/seededNumbers.ts';
import { seededRandom } from '../../support/graphs.ts';

const exact = { tolerance: 1e-9, mostIterations: 500 };

describe('the minimiser', () => {
  it('finds the end of a bent valley', () => {
    const { point, value, converged } = minimise(
      ([x, y], gradient) => {
        gradient[0] = -400 * x! * (y! - x! * x!) - 2 * (1 - x!);
        gradient[1] = 200 * (y! - x! * x!);
        return 100 * (y! - x! * x!) ** 2 + (1 - x!) ** 2;
      },
      Float64Array.of(-1.2, 1),
      exact,
    );
    expect([converged, ...point]).toEqual([true, expect.closeTo(1, 8), expect.closeTo(1, 8)]);
    expect(value).toBeLessThan(1e-15);
  });

  it('finds the corner of a slope that is not smooth', () => {
    const { point } = minimise(
      ([x], gradient) => {
        gradient[0] = x! < 2 ? -1 + x! / 10 : x! / 10;
        return Math.max(0, 2 - x!) + (x! * x!) / 20;
      },
      Float64Array.of(-30),
      exact,
    );
    expect(point[0]).toBeCloseTo(2, 6);
  });

  it('says where it gave up', () => {
    const { iterations, converged } = minimise(([x], gradient) => ((gradient[0] = 4 * (x! - 1) ** 3), (x! - 1) ** 4), Float64Array.of(9), { tolerance: 1e-12, mostIterations: 3 });
    expect([iterations, converged]).toEqual([3, false]);
  });
});

describe('samples', () => {
  it('have mean 0 and deviation 1 over the training rows alone; what never varies is 0', () => {
    const features: Features = { values: Float32Array.of(1, 7, 3, 7, 5, 7, 9, 8), width: 2 };
    const { training, test } = prepareSamples(features, [0, 1, 2], [3]);
    const step = Math.sqrt(3 / 2);
    expect([...training.values]).toEqual([-step, 0, 0, 0, step, 0].map((value) => expect.closeTo(value, 12)));
    expect([...test.values]).toEqual([expect.closeTo(3 * step, 12), 0]);
  });

  it('with more columns than rows become as many as the rows span, and lead to the same scores', () => {
    const random = seededRandom(5);
    const [rows, width] = [14, 40];
    const wide: Features = { values: Float32Array.from({ length: rows * width }, () => random() - 0.5), width };
    const training = [0, 1, 2, 3, 4, 5, 6, 7, 8];
    const test = [9, 10, 11, 12, 13];
    const spanned = prepareSamples(wide, training, test);
    // Nine rows about their mean span eight dimensions.
    expect(spanned.training.width).toBe(8);
    const targets: Targets = { kind: 'single', classes: 3, labels: Int32Array.from([0, 1, 2, 0, 1, 2, 0, 1, 2]) };
    const whole = scaledByHand(wide, training, test);
    for (const loss of ['svm', 'softmax'] as const) {
      const found = scoresOf(trainLinear(spanned.training, targets, { loss, penalty: 0.3 }), spanned.test);
      const expected = scoresOf(trainLinear(whole.training, targets, { loss, penalty: 0.3 }), whole.test);
      found.forEach((score, at) => expect(score).toBeCloseTo(expected[at]!, 4));
    }
  });
});

describe('folds', () => {
  it('share every class evenly and follow from the numbers of chance', () => {
    const classOf = [0, 0, 0, 0, 1, 1, 1, 1, 1, 1];
    const part = dealOut(classOf, 2, seededNumbers(3, 'folds'));
    const count = (of: number, own: number) => classOf.filter((each, row) => each === of && part[row] === own).length;
    expect([count(0, 0), count(0, 1), count(1, 0), count(1, 1)]).toEqual([2, 2, 3, 3]);
    expect(dealOut(classOf, 2, seededNumbers(3, 'folds'))).toEqual(part);
  });

  it('draws of more images hold those of fewer, and all share their test images', () => {
    const classOf = Array.from({ length: 60 }, (_, row) => row % 3);
    const size = { largest: 12, testPerClass: 5 };
    const [few, many] = [4, 12].map((perClass) => drawPerClass(classOf, { ...size, perClass }, seededNumbers(1, 'draw')));
    expect([few!.training.length, many!.training.length, few!.test.length]).toEqual([12, 36, 15]);
    expect([...few!.training].every((row) => many!.training.includes(row))).toBe(true);
    expect(many!.test).toEqual(few!.test);
    expect([...many!.test].some((row) => many!.training.includes(row))).toBe(false);
  });

  it('a small class keeps one image to be tested on, and none of no class is drawn', () => {
    const { training, test } = drawPerClass([0, 0, 0, 1, 1, 1, 1, 1, -1], { perClass: 4, largest: 4, testPerClass: 9 }, seededNumbers(1, 'draw'));
    expect([training.length, test.length]).toEqual([6, 2]);
    expect([...training, ...test].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

it('accuracy is the mean of the classes, not of the images', () => {
  const scores = Float64Array.of(1, 0, 1, 0, 1, 0, 1, 0);
  const { overall, perClass, ofClass } = accuracyOf(scores, { kind: 'single', classes: 2, labels: Int32Array.from([0, 0, 0, 1]) });
  expect([overall, perClass, ofClass]).toEqual([0.75, 0.5, [1, 0]]);
});

describe('a trial', () => {
  const trial = noisyTrial(9);

  it.each([
    ['small where columns are noise', trial, 1e-4],
    ['large where classes differ by little between two columns that are nearly the same', fineTrial(), 100],
  ])('chooses a C that is %s', (_, given, best) => {
    const chosenFrom = (...penalties: number[]) => runTrial({ ...given, losses: ['svm'], penalties }, seededNumbers(2, 'penalties'))[0]!;
    const chosen = chosenFrom(1e-4, 100);
    const other = chosenFrom(best === 100 ? 1e-4 : 100);
    expect(chosen).toEqual(chosenFrom(best));
    expect(chosen.penalty).toBe(best);
    expect(chosen.score).toBeGreaterThan(other.score + 0.05);
  });

  it('gives the same in a thread, ends with the signal, and tells what went wrong', async () => {
    const controller = new AbortController();
    const threads = createClassifierThreads(controller.signal);
    try {
      expect(await threads.run(trial, 4)).toEqual(runTrial(trial, seededNumbers(4, 'penalties')));
      await expect(threads.run({ ...trial, losses: ['hinge' as 'svm'] }, 4)).rejects.toThrow('constantIsFree');
      const waiting = threads.run(trial, 5);
      controller.abort(new Error('stopped by hand'));
      await expect(waiting).rejects.toThrow('stopped by hand');
      await expect(threads.run(trial, 6)).rejects.toThrow('stopped by hand');
    } finally {
      await threads.close();
    }
  });
});

/** Three classes, each a little higher in four of its own columns among 36. */
function noisyTrial(seed: number): Trial {
  const random = seededRandom(seed);
  const [count, width, classes] = [120, 36, 3];
  const labels = Int32Array.from({ length: count }, (_, row) => row % classes);
  const noise = () => random() + random() + random() - 1.5;
  const values = Float32Array.from({ length: count * width }, (_, at) => noise() + (Math.floor((at % width) / 4) === labels[Math.floor(at / width)] ? 0.35 : 0));
  const rows = (from: number, to: number) => Uint32Array.from({ length: to - from }, (_, at) => from + at);
  return { features: { values, width }, targets: { kind: 'single', classes, labels }, training: rows(0, 60), test: rows(60, 120), losses: ['svm', 'softmax'], penalties: [0.001, 0.1], parts: 3 };
}

/** Two columns of one large number; the second has a little more for one of the two classes. */
function fineTrial(): Trial {
  const random = seededRandom(3);
  const labels = Int32Array.from({ length: 80 }, (_, row) => row % 2);
  const values = Float32Array.from([...labels].flatMap((label) => ((common) => [common, common + 0.02 * label + 0.004 * random()])(random())));
  return { ...noisyTrial(9), features: { values, width: 2 }, targets: { kind: 'single', classes: 2, labels }, training: Uint32Array.from({ length: 40 }, (_, at) => at), test: Uint32Array.from({ length: 40 }, (_, at) => 40 + at) };
}

/** What `prepareSamples` does before it looks for the space that the rows span. */
function scaledByHand({ values, width }: Features, training: readonly number[], test: readonly number[]) {
  const columns = Array.from({ length: width }, (_, column) => {
    const own = training.map((row) => values[row * width + column]!);
    const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
    return { mean, deviation: Math.sqrt(own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length) };
  });
  const scaled = (rows: readonly number[]) => ({ values: Float64Array.from(rows.flatMap((row) => columns.map(({ mean, deviation }, column) => (values[row * width + column]! - mean) / deviation))), count: rows.length, width });
  return { training: scaled(training), test: scaled(test) };
}
