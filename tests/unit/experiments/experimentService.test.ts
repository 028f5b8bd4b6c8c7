/** The experiments as the interface and the command line have them, on a network of five classes and on the sample's: specs that are filled in, numbers, stopping and going on, figures, texts, parts. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { experimentSpec } from '../../../src-shared/contract/experiments.ts';
import type { IndexId } from '../../../src-shared/domain/ids.ts';
import type { ExperimentResult } from '../../../src-main/services/experiments.ts';
import type { ExperimentNumbersOf, ExperimentSpec } from '../../../src-main/services/experimentStudy.ts';
import type { Services } from '../../../src-main/services/services.ts';
import { selectivityOfColumn } from '../../../src-main/indexing/queries/selectivity.ts';
import { temporaryFolder } from '../../support/commandLine.ts';
import { writeFaces, writeNoiseClasses, type DrawnPart } from '../../support/experimentPictures.ts';
import { smallClassifierPreprocessing, writeSmallClassifier } from '../../support/labNetwork.ts';
import { openServices } from '../../support/openServices.ts';
import { repositoryRoot } from '../../support/testData.ts';

const home = temporaryFolder('experiments');
const place = { engine: 'onnxruntime', device: 'cpu', batch: 4 } as const;
let services: Services;
let noise: string;
let faces: string;
let marks: readonly DrawnPart[];

const ended = (jobId: string) => services.workspaces.required().queue.ended(jobId);
const spec = (wishes: object): ExperimentSpec => experimentSpec.parse(wishes);

async function indexed(modelPath: string, imagesPath: string, preprocessing: Parameters<Services['indexing']['start']>[0]['preprocessing']): Promise<string> {
  const { index, jobId } = await services.indexing.start({ modelPath, imagesPath, preprocessing, top: 9, matrix: 'float32', ...place });
  if (jobId) await ended(jobId);
  return index;
}

/** A finished experiment. */
async function made<K extends ExperimentSpec['kind']>(wishes: { readonly kind: K; readonly [wish: string]: unknown }, afresh = false): Promise<ExperimentResult & { readonly numbers: ExperimentNumbersOf<K> }> {
  const { id, jobId } = await services.experiments.start({ spec: spec(wishes), afresh });
  const { error } = await ended(jobId);
  if (error) throw new Error(error.message);
  return (await services.experiments.get(id)) as ExperimentResult & { readonly numbers: ExperimentNumbersOf<K> };
}

beforeAll(async () => {
  writeSmallClassifier(join(home, 'net.onnx'));
  await writeNoiseClasses(join(home, 'noise'), 4);
  marks = writeFaces(join(home, 'faces'), 5);
  services = await openServices(home, join(home, 'work'));
  noise = await indexed(join(home, 'net.onnx'), join(home, 'noise'), smallClassifierPreprocessing);
  const sample = join(repositoryRoot, 'resources/sample/epoch-100.onnx');
  faces = await indexed(sample, join(home, 'faces'), (await services.models.inspect(sample)).preprocessing);
}, 120_000);
afterAll(async () => {
  await services?.close();
  rmSync(home, { recursive: true, force: true });
});

