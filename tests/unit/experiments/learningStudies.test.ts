/** Feature analysis, generalisation and ablation as they run, on a few drawn pictures of the sample and its network: numbers, tables, and going on after a stop to the same numbers. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { experimentSpec } from '../../../src-shared/contract/experiments.ts';
import type { ExperimentResult } from '../../../src-main/services/experiments.ts';
import type { ExperimentNumbersOf, ExperimentSpec } from '../../../src-main/services/experimentStudy.ts';
import type { Services } from '../../../src-main/services/services.ts';
import { drawSample, sampleClasses, sampleEdge } from '../../../src-main/training/sample/drawSample.ts';
import { samplePng } from '../../../src-main/training/sample/png.ts';
import { temporaryFolder } from '../../support/commandLine.ts';
import { openServices } from '../../support/openServices.ts';
import { repositoryRoot } from '../../support/testData.ts';

const home = temporaryFolder('learning-studies');
const pictures = join(home, 'pictures');
const names = sampleClasses.slice(0, 3);
const perClass = 10;
const recipe = { epochs: 2, batch: 8, learningRate: 0.01, dropout: 0, initialisation: 'he', inputDeviation: 8, filterRms: null } as const;
let services: Services;
let index: string;

type Result<K extends ExperimentSpec['kind']> = ExperimentResult & { readonly numbers: ExperimentNumbersOf<K> };

beforeAll(async () => {
  for (const name of names) {
    mkdirSync(join(pictures, name), { recursive: true });
    for (let number = 0; number < perClass; number++) writeFileSync(join(pictures, name, `${number}.png`), samplePng(drawSample(name, number, 5), sampleEdge));
  }
  writeFileSync(join(pictures, names[0]!, 'broken.png'), 'not a picture');
  services = await openServices(home, join(home, 'work'));
  const sample = join(repositoryRoot, 'resources/sample/epoch-100.onnx');
  const { preprocessing } = await services.models.inspect(sample);
  const started = await services.indexing.start({ modelPath: sample, imagesPath: pictures, preprocessing, top: 9, matrix: 'float32', engine: 'onnxruntime', device: 'cpu', batch: 8 });
  await services.workspaces.required().queue.ended(started.jobId!);
  ({ index } = started);
}, 120_000);
afterAll(async () => {
  await services?.close();
  rmSync(home, { recursive: true, force: true });
});

async function made<K extends ExperimentSpec['kind']>(wishes: { readonly kind: K; readonly [key: string]: unknown }): Promise<Result<K>> {
  const { id, jobId } = await services.experiments.start({ spec: experimentSpec.parse(wishes), afresh: true });
  const { error } = await services.workspaces.required().queue.ended(jobId);
  if (error) throw new Error(error.message);
  return (await services.experiments.get(id)) as Result<K>;
}

/** Stopped as soon as `isTime`, with how much of it was kept; then gone on with to its end. */
async function interrupted<K extends ExperimentSpec['kind']>(wishes: { readonly kind: K; readonly [key: string]: unknown }, isTime: (result: Result<K>) => boolean): Promise<Result<K>> {
  const { id } = await services.experiments.start({ spec: experimentSpec.parse(wishes), afresh: true });
  let state = '';
  for await (const result of services.experiments.watch(id)) {
    ({ state } = result);
    if (state === 'running' && isTime(result as Result<K>)) await services.experiments.cancel(id);
  }
  expect(state).toBe('cancelled');
  const { jobId } = await services.experiments.resume(id);
  expect(await services.workspaces.required().queue.ended(jobId)).toMatchObject({ state: 'done', error: null });
  return (await services.experiments.get(id)) as Result<K>;
}

