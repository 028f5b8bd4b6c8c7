/** What a workspace keeps of the lab: studies with their parts, given pictures, names of classes. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { openStore, type Store } from '../../src-main/store/open.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { sampleImages, sampleIndex } from './sampleBatch.ts';

let folder: string;
let store: Store;
let index: IndexId;
const workspace = () => join(folder, 'workspace');

beforeEach(async () => {
  folder = temporaryFolder('lab-store');
  store = await openStore(workspace(), { mode: 'write', create: true });
  index = (await store.indexes.create(sampleIndex, sampleImages(2))).id;
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const study = (id: string, key: string, pictureHash: string | null = null) => ({ id, key, index, pictureHash, state: 'running' as const, record: { step: 0 }, createdAt: '2026-01-01T00:00:00.000Z' });

it('a study is found by its key once it is done, with its parts', async () => {
  await store.labResults.create(study('first', 'same', 'hash'));
  expect(await store.labResults.findDone('same')).toBeNull();
  await store.labResults.finish('first', 'done', { step: 7 }, [{ name: 'map.png', bytes: Uint8Array.of(1, 2) }]);
  expect(await store.labResults.findDone('same')).toMatchObject({ id: 'first', state: 'done', record: { step: 7 } });
  expect([...(await store.labResults.part('first', 'map.png'))!]).toEqual([1, 2]);
  expect(await store.labResults.part('first', 'other.png')).toBeNull();
  await store.labResults.create(study('second', 'other'));
  expect((await store.labResults.list({ limit: 10 })).map(({ id }) => id)).toEqual(['second', 'first']);
  expect((await store.labResults.list({ pictureHash: 'hash', limit: 10 })).map(({ id }) => id)).toEqual(['first']);
  await store.labResults.delete('first');
  expect(await store.labResults.part('first', 'map.png')).toBeNull();
});

it('a study that a kill left running is interrupted, and goes with its index', async () => {
  await store.labResults.create(study('killed', 'key'));
  await store.close();
  store = await openStore(workspace(), { mode: 'write' });
  expect(await store.labResults.get('killed')).toMatchObject({ state: 'interrupted' });
  await store.indexes.delete(index);
  expect(await store.labResults.get('killed')).toBeNull();
  await store.labResults.finish('killed', 'done', {}, [{ name: 'late.png', bytes: Uint8Array.of(1) }]);
  expect(await store.labResults.part('killed', 'late.png')).toBeNull();
});

it('given pictures are kept once, and the oldest go when there are too many', async () => {
  for (const [hash, size] of [['a', 40], ['b', 50], ['c', 30]] as const) {
    await store.labUploads.put(hash, { name: `${hash}.png`, bytes: new Uint8Array(size) });
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await store.labUploads.put('a', { name: 'again.png', bytes: new Uint8Array(40) });
  expect((await store.labUploads.get('a'))!.name).toBe('a.png');
  await store.labUploads.prune(80);
  expect(await store.labUploads.get('b')).toBeNull();
  expect([(await store.labUploads.get('a'))!.bytes.length, (await store.labUploads.get('c'))!.bytes.length]).toEqual([40, 30]);
});

it('names of classes belong to the network', async () => {
  expect(await store.labUploads.classNames('model')).toBeNull();
  await store.labUploads.nameClasses('model', [{ name: 'cat', wnid: null }]);
  await store.labUploads.nameClasses('model', [{ name: 'dog', wnid: 'n00000001' }]);
  expect(await store.labUploads.classNames('model')).toEqual([{ name: 'dog', wnid: 'n00000001' }]);
});
