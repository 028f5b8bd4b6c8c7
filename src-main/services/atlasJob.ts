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
import { AppError } from '../../src-shared/errors.ts';
import type { JobRunner } from '../jobs/queue.ts';
import { byImage, takePortion } from '../projection/atlasOrder.ts';
import type { Store } from '../store/open.ts';
import { hitsOfLayer, isComplete, missingUnits, partsOf, prune, wayOfPart, type AtlasPart, type AtlasParts } from './atlasParts.ts';
import { keepCrops } from './crops.ts';
import type { Focus } from './focus.ts';
import { pausing } from './indexJob.ts';
import { layerOf } from './indexing.ts';
import type { ProjectionService } from './projections.ts';
import type { UnitRequest } from './projectionUnits.ts';
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

/** A part that is not done. */
interface OpenPart extends AtlasPart {
  /** Sorted by image; found when its turn comes. */
  remaining?: readonly UnitRequest[];
}

/** What one call may take, while somebody looks (who waits so long for the next sheet), and while nobody does. */
const [watchedMs, unwatchedMs] = [250, 700];
/** However slow they are: units of one image share its forward pass. */
const leastUnits = 16;
/** Portions under way: one is computed while the results of another are stored. */
const portionsAtOnce = 2;
/** How often one portion may lose its worker. */
const mostStrikes = 3;

export function createAtlasService(workspaces: WorkspaceService, projections: ProjectionService): AtlasService {
  return {
    async start({ index: id, layers, methods }) {
      const { store, queue } = workspaces.required();
      const index = await store.indexes.get(id as IndexId);
      const request: AtlasParts = { layers: (layers ?? index.layers.map((layer) => layer.number)).map((number) => layerOf(index, number).number), methods: [...new Set(methods)] };
      const running = (await queue.list()).find((job) => job.kind === 'atlas' && job.indexId === id && (job.state === 'running' || job.state === 'queued') && covers(job.request as AtlasParts, request));
      if (running) return { jobId: running.id };
      const parts = await partsOf(store, index, request);
      const total = parts.reduce((sum, { hits }) => sum + hits, 0);
      if ((await store.crops.missing(index.id)).length === 0 && (await isComplete({ store, index, projections }, parts))) return { jobId: null };
      const jobId = randomBytes(6).toString('hex');
      await queue.add({ id: jobId, kind: 'atlas', indexId: id, title: `Project the hits of ${index.modelName} in ${basename(index.imagesPath)}`, total, request });
      return { jobId };
    },
    async kept(id) {
      const { store } = workspaces.required();
      const index = await store.indexes.get(id as IndexId);
      const hits = new Map<number, number>();
      const sizes = await store.keptProjections.sizes(index.id);
      for (const layer of new Set(sizes.map((size) => size.layer))) hits.set(layer, await hitsOfLayer(store, index, layer));
      return { crops: await store.crops.size(index.id), projections: sizes.map((size) => ({ ...size, hits: hits.get(size.layer)! })) };
    },
  };
}

/** Everything that is wanted is asked for there. */
function covers(asked: AtlasParts, wanted: AtlasParts): boolean {
  return wanted.layers.every((layer) => asked.layers.includes(layer)) && wanted.methods.every((method) => asked.methods.includes(method));
}

export function atlasRunner(store: Store, projections: ProjectionService, focus: Focus): JobRunner {
  const run: JobRunner = async (job, progress, signal) => {
    const index = await store.indexes.get(job.indexId as IndexId);
    const place = { store, index, projections, signal };
    const all = await partsOf(store, index, job.request as AtlasParts);
    const total = all.reduce((sum, { hits }) => sum + hits, 0);
    let done = all.reduce((sum, { kept }) => sum + kept, 0);
    await keepCrops(store, index.id, signal, { progress: (kept, of) => progress.report(done, total, `keeping input crops (${kept} of ${of})`) });

    const problems = new Set<string>();
    let parts: readonly OpenPart[] = all;
    const underWay = new Set<Promise<void>>();
    let failure: { readonly error: unknown } | undefined;
    try {
      while (parts.length > 0) {
        signal.throwIfAborted();
        if (failure) throw failure.error;
        const looked = focus.latest(index.id);
        const part = parts.find(({ layer }) => layer === looked?.layer) ?? parts[0]!;
        if (!part.remaining) {
          part.remaining = byImage(await missingUnits(place, part));
          done += part.hits - part.remaining.length - part.kept;
        }
        const size = Math.max(leastUnits, projections.unitsIn({ store, index, layer: part.layer }, wayOfPart(part), looked ? watchedMs : unwatchedMs));
        const { portion, rest } = takePortion(part.remaining, size, looked?.layer === part.layer ? looked.channel : null);
        part.remaining = rest;
        if (rest.length === 0) parts = parts.filter((other) => other !== part);
        progress.report(done, total, `projecting ${layerOf(index, part.layer).name} by ${part.method}`);
        const { units, lost } = await projections.readable({ store, index, layer: part.layer, units: portion }, signal);
        for (const reason of lost) problems.add(reason);
        if (units.length === 0) continue;
        if (underWay.size >= portionsAtOnce) await Promise.race(underWay);
        const work: Promise<void> = projectPortion(part, units)
          .catch((error: unknown) => void (failure ??= { error }))
          .finally(() => underWay.delete(work));
        underWay.add(work);
      }
    } finally {
      await Promise.all(underWay);
    }
    if (failure) throw failure.error;
    for (const part of await partsOf(store, index, job.request as AtlasParts)) await prune(place, part);
    progress.report(done, total, '');
    if (problems.size > 0) throw new AppError('UNSUPPORTED', `${done} of ${total} projections are kept; the others cannot be made. ${[...problems].slice(0, 3).join(' ')}`, { done, total, problems: problems.size });

    async function projectPortion(part: OpenPart, units: readonly UnitRequest[]): Promise<void> {
      const ask = () => projections.pictures({ store, index, layer: part.layer, units }, wayOfPart(part), { areHits: true, urgency: 'ahead', signal });
      try {
        await withStrikes(ask, (strike) => progress.report(done, total, `the inference process ended and was started again (${strike} of ${mostStrikes - 1})`));
        done += units.length;
        progress.report(done, total, `projecting ${layerOf(index, part.layer).name} by ${part.method}`);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        if (error.code === 'OUT_OF_MEMORY' && units.length > 1) {
          const half = Math.ceil(units.length / 2);
          await projectPortion(part, units.slice(0, half));
          return projectPortion(part, units.slice(half));
        }
        if (error.code !== 'UNSUPPORTED') throw error;
        problems.add(`${layerOf(index, part.layer).name}: ${error.message}`);
        parts = parts.filter((other) => other !== part);
      }
    }
  };
  return (job, progress, signal) =>
    run(job, progress, signal).catch((error: unknown) => {
      throw pausing(error);
    });
}

/** Work that a death of the inference process does not end, unless it happens again and again. */
export async function withStrikes<T>(work: () => Promise<T>, struck: (strike: number) => void): Promise<T> {
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
