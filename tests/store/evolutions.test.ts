/** Series of checkpoints in the workspace: kept, extended, given their indexes and their movement; in a pack without the places of its machine. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SeriesRecord } from '../../src-main/store/evolutions.ts';
import { openStore, type Store } from '../../src-main/store/open.ts';
import { writePack } from '../../src-main/store/packWriting.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { temporaryFolder } from '../support/commandLine.ts';

const root = temporaryFolder('evolutions');
let store: Store;

beforeAll(async () => {
  store = await openStore(join(root, 'workspace'), { mode: 'write', create: true });
});
afterAll(async () => {
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

const record: SeriesRecord = {
  name: 'run',
  folder: '/secret/run',
  imagesPath: '/secret/images',
  labelsPath: 'C:\\secret\\labels.tsv',
  preprocessing: { order: 'rgb', crop: [8, 8], resize: { kind: 'exact' }, scale: 1, mean: [0], std: [1] },
  engine: 'auto',
  device: 'auto',
  batch: null,
  matrix: 'none',
  layers: [],
  checkpoints: [
    { epoch: 1, name: 'a-1.onnx', path: '/secret/run/a-1.onnx', modelHash: 'aa', index: null },
    { epoch: 2, name: 'a-2.onnx', path: '/secret/run/a-2.onnx', modelHash: 'bb', index: null },
  ],
};

it('keeps a series, newest first, with the index of each checkpoint', async () => {
  await store.evolutions.create('series01', record);
  await store.evolutions.create('series02', { ...record, name: 'other' });
  expect((await store.evolutions.list()).map(({ id, name }) => [id, name])).toEqual([['series02', 'other'], ['series01', 'run']]);
  await store.evolutions.setIndex('series01', 'bb', 'index002' as IndexId);
  const { id, createdAt, ...kept } = await store.evolutions.get('series01');
  expect([id, Number.isNaN(Date.parse(createdAt))]).toEqual(['series01', false]);
  expect(kept).toEqual({ ...record, checkpoints: [record.checkpoints[0], { ...record.checkpoints[1], index: 'index002' }] });
  await expect(store.evolutions.setIndex('series99', 'bb', 'index002' as IndexId)).rejects.toThrow('There is no series of checkpoints "series99" in this workspace.');
});

it('keeps the movement until the series has other checkpoints', async () => {
  expect(await store.evolutions.movement('series01')).toBeNull();
  await store.evolutions.setMovement('series01', [{ layer: 'relu1', fromFirst: [0, null] }]);
  expect(await store.evolutions.movement('series01')).toEqual([{ layer: 'relu1', fromFirst: [0, null] }]);
  await store.evolutions.replace('series01', { ...record, checkpoints: record.checkpoints.slice(0, 1) });
  expect([await store.evolutions.movement('series01'), (await store.evolutions.get('series01')).checkpoints.length]).toEqual([null, 1]);
  await expect(store.evolutions.replace('series99', record)).rejects.toThrow('There is no series of checkpoints "series99" in this workspace.');
});

it('goes into a pack without saying where things lie', async () => {
  await writePack(store, join(root, 'one.switchback'), { parts: [] });
  const pack = await openStore(join(root, 'one.switchback'), { mode: 'read' });
  const series = await pack.evolutions.get('series02');
  await pack.close();
  expect([series.folder, series.imagesPath, series.labelsPath, series.checkpoints.map(({ path }) => path)]).toEqual(['run', 'images', 'labels.tsv', ['a-1.onnx', 'a-2.onnx']]);
});

it('forgets a series', async () => {
  await store.evolutions.delete('series01');
  await expect(store.evolutions.get('series01')).rejects.toThrow('There is no series of checkpoints "series01" in this workspace.');
});
