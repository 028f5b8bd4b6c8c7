/**
 * The lab on real networks: the occlusion sweep of an independent program, saliency against its gradients, integrated gradients, ascents and adversarial pictures. With SWITCHBACK_LAB
 * (`npm run lab`) ascents and adversarial pictures in full: 20 channels or classes of each network, 20 photographs; figures are printed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { decodeImage } from '../../src-main/dataset/decode.ts';
import { changePreprocessing } from '../../src-main/dataset/preprocessing.ts';
import { changeToClass, defaultRates } from '../../src-main/lab/adversarial.ts';
import { ascend, ascentStart, type Regularisers } from '../../src-main/lab/ascent.ts';
import { distances, greyLevels } from '../../src-main/lab/greyLevels.ts';
import { sweepOcclusion } from '../../src-main/lab/occlusion.ts';
import { placeOfLargest } from '../../src-main/lab/question.ts';
import { saliencyTable } from '../../src-main/lab/saliency.ts';
import { uncut } from '../../src-main/projection/measure.ts';
import { pictureOfFile, type LabSubject, type SeenPicture } from '../../src-main/services/labSubject.ts';
import { valuesOf } from '../../src-main/services/labStudy.ts';
import { callsHere, openLabSubject } from '../support/labNetwork.ts';
import { readNpy } from '../support/npy.ts';
import { photographs, squeezenet } from '../support/photographs.ts';
import { seededRandom } from '../support/graphs.ts';
import { dataPath, describeWithData } from '../support/testData.ts';
import type { Box } from '../../src-shared/domain/geometry.ts';
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';

const isLong = process.env['SWITCHBACK_LAB'] !== undefined;
const limitMs = isLong ? 4 * 3_600_000 : 240_000;
const inference = callsHere();
const signal = new AbortController().signal;
const place = { engine: 'onnxruntime', device: 'cpu' } as const;
const alexnet = 'models/alexnet-conv1-pool5.onnx';
const asTrained = (base: Preprocessing) => changePreprocessing(base, { order: 'rgb', scale: 1, mean: [122.68, 116.67, 104.01], std: [57.375, 57.375, 57.375] });

const opened = new Map<string, Promise<LabSubject>>();
function open(model: string): Promise<LabSubject> {
  const subject = opened.get(model) ?? openLabSubject(inference, dataPath(model), place, model === alexnet ? asTrained : undefined);
  opened.set(model, subject);
  return subject;
}

const prepared = async (subject: LabSubject, image: string): Promise<SeenPicture> => pictureOfFile(dataPath(image), { ...subject.network.preprocessing, resize: { kind: 'none' } });

describeWithData('occlusion against the sweep of an independent program', [squeezenet, 'reference/occlusion/reference.json'], () => {
  interface Sweep {
    readonly occluder: number;
    readonly stride: number;
    readonly colour: [number, number, number];
    readonly images: readonly { readonly image: string; readonly class: number; readonly cleanProbability: number; readonly channel: number; readonly cleanTotal: number; readonly probability: number[][]; readonly label: number[][]; readonly total: number[][] }[];
  }
  const reference = JSON.parse(readFileSync(dataPath('reference/occlusion/reference.json'), 'utf8')) as Sweep;

  it.each(reference.images.map((each) => [each.image, each] as const))('%s', async (image, expected) => {
    const subject = await open(squeezenet);
    const { pixels } = await prepared(subject, `reference/images-224/${image}`);
    const layer = subject.description.lastConvolution!;
    expect(layer).toBe('squeezenet0_conv24_relu');
    const clean = await subject.questions.look({ kind: 'pixels', pixels, count: 1 }, layer, signal);
    expect(placeOfLargest(clean.logits!)).toBe(expected.class);
    expect(placeOfLargest(clean.totals!)).toBe(expected.channel);
    const order = { pixels, height: 224, width: 224, size: reference.occluder, stride: reference.stride, colour: reference.colour, class: expected.class, layer, channel: expected.channel };
    let first = 0;
    const maps = await sweepOcclusion(subject.questions, order, (_, done) => (first ||= done), signal);
    expect(first, 'positions of the coarse map').toBe(16);
    let sure = 0;
    expected.probability.forEach((row, y) => row.forEach((probability, x) => {
      const at = `row ${maps.rows[y]}, column ${maps.columns[x]}`;
      expect(Math.abs(maps.probability[y]![x]! - probability), at).toBeLessThan(1e-3);
      expect(Math.abs(maps.total[y]![x]! - expected.total[y]![x]!), at).toBeLessThan(1e-3 * expected.total[y]![x]!);
      // Where the class itself leads by more than the tolerance the label is beyond doubt; elsewhere another engine's rounding decides only between near ties.
      if (maps.label[y]![x] === expected.label[y]![x]) sure++;
    }));
    expect(sure, 'labels that agree').toBe(225);
  }, limitMs);
});

describeWithData('saliency', [squeezenet, 'reference/squeezenet1.1/reference.json'], () => {
  interface Unit {
    readonly file: string;
    readonly layer: string;
    readonly channel: number;
    readonly image: string;
    readonly y: number;
    readonly x: number;
    readonly method: string;
    readonly box: Box;
    readonly absmax: number;
  }
  const { projections } = JSON.parse(readFileSync(dataPath('reference/squeezenet1.1/reference.json'), 'utf8')) as { readonly projections: readonly Unit[] };
  const gradients = projections.filter(({ method }) => method === 'gradient');

  it('of units is the gradient of an independent program', async () => {
    const subject = await open(squeezenet);
    let agreed = 0;
    for (const { layer, channel, image, y, x, file, box, absmax } of gradients) {
      const values = valuesOf(subject, await prepared(subject, `reference/images-224/${image}`));
      const order = { values, target: { layer, objective: { kind: 'unit', channel, y, x } as const }, integratedSamples: 1, smoothSamples: 1, smoothNoise: 0, seed: 1 };
      const found = await saliencyTable.gradient(subject.questions, order, () => undefined, signal);
      const expected = uncut((await readNpy(dataPath(`reference/squeezenet1.1/${file}`))).data, box, 3, 224, 224);
      const worst = expected.reduce((most, value, at) => Math.max(most, Math.abs(value - found.values[at]!)), 0);
      if (worst <= 1e-3 * absmax) agreed++;
      expect([...(await saliencyTable.smooth(subject.questions, order, () => undefined, signal)).values.subarray(0, 1000)]).toEqual([...found.values.subarray(0, 1000)]);
    }
    // A near-tie may fall the other way by a rounding error (tests/corpus/reference.test.ts).
    expect(gradients.length).toBeGreaterThan(5);
    expect(agreed).toBeGreaterThanOrEqual(Math.floor(0.9 * gradients.length));
  }, limitMs);

  it.each(isLong ? ['n01843383_toucan.png', 'n01532829_house_finch.png', 'n01729322_hognose_snake.png'] : ['n01532829_house_finch.png'])('integrated over %s is complete within a hundredth', async (image) => {
    const subject = await open(squeezenet);
    const picture = await prepared(subject, `reference/images-224/${image}`);
    const { logits } = await subject.questions.look({ kind: 'pixels', pixels: picture.pixels, count: 1 }, null, signal);
    const order = { values: valuesOf(subject, picture), target: { layer: null, objective: { kind: 'class', index: placeOfLargest(logits!) } as const }, integratedSamples: 27, smoothSamples: 1, smoothNoise: 0, seed: 1 };
    const { completeness } = await saliencyTable.integrated(subject.questions, order, () => undefined, signal);
    expect(completeness!.relative).toBeLessThanOrEqual(0.01);
  }, limitMs);
});

const files = () => readdirSync(dataPath(photographs)).filter((name) => name.endsWith('.JPEG')).sort();

async function photographsFor(subject: LabSubject, names: readonly string[]): Promise<readonly Uint8Array[]> {
  return Promise.all(names.map(async (name) => (await decodeImage(dataPath(`${photographs}/${name}`), subject.network.preprocessing)).pixels));
}

const regularisers: Readonly<Record<string, Regularisers>> = {
  none: {},
  decay: { decay: { weight: 1e-5 } },
  blur: { blur: { every: 4, radius: 0.5 } },
  smallNorm: { smallNorm: { every: 10, quantile: 0.2 } },
  smallContribution: { smallContribution: { every: 10, quantile: 0.2 } },
  all: { decay: { weight: 1e-5 }, blur: { every: 8, radius: 0.5 }, smallNorm: { every: 10, quantile: 0.2 }, smallContribution: { every: 10, quantile: 0.2 }, jitter: { pixels: 8 } },
};

for (const [model, layerName, seed] of [[alexnet, 'relu5', 3], [squeezenet, 'squeezenet0_conv24_relu', 5], [squeezenet, null, 7]] as const) {
  describeWithData(`ascent to ${layerName ?? 'classes'} of ${model}`, [model, photographs], () => {
    it('rises at every step without regularisers, and ends above twice the best photograph with any', async () => {
      const subject = await open(model);
      const { preprocessing } = subject.network;
      const [height, width] = preprocessing.crop;
      const space = greyLevels(preprocessing);
      const best = await bestScores(subject, layerName, isLong ? files() : files().slice(0, 32));
      const random = seededRandom(seed);
      const alive = [...best.keys()].filter((channel) => best[channel]! > 0);
      const channels = Array.from({ length: isLong ? 20 : 1 }, () => alive.splice(Math.floor(random() * alive.length), 1)[0]!);
      for (const channel of channels) {
        for (const [name, used] of Object.entries(regularisers)) {
          if (!isLong && name !== 'none' && name !== 'all') continue;
          const objective = layerName === null ? ({ kind: 'class', index: channel } as const) : ({ kind: 'channel', channel } as const);
          const steps: number[] = [];
          const order = { target: { layer: layerName, objective, beneath: layerName !== null }, start: ascentStart(space, height * width, { seed: 1 }), height, width, steps: isLong ? 100 : 28, rate: 4, bounded: true, regularisers: used, seed: 1 };
          const last = await ascend(subject.questions, space, order, (step) => steps.push(step.objective), signal);
          if (name === 'none') for (let step = 1; step < steps.length; step++) expect(steps[step], `${channel}, step ${step}`).toBeGreaterThan(steps[step - 1]!);
          if (isLong) console.log(`${layerName ?? 'class'} ${channel}, ${name}: ${last.score.toFixed(1)} after ${last.step} steps, ${(last.score / best[channel]!).toFixed(2)} times the best photograph`);
          expect(last.score, `${channel}, ${name}`).toBeGreaterThan(2 * best[channel]!);
        }
      }
    }, limitMs);
  });
}

/** Largest score of each channel, or class, over some photographs. */
async function bestScores(subject: LabSubject, layer: string | null, names: readonly string[]): Promise<Float32Array> {
  let best: Float32Array | undefined;
  for (let start = 0; start < names.length; start += 8) {
    const pictures = await photographsFor(subject, names.slice(start, start + 8));
    const pixels = Buffer.concat(pictures);
    const scores = layer === null ? (await subject.questions.look({ kind: 'pixels', pixels, count: pictures.length }, null, signal)).logits! : (await inference.call('score', { ...subject.network, layers: [layer], batch: pictures.length, pixels })).layers[0]!.score;
    const size = scores.length / pictures.length;
    best ??= new Float32Array(size).fill(-Infinity);
    scores.forEach((score, at) => (best![at % size] = Math.max(best![at % size]!, score)));
  }
  return best!;
}

