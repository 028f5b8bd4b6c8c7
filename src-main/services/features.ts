/** Features of whole indexes: what is kept, what they would need, and the job that computes them (featurePass.ts does the work). */
import { basename } from 'node:path';
import type * as z from 'zod';
import type { featureEstimate, featureRecord } from '../../src-shared/contract/map.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { JobRunner, LiveJob } from '../jobs/queue.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import type { StoredRowFile } from '../store/rowFiles.ts';
import { whyOtherComputation } from './computation.ts';
import { continuedJob } from './continuedJob.ts';
import { completeFeatures } from './featurePass.ts';
import { planPass, whyNoRoom, type PassPlan } from './featurePlan.ts';
import { bytesOfRows, featuresFile, isWhole, type FeatureChoice, type Pooling } from './featureRows.ts';
import { freeBytesAt } from './freeSpace.ts';
import { pausing } from './indexJob.ts';
import { subjectOfIndex } from './labSubject.ts';
import { committedRows } from './scoreRows.ts';
import { createTurns } from './turns.ts';
import type { WorkspaceService } from './workspaces.ts';

export type FeatureRecord = z.infer<typeof featureRecord>;
export type FeatureEstimate = z.infer<typeof featureEstimate>;

export interface FeatureService {
  list(index: string): Promise<FeatureRecord[]>;
  /** @throws AppError NOT_FOUND for an index or a layer that is not there */
  estimate(choice: FeatureChoice, signal?: AbortSignal): Promise<FeatureEstimate>;
  /** @throws AppError CONFLICT with the reason where they cannot be computed */
  compute(choice: FeatureChoice, signal?: AbortSignal): Promise<{ readonly features: string; readonly jobId: string | null }>;
  delete(id: string): Promise<void>;
}

/** What a job of kind `features` is asked for. */
export interface FeatureJobRequest {
  readonly layer: string;
  readonly pooling: Pooling;
}

export function asLayers({ layer, pooling }: FeatureJobRequest) {
  return { layers: [layer], pooling };
}

export function featureRunner(store: Store, inference: InferenceClient): JobRunner {
  return async (job, progress, signal) => {
    try {
      const index = await store.indexes.get(job.indexId as IndexId);
      await completeFeatures({ store, inference, signal, report: (done, total, step) => progress.report(done, total, step) }, index, asLayers(job.request as FeatureJobRequest));
    } catch (error) {
      throw pausing(error);
    }
  };
}

export function createFeatureService(workspaces: WorkspaceService, inference: InferenceClient): FeatureService {
  // Two requests at once must not make the same job twice.
  const inTurn = createTurns(1);

  async function jobsOf({ index, layer, pooling }: Pick<StoredRowFile, 'layer' | 'pooling'> & { readonly index: string }): Promise<readonly LiveJob[]> {
    return (await workspaces.required().queue.list()).filter(({ kind, indexId, request }) => kind === 'features' && indexId === index && (request as FeatureJobRequest).layer === layer && (request as FeatureJobRequest).pooling === pooling);
  }

  async function begin(choice: FeatureChoice, signal: AbortSignal | undefined): Promise<{ readonly features: string; readonly jobId: string | null }> {
    const { store, queue } = workspaces.required();
    const { index, plan, estimate } = await lookAt(workspaces, inference, choice, signal);
    const { name, title } = plan.layers[0]!;
    const known = await store.rowFiles.find(index.id, featuresFile({ layer: name, pooling: choice.pooling }));
    if (known && estimate.kept) return { features: known.id, jobId: null };
    if (estimate.obstacle !== null) throw new AppError('CONFLICT', estimate.obstacle, { index: index.id, layer: name });
    const claimed = await store.rowFiles.claim(index, plan.wishes[0]!);
    const request: FeatureJobRequest = { layer: name, pooling: choice.pooling };
    const jobId = await continuedJob(queue, await jobsOf({ index: index.id, ...request }), { kind: 'features', indexId: index.id, title: `Features of ${title} for ${basename(index.imagesPath)}`, total: estimate.images, request });
    return { features: claimed.id, jobId };
  }

  return {
    async list(id) {
      const { store } = workspaces.required();
      const index = await store.indexes.get(id as IndexId);
      const files = (await store.rowFiles.list(index.id)).filter(({ what }) => what === 'features');
      return Promise.all(files.map(async (file) => toRecord(index, file, (await jobsOf(file)).find(({ state }) => state === 'running' || state === 'queued')?.id ?? null)));
    },
    estimate: async (choice, signal) => (await lookAt(workspaces, inference, choice, signal)).estimate,
    compute: (choice, signal) => inTurn(() => begin(choice, signal)),
    async delete(id) {
      const { store, queue } = workspaces.required();
      const file = await store.rowFiles.get(id);
      if (!file) throw new AppError('NOT_FOUND', `There are no features "${id}" in this workspace.`, { features: id });
      if (queue.isBusy()) throw new AppError('CONFLICT', 'A job is running in this workspace and may need them. Delete them when it is done.', { features: id });
      await store.rowFiles.delete(id);
    },
  };
}

function toRecord(index: StoredIndex, file: StoredRowFile, jobId: string | null): FeatureRecord {
  const { id, layer, title, pooling, shape, rows } = file;
  const state = file.folder !== index.matrixFolder ? 'outdated' : isWhole(file, index) ? 'complete' : 'partial';
  return { id, index: index.id, layer, title, pooling: pooling as Pooling, dimensions: shape[0]!, rows, images: committedRows(index), bytes: bytesOfRows(file, rows), state, jobId };
}

/** Everything that is known before the first image is decoded. */
async function lookAt(workspaces: WorkspaceService, inference: InferenceClient, choice: FeatureChoice, signal: AbortSignal | undefined): Promise<{ readonly index: StoredIndex; readonly plan: PassPlan; readonly estimate: FeatureEstimate }> {
  const { store, readOnly } = workspaces.required();
  const index = await store.indexes.get(choice.index as IndexId);
  const plan = await planPass(await subjectOfIndex(inference, store, index, signal), [choice]);
  const layer = plan.layers[0]!;
  const images = committedRows(index);
  let bytes = 0;
  for (const wish of plan.wishes) {
    const known = await store.rowFiles.find(index.id, wish);
    bytes += bytesOfRows(wish, images) - (known && known.folder === index.matrixFolder ? bytesOfRows(wish, known.rows) : 0);
  }
  const freeBytes = await freeBytesAt(store.folder);
  const [features] = plan.wishes;
  const dimensions = features!.shape[0]!;
  const kept = isWhole(await store.rowFiles.find(index.id, features!), index);
  const obstacle = kept ? null : (readOnly ?? whyOtherComputation(index) ?? whyNoRoom({ images, dimensions, bytes, freeBytes }, choice.pooling === 'flat' && layer.height * layer.width > 1 ? layer.channels : null));
  return { index, plan, estimate: { images, dimensions, bytes, freeBytes, kept, obstacle } };
}
