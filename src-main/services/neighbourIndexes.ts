/**
 * Indexes of neighbours over the features of more images than are looked at one by one: built once as a job, kept beside the features, and held in a thread while they are asked. One whose file is
 * cut off, foreign, or of other rows than the features now have is thrown away; until it is built anew every image is looked at.
 */
import type * as z from 'zod';
import type { metric as metrics, neighbourIndexState } from '../../src-shared/contract/map.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import { openIndexInThread, type IndexSearcher } from '../features/neighbours/inThread.ts';
import { bytesToKeep, bytesToSearch } from '../features/neighbours/keptIndex.ts';
import { measuredDimensions } from '../features/neighbours/measuredRows.ts';
import type { NearestRequest, Neighbours } from '../features/neighbours/nearestRows.ts';
import type { LiveJob } from '../jobs/queue.ts';
import { hasNeighbourFile, readNeighbourFile, removeNeighbourFile } from '../store/neighbourFiles.ts';
import type { StoredRowFile } from '../store/rowFiles.ts';
import { scoreMatrixFolder } from '../store/scoreMatrix.ts';
import { continuedJob } from './continuedJob.ts';
import { featuresFile, isWhole, needsFeatures, type FeatureChoice, type OpenRows } from './featureRows.ts';
import type { NeighbourJobRequest } from './neighbourIndexJob.ts';
import { createTurns } from './turns.ts';
import type { WorkspaceService } from './workspaces.ts';

export type NeighbourIndexState = z.infer<typeof neighbourIndexState>;
export type Metric = z.infer<typeof metrics>;

export interface NeighbourLimits {
  /** Up to so many images each is looked at. */
  readonly mostExactRows: number;
  /** Memory of one index and its rows. */
  readonly mostBytes: number;
}

export const usualNeighbourLimits: NeighbourLimits = { mostExactRows: 100_000, mostBytes: 1.5 * 2 ** 30 };

export interface NeighbourIndexes {
  state(features: StoredRowFile, metric: Metric): Promise<NeighbourIndexState>;
  /** @throws AppError NOT_FOUND without the features; CONFLICT with the reason where there can be none */
  build(choice: FeatureChoice & { readonly metric: Metric }): Promise<{ readonly jobId: string | null }>;
  /** Null where every row has to be looked at: without an index, or where it leads to too few rows. */
  nearest(features: OpenRows, query: Float32Array, request: NearestRequest): Promise<Neighbours | null>;
  close(): Promise<void>;
}

/** After so long without a question its memory is given back. */
const heldMs = 5 * 60_000;