describeWithData('adversarial pictures', [squeezenet, photographs], () => {
  it('reach their class, also as 8-bit pictures', async () => {
    const subject = await open(squeezenet);
    const { preprocessing } = subject.network;
    const space = greyLevels(preprocessing);
    const count = isLong ? 20 : 3;
    const random = seededRandom(9);
    const pictures = await photographsFor(subject, files().filter((_, at) => at % 16 === 0).slice(0, count));
    let [reached, asPicture, l2, steps] = [0, 0, 0, 0];
    for (const pixels of pictures) {
      const target = Math.floor(1000 * random());
      const values = valuesOf(subject, { name: '', pixels, hash: '' });
      const order = { pixels, preprocessing, target, way: 'steepest', bound: 0, rate: defaultRates.steepest, steps: 100 } as const;
      const result = await changeToClass(subject.questions, space, values, order, ({ step }) => (steps = Math.max(steps, step)), signal);
      if (placeOfLargest(result.logits.changed) === target) reached++;
      if (placeOfLargest(result.logits.pixels) === target) asPicture++;
      l2 += distances(result.changed, result.clean).l2 / pictures.length;
      expect([...result.clean].every((level, at) => Math.abs(level - result.changed[at]!) < 128)).toBe(true);
    }
    console.log(`adversarial: ${reached} of ${count} reached, ${asPicture} as 8-bit pictures, mean L2 ${l2.toFixed(1)} grey levels (root mean square ${(l2 / Math.sqrt(3 * 224 * 224)).toFixed(3)}), at most ${steps} steps`);
    expect(Math.min(reached, asPicture)).toBeGreaterThanOrEqual(isLong ? 19 : count);
    expect(l2).toBeLessThan(500);
  }, limitMs);
});
