/**
 * What a later version of Switchback, whose scores are others, makes of a workspace and a pack of today: what is there is shown and called outdated, nothing of one version is added to rows of
 * another, and the same request makes a new index.
 */
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { computationVersion } from '../../src-main/services/computation.ts';
import type { Services } from '../../src-main/services/services.ts';
import type { StartRequest } from '../../src-main/services/startIndex.ts';
import { openDatabase } from '../../src-main/store/driver.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { writeNoisePictures } from '../support/noisePictures.ts';
import { openServices } from '../support/openServices.ts';
import { smallModelPreprocessing, writeSmallModel } from '../support/smallModel.ts';

const home = temporaryFolder('next-version');
const at = (name: string) => join(home, name);
const request: StartRequest = { modelPath: at('net.onnx'), imagesPath: at('images'), preprocessing: smallModelPreprocessing, top: 3, engine: 'onnxruntime', device: 'cpu', batch: 4 };
const way = { method: 'deconvnet', seed: 'one' } as const;
let index: string;
let projected: Awaited<ReturnType<typeof projections>>;
let services: Services | null = null;

beforeAll(async () => {
  writeSmallModel(at('net.onnx'));
  await writeNoisePictures(at('images'), 6);
  const now = await openServices(home, at('workspace'));
  const started = await now.indexing.start(request);
  await now.workspaces.required().queue.ended(started.jobId!);
  index = started.index;
  await projections(now);
  projected = await projections(now);
  await now.packs.pack({ path: at('today.switchback'), matrices: false });
  await now.close();
});
afterEach(async () => {
  await services?.close();
  services = null;
});
afterAll(() => {
  vi.doUnmock('../../src-main/services/computation.ts');
  rmSync(home, { recursive: true, force: true });
});

it('shows an index of today, calls it outdated, and neither fills nor rescans it', async () => {
  services = await openLater(at('workspace'));
  expect((await services.indexing.get(index)).outdated).toBe(true);
  const refusal = { code: 'CONFLICT', message: 'This index was made by another version of Switchback, whose scores would not fit together with new ones. Index the folder again.', data: { index } };
  await expect(services.indexing.rescan(index)).rejects.toMatchObject(refusal);
  expect(await services.indexing.resume(index), 'there is nothing left to fill').toEqual({ jobId: null });
  const features = { index, layer: 'second', pooling: 'mean' } as const;
  expect((await services.features.estimate(features)).obstacle).toBe(refusal.message);
  await expect(services.features.compute(features)).rejects.toMatchObject({ code: 'CONFLICT', message: refusal.message });
  const again = await services.indexing.start(request);
  expect(again.index).not.toBe(index);
  const { queue } = services.workspaces.required();
  await queue.ended(again.jobId!);
  expect((await services.indexing.list()).map(({ id, outdated, indexed }) => [id, outdated, indexed])).toEqual([[again.index, false, 6], [index, true, 6]]);
});

it('does not go on with an index that was begun today', async () => {
  const begun = await openServices(home, at('begun'));
  const started = await begun.indexing.start(request);
  await begun.workspaces.required().queue.ended(started.jobId!);
  await begun.close();
  const database = await openDatabase(at('begun/workspace.sqlite'), 'write');
  await database.run('UPDATE indexes SET cursor = 4 WHERE id = ?', [started.index]);
  await database.run("UPDATE jobs SET state = 'interrupted' WHERE id = ?", [started.jobId!]);
  await database.close();
  services = await openLater(at('begun'));
  await expect(services.indexing.resume(started.index)).rejects.toThrow('This index was made by another version of Switchback');
  const { queue } = services.workspaces.required();
  await queue.resume(started.jobId!);
  expect((await queue.ended(started.jobId!)).error?.message).toMatch('This index was made by another version of Switchback');
  expect((await services.indexing.get(started.index)).indexed).toBe(4);
});

it('shows the projections of a pack of today, without network and images', async () => {
  for (const name of ['net.onnx', 'images']) renameSync(at(name), at(`away ${name}`));
  try {
    services = await openLater(at('today.switchback'));
    expect(await projections(services)).toEqual(projected);
  } finally {
    for (const name of ['net.onnx', 'images']) renameSync(at(`away ${name}`), at(name));
  }
});

it('finds an index again whose preprocessing is asked for in another order', async () => {
  services = await openServices(home, at('order'));
  const first = await services.indexing.start(request);
  await services.workspaces.required().queue.ended(first.jobId!);
  const { std, mean, scale, resize, crop, order } = smallModelPreprocessing;
  expect(await services.indexing.start({ ...request, preprocessing: { std, mean, scale, resize, crop, order } })).toEqual({ index: first.index, jobId: null });
  expect((await services.indexing.start({ ...request, top: 4 })).index).not.toBe(first.index);
});

/** The services of a program whose computation has the next version. */
async function openLater(workspace: string): Promise<Services> {
  vi.doMock('../../src-main/services/computation.ts', async (original) => {
    const { requireSameComputation, whyOtherComputation } = await original<typeof import('../../src-main/services/computation.ts')>();
    type Made = Parameters<typeof requireSameComputation>[0];
    const ofLater = <T>(ask: (of: Made) => T) => (of: Made) => ask({ ...of, computationVersion: of.computationVersion - 1 });
    return { computationVersion: computationVersion + 1, requireSameComputation: ofLater(requireSameComputation), whyOtherComputation: ofLater(whyOtherComputation) };
  });
  vi.resetModules();
  const { openServices: open } = await import('../support/openServices.ts');
  return open(home, workspace);
}

/** Hits of the second layer's first channel, projected; from the second time on as they are kept. */
async function projections(from: Services) {
  const { store } = from.workspaces.required();
  const stored = await store.indexes.get(index as IndexId);
  const units = (await store.hits.ofChannel(stored.id, 2, 0)).map(({ channel, image, y, x }) => ({ channel, imageNumber: image, y, x }));
  expect(units).toHaveLength(3);
  return from.projections.pictures({ store, index: stored, layer: 2, units }, way, { areHits: true });
}
