/** Crops are kept while no job runs: on opening, after each job, not beside one, and never where nothing may be written. */
import { rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sharp } from '../../../src-main/dataset/imageLibrary.ts';
import { decodeImage } from '../../../src-main/dataset/decode.ts';
import { createCropKeeping, type CropKeeping } from '../../../src-main/services/cropKeeping.ts';
import { createChangeSignal } from '../../../src-main/services/events.ts';
import type { WorkspaceService } from '../../../src-main/services/workspaces.ts';
import { openStore, type Store } from '../../../src-main/store/open.ts';
import type { IndexId } from '../../../src-shared/domain/ids.ts';
import { sampleIndex } from '../../store/sampleBatch.ts';
import { temporaryFolder } from '../../support/commandLine.ts';

const crop = [8, 8] as const;
const images = 5;
let root = '';
let store: Store;
let keeping: CropKeeping;
let index: IndexId;
let isBusy = false;
let readOnly: string | null = null;
const jobsChanged = createChangeSignal();

beforeEach(async () => {
  root = temporaryFolder('cropKeeping');
  await mkdir(join(root, 'images'));
  [isBusy, readOnly] = [false, null];
  store = await openStore(join(root, 'w'), { mode: 'write', create: true });
  const preprocessing = { ...sampleIndex.preprocessing, crop, resize: { kind: 'none' } as const };
  const names = Array.from({ length: images }, (_, at) => `${at}.png`);
  const manifest = names.map((path) => ({ path, file: path, sizeBytes: 1, modifiedMs: 1, className: null }));
  const { id } = await store.indexes.create({ ...sampleIndex, imagesPath: join(root, 'images'), preprocessing }, manifest);
  index = id;
  const hashes: [number, string][] = [];
  for (const [at, name] of names.entries()) {
    await sharp(new Uint8Array(8 * 8 * 3).fill(at * 20), { raw: { width: 8, height: 8, channels: 3 } }).png().toFile(join(root, 'images', name));
    hashes.push([at, (await decodeImage(join(root, 'images', name), preprocessing)).contentHash]);
  }
  const hits = names.slice(1).map((_, at) => ({ image: at + 1, score: 9 - at, y: 0, x: 0 }));
  await store.hits.commitBatch({ indexId: id, cursor: images, hashes, skipped: [], channels: [{ layer: 1, channel: 0, hits }], statistics: [] });
  const open = { store, queue: { isBusy: () => isBusy } };
  keeping = createCropKeeping({ jobsChanged, current: () => ({ readOnly }), required: () => open } as unknown as WorkspaceService);
});
afterEach(async () => {
  await keeping.close();
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

const kept = async () => (await store.crops.size(index)).kept;

it('keeps those of images that hold hits, and passes over what is gone', async () => {
  rmSync(join(root, 'images', '2.png'));
  keeping.start();
  await expect.poll(kept).toBe(images - 2);
  expect(await store.crops.missing(index)).toEqual([2]);
});

it('waits for a job to end', async () => {
  isBusy = true;
  keeping.start();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await kept()).toBe(0);
  isBusy = false;
  jobsChanged.changed();
  await expect.poll(kept).toBe(images - 1);
});

it('leaves alone what is only read', async () => {
  readOnly = 'Its disk is read-only.';
  keeping.start();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await kept()).toBe(0);
});