describe('error rates', () => {
  it('count what the network itself predicts, and average networks', async () => {
    const other = await indexed(join(home, 'net.onnx'), join(home, 'noise'), { ...smallClassifierPreprocessing, resize: { kind: 'shorterSide', pixels: 14 } });
    const { numbers, spec: whole, caption, notes } = await made({ kind: 'error', index: noise, others: [other, other] });
    expect(whole).toEqual({ kind: 'error', index: noise, others: [other], views: ['centre', 'ten'], images: 20 });
    // Looked up one by one through the lab, which is another way to the same scores.
    let wrong = 0;
    for (let image = 0; image < 20; image++) wrong += (await services.lab.predict({ index: noise, picture: `image-${image}`, top: 1 })).predictions[0]!.index === Math.floor(image / 4) ? 0 : 1;
    expect(wrong).toBeGreaterThan(0);
    expect(numbers).toMatchObject({ images: 20, labelled: 20, classes: 5, skipped: [] });
    expect(numbers.rows.map(({ name, index }) => [name, index])).toEqual([['net', noise], ['net', other], ['mean of 2 networks', null]]);
    expect(numbers.rows[0]!.rates[0]).toEqual({ view: 'centre', top1: wrong / 20, top5: 0, top1Wrong: wrong, top5Wrong: 0 });
    expect(caption).toMatch(/^Top-1 and top-5 error over 20 labelled images, for the centre crop and for ten crops .* The last row averages the class probabilities of the 2 networks\. Network net \([0-9a-f]{16}\)\. .* Switchback \d/);
    expect(notes).toEqual(['net takes pictures squashed to its input, so the ten crops are the whole picture and its mirror image.']);
  });

  it('refuse networks of other classes, and classes that cannot be told', async () => {
    await expect(services.experiments.complete(spec({ kind: 'error', index: noise, others: [faces] }))).rejects.toMatchObject({ message: 'net has 5 classes and epoch-100 has 18; only networks with the same classes can be averaged.' });
    await expect(services.experiments.complete(spec({ kind: 'error', index: faces }))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(services.experiments.complete(spec({ kind: 'error', index: 'nothere' }))).rejects.toMatchObject({ message: 'There is no index "nothere" in this workspace: list the indexes to see what it holds.' });
  });
});

describe('invariance', () => {
  it('is 0 for what moves nothing, and not for the rest', async () => {
    const { numbers, spec: whole, title } = await made({ kind: 'invariance', index: noise, shift: { from: -2, to: 2, step: 1 }, scale: { from: 1, to: 1.5, step: 0.5 }, rotation: { from: 0, to: 360, step: 120 } });
    expect(title).toBe('Invariance of net at conv1 and conv2');
    expect(whole).toMatchObject({ layers: ['first', 'second'], images: [0, 4, 8, 12, 16] });
    expect(numbers.classes).toBe('label');
    expect(numbers.images.map((image) => image.class)).toEqual([0, 1, 2, 3, 4]);
    expect(numbers.parts.map(({ transform, values }) => [transform, values])).toEqual([['shift', [-2, -1, 0, 1, 2]], ['scale', [1, 1.5]], ['rotation', [0, 120, 240, 360]]]);
    for (const { values, lines, mean, transform } of numbers.parts) {
      expect(lines).toHaveLength(5);
      for (const { distance, relative, probability } of lines) {
        values.forEach((value, at) => {
          const isPlain = transform === 'scale' ? value === 1 : value % 360 === 0;
          for (const layer of [0, 1]) expect([distance[layer]![at] === 0, relative[layer]![at] === 0]).toEqual([isPlain, isPlain]);
          if (isPlain) expect(probability[at]).toBe(probability[values.indexOf(transform === 'scale' ? 1 : 0)]);
        });
      }
      values.forEach((_, at) => expect(mean.distance[1]![at]).toBeCloseTo(lines.reduce((sum, line) => sum + line.distance[1]![at]!, 0) / 5, 10));
    }
  });

  it('has shifts to the size of the input where none is asked for, and refuses nothing and endless ranges', async () => {
    expect((await services.experiments.complete(spec({ kind: 'invariance', index: noise }))).spec).toMatchObject({ shift: { from: -3, to: 3, step: 1 }, scale: { from: 1, to: 1.8, step: 0.05 } });
    await expect(services.experiments.complete(spec({ kind: 'invariance', index: noise, shift: null, scale: null, rotation: null }))).rejects.toMatchObject({ message: 'Nothing is moved: give at least one of shift, scale and rotation.' });
    await expect(services.experiments.complete(spec({ kind: 'invariance', index: noise, shift: { from: -60, to: 60, step: 0.01 } }))).rejects.toMatchObject({ message: 'The shift from -60 to 60 in steps of 0.01 has 12001 values; give between 1 and 721.' });
    await expect(services.experiments.complete(spec({ kind: 'invariance', index: noise, images: [20] }))).rejects.toMatchObject({ message: `There is no image 20 in index ${noise}; it has 0 to 19.` });
  });
});

describe('correspondence', () => {
  const [factor, offset] = [110 / 128, 7];
  const inInput = (box: DrawnPart['box']) => box.map((length) => Math.round(length * factor) - offset) as [number, number, number, number];

  it('needs marked parts', async () => {
    await expect(services.experiments.complete(spec({ kind: 'correspondence', index: faces }))).rejects.toMatchObject({ message: `No part is marked on two images of index ${faces} or more. Mark the same part, such as an eye, on at least 5 images.` });
    await expect(services.experiments.parts.set({ index: faces, imageNumber: 0, name: 'eye', box: [90, 10, 100, 20] })).rejects.toMatchObject({ message: 'The box [90, 10, 100, 20] of "eye" is empty or reaches outside the network\'s input of 96 rows and 96 columns. Draw it within the picture.' });
  });

  it('keeps parts with the pictures, in the same places for every index of them', async () => {
    for (const { image, name, box } of marks) await services.experiments.parts.set({ index: faces, imageNumber: Number(image.slice(5, -4)), name, box: inInput(box) });
    const listed = await services.experiments.parts.list({ index: faces, image: 3 });
    expect(listed).toEqual(marks.filter(({ image }) => image === 'face-3.png').toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(({ image, name, box }) => ({ imageNumber: 3, image, name, box: inInput(box) })));
    const { preprocessing } = await services.workspaces.required().store.indexes.get(faces as IndexId);
    const whole = await indexed(join(repositoryRoot, 'resources/sample/epoch-100.onnx'), join(home, 'faces'), { ...preprocessing, resize: { kind: 'none' } });
    const [first] = await services.experiments.parts.list({ index: whole, image: 3 });
    // Uncut, the crop begins at 16: within a pixel of where it was drawn.
    first!.box.forEach((length, at) => expect(Math.abs(length + 16 - marks.find(({ image, name }) => image === 'face-3.png' && name === first!.name)!.box[at]!)).toBeLessThanOrEqual(1));
    await services.experiments.parts.set({ index: faces, imageNumber: 3, name: 'ear', box: [1, 2, 3, 4] });
    await services.experiments.parts.remove({ index: faces, image: 3, name: 'ear' });
    expect(await services.experiments.parts.list({ index: faces, image: 3 })).toEqual(listed);
  });

  it('is tighter for parts of the same object than for random boxes at a middle layer, by more than two standard deviations', async () => {
    const { numbers, caption, spec: whole } = await made({ kind: 'correspondence', index: faces, layers: ['conv4'] });
    expect(whole).toMatchObject({ parts: ['left eye', 'nose', 'right eye'], images: [0, 1, 2, 3, 4], layers: ['relu4'], random: 10, tolerance: 1e-6, seed: 1 });
    const random = numbers.rows.at(-1)!.cells[0]!;
    expect([numbers.rows.map(({ part }) => part), random.draws.length, numbers.layers]).toEqual([['left eye', 'nose', 'right eye', null], 10, [{ layer: 'relu4', title: 'conv4', number: 4, features: 96 * 5 * 5 }]]);
    for (const { part, cells } of numbers.rows.slice(0, 3)) expect(random.mean - cells[0]!.mean, part!).toBeGreaterThan(2 * random.drawDeviation!);
    // The network subtracts its mean itself: black would be no mean colour.
    expect(Math.min(...numbers.colour)).toBeGreaterThan(60);
    expect(caption).toContain(`hidden by the mean colour of these pictures ${numbers.colour.join(', ')}.`);
  });

  it('refuses a part that an image has not got, and numbers of boxes that were moved', async () => {
    await services.experiments.parts.remove({ index: faces, image: 4, name: 'nose' });
    await expect(services.experiments.complete(spec({ kind: 'correspondence', index: faces, parts: ['nose'], images: [3, 4] }))).rejects.toMatchObject({ message: `"nose" is not marked on image 4 of index ${faces}. Mark it there, or leave the image out.` });
    const { spec: whole } = await services.experiments.complete(spec({ kind: 'correspondence', index: faces }));
    expect(whole).toMatchObject({ parts: ['left eye', 'right eye'], images: [0, 1, 2, 3, 4] });
  });
});

describe('class evidence', () => {
  it('ranks channels by the area under the curve, as the score matrix gives it', async () => {
    const { numbers } = await made({ kind: 'evidence', index: noise, class: '2', layer: 2 });
    expect(numbers).toMatchObject({ class: { index: 2, name: '2' }, layer: 2, layerName: 'second', images: 4, of: 20 });
    const areas = numbers.channels.map(({ auc }) => auc);
    expect(areas).toEqual(areas.toSorted((a, b) => b - a));
    expect(numbers.against.every(({ auc }) => auc < 0.5)).toBe(true);
    for (const { channel, auc, mean } of numbers.channels) {
      const { hits } = await services.scores.top({ index: noise, layer: 2, channel, k: 20, lowest: false, positions: false });
      const column = new Float32Array(20);
      for (const { imageNumber, score } of hits) column[imageNumber] = score;
      const { classes } = await selectivityOfColumn(column, Int32Array.from({ length: 20 }, (_, image) => Math.floor(image / 4)), 5);
      expect(classes.find((each) => each.class === 2)!.auc).toBeCloseTo(auc, 12);
      expect(mean).toBeCloseTo((column[8]! + column[9]! + column[10]! + column[11]!) / 4, 5);
    }
    expect(await services.experiments.evidence({ index: noise, class: '2', layer: 2, limit: 2 })).toEqual({ ...numbers, channels: numbers.channels.slice(0, 2), against: numbers.against.slice(0, 2) });
  });
});

describe('any experiment', () => {
  const slow = { kind: 'invariance', shift: { from: -3, to: 3, step: 0.5 }, scale: null, rotation: null } as const;

  it('goes on after it was cancelled, and ends with the numbers of one that was not', async () => {
    const request = { ...slow, index: noise, images: [0, 1, 2, 3, 4, 5, 6, 7] };
    const { store } = services.workspaces.required();
    const { putRow } = store.experiments;
    const stopping = vi.spyOn(store.experiments, 'putRow').mockImplementation(async (experiment, key, value) => {
      await putRow(experiment, key, value);
      // Three pictures are done; the job is told while it waits here.
      if (key !== 'shift 2') return;
      void services.experiments.cancel(experiment);
      await wait(100);
    });
    const { id, jobId } = await services.experiments.start({ spec: spec(request), afresh: false });
    const states: string[] = [];
    for await (const { state } of services.experiments.watch(id)) states.push(state);
    stopping.mockRestore();
    expect(states.at(-1)).toBe('cancelled');
    const partial = await services.experiments.get(id);
    expect(partial).toMatchObject({ state: 'cancelled', caption: '' });
    const known = (partial.numbers as ExperimentNumbersOf<'invariance'>).parts[0]!.lines.filter(({ probability }) => probability[0] !== null).length;
    expect(known).toBe(3);
    await expect(services.experiments.figure(id, 'svg')).rejects.toMatchObject({ message: 'This experiment is not done, so it has no figure yet. Resume it, or wait until it is done.' });
    const rows = await store.experiments.rows(id);
    expect(await services.experiments.start({ spec: spec(request), afresh: false })).toEqual({ id, jobId });
    expect((await ended(jobId)).state).toBe('done');
    const resumed = await services.experiments.get(id);
    expect((await store.experiments.rows(id)).size).toBe(0);
    expect([...rows.keys()].filter((key) => key.startsWith('shift'))).toEqual(['shift 0', 'shift 1', 'shift 2']);
    const undisturbed = await made(request, true);
    expect(undisturbed.id).not.toBe(id);
    expect(resumed.numbers).toEqual(undisturbed.numbers);
    expect(resumed.caption).toBe(undisturbed.caption);
  }, 120_000);

  it('is found again, listed, drawn, written out, and deleted', async () => {
    const result = await made({ kind: 'error', index: noise, views: ['centre'], images: 5 });
    expect((await services.experiments.start({ spec: spec({ kind: 'error', index: noise, views: ['centre'], images: 5 }), afresh: false })).id).toBe(result.id);
    expect((await services.experiments.list({ kind: 'error', limit: 10 }))[0]).toEqual({ id: result.id, kind: 'error', title: 'Error rates of net', index: noise, modelName: 'net', imagesPath: join(home, 'noise'), state: 'done', createdAt: result.createdAt });
    const figure = await services.experiments.figure(result.id, 'svg');
    expect(figure).toMatchObject({ format: 'svg', fileName: `net-error-${result.id}.svg`, caption: result.caption });
    expect(new TextDecoder().decode(services.figures.made(figure.media.split('/').at(-1)!).bytes)).toContain(`<desc>${result.caption}</desc>`);
    const json = await services.experiments.export(result.id, 'json');
    expect(JSON.parse(json.text)).toMatchObject({ kind: 'error', spec: result.spec, numbers: result.numbers, caption: result.caption });
    const { text } = await services.experiments.export(result.id, 'csv');
    expect(text.split('\n').slice(0, 3)).toEqual([`# ${result.caption}`, '# Error rates', 'network,top-1 % (centre crop),top-5 % (centre crop)']);
    expect(await made(JSON.parse(json.text).spec as { kind: 'error'; [wish: string]: unknown }, true)).toMatchObject({ numbers: result.numbers });
    await services.experiments.delete(result.id);
    await expect(services.experiments.get(result.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is stopped before it is deleted, and leaves no folder', async () => {
    const { id, jobId } = await services.experiments.start({ spec: spec({ ...slow, index: noise, images: [1, 2, 3] }), afresh: false });
    await services.experiments.delete(id);
    expect((await ended(jobId)).state).toBe('cancelled');
    const folder = join(home, 'work', 'experiments');
    expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
  });

  it('does not go on where the images are others by now', async () => {
    const { store, queue } = services.workspaces.required();
    const { spec: whole } = await services.experiments.complete(spec({ ...slow, index: noise, images: [1] }));
    await store.experiments.create({ id: 'changed0', key: 'changed', kind: 'invariance', index: noise as IndexId, jobId: 'changedjob', spec: whole, subject: { title: 't', modelName: 'net', imagesPath: '', facts: ['before'] } });
    await queue.add({ id: 'changedjob', kind: 'experiment', indexId: noise, title: 't', total: 0, request: { experiment: 'changed0' } });
    expect((await ended('changedjob')).error!.message).toBe('The network or the images are no longer those with which this experiment began, so its numbers would not belong together. Run it again.');
  });
});
