/** The index of neighbours beyond so many images that each is looked at: built once, kept, asked, and never trusted where it is not that of these rows. The limit is lowered to ten images. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IndexId } from '../../../src-shared/domain/ids.ts';
import { secondsToBuild, type Metric } from '../../../src-main/services/neighbourIndexes.ts';
import type { Services } from '../../../src-main/services/services.ts';
import { neighbourFileName } from '../../../src-main/store/neighbourFiles.ts';
import { scoreMatrixFolder } from '../../../src-main/store/scoreMatrix.ts';
import { temporaryFolder } from '../../support/commandLine.ts';
import { indexMapNetwork, writeMapNetwork } from '../../support/mapNetwork.ts';
import { openServices } from '../../support/openServices.ts';

const home = temporaryFolder('neighbour-indexes');
const limits = { mostExactRows: 10, mostBytes: 100_000 };
let services: Services;
let index: string;
let file: string;
let features: string;

const choice = () => ({ index, layer: 'second', pooling: 'mean' }) as const;
const nearest = (metric: Metric = 'l2', k = 5) => services.neighbours.nearest({ ...choice(), metric, k, picture: 'image-11' });
const kept = (metric: Metric = 'l2') => file.replace('-l2', `-${metric}`);
const sha = () => createHash('sha256').update(readFileSync(file)).digest('hex');

async function built(metric: Metric = 'l2'): Promise<void> {
  const { jobId } = await services.neighbourIndexes.build({ ...choice(), metric });
  if (jobId) expect(await services.workspaces.required().queue.ended(jobId)).toMatchObject({ state: 'done', error: null });
}

beforeAll(async () => {
  await writeMapNetwork(home);
  services = await openServices(home, join(home, 'work'), { neighbourLimits: limits });
  index = await indexMapNetwork(services, home);
  const { features: id, jobId } = await services.features.compute(choice());
  await services.workspaces.required().queue.ended(jobId!);
  features = id;
  const { store } = services.workspaces.required();
  const stored = await store.indexes.get(index as IndexId);
  file = join(scoreMatrixFolder(store.folder, stored.matrixFolder), neighbourFileName({ what: 'features', id }, 'l2'));
}, 120_000);
afterAll(async () => {
  await services?.close();
  rmSync(home, { recursive: true, force: true });
});

describe('an index of neighbours', () => {
  it('is offered beforehand with its time and size; until it is built every image is looked at', async () => {
    expect(await nearest()).toMatchObject({ exact: true, index: { kind: 'absent', seconds: 1, bytes: expect.closeTo(6_000, -3) } });
    expect([secondsToBuild(100_000, 50), secondsToBuild(1_000_000, 50), secondsToBuild(100_000, 512)]).toEqual([61, 732, 287]);
  });

  it('is built as a job, answers the same as a look at every image, and says so', async () => {
    for (const metric of ['l2', 'cosine'] as const) {
      const exact = await nearest(metric);
      await built(metric);
      expect(existsSync(kept(metric))).toBe(true);
      const found = await nearest(metric);
      expect([found.exact, found.index]).toEqual([false, { kind: 'ready' }]);
      expect(found.features.map(({ image }) => image)).toEqual(exact.features.map(({ image }) => image));
      found.features.forEach(({ distance }, at) => expect(distance).toBeCloseTo(exact.features[at]!.distance, 5));
      expect(found.pixels).toEqual(exact.pixels);
    }
    expect(await services.neighbourIndexes.build({ ...choice(), metric: 'l2' })).toEqual({ jobId: null });
    // More than the index can reach is looked for among all.
    expect(await nearest('l2', 39)).toMatchObject({ index: { kind: 'ready' }, features: { length: 39 } });
  });

  it('of a picture that is given begins with that picture', async () => {
    const { picture } = await services.lab.upload(readFileSync(join(home, 'images', 'dog', '2.png')), 'mine.png', true);
    const found = await services.neighbours.nearest({ ...choice(), metric: 'cosine', k: 3, picture });
    expect([found.exact, found.features[0]]).toEqual([false, expect.objectContaining({ image: 'dog/2.png', distance: expect.closeTo(0, 6) })]);
  });

  it('that is cut off, foreign or of other rows is thrown away, never followed, and built anew to the same bytes', async () => {
    const whole = sha();
    for (const spoil of [() => truncateSync(file, 3000), () => writeFileSync(file, 'something else'), () => writeFileSync(file, readFileSync(kept('cosine')))]) {
      spoil();
      await services.neighbourIndexes.close();
      const found = await nearest();
      expect([found.exact, found.index.kind, existsSync(file)]).toEqual([true, 'absent', false]);
      await built();
      expect([(await nearest()).exact, sha()]).toEqual([false, whole]);
    }
  });

  it('whose job is cancelled leaves nothing; resumed, it ends with the same bytes', async () => {
    const whole = sha();
    rmSync(file);
    await services.neighbourIndexes.close();
    const { queue } = services.workspaces.required();
    const { jobId } = await services.neighbourIndexes.build({ ...choice(), metric: 'l2' });
    expect((await nearest()).index).toEqual({ kind: 'building', jobId });
    await queue.cancel(jobId!);
    expect([(await queue.ended(jobId!)).state, existsSync(file), existsSync(`${file}.tmp`)]).toEqual(['cancelled', false, false]);
    const again = await services.neighbourIndexes.build({ ...choice(), metric: 'l2' });
    expect([again.jobId, (await queue.ended(jobId!)).state, sha()]).toEqual([jobId, 'done', whole]);
  });

  it('whose core ends while it is built is there whole after the next start, with the same bytes', async () => {
    const whole = sha();
    rmSync(file);
    await services.neighbourIndexes.close();
    const { jobId } = await services.neighbourIndexes.build({ ...choice(), metric: 'l2' });
    await services.close();
    expect(existsSync(file)).toBe(false);
    // What a kill leaves of a file that was being written.
    writeFileSync(`${file}.tmp`, 'half');
    services = await openServices(home, join(home, 'work'), { neighbourLimits: limits });
    expect((await services.jobs.list()).find(({ id }) => id === jobId)).toMatchObject({ kind: 'neighbours', state: 'interrupted' });
    expect((await nearest()).index.kind).toBe('absent');
    await built();
    expect([sha(), existsSync(`${file}.tmp`), (await nearest()).exact]).toEqual([whole, false, false]);
  });

  it('is refused where it would take too much memory, where it is not needed, and without features', async () => {
    const large = { index, layer: 'second', pooling: 'flat' } as const;
    await expect(services.neighbourIndexes.build({ ...large, metric: 'l2' })).rejects.toMatchObject({ code: 'NOT_FOUND', data: { needsFeatures: true } });
    const small = await openServices(home, join(home, 'work-2'), { neighbourLimits: { mostExactRows: 10, mostBytes: 15_000 } });
    try {
      const other = await indexMapNetwork(small, home);
      const { jobId } = await small.features.compute({ ...large, index: other });
      await small.workspaces.required().queue.ended(jobId!);
      const reason = expect.stringMatching(/^An index of neighbours over 40 images with 216 numbers each would need 1 MB of memory, more than the 0 MB it may have, so every image is looked at\. It can be built for a layer with at most 18 numbers: /) as string;
      await expect(small.neighbourIndexes.build({ ...large, index: other, metric: 'l2' })).rejects.toMatchObject({ code: 'CONFLICT', message: reason });
      expect(await small.neighbours.nearest({ ...large, index: other, metric: 'l2', k: 3, picture: 'image-1' })).toMatchObject({ exact: true, index: { kind: 'refused', reason } });
    } finally {
      await small.close();
    }
  });

  it('goes with its features, and counts with them', async () => {
    const bytesOf = async () => (await services.storage.list()).caches.find(({ kind }) => kind === 'features')!.bytes;
    expect(await bytesOf()).toBeGreaterThan(2 * 5000);
    await services.features.delete(features);
    expect([existsSync(file), existsSync(kept('cosine'))]).toEqual([false, false]);
  });
});
