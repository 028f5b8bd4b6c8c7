/**
 * The atlas job: projections of all hits of the chosen layers by the chosen methods, kept in the workspace ahead of being looked at, with the input crops they come from. Begins where a
 * person looks. What is kept is passed over, so it goes on after any interruption; each portion is stored as soon as it is computed.
 */
import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import type * as z from 'zod';
import type { keptPictures } from '../../src-shared/contract/projections.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Method } from '../../src-shared/domain/projection.ts';
import { AppError, isAbort } from '../../src-shared/errors.ts';
import type { JobRunner } from '../jobs/queue.ts';
import { byImage, takePortion } from '../projection/atlasOrder.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import { keepCrops, type CropService } from './crops.ts';
import type { Focus } from './focus.ts';
import { pausing } from './indexJob.ts';
import { layerOf } from './indexing.ts';
import type { ProjectionService, UnitRequest, Way } from './projections.ts';
import type { WorkspaceService } from './workspaces.ts';

export type KeptPictures = z.infer<typeof keptPictures>;

export interface AtlasRequest {
  readonly index: string;
  /** Numbers; all where absent. */
  readonly layers?: readonly number[] | undefined;
  readonly methods: readonly Method[];
}

export interface AtlasService {
  start(request: AtlasRequest): Promise<{ readonly jobId: string | null }>;
  kept(index: string): Promise<KeptPictures>;
}

/** One layer by one method. */
interface Part {
  readonly layer: number;
  readonly method: Method;
  readonly hits: number;
  /** Believed to be kept, until `remaining` is known. */
  readonly kept: number;
  /** Sorted by image; found when its turn comes. */
  remaining?: readonly UnitRequest[];
}

interface StoredRequest {
  readonly layers: readonly number[];
  readonly methods: readonly Method[];
}

/** What one call may take, while somebody looks (who waits so long for the next sheet), and while nobody does. */
const [watchedMs, unwatchedMs] = [250, 700];
/** However slow they are: units of one image share its forward pass. */
const leastUnits = 16;
/** Portions under way: one is computed while the results of another are stored. */
const portionsAtOnce = 2;
/** How often one portion may lose its worker. */
const mostStrikes = 3;
/** Units whose keys are made without a pause. */
const keysAtOnce = 500;

export function createAtlasService(workspaces: WorkspaceService, projections: ProjectionService): AtlasService {
  return {
    async start({ index: id, layers, methods }) {
      const { store, queue } = workspaces.required();
      const index = await store.indexes.get(id as IndexId);
      const running = (await queue.list()).find((job) => job.kind === 'atlas' && job.indexId === id && (job.state === 'running' || job.state === 'queued'));
      if (running) return { jobId: running.id };
      const request: StoredRequest = { layers: (layers ?? index.layers.map((layer) => layer.number)).map((number) => layerOf(index, number).number), methods: [...new Set(methods)] };
      const parts = await partsOf(store, index, request);
      const total = parts.reduce((sum, { hits }) => sum + hits, 0);
      if ((await store.crops.missing(index.id)).length === 0 && (await isComplete(store, index, parts, projections))) return { jobId: null };
      const jobId = randomBytes(6).toString('hex');
      await queue.add({ id: jobId, kind: 'atlas', indexId: id, title: `Project the hits of ${index.modelName} in ${basename(index.imagesPath)}`, total, request });
      return { jobId };
    },
    async kept(id) {
      const { store } = workspaces.required();
      const index = await store.indexes.get(id as IndexId);
      const hits = new Map<number, number>();
      const sizes = await store.keptProjections.sizes(index.id);
      for (const layer of new Set(sizes.map((size) => size.layer))) hits.set(layer, (await store.hits.summaries(index.id, layer)).reduce((sum, channel) => sum + channel.hits, 0));
      return { crops: await store.crops.size(index.id), projections: sizes.map((size) => ({ ...size, hits: hits.get(size.layer)! })) };
    },
  };
}

