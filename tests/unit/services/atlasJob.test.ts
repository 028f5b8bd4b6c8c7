/** The atlas job where things go wrong: a portion that fails is never lost, memory that runs out halves it, and what is asked for beside a running job is done. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { atlasRunner, createAtlasService } from '../../../src-main/services/atlasJob.ts';
import { createFocus } from '../../../src-main/services/focus.ts';
import type { ProjectionService } from '../../../src-main/services/projections.ts';
import type { UnitRequest } from '../../../src-main/services/projectionUnits.ts';
import type { WorkspaceService } from '../../../src-main/services/workspaces.ts';
import { openStore, type Store } from '../../../src-main/store/open.ts';
import type { IndexId } from '../../../src-shared/domain/ids.ts';
import { AppError } from '../../../src-shared/errors.ts';
import { sampleImages, sampleIndex } from '../../store/sampleBatch.ts';
import { temporaryFolder } from '../../support/commandLine.ts';

let folder: string;
let store: Store;
let index: IndexId;

const images = 4;
const channels = 30;

beforeEach(async () => {
  folder = temporaryFolder('atlas-job');
  store = await openStore(join(folder, 'workspace'), { mode: 'write', create: true });
  index = (await store.indexes.create(sampleIndex, sampleImages(images))).id;
  await store.hits.commitBatch({
    indexId: index,
    cursor: images,
    hashes: Array.from({ length: images }, (_, image) => [image, `hash${image}`] as const),
    skipped: [],
    channels: Array.from({ length: channels }, (_, channel) => ({ layer: 1, channel, hits: Array.from({ length: images }, (_, image) => ({ image, score: images - image, y: 0, x: 0 })) })),
    statistics: [],
  });
  await store.crops.put(index, Array.from({ length: images }, (_, image) => ({ contentHash: `hash${image}`, picture: Uint8Array.of(1) })));
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const keyOf = ({ channel, imageNumber }: UnitRequest) => `${channel} on ${imageNumber}`;

/** Keeps what `pictures` lets through; units of an image become readable after a turn of the loop. */
function fakeProjections(pictures: (units: readonly UnitRequest[]) => Promise<void>): ProjectionService {
  const never = () => Promise.reject(new Error('not asked for here'));
  return {
    get: never, many: never, exact: never,
    async pictures({ units, layer }, { method }) {
      await pictures(units);
      await store.keptProjections.put(index, units.map((unit) => ({ key: keyOf(unit), layer, method, seed: 'one', control: 'none', record: {}, picture: Uint8Array.of(1) })));
      return [];
    },
    async readable({ units }) {
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      return { units, lost: [] };
    },
    keys: ({ units }) => Promise.resolve(units.map(keyOf)),
    unitsIn: () => 16,
  };
}

async function run(projections: ProjectionService): Promise<{ readonly done: number; readonly total: number }> {
  let reached = { done: 0, total: 0 };
  const job = { id: 'j', kind: 'atlas', indexId: index, title: '', state: 'running', done: 0, total: 0, request: { layers: [1], methods: ['deconvnet'] }, error: null, startedAt: '', endedAt: null } as const;
  await atlasRunner(store, projections, createFocus())(job, { report: (done, total) => void (reached = { done, total }), standFor: () => undefined }, new AbortController().signal);
  return reached;
}

const kept = async () => (await store.keptProjections.sizes(index))[0]?.kept ?? 0;

describe('the atlas job', () => {
  it('fails with a portion that fails, though the next one was being prepared just then', async () => {
    let calls = 0;
    const failing = fakeProjections(() => (++calls === 2 ? Promise.reject(new AppError('UNAVAILABLE', 'The disk went away.')) : Promise.resolve()));
    await expect(run(failing)).rejects.toThrow('The disk went away.');
    expect(calls, 'nothing is begun after it').toBeLessThanOrEqual(3);
    expect(await run(fakeProjections(() => Promise.resolve()))).toEqual({ done: images * channels, total: images * channels });
  });

  it('goes on with half a portion where memory runs out, down to single units', async () => {
    const sizes: number[] = [];
    const full = fakeProjections((units) => (sizes.push(units.length), units.length > 3 ? Promise.reject(new AppError('OUT_OF_MEMORY', 'full')) : Promise.resolve()));
    expect(await run(full)).toEqual({ done: images * channels, total: images * channels });
    expect([await kept(), sizes.slice(0, 2).includes(16), Math.max(...sizes.filter((size) => size <= 3))]).toEqual([images * channels, true, 2]);
    await store.keptProjections.prune(index, 1, 'deconvnet', []);
    await expect(run(fakeProjections(() => Promise.reject(new AppError('OUT_OF_MEMORY', 'No memory for one.'))))).rejects.toThrow('No memory for one.');
  });

  it('is the running one only for what that covers', async () => {
    const jobs: { id: string; request: unknown }[] = [];
    const queue = { list: () => Promise.resolve(jobs.map((job) => ({ ...job, kind: 'atlas', indexId: index, state: 'running' }))), add: (job: { id: string; request: unknown }) => Promise.resolve(void jobs.push(job)) };
    const atlas = createAtlasService({ required: () => ({ store, queue }) } as unknown as WorkspaceService, fakeProjections(() => Promise.resolve()));
    const first = await atlas.start({ index, methods: ['deconvnet', 'guided'] });
    expect(await atlas.start({ index, methods: ['guided'] })).toEqual(first);
    const second = await atlas.start({ index, methods: ['gradient'] });
    expect([second.jobId === first.jobId, jobs.map(({ request }) => request)]).toEqual([false, [{ layers: [1], methods: ['deconvnet', 'guided'] }, { layers: [1], methods: ['gradient'] }]]);
  });
});