describe('feature analysis', () => {
  const asked = { kind: 'features', layers: ['conv1', 'conv3', 'fc7'], folds: 3, penalties: [0.001, 0.01] } as const;

  it('rises from the first layer to the last, and says what it did', async () => {
    const { spec, numbers, caption, notes, title } = await made({ ...asked, index });
    expect(title).toBe('Feature analysis of epoch-100 on pictures');
    expect(spec).toMatchObject({ layers: ['relu1', 'relu3', 'relu7'], pool: 'mean', classifiers: ['svm', 'softmax'], folds: 3 });
    expect(numbers).toMatchObject({ classes: names, images: 30, folds: 3, skipped: [{ image: `${names[0]}/broken.png` }] });
    expect(numbers.rows.map(({ title: layer, depth, classifier, dimension, pool, penalties }) => [layer, depth, classifier, dimension, pool, penalties.length])).toEqual([
      ['conv1', 1, 'svm', 24, 'mean', 3], ['conv1', 1, 'softmax', 24, 'mean', 3],
      ['conv3', 2, 'svm', 96, 'mean', 3], ['conv3', 2, 'softmax', 96, 'mean', 3],
      ['fc7', 3, 'svm', 256, 'mean', 3], ['fc7', 3, 'softmax', 256, 'mean', 3],
    ]);
    const [first, last] = [numbers.rows[0]!, numbers.rows[4]!];
    expect(last.accuracy).toBeGreaterThanOrEqual(0.9);
    expect(last.accuracy).toBeGreaterThanOrEqual(first.accuracy);
    expect(caption).toContain('C chosen from 0.001, 0.01 on 3 parts of the training images. 30 images of 3 classes in 3 folds, the others of each fold train');
    expect(notes[0]).toMatch(new RegExp(`^1 image was left out, the first ${names[0]}/broken\\.png: `));
  });

  it('flat, goes on after a stop with the numbers of one that was not stopped', async () => {
    // Long enough to be stopped on the way.
    const flat = { ...asked, index, pool: 'flat', layers: ['conv1', 'conv2', 'conv3', 'conv4', 'conv5', 'fc6'], folds: 5, penalties: [0.0001, 0.001, 0.01, 0.1, 1, 10] } as const;
    const resumed = await interrupted(flat, ({ done }) => done >= 1);
    const whole = await made(flat);
    expect(resumed.numbers).toEqual(whole.numbers);
    // 24 maps of 46 x 46, and so on.
    expect(whole.numbers.rows.filter(({ classifier }) => classifier === 'svm').map(({ dimension }) => dimension)).toEqual([50_784, 6400, 2400, 2400, 1600, 256]);
  });
});

describe('generalisation', () => {
  it('learns new classes from a few images, better than from scratch, and goes on after a stop', async () => {
    const asked = { kind: 'generalise', index, perClass: [6, 2, 50], testPerClass: 3, folds: 2, penalties: [0.01], scratch: { recipe, folds: 1 } } as const;
    const whole = await made(asked);
    const { numbers, notes, caption } = whole;
    expect(numbers).toMatchObject({ layer: 'relu7', layerTitle: 'fc7', measure: 'accuracy', classes: names });
    expect(numbers.rows.map(({ way, perClass: count, trainingImages, testImages, folds }) => [way, count, trainingImages, testImages, folds.length])).toEqual([
      ['fixed', 2, 6, 9, 2], ['fixed', 6, 18, 9, 2], ['scratch', 2, 6, 9, 1], ['scratch', 6, 18, 9, 1],
    ]);
    expect(numbers.rows[1]!.mean).toBeGreaterThan(numbers.rows[3]!.mean);
    expect(numbers.perClass.map(({ class: name }) => name)).toEqual(names);
    expect(notes.at(-1)).toBe('50 training images of each class were left out: most classes have fewer.');
    expect(caption).toContain('All layers fixed, a softmax (L2) on 256 features of fc7 (all units), standardised on the training images; C chosen from 0.01 on 3 parts of them.');
    const { text } = await services.experiments.export(whole.id, 'csv');
    expect(text).toContain('"Accuracy, %",2/class,±,6/class,±\nFrom scratch,');
    const resumed = await interrupted(asked, ({ numbers: soFar }) => soFar?.rows.length >= 3);
    expect(resumed.numbers).toEqual(numbers);
  }, 120_000);

  it('takes images of several classes one class against the rest, by average precision', async () => {
    const labelsPath = join(home, 'several.tsv');
    const rows = names.flatMap((name) => Array.from({ length: perClass }, (_, number) => `${name}/${number}.png\t${name};${number % 2 === 0 ? 'even' : 'odd'}`));
    writeFileSync(labelsPath, `file\tname\n${rows.join('\n')}\n`);
    const { numbers, notes } = await made({ kind: 'generalise', index, labelsPath, perClass: [5], folds: 2, penalties: [0.01] });
    const value = (name: string) => numbers.perClass.find((each) => each.class === name)!.value!;
    expect(numbers).toMatchObject({ measure: 'averagePrecision', classes: [...names, 'even', 'odd'].toSorted() });
    expect(value(names[0]!)).toBeGreaterThan(0.9);
    // Nothing of a picture tells its number.
    expect((value('even') + value('odd')) / 2).toBeLessThan(0.8);
    expect(notes.at(-1)).toBe('Images of several classes are drawn by the first of them.');
    await expect(services.experiments.complete(experimentSpec.parse({ kind: 'generalise', index, labelsPath, perClass: [5], scratch: { recipe } }))).rejects.toThrow('A network from scratch learns one class for each image; leave it out where images have several.');
  });

  it('says how many images there are where none is enough', async () => {
    await expect(services.experiments.complete(experimentSpec.parse({ kind: 'generalise', index }))).rejects.toThrow('15, 30, 45, 60 training images of each class were asked for, but the 3 classes have 10 images at most, and each needs one more to be tested on. Ask for fewer, or add images.');
  });
});

