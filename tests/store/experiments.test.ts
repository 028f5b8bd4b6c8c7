/** What a workspace keeps of experiments: what was asked, finished pieces, growing and whole numbers; and of parts that were marked on pictures. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { openStore, type Store } from '../../src-main/store/open.ts';
import { writePack } from '../../src-main/store/packWriting.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { sampleImages, sampleIndex } from './sampleBatch.ts';

let folder: string;
let store: Store;
let index: IndexId;

beforeEach(async () => {
  folder = temporaryFolder('experiments-store');
  store = await openStore(join(folder, 'workspace'), { mode: 'write', create: true });
  index = (await store.indexes.create(sampleIndex, sampleImages(2))).id;
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const experiment = (id: string, key: string, kind = 'error', of: IndexId | null = index) => ({ id, key, kind, index: of, jobId: `${id}job`, spec: { kind, index: of }, subject: { title: id } });

it('an experiment is found by its key, the newest first', async () => {
  expect(await store.experiments.find('same')).toBeNull();
  await store.experiments.create(experiment('first', 'same'));
  await store.experiments.create(experiment('second', 'same', 'invariance'));
  await store.experiments.create(experiment('third', 'other', 'ablation', null));
  expect(await store.experiments.find('same')).toMatchObject({ id: 'second', jobId: 'secondjob', caption: null, numbers: null, notes: [] });
  expect((await store.experiments.list({ limit: 10 })).map(({ id }) => id)).toEqual(['third', 'second', 'first']);
  expect((await store.experiments.list({ kind: 'error', limit: 10 })).map(({ id }) => id)).toEqual(['first']);
  expect((await store.experiments.list({ index, limit: 1 })).map(({ id }) => id)).toEqual(['second']);
  await expect(store.experiments.get('fourth')).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'There is no experiment "fourth" in this workspace. It may have been deleted, by itself or with its index.' });
});

it('finished pieces are kept until the numbers are whole', async () => {
  await store.experiments.create(experiment('first', 'key'));
  await store.experiments.putRow('first', 'images 0', [0.1, null]);
  await store.experiments.putRow('first', 'images 8', { a: 1 });
  await store.experiments.setNumbers('first', { images: 8 });
  expect([...(await store.experiments.rows('first'))]).toEqual([['images 0', [0.1, null]], ['images 8', { a: 1 }]]);
  expect(await store.experiments.get('first')).toMatchObject({ numbers: { images: 8 }, caption: null });
  await store.experiments.finish('first', { numbers: { images: 16 }, caption: 'Done.', notes: ['one'] });
  expect(await store.experiments.get('first')).toMatchObject({ numbers: { images: 16 }, caption: 'Done.', notes: ['one'] });
  expect((await store.experiments.rows('first')).size).toBe(0);
});

it('a deleted experiment leaves nothing, and its job may still want to keep a piece', async () => {
  await store.experiments.create(experiment('first', 'key'));
  await store.experiments.putRow('first', 'a', 1);
  await store.experiments.delete('first');
  await store.experiments.putRow('first', 'b', 2);
  expect((await store.experiments.rows('first')).size).toBe(0);
});

it('experiments go with their index; those without one stay', async () => {
  await store.experiments.create(experiment('first', 'key'));
  await store.experiments.putRow('first', 'a', 1);
  await store.experiments.create(experiment('second', 'other', 'ablation', null));
  await store.indexes.delete(index);
  expect((await store.experiments.list({ limit: 10 })).map(({ id }) => id)).toEqual(['second']);
  expect((await store.experiments.rows('first')).size).toBe(0);
});

it('parts are kept with the picture, one of each name', async () => {
  const eye = { contentHash: 'cat', name: 'eye', upper: 0.1, leftmost: 0.2, lower: 0.3, rightmost: 0.4, height: 30, width: 40 };
  await store.pictureParts.set(eye);
  await store.pictureParts.set({ ...eye, name: 'nose' });
  await store.pictureParts.set({ ...eye, lower: 0.5 });
  await store.pictureParts.set({ ...eye, contentHash: 'dog' });
  expect(await store.pictureParts.of(['cat'])).toEqual([{ ...eye, lower: 0.5 }, { ...eye, name: 'nose' }]);
  await store.pictureParts.remove('cat', 'eye');
  expect((await store.pictureParts.of(['cat', 'dog', 'owl'])).map(({ contentHash, name }) => `${contentHash} ${name}`)).toEqual(['dog eye', 'cat nose']);
});

it('a pack has what is finished, without places of the machine', async () => {
  const spec = { kind: 'generalise', labelsPath: '/secret/labels.tsv', architecture: { kind: 'file', path: 'C:\\secret\\net.onnx' } };
  await store.experiments.create({ ...experiment('first', 'key'), spec, subject: { title: 'first', imagesPath: '/secret/photographs' } });
  await store.experiments.finish('first', { numbers: { rows: [] }, caption: 'Done.', notes: [] });
  await store.experiments.create(experiment('half', 'half'));
  await store.experiments.create(experiment('trained', 'other', 'ablation', null));
  await store.experiments.finish('trained', { numbers: {}, caption: 'Done.', notes: [] });
  await store.pictureParts.set({ contentHash: 'cat', name: 'eye', upper: 0.1, leftmost: 0.2, lower: 0.3, rightmost: 0.4, height: 30, width: 40 });
  for (const [name, indexes, kept] of [['all.switchback', undefined, ['trained', 'first']], ['one.switchback', [index], ['first']]] as const) {
    await writePack(store, join(folder, name), { parts: [], ...(indexes ? { indexes } : {}) });
    const packed = await openStore(join(folder, name), { mode: 'read' });
    try {
      expect((await packed.experiments.list({ limit: 10 })).map(({ id }) => id)).toEqual(kept);
      expect(await packed.experiments.get('first')).toMatchObject({ spec: { labelsPath: 'labels.tsv', architecture: { path: 'net.onnx' } }, subject: { imagesPath: 'photographs' }, caption: 'Done.' });
      expect(await packed.pictureParts.of(['cat'])).toEqual([]);
    } finally {
      await packed.close();
    }
  }
});
