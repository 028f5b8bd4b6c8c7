/**
 * What the studies of single pictures stand on, against the plainest way to get the same: derivatives against finite differences on the reference engine, occluded pictures against
 * painted ones, totals against sums, saliency rows against what defines them, GrabCut against a picture whose object is known.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabObjective } from '../../src-main/inference/worker/labCalls.ts';
import { normalizePixels } from '../../src-main/dataset/normalize.ts';
import { ascentStudy as ascentRequest } from '../../src-shared/contract/labStudies.ts';
import { saliencyTable, type SaliencyOrder } from '../../src-main/lab/saliency.ts';
import { ascentStudy } from '../../src-main/services/labAscent.ts';
import type { LabSubject } from '../../src-main/services/labSubject.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { seededRandom } from '../support/graphs.ts';
import { callsHere, openLabSubject, smallClassifierPreprocessing as preprocessing, writeSmallClassifier } from '../support/labNetwork.ts';

const inference = callsHere();
const signal = new AbortController().signal;
const random = seededRandom(5);
const pixels = Uint8Array.from({ length: 12 * 12 * 3 }, () => Math.floor(256 * random()));
const values = normalizePixels(pixels, preprocessing, 1);
let folder: string;
let subject: LabSubject;

beforeAll(async () => {
  folder = temporaryFolder('lab-oracle');
  writeSmallClassifier(join(folder, 'net.onnx'));
  subject = await openLabSubject(inference, join(folder, 'net.onnx'), { engine: 'reference', device: 'cpu' }, () => preprocessing);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('knows the class scores before the softmax, and the convolution before them', () => {
  expect(subject.description.classifier).toEqual({ kind: 'classifier', logits: 'logits', classes: 5 });
  expect(subject.description.lastConvolution).toBe('second');
  expect(subject.description.rectified).toEqual(['first', 'second']);
});

describe('derivatives', () => {
  const asked = (target: { layer: string | null; objective: LabObjective; beneath?: boolean }, at: Float32Array, count = 1) => subject.questions.gradients(target, at, count, signal);
  it.each<[string, { layer: string | null; objective: LabObjective; beneath?: boolean }]>([
    ['of a class score', { layer: null, objective: { kind: 'class', index: 3 } }],
    ['of the logarithm of a probability', { layer: null, objective: { kind: 'logProbability', index: 1 } }],
    ['of a channel', { layer: 'second', objective: { kind: 'channel', channel: 2 } }],
    ['of a channel before its rectifier', { layer: 'second', objective: { kind: 'channel', channel: 2 }, beneath: true }],
    ['of a unit before its rectifier', { layer: 'first', objective: { kind: 'unit', channel: 1, y: 5, x: 7 }, beneath: true }],
  ])('%s are its finite differences', async (_, target) => {
    const { gradient } = await asked(target, values);
    const step = 1e-3;
    let [worst, largest] = [0, 0];
    for (let at = 5; at < values.length; at += 37) {
      const both = new Float32Array(2 * values.length);
      both.set(values);
      both.set(values, values.length);
      both[at]! += step;
      both[values.length + at]! -= step;
      const { objective } = await asked(target, both, 2);
      worst = Math.max(worst, Math.abs((objective[0]! - objective[1]!) / (2 * step) - gradient[at]!));
    }
    for (const value of gradient) largest = Math.max(largest, Math.abs(value));
    expect(largest).toBeGreaterThan(0.01);
    // Objectives are float32 numbers near 1, whose differences over 2e-3 are good to 1e-4.
    expect(worst).toBeLessThan(5e-4);
  });

  it('of several pictures together are those of each', async () => {
    const other = values.map((value) => -value);
    const both = Float32Array.of(...values, ...other);
    const target = { layer: null, objective: { kind: 'class', index: 0 } as const };
    const [together, one, two] = [await asked(target, both, 2), await asked(target, values), await asked(target, other)];
    expect([...together.gradient]).toEqual([...one.gradient, ...two.gradient]);
    expect([...together.objective]).toEqual([one.objective[0], two.objective[0]]);
    expect(together.logits!.length).toBe(10);
  });

  it.each([
    [{ layer: null, objective: { kind: 'class', index: 5 } as const }, 'The network has 5 classes, 0 to 4; there is no class 5.'],
    [{ layer: 'second', objective: { kind: 'unit', channel: 0, y: 6, x: 0 } as const }, 'The layer "second" has 6 channels of 6 x 6; there is no unit at channel 0, row 6, column 0.'],
    [{ layer: 'second', objective: { kind: 'channel', channel: 6 } as const }, 'The layer "second" has 6 channels of 6 x 6; there is no channel 6.'],
  ])('of what is not there are refused', async (target, message) => {
    await expect(asked(target, values)).rejects.toThrow(message);
  });
});

describe('occluded pictures', () => {
  it('are what painting the square into the picture gives', async () => {
    const boxes = [[0, 0, 4, 5], [3, 2, 12, 9], [11, 11, 12, 12], [5, 5, 5, 5]] as const;
    const painted = boxes.map(([y0, x0, y1, x1]) => {
      const picture = pixels.slice();
      for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) picture.set([10, 200, 90], (y * 12 + x) * 3);
      return picture;
    });
    const squares = await subject.questions.look({ kind: 'squares', pixels, boxes, colour: [10, 200, 90] }, 'second', signal);
    const plain = await subject.questions.look({ kind: 'pixels', pixels: Buffer.concat(painted), count: boxes.length }, 'second', signal);
    expect([...squares.logits!]).toEqual([...plain.logits!]);
    expect([...squares.totals!]).toEqual([...plain.totals!]);
    expect(new Set(squares.logits!.subarray(0, 10)).size).toBe(10);
  });
  it('have totals that are the sums of the maps', async () => {
    const maps = await inference.call('maps', { ...subject.network, pixels, layer: 'second' });
    const { totals } = await subject.questions.look({ kind: 'pixels', pixels, count: 1 }, 'second', signal);
    totals!.forEach((total, channel) => expect(total).toBeCloseTo(maps.subarray(channel * 36, (channel + 1) * 36).reduce((sum, value) => sum + value, 0), 4));
  });
});

describe('ascents', () => {
  const study = ascentRequest.parse({ kind: 'ascend', target: { kind: 'class', index: 1 }, start: 'mean', steps: 1, regularisers: { smallNorm: { every: 1, quantile: 1 } } });
  const seen = { name: 'noise', pixels, hash: '' };
  const mean = [0, 1, 2].map((colour) => Math.round(pixels.filter((_, at) => at % 3 === colour).reduce((sum, level) => sum + level, 0) / 144));
  it.each([
    ['the mean that is subtracted', [0.5, 0.4, 0.3], seen, [128, 102, 77], 'from the mean colour:'],
    ['medium grey where none is', [0, 0, 0], null, [128, 128, 128], 'from medium grey:'],
    ['the mean of the picture where there is one', [0, 0, 0], seen, mean, 'from the mean colour of noise:'],
  ])('begin with %s, and clear pixels to it', async (_, subtracted, picture, colour, words) => {
    const plain = await openLabSubject(inference, join(folder, 'net.onnx'), { engine: 'reference', device: 'cpu' }, () => ({ ...preprocessing, mean: subtracted }));
    const { pictures, caption } = await ascentStudy({ inference, subject: plain, study, picture, signal, tell: () => undefined });
    const filled = (name: string): number => {
      const { pixels: levels } = pictures.find((each) => each.name === name)!.picture;
      return Array.from({ length: 144 }, (_, at) => [...levels.subarray(at * 4, at * 4 + 3)].join()).filter((levelsOf) => levelsOf === colour.join()).length;
    };
    expect(filled('frame-0')).toBe(144);
    // All but the largest were cleared.
    expect(filled('last')).toBe(143);
    expect(caption).toContain(words);
  });
});

describe('saliency', () => {
  const order: SaliencyOrder = { values, target: { layer: null, objective: { kind: 'class', index: 2 } }, integratedSamples: 27, smoothSamples: 8, smoothNoise: 0.1, seed: 4 };
  const row = (name: keyof typeof saliencyTable, changes: Partial<SaliencyOrder> = {}) => saliencyTable[name](subject.questions, { ...order, ...changes }, () => undefined, signal);

  it('times the input is the gradient times the input', async () => {
    const [gradient, times] = [await row('gradient'), await row('gradientInput')];
    expect([...times.values]).toEqual([...gradient.values.map((value, at) => value * values[at]!)]);
  });
  it('integrated sums up to the difference within 1 %', async () => {
    const { completeness, samples } = await row('integrated');
    expect(completeness!.relative).toBeLessThanOrEqual(0.01);
    expect([27, 81, 243, 729]).toContain(samples);
    const zero = await subject.questions.gradients(order.target, new Float32Array(values.length), 1, signal);
    const own = await subject.questions.gradients(order.target, values, 1, signal);
    expect(completeness!.difference).toBeCloseTo(own.objective[0]! - zero.objective[0]!, 5);
  });
  it('integrated is finer, and the same as all at once, where it was tripled', async () => {
    const tripled = await row('integrated', { integratedSamples: 1 });
    const direct = await row('integrated', { integratedSamples: tripled.samples });
    expect(tripled.samples).toBeGreaterThan(1);
    direct.values.forEach((value, at) => expect(tripled.values[at]).toBeCloseTo(value, 5));
  });
  it('smoothed without noise is the gradient, and with noise is seeded', async () => {
    expect([...(await row('smooth', { smoothNoise: 0 })).values]).toEqual([...(await row('gradient')).values]);
    const [first, second, other] = [await row('smooth'), await row('smooth'), await row('smooth', { seed: 5 })];
    expect([...first.values]).toEqual([...second.values]);
    expect([...first.values]).not.toEqual([...other.values]);
  });
});

describe('GrabCut', () => {
  const [height, width] = [60, 80];
  const isObject = (y: number, x: number) => (y - 30) ** 2 + (x - 45) ** 2 < 18 ** 2;
  const picture = Uint8Array.from({ length: height * width * 3 }, (_, at) => {
    const place = Math.floor(at / 3);
    const base = isObject(Math.floor(place / width), place % width) ? [200, 60, 40] : [40, 110, 70];
    return base[at % 3]! + Math.floor(25 * random());
  });
  const hintsOf = (near: number, far: number) =>
    Uint8Array.from({ length: height * width }, (_, place) => {
      const distance = Math.hypot(Math.floor(place / width) - 30, (place % width) - 45);
      return distance < near ? 2 : distance > far ? 1 : 0;
    });

  it('finds the object that hints only touch', async () => {
    const mask = await inference.call('cutOut', { pixels: picture, height, width, hints: hintsOf(6, 32), iterations: 3 });
    let wrong = 0;
    mask.forEach((value, place) => (wrong += (value === 255) === isObject(Math.floor(place / width), place % width) ? 0 : 1));
    expect(wrong / mask.length).toBeLessThan(0.01);
    expect(new Set(mask)).toEqual(new Set([0, 255]));
  });
  it('needs both sides', async () => {
    await expect(inference.call('cutOut', { pixels: picture, height, width, hints: hintsOf(0, 32), iterations: 3 })).rejects.toThrow('No pixel is surely foreground, so nothing tells it from the rest. Move its quantile.');
  });
});
