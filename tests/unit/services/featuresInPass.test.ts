/** Features that grow with an index: the bytes of a pass of their own, whatever stops it, and rows of unchanged images kept by a rescan. */
import { appendFileSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { IndexId } from '../../../src-shared/domain/ids.ts';
import { requireRoom, type FeatureWish } from '../../../src-main/services/featurePlan.ts';
import { indexRunner } from '../../../src-main/services/indexJob.ts';
import type { Services } from '../../../src-main/services/services.ts';
import type { StartRequest } from '../../../src-main/services/startIndex.ts';
import type { Store } from '../../../src-main/store/open.ts';
import { rowFileName } from '../../../src-main/store/rowFiles.ts';
import { scoreMatrixFolder } from '../../../src-main/store/scoreMatrix.ts';
import { temporaryFolder } from '../../support/commandLine.ts';
import { seededRandom } from '../../support/graphs.ts';
import { smallClassifierPreprocessing } from '../../support/labNetwork.ts';
import { colourfulPicture, writeMapNetwork } from '../../support/mapNetwork.ts';
import { openServices } from '../../support/openServices.ts';

/** Of layers that are indexed and of one that is not, pooled in every way; the logits have no positions. */
const wishes: readonly FeatureWish[] = [
  { layer: 'second', pooling: 'mean' },
  { layer: 'second', pooling: 'max' },
  { layer: 'second', pooling: 'flat' },
  { layer: 'first', pooling: 'max' },
  { layer: 'logits', pooling: 'mean' },
];
const home = temporaryFolder('features-in-pass');
const pictures = join(home, 'images');
let services: Services;
let round = 1;

beforeAll(async () => {
  await writeMapNetwork(home, 5);
  writeFileSync(join(pictures, 'cat', '1 broken.png'), 'broken');
  services = await openServices(home, join(home, 'work'));
}, 60_000);
// Another number of hits makes another index of the same pictures.
beforeEach(() => void round++);
afterEach(() => void vi.restoreAllMocks());
afterAll(async () => {
  await services.close();
  rmSync(home, { recursive: true, force: true });
});

function request(rest: Partial<StartRequest> = {}): StartRequest {
  return { modelPath: join(home, 'net.onnx'), imagesPath: pictures, preprocessing: smallClassifierPreprocessing, layers: ['second'], top: round, engine: 'onnxruntime', device: 'cpu', batch: 4, ...rest };
}

async function done(jobId: string | null): Promise<void> {
  expect(await services.workspaces.required().queue.ended(jobId!)).toMatchObject({ state: 'done', error: null });
}

async function indexed(rest: Partial<StartRequest> = {}): Promise<IndexId> {
  const { index, jobId } = await services.indexing.start(request(rest));
  await done(jobId);
  return index as IndexId;
}

/** Every file that is kept beside the scores, and the scores themselves, by what they are. */
async function filesOf(index: IndexId): Promise<Record<string, string>> {
  const { store } = services.workspaces.required();
  const folder = scoreMatrixFolder(store.folder, (await store.indexes.get(index)).matrixFolder);
  const files = await store.rowFiles.list(index);
  const named = files.map((file): [string, string] => [`${file.what} ${file.layer} ${file.pooling}`.trim(), `${file.rows} ${readFileSync(join(folder, rowFileName(file)), 'base64')}`]);
  const matrix = readdirSync(folder).filter((name) => /^\d+\.npy$|^images/.test(name)).map((name): [string, string] => [name, readFileSync(join(folder, name), 'base64')]);
  return Object.fromEntries([...named, ...matrix]);
}

/** A fresh index of the same pictures, with its features computed in a pass of their own. */
async function separately(rest: Partial<StartRequest> = {}): Promise<Record<string, string>> {
  round++;
  const index = await indexed(rest);
  for (const wish of wishes) await done((await services.features.compute({ index, ...wish })).jobId);
  return filesOf(index);
}

/** Calls of the network since, by name. */
function calls() {
  const spy = vi.spyOn(services.inference, 'call');
  return () => Object.fromEntries(['score', 'features'].map((name) => [name, spy.mock.calls.filter(([called]) => called === name).length]));
}

describe('features that are asked for with an index', () => {
  it.each(['float32', 'float16', 'none'] as const)('are computed by its own runs, to the bytes of a pass of their own (scores: %s)', async (matrix) => {
    const made = calls();
    const index = await indexed({ matrix, features: wishes });
    expect(made()).toEqual({ score: 7, features: 0 });
    expect((await services.features.list(index)).map(({ layer, pooling, dimensions, rows, state }) => [layer, pooling, dimensions, rows, state])).toEqual([
      ['second', 'mean', 6, 25, 'complete'],
      ['second', 'max', 6, 25, 'complete'],
      ['second', 'flat', 216, 25, 'complete'],
      ['first', 'max', 4, 25, 'complete'],
      ['logits', 'mean', 5, 25, 'complete'],
    ]);
    for (const wish of wishes) expect((await services.features.compute({ index, ...wish })).jobId).toBeNull();
    expect(await filesOf(index)).toEqual(await separately({ matrix }));
  }, 60_000);

  it.each([1, 2])('end with the same bytes when a process dies around commit %i', async (lost) => {
    const { queue, store } = services.workspaces.required();
    const { index, jobId } = await services.indexing.start(request({ features: wishes }));
    await queue.pause(jobId!);
    const { request: asked } = (await queue.list()).find(({ id }) => id === jobId)!;
    const job = { id: 'a', kind: 'index', indexId: index, title: '', state: 'running', done: 0, total: 0, request: asked, error: null, startedAt: '', endedAt: null } as const;
    let commits = 0;
    const dying: Store = { ...store, hits: { ...store.hits, commitBatch: async (batch) => (++commits < lost ? store.hits.commitBatch(batch) : Promise.reject(new Error('killed'))) } };
    await expect(indexRunner(dying, services.inference)(job, { report: () => undefined, standFor: () => undefined }, new AbortController().signal)).rejects.toThrow('killed');
    const { cursor, skipped } = await store.indexes.get(index as IndexId);
    const files = await store.rowFiles.list(index as IndexId);
    expect(cursor < 26).toBe(true);
    expect(files.map(({ rows }) => rows), 'as many rows as images are committed').toEqual(files.map(() => cursor - skipped));
    for (const file of files) appendFileSync(join(scoreMatrixFolder(store.folder, file.folder), rowFileName(file)), 'what was written behind the last commit');
    await queue.resume(jobId!);
    await done(jobId);
    expect(await filesOf(index as IndexId)).toEqual(await separately());
  }, 60_000);

  it('are left to a pass of their own where the index has rows already', async () => {
    const index = await indexed();
    const again = await services.indexing.start(request({ features: wishes }));
    expect([again.index, again.jobId, (await services.features.list(index)).length]).toEqual([index, null, 0]);
  });

  it('are refused before anything is made where a layer is not there, or the disk has no room', async () => {
    await expect(services.indexing.start(request({ features: [{ layer: 'third', pooling: 'mean' }] }))).rejects.toThrow('"third"');
    expect((await services.indexing.list()).filter(({ top }) => top === round)).toEqual([]);
    const layer = { channels: 512 } as Parameters<typeof requireRoom>[0]['layers'][number];
    const plan = { layers: [layer], logits: null, wishes: [{ what: 'features', layer: 'conv', title: 'conv', pooling: 'flat', shape: [100_352] }] } as const;
    expect(() => requireRoom(plan, 1000, 5e8)).not.toThrow();
    expect(() => requireRoom(plan, 1000, 4e8)).toThrow('1000 images with 100352 numbers each need 383 MB, and the disk of the workspace has 318 MB to spare. Pooled by mean or max there are 512 numbers instead of 100352.');
  });
});

describe('a rescan', () => {
  const changed = [join(pictures, 'bee', '3.png'), join(pictures, 'ant', '0.png')] as const;
  const added = [join(pictures, 'ant', '0 first.png'), join(pictures, 'elk', 'last.png')] as const;

  /** Two added, one with other bytes, one with another time only, one gone; and one that cannot be read. */
  async function changeFolder(): Promise<void> {
    const random = seededRandom(31 + round);
    for (const [at, file] of [...added, changed[0]].entries()) writeFileSync(file, await colourfulPicture(at, random));
    utimesSync(changed[1], 1_700_000_000 + round, 1_700_000_000);
    rmSync(join(pictures, 'dog', '2.png'), { force: true });
    writeFileSync(join(pictures, 'dog', 'broken.png'), 'broken');
  }

  afterEach(async () => {
    for (const file of [...added, join(pictures, 'dog', 'broken.png')]) rmSync(file, { force: true });
    writeFileSync(join(pictures, 'dog', '2.png'), await colourfulPicture(3, seededRandom(round)));
  });

  it('takes the rows of unchanged images over, and computes the others in its own runs', async () => {
    const index = await indexed({ features: wishes });
    const { store } = services.workspaces.required();
    const { matrixFolder: before } = await store.indexes.get(index);
    await changeFolder();
    const made = calls();
    const { jobId, recomputes } = await services.indexing.rescan(index);
    expect(recomputes).toBeNull();
    await done(jobId);
    expect(made().features).toBe(0);
    // Three pictures to compute, in one batch; more only where the place of a hit has to be found.
    expect(made().score).toBeLessThan(4);
    expect((await services.features.list(index)).map(({ rows, state }) => [rows, state])).toEqual(wishes.map(() => [26, 'complete']));
    expect(await filesOf(index)).toEqual(await separately());
    expect(readdirSync(join(store.folder, 'activations')), 'the old files are gone').not.toContain(before);
  }, 60_000);

  it('computes them anew with its scores where the index keeps none', async () => {
    const index = await indexed({ matrix: 'none', features: wishes });
    await changeFolder();
    await done((await services.indexing.rescan(index)).jobId);
    expect(await filesOf(index)).toEqual(await separately({ matrix: 'none' }));
  }, 60_000);

  it('leaves those that were not whole as they are, outdated', async () => {
    const index = await indexed({ features: wishes.slice(0, 2) });
    const { store } = services.workspaces.required();
    const [mean] = await store.rowFiles.list(index);
    await store.rowFiles.commit([{ id: mean!.id, rows: 12 }]);
    await changeFolder();
    await done((await services.indexing.rescan(index)).jobId);
    expect((await services.features.list(index)).map(({ pooling, rows, state }) => [pooling, rows, state])).toEqual([['mean', 12, 'outdated'], ['max', 26, 'complete']]);
  }, 60_000);
});