export function atlasRunner(store: Store, projections: ProjectionService, crops: CropService, focus: Focus): JobRunner {
  const run: JobRunner = async (job, progress, signal) => {
    const index = await store.indexes.get(job.indexId as IndexId);
    const all = await partsOf(store, index, job.request as StoredRequest);
    const total = all.reduce((sum, { hits }) => sum + hits, 0);
    let done = all.reduce((sum, { kept }) => sum + kept, 0);
    await keepCrops(store, index.id, signal, (kept, of) => progress.report(done, total, `keeping input crops (${kept} of ${of})`));

    const problems = new Set<string>();
    let parts = all;
    const underWay = new Set<Promise<void>>();
    try {
      while (parts.length > 0) {
        signal.throwIfAborted();
        const looked = focus.latest(index.id);
        const part = parts.find(({ layer }) => layer === looked?.layer) ?? parts[0]!;
        if (!part.remaining) {
          part.remaining = byImage(await missingUnits(store, index, part, projections, signal));
          done += part.hits - part.remaining.length - part.kept;
        }
        const size = Math.max(leastUnits, projections.unitsIn({ store, index, layer: part.layer }, wayOf(part), looked ? watchedMs : unwatchedMs));
        const { portion, rest } = takePortion(part.remaining, size, looked?.layer === part.layer ? looked.channel : null);
        part.remaining = rest;
        if (rest.length === 0) parts = parts.filter((other) => other !== part);
        progress.report(done, total, `projecting ${layerOf(index, part.layer).name} by ${part.method}`);
        const units = await readable(portion);
        if (units.length === 0) continue;
        if (underWay.size >= portionsAtOnce) await Promise.race(underWay);
        const work = projectPortion(part, units).finally(() => underWay.delete(work));
        // Its failure is met at the next race.
        work.catch(() => undefined);
        underWay.add(work);
      }
      await Promise.all(underWay);
    } finally {
      await Promise.allSettled(underWay);
    }
    for (const part of await partsOf(store, index, job.request as StoredRequest)) await prune(store, index, part, projections, signal);
    progress.report(done, total, '');
    if (problems.size > 0) throw new AppError('UNSUPPORTED', `${done} of ${total} projections are kept; the others cannot be made. ${[...problems].slice(0, 3).join(' ')}`, { done, total, problems: problems.size });

    async function projectPortion(part: Part, units: readonly UnitRequest[]): Promise<void> {
      const ask = () => projections.pictures({ store, index, layer: part.layer, units }, wayOf(part), { areHits: true, urgency: 'ahead', signal });
      try {
        await withStrikes(ask, (strike) => progress.report(done, total, `the inference process ended and was started again (${strike} of ${mostStrikes - 1})`));
        done += units.length;
        progress.report(done, total, `projecting ${layerOf(index, part.layer).name} by ${part.method}`);
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'UNSUPPORTED') throw error;
        problems.add(`${layerOf(index, part.layer).name}: ${error.message}`);
        parts = parts.filter((other) => other !== part);
      }
    }

    /** Units whose images can still be had. */
    async function readable(units: readonly UnitRequest[]): Promise<readonly UnitRequest[]> {
      const lost = new Set<number>();
      for (const number of new Set(units.map((unit) => unit.imageNumber))) {
        signal.throwIfAborted();
        try {
          await crops.pixels(store, index, number, true);
        } catch (error) {
          if (!(error instanceof AppError) || isAbort(error)) throw error;
          lost.add(number);
          problems.add(error.message);
        }
      }
      return lost.size === 0 ? units : units.filter((unit) => !lost.has(unit.imageNumber));
    }
  };
  return (job, progress, signal) =>
    run(job, progress, signal).catch((error: unknown) => {
      throw pausing(error);
    });
}

function wayOf({ method }: Pick<Part, 'method'>): Way {
  return { method, seed: 'one' };
}

async function partsOf(store: Store, index: StoredIndex, { layers, methods }: StoredRequest): Promise<readonly Part[]> {
  const sizes = await store.keptProjections.sizes(index.id);
  const parts: Part[] = [];
  for (const layer of layers) {
    const hits = (await store.hits.summaries(index.id, layer)).reduce((sum, channel) => sum + channel.hits, 0);
    for (const method of methods) {
      const kept = sizes.find((size) => size.layer === layer && size.method === method)?.kept ?? 0;
      if (hits > 0) parts.push({ layer, method, hits, kept: Math.min(kept, hits) });
    }
  }
  return parts;
}

async function isComplete(store: Store, index: StoredIndex, parts: readonly Part[], projections: ProjectionService): Promise<boolean> {
  if (parts.some(({ kept, hits }) => kept < hits)) return false;
  for (const part of parts) if ((await missingUnits(store, index, part, projections)).length > 0) return false;
  return true;
}

/** Hits of a layer with the keys of their pictures. */
async function keyedHits(store: Store, index: StoredIndex, part: Part, projections: ProjectionService, signal?: AbortSignal): Promise<readonly (readonly [string, UnitRequest])[]> {
  const hits = await store.hits.ofLayer(index.id, part.layer);
  const keyed: (readonly [string, UnitRequest])[] = [];
  for (let start = 0; start < hits.length; start += keysAtOnce) {
    signal?.throwIfAborted();
    const units = hits.slice(start, start + keysAtOnce).map(({ channel, image, y, x }) => ({ channel, imageNumber: image, y, x }));
    const keys = await projections.keys({ store, index, layer: part.layer, units }, wayOf(part));
    keyed.push(...units.map((unit, at) => [keys[at]!, unit] as const));
  }
  return keyed;
}

async function missingUnits(store: Store, index: StoredIndex, part: Part, projections: ProjectionService, signal?: AbortSignal): Promise<readonly UnitRequest[]> {
  const keyed = await keyedHits(store, index, part, projections, signal);
  const kept = await store.keptProjections.has(keyed.map(([key]) => key));
  return keyed.flatMap(([key, unit]) => (kept.has(key) ? [] : [unit]));
}

/** Pictures of hits that a rescan drove out. */
async function prune(store: Store, index: StoredIndex, part: Part, projections: ProjectionService, signal: AbortSignal): Promise<void> {
  const size = (await store.keptProjections.sizes(index.id)).find(({ layer, method }) => layer === part.layer && method === part.method);
  if (!size || size.kept <= part.hits) return;
  const keyed = await keyedHits(store, index, part, projections, signal);
  await store.keptProjections.prune(index.id, part.layer, part.method, keyed.map(([key]) => key));
}

async function withStrikes<T>(work: () => Promise<T>, struck: (strike: number) => void): Promise<T> {
  for (let strike = 1; ; strike++) {
    try {
      return await work();
    } catch (error) {
      const isDeath = error instanceof AppError && error.code === 'UNAVAILABLE' && typeof error.data['how'] === 'string';
      if (!isDeath || strike >= mostStrikes) throw error;
      struck(strike);
    }
  }
}