describe('ablation', () => {
  const asked = { kind: 'ablation', architecture: { kind: 'zfnet', width: 0.05, units: 8, input: 64 }, recipe, variants: [{ name: 'Without layers 3, 4', remove: ['conv3', 'conv4'] }, { name: 'Layer 6: 16 units', widths: { fc6: 16 } }] } as const;

  it('trains each variant alike, gives the errors of both sides, and goes on after a stop', async () => {
    const whole = await made({ ...asked, imagesPath: pictures });
    expect(whole).toMatchObject({ title: 'Ablation of ZFNet on pictures', index: null, modelName: 'ZFNet' });
    expect(whole.numbers).toMatchObject({ classes: names, trainingImages: 24, validationImages: 6 });
    expect(whole.numbers.rows.map(({ name, parameters, epochs, state }) => [name, parameters, epochs, state])).toEqual([
      // conv1 3 -> 5 (7 x 7), conv2 5 -> 13 (5 x 5), conv3 13 -> 19, conv4 19 -> 19, conv5 19 -> 13 (3 x 3), 13 -> 8 -> 8 -> 3.
      ['Whole network', 740 + 1638 + 2242 + 3268 + 2236 + 112 + 72 + 27, 2, 'done'],
      ['Without layers 3, 4', 740 + 1638 + 1534 + 112 + 72 + 27, 2, 'done'],
      ['Layer 6: 16 units', 740 + 1638 + 2242 + 3268 + 2236 + 224 + 136 + 27, 2, 'done'],
    ]);
    for (const { training, validation } of whole.numbers.rows) {
      for (const errors of [training!, validation!]) expect([errors.top1 >= errors.top5, errors.top1 <= 1, errors.top5]).toEqual([true, true, 0]);
    }
    const { text } = await services.experiments.export(whole.id, 'csv');
    expect(text).toContain('# Error rates on 24 training and 6 validation images\n"Error, %",Train top-1,Val top-1,Val top-5,Parameters\nWhole network,');
    expect(whole.caption).toContain('Recipe: 2 epochs in batches of 8; learning rate 0.01, divided by 10 after 5 epochs without a better validation error; momentum 0.9, weight decay 0, dropout 0; first weights by He, inputs of deviation 8; filters not bounded; random crops, half of them mirrored, the mean of each pixel subtracted; 20 % for validation; seed 1.');
    const resumed = await interrupted({ ...asked, imagesPath: pictures }, ({ numbers }) => numbers?.rows[1]?.state === 'running');
    expect(resumed.numbers).toEqual(whole.numbers);
    const folder = join(home, 'work', 'experiments');
    expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
  }, 120_000);

  it('refuses variants that cannot be, by their name', async () => {
    const complete = (variants: readonly object[]) => services.experiments.complete(experimentSpec.parse({ ...asked, imagesPath: pictures, variants }));
    await expect(complete([{ name: 'odd', remove: ['conv9'] }])).rejects.toThrow('"odd": The network has no layer "conv9" with weights.');
    const { spec } = await complete([]);
    expect(spec).toMatchObject({ kind: 'ablation' });
    expect(spec.kind === 'ablation' && spec.variants.map(({ name }) => name)).toEqual(['Without layers 3, 4', 'Without layer 7', 'Without layers 6, 7', 'Without layers 3, 4, 6, 7', 'Layers 6, 7: 4 units', 'Layers 6, 7: 16 units', 'Layers 3, 4, 5: 26, 50, 26 maps', 'Layers 6, 7: 16 units; 3, 4, 5: 26, 50, 26 maps']);
  });
});
