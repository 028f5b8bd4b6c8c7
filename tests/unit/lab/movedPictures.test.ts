/** Pictures that move along a gradient, on functions whose answers can be written down. */
import { describe, expect, it } from 'vitest';
import { changeToClass } from '../../../src-main/lab/adversarial.ts';
import { ascend, ascentStart, type AscentOrder } from '../../../src-main/lab/ascent.ts';
import { distances, fillColour, greyLevels, meanColour } from '../../../src-main/lab/greyLevels.ts';
import { probabilitiesOf, type LabNetworkQuestions } from '../../../src-main/lab/question.ts';
import { blurred, shifted, withoutSmallest } from '../../../src-main/lab/regularisers.ts';
import type { Preprocessing } from '../../../src-shared/domain/preprocessing.ts';

const preprocessing: Preprocessing = { order: 'bgr', crop: [4, 4], resize: { kind: 'exact' }, scale: 0.5, mean: [50, 60, 70], std: [1, 2, 4] };
const space = greyLevels(preprocessing);
const signal = new AbortController().signal;

describe('grey levels', () => {
  it('come back from what the network receives', () => {
    const levels = Float32Array.from({ length: 48 }, (_, at) => at * 5);
    const values = space.toValues(levels);
    // Second plane, std 2: (80 * 0.5 - 60) / 2.
    expect(values[16]).toBe(-10);
    space.toLevels(values).forEach((level, at) => expect(level).toBeCloseTo(levels[at]!, 4));
    expect(space.toLevelGradient(new Float32Array(48).fill(1))[47]).toBe(0.125);
  });
  it('become RGB, rounded and clipped', async () => {
    const levels = new Float32Array(48).fill(-3);
    levels[0] = 300;
    levels[16] = 7.6;
    expect([...space.toPixels(levels).subarray(0, 6)]).toEqual([0, 8, 255, 0, 0, 0]);
    expect(meanColour(preprocessing)).toEqual([140, 120, 100]);
    expect(meanColour({ order: 'grey', scale: 1 / 255, mean: [0], std: [1] })).toEqual([0, 0, 0]);
    expect(await fillColour(preprocessing, () => Promise.reject(new Error('not asked')))).toEqual([140, 120, 100]);
    // A network that subtracts its mean by itself: the mean of what is shown, never black.
    expect(await fillColour({ ...preprocessing, mean: [0, 0, 0] }, () => Promise.resolve([Uint8Array.of(10, 20, 30, 30, 40, 51)]))).toEqual([20, 30, 41]);
  });
  it('have distances', () => {
    expect(distances(Float32Array.of(0, 3, 0, 0), Float32Array.of(4, 0, 0, 0))).toEqual({ l2: 5, linf: 4, rms: 2.5 });
  });
});