export function createNeighbourIndexes(workspaces: WorkspaceService, limits: NeighbourLimits = usualNeighbourLimits): NeighbourIndexes {
  const inTurn = createTurns(1);
  let held: { readonly key: string; readonly searcher: IndexSearcher; timer: NodeJS.Timeout } | null = null;

  async function letGo(): Promise<void> {
    const last = held;
    held = null;
    clearTimeout(last?.timer);
    await last?.searcher.close();
  }

  /** Null where there is none that can be used. */
  async function opened(features: OpenRows, metric: Metric): Promise<IndexSearcher | null> {
    const { store } = workspaces.required();
    const { file } = features;
    const folder = scoreMatrixFolder(store.folder, file.folder);
    const key = `${folder} ${file.id} ${file.rows} ${metric}`;
    if (held?.key === key) return held.searcher;
    const bytes = await readNeighbourFile(folder, file, metric);
    if (!bytes) return null;
    await letGo();
    try {
      const searcher = await openIndexInThread(features, metric, bytes);
      held = { key, searcher, timer: setTimeout(() => void inTurn(letGo), heldMs).unref() };
      return searcher;
    } catch (error) {
      if (!(error instanceof AppError) || (error.code !== 'CONFLICT' && error.code !== 'UNREADABLE_FILE')) throw error;
      if (store.mode === 'write') await removeNeighbourFile(folder, file, metric);
      return null;
    }
  }

  async function jobOf({ id }: StoredRowFile, metric: Metric): Promise<readonly LiveJob[]> {
    return (await workspaces.required().queue.list()).filter(({ kind, request }) => kind === 'neighbours' && (request as NeighbourJobRequest).features === id && (request as NeighbourJobRequest).metric === metric);
  }

  const service: NeighbourIndexes = {
    async state(file, metric) {
      const { store, readOnly } = workspaces.required();
      const dimensions = file.shape[0]!;
      if (file.rows <= limits.mostExactRows) return { kind: 'unneeded' };
      const reason = whyTooLarge(file.rows, measuredDimensions(dimensions, metric), limits.mostBytes);
      if (reason !== null) return { kind: 'refused', reason };
      const active = (await jobOf(file, metric)).find(({ state }) => state === 'running' || state === 'queued');
      if (active) return { kind: 'building', jobId: active.id };
      if (await hasNeighbourFile(scoreMatrixFolder(store.folder, file.folder), file, metric)) return { kind: 'ready' };
      return readOnly === null ? { kind: 'absent', seconds: secondsToBuild(file.rows, dimensions), bytes: bytesToKeep(file.rows) } : { kind: 'refused', reason: readOnly };
    },
    build: (choice) =>
      inTurn(async () => {
        const { store, queue } = workspaces.required();
        const index = await store.indexes.get(choice.index as IndexId);
        const file = await store.rowFiles.find(index.id, featuresFile(choice));
        if (!isWhole(file, index)) throw needsFeatures(choice);
        const state = await service.state(file, choice.metric);
        if (state.kind === 'unneeded') throw new AppError('CONFLICT', `${file.rows} images are few enough to look at each of them, so that they need no index of neighbours; it is for more than ${limits.mostExactRows}.`, { rows: file.rows });
        if (state.kind === 'refused') throw new AppError('CONFLICT', state.reason, { rows: file.rows });
        if (state.kind === 'ready') return { jobId: null };
        if (state.kind === 'building') return { jobId: state.jobId };
        const request: NeighbourJobRequest = { features: file.id, metric: choice.metric };
        return { jobId: await continuedJob(queue, await jobOf(file, choice.metric), { kind: 'neighbours', indexId: index.id, title: `Neighbours by ${file.title} of ${index.modelName}`, total: file.rows, request }) };
      }),
    async nearest(features, query, request) {
      if (features.rows <= limits.mostExactRows) return null;
      const found = await inTurn(async () => {
        const searcher = await opened(features, request.metric);
        held?.timer.refresh();
        return searcher?.search(query, request);
      });
      return found && found.rows.length >= Math.min(request.k, features.rows - 1) ? found : null;
    },
    close: () => inTurn(letGo),
  };
  return service;
}

function whyTooLarge(rows: number, dimensions: number, mostBytes: number): string | null {
  const bytes = bytesToSearch(rows, dimensions);
  if (bytes <= mostBytes) return null;
  const fitting = Math.max(0, Math.floor((mostBytes - bytesToSearch(rows, 0)) / (4 * rows)));
  return `An index of neighbours over ${rows} images with ${dimensions} numbers each would need ${Math.ceil(bytes / 2 ** 20)} MB of memory, more than the ${Math.floor(mostBytes / 2 ** 20)} MB it may have, so every image is looked at. It can be built for a layer with at most ${fitting} numbers: pool by mean or max, or take a smaller layer.`;
}

/** 61 s were measured for 100,000 rows of 50 numbers; a distance between longer rows takes longer, and more rows lie on longer ways. */
export function secondsToBuild(rows: number, dimensions: number): number {
  return Math.max(1, Math.ceil(61 * (rows / 100_000) * (Math.log2(Math.max(2, rows)) / Math.log2(100_000)) * (0.6 + (0.4 * dimensions) / 50)));
}