describe('regularisers', () => {
  it('blur keeps the sum away from borders, and a constant everywhere', () => {
    const point = new Float32Array(25 * 25);
    point[12 * 25 + 12] = 1;
    const result = blurred(point, 1, 25, 25, 1.5);
    expect(result.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
    expect(result[12 * 25 + 13]! / result[12 * 25 + 12]!).toBeCloseTo(Math.exp(-1 / 4.5), 5);
    expect(result[13 * 25 + 12]).toBeCloseTo(result[12 * 25 + 13]!, 7);
    blurred(new Float32Array(32).fill(7), 2, 4, 4, 2).forEach((value) => expect(value).toBeCloseTo(7, 5));
  });
  it('shift goes round, and back', () => {
    const picture = Float32Array.of(1, 2, 3, 4, 5, 6);
    expect([...shifted(picture, 1, 2, 3, 1, 1)]).toEqual([6, 4, 5, 3, 1, 2]);
    expect([...shifted(shifted(picture, 1, 2, 3, 1, -2), 1, 2, 3, -1, 2)]).toEqual([...picture]);
  });
  it('the smallest pixels become the mean colour in all planes', () => {
    const result = withoutSmallest(Float32Array.of(10, 20, 30, 40, 50, 60, 70, 80), Float32Array.of(0, 1, 2, 3, 0, 0, 0, -9), 0.5, { planes: 2, middle: [5, 6] });
    expect([...result]).toEqual([5, 5, 30, 40, 6, 6, 70, 80]);
  });
});

/** S(v) = -|v - goal|^2, in what the network receives. */
const goal = Float32Array.from({ length: 48 }, (_, at) => (at % 7) - 3);
const bowl = {
  async gradients(_: unknown, values: Float32Array) {
    const objective = -values.reduce((sum, value, at) => sum + (value - goal[at]!) ** 2, 0);
    return { objective: Float32Array.of(objective), score: Float32Array.of(objective), gradient: values.map((value, at) => -2 * (value - goal[at]!)), logits: null };
  },
} as unknown as LabNetworkQuestions;

const order: AscentOrder = { target: { layer: null, objective: { kind: 'class', index: 0 }, beneath: false }, start: ascentStart(space, 16, { seed: 3 }), height: 4, width: 4, steps: 60, rate: 8, bounded: false, regularisers: {}, seed: 1 };

describe('gradient ascent', () => {
  it('rises at every step and arrives', async () => {
    const objectives: number[] = [];
    const last = await ascend(bowl, space, order, ({ objective }) => objectives.push(objective), signal);
    for (let step = 1; step < objectives.length; step++) expect(objectives[step]).toBeGreaterThan(objectives[step - 1]!);
    expect(last.objective).toBeGreaterThan(0.01 * objectives[0]!);
    expect(last.objective).toBeLessThanOrEqual(0);
  });
  it('takes the penalty off, and settles nearer to nothing for it', async () => {
    const last = await ascend(bowl, space, { ...order, regularisers: { decay: { weight: 1 } } }, () => undefined, signal);
    // The optimum of -|v - g|^2 - |v|^2 is g / 2.
    const values = space.toValues(last.levels);
    values.forEach((value, at) => expect(Math.abs(value - goal[at]! / 2)).toBeLessThan(0.6));
    expect(last.objective).toBeCloseTo(-values.reduce((sum, value, at) => sum + (value - goal[at]!) ** 2 + value ** 2, 0), 3);
  });
  it('stays within what a picture can hold where it must', async () => {
    const last = await ascend(bowl, space, { ...order, bounded: true }, () => undefined, signal);
    expect(Math.min(...last.levels)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...last.levels)).toBeLessThanOrEqual(255);
  });
  it('is the same for the same seed, jitter and all', async () => {
    const jittered = () => ascend(bowl, space, { ...order, steps: 10, regularisers: { jitter: { pixels: 2 }, blur: { every: 3, radius: 0.5 }, smallNorm: { every: 4, quantile: 0.2 }, smallContribution: { every: 5, quantile: 0.2 } } }, () => undefined, signal);
    const [first, second] = [await jittered(), await jittered()];
    expect([...first.levels]).toEqual([...second.levels]);
    expect([...ascentStart(space, 16, { seed: 3 })]).toEqual([...order.start]);
    expect([...ascentStart(space, 16, null).subarray(14, 18)]).toEqual([100, 100, 120, 120]);
  });
  it('ends where nothing near is higher', async () => {
    const flat = { gradients: async (_: unknown, values: Float32Array) => ({ objective: Float32Array.of(1), score: Float32Array.of(1), gradient: new Float32Array(values.length), logits: null }) } as unknown as LabNetworkQuestions;
    let steps = 0;
    const last = await ascend(flat, space, order, () => steps++, signal);
    expect([last.step, steps]).toEqual([0, 1]);
  });
});

/** Two classes told apart by the mean of the picture. */
const classifier = {
  async gradients({ objective }: { objective: { index: number } }, values: Float32Array) {
    const logits = scores(values);
    const probabilities = probabilitiesOf(logits);
    const slope = (objective.index === 1 ? 1 : 0) - probabilities[1]!;
    return { objective: Float32Array.of(Math.log(probabilities[objective.index]!)), score: logits, gradient: values.map(() => slope / 48), logits };
  },
  look: async (pictures: { values: Float32Array }) => ({ logits: scores(pictures.values), totals: null }),
} as unknown as LabNetworkQuestions;
const scores = (values: Float32Array) => Float32Array.of(0, values.reduce((sum, value) => sum + value, 0) / 48);

describe('adversarial pictures', () => {
  const plain: Preprocessing = { order: 'rgb', crop: [4, 4], resize: { kind: 'exact' }, scale: 1, mean: [100], std: [1] };
  const levels = greyLevels(plain);
  const pixels = new Uint8Array(48).fill(97);
  const values = new Float32Array(48).fill(-3);
  const base = { pixels, preprocessing: plain, target: 1, bound: 8, steps: 50 } as const;

  it.each([
    // A step of L2 sqrt(48) moves each value by 1: 97 + 4 is the first above 100.
    ['steepest', Math.sqrt(48), 4, 101],
    ['iterative', 2, 2, 101],
    ['fgsm', 0, 1, 105],
  ] as const)('%s steps until the network and the rounded picture say it', async (way, rate, count, level) => {
    const steps: number[] = [];
    const result = await changeToClass(classifier, levels, values, { ...base, way, rate }, ({ target }) => steps.push(target), signal);
    expect(steps.length - 1).toBe(count);
    expect(steps[0]).toBeCloseTo(1 / (1 + Math.exp(3)), 5);
    result.changed.forEach((value) => expect(value).toBeCloseTo(level, 3));
    expect(new Set(result.pixels)).toEqual(new Set([level]));
    expect(result.logits.pixels[1]).toBeGreaterThan(0);
  });
  it('keeps to its bound, and says when it did not arrive', async () => {
    const result = await changeToClass(classifier, levels, values, { ...base, way: 'iterative', rate: 1, bound: 2 }, () => undefined, signal);
    expect(distances(result.changed, result.clean).linf).toBe(2);
    expect(result.logits.changed[1]).toBeLessThan(0);
  });
});
