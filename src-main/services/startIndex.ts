/**
 * What a request for an index comes to: a new index, the rest of one that is there, layers it has not got, or a rescan of its folder (method.md section 8). Nothing is computed here; what
 * is missing becomes a job.
 */
import { createHash, randomBytes } from 'node:crypto';
import { basename, resolve } from 'node:path';
import type * as z from 'zod';
import type { rescanReport } from '../../src-shared/contract/indexing.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import { inFixedOrder, type Preprocessing } from '../../src-shared/domain/preprocessing.ts';
import { AppError } from '../../src-shared/errors.ts';
import { scanInto } from '../dataset/scan.ts';
import { fixedPlacement, type Device, type EngineKind } from '../inference/engine.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { ModelReference } from '../inference/worker/protocol.ts';
import type { Shard } from '../indexing/shards.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { ScanDifference } from '../store/scans.ts';
import { scoreMatrixBytes, scoreMatrixFolder } from '../store/scoreMatrix.ts';
import { readScoreMatrix } from '../store/scoreMatrixReader.ts';
import { computationVersion, requireSameComputation } from './computation.ts';
import { usableRows } from './earlierRows.ts';
import { beginFeatures, planPass, requireRoom, type FeatureWish } from './featurePlan.ts';
import { scanForStore, type FolderScan } from './folderScan.ts';
import { freeBytesAt } from './freeSpace.ts';
import { missingLayers, type IndexJobRequest } from './indexJob.ts';
import { openSubject } from './labSubject.ts';
import type { WorkspaceService } from './workspaces.ts';

export interface SourceRequest {
  readonly modelPath: string;
  readonly imagesPath: string;
  readonly preprocessing: Preprocessing;
  readonly layers?: readonly string[] | undefined;
}

export interface StartRequest extends SourceRequest {
  readonly top: number;
  readonly engine: 'auto' | EngineKind;
  readonly device: 'auto' | Device;
  readonly batch?: number | undefined;
  readonly labelsPath?: string | undefined;
  /** Of an index that has to be made, where `batch` does not say; measured if absent. */
  readonly batchOfNew?: number | undefined;
  /** float32 if absent. */
  readonly matrix?: 'float32' | 'float16' | 'none';
  readonly shard?: Shard | undefined;
  /** What a new index also keeps of every image. One that has rows already is left to the pass for features alone. */
  readonly features?: readonly FeatureWish[] | undefined;
}

export interface Estimate {
  readonly images: number;
  readonly layers: number;
  readonly channels: number;
  readonly matrixBytes: { readonly float32: number; readonly float16: number };
  readonly freeBytes: number;
}

export type RescanReport = z.infer<typeof rescanReport>;

/** An index as a request wants it, and what is missing to it; null where nothing is. */
export interface PlannedIndex {
  readonly index: StoredIndex;
  readonly missing: { readonly verb: 'Index' | 'Rescan'; readonly request: IndexJobRequest } | null;
}

export interface IndexStarter {
  /** Makes the index, or finds it and sees what it lacks; the work itself is left to who asks. */
  plan(request: StartRequest, signal?: AbortSignal): Promise<PlannedIndex>;
  start(request: StartRequest, signal?: AbortSignal): Promise<{ index: string; jobId: string | null }>;
  rescan(index: StoredIndex, signal?: AbortSignal): Promise<RescanReport>;
  /** A job for what an index lacks; null where it lacks nothing. Throws AppError CONFLICT where another version began it. */
  complete(index: StoredIndex): Promise<string | null>;
  estimate(request: SourceRequest, signal?: AbortSignal): Promise<Estimate>;
}

export function createIndexStarter(workspaces: WorkspaceService, inference: InferenceClient): IndexStarter {
  async function enqueue(index: StoredIndex, verb: 'Index' | 'Rescan', request: IndexJobRequest = {}): Promise<string> {
    const { queue } = workspaces.required();
    const active = queue.activeFor(index.id, 'index');
    if (active && !request.layers) return active;
    const title = `${verb} ${basename(index.imagesPath)} with ${index.modelName}`;
    const last = (await queue.list()).find((job) => job.kind === 'index' && job.indexId === index.id);
    // The same job goes on, with what it was asked for, unless a person has put an end to it.
    if (last && !request.layers && last.title === title && (last.state === 'paused' || last.state === 'interrupted' || last.state === 'failed')) {
      await queue.resume(last.id);
      return last.id;
    }
    const id = randomBytes(6).toString('hex');
    await queue.add({ id, kind: 'index', indexId: index.id, title, total: index.images, request });
    return id;
  }

  async function modelOf({ modelPath, preprocessing, layers: names }: SourceRequest, signal: AbortSignal | undefined): Promise<{ readonly model: ModelReference; readonly layers: readonly Layer[] }> {
    const path = resolve(modelPath);
    const { modelHash } = await inference.call('inspect', { path, inputSize: preprocessing.crop }, signal);
    const model = { path, hash: modelHash };
    const layers = await inference.call('layers', { model, crop: preprocessing.crop, ...(names ? { names } : {}) }, signal);
    if (layers.length === 0) throw new AppError('UNSUPPORTED', 'This network has no layers with channels to look at.', { path });
    return { model, layers };
  }

  async function create(request: StartRequest, key: string, found: FolderScan, model: ModelReference, layers: readonly Layer[], signal: AbortSignal | undefined): Promise<StoredIndex> {
    const { placement, description } = await inference.devices.chooseDevice(request, signal);
    const batch = request.batch ?? request.batchOfNew;
    const measured =
      batch === undefined
        ? await inference.call('measureBatch', { model, layers: layers.map((layer) => layer.name), preprocessing: request.preprocessing, placement, images: found.images }, signal)
        : { batchSize: batch, description };
    const { store } = workspaces.required();
    const subject = { modelName: '', modelPath: model.path, modelHash: model.hash, preprocessing: request.preprocessing, placement, names: [], layers };
    const features = request.features?.length ? await planPass(await openSubject(inference, subject, signal), request.features) : null;
    if (features) requireRoom(features, found.images, await freeBytesAt(store.folder));
    const index = await store.indexes.create({
      key: `${key} ${placement.engine} ${placement.device} ${measured.batchSize}`,
      modelPath: model.path,
      modelName: basename(model.path).replace(/\.[^.]+$/, ''),
      modelHash: model.hash,
      imagesPath: found.root,
      preprocessing: request.preprocessing,
      engine: placement.engine,
      device: placement.device,
      engineDescription: measured.description,
      batchSize: measured.batchSize,
      top: request.top,
      layers,
      labelsPath: request.labelsPath ?? null,
      computationVersion,
      matrix: request.matrix ?? 'float32',
      part: found.part,
    });
    if (features) await beginFeatures(store, index, features);
    return index;
  }

  async function stage(index: StoredIndex, difference: ScanDifference): Promise<Omit<RescanReport, 'jobId'> & { readonly layers: readonly Layer[] }> {
    const { store, queue } = workspaces.required();
    const unfinished = await store.passes.of(index.id);
    // A rescan that was interrupted goes on, as long as it is one of the folder as it is now.
    if (unfinished?.stagedKind === 'rescan' && isSame(await store.scans.compare(unfinished.id))) return { ...difference, recomputes: null, layers: [] };
    if (queue.activeFor(index.id, 'index')) throw new AppError('CONFLICT', 'This index is being filled right now. Wait until its job is done, or pause it, before the folder is scanned again.', { index: index.id });
    if (unfinished) await store.indexes.delete(unfinished.id);
    const usable = usableRows(index);
    const isWhole = usable.rows === 0 || (await hasWholeMatrix(store.folder, index));
    await store.passes.stageRescan(index, isWhole ? usable.rows : 0);
    const recomputes = isWhole ? usable.reason : 'The score matrix of this index is damaged, so rows of unchanged images cannot be taken over: all images are computed anew.';
    return { ...difference, recomputes, layers: unfinished?.stagedKind === 'layers' ? unfinished.layers : [] };
  }

  /** Of a folder that is as it was: its classes may be others, and an unfinished rescan of it has nothing left to do. */
  async function settleUnchanged(index: StoredIndex): Promise<void> {
    const { store, queue } = workspaces.required();
    await store.scans.updateClasses(index.id);
    const pass = await store.passes.of(index.id);
    if (pass?.stagedKind === 'rescan' && !queue.activeFor(index.id, 'index')) await store.indexes.delete(pass.id);
  }

  async function isUnfinished(index: StoredIndex): Promise<boolean> {
    return index.cursor < index.images || (await workspaces.required().store.passes.of(index.id)) !== null;
  }

  const service: IndexStarter = {
    async plan(asked, signal) {
      const { store } = workspaces.required();
      const request = { ...(asked.shard ? sameOnEveryMachine(asked) : asked), preprocessing: inFixedOrder(asked.preprocessing) };
      const { model, layers } = await modelOf(request, signal);
      const found = await scanForStore(store, request.imagesPath, request, signal);
      const key = keyOf({ ...request, labelsPath: request.labelsPath ?? null, computationVersion, modelHash: model.hash, imagesPath: found.root }, request.shard);
      const existing = (await store.indexes.list()).find((index) => index.key.startsWith(key) && fits(index, request));
      if (!existing) {
        const index = await create(request, key, found, model, layers, signal);
        return { index, missing: { verb: 'Index', request: {} } };
      }
      const difference = await store.scans.compare(existing.id);
      const missing = missingLayers(existing, layers);
      if (difference.added + difference.changed + difference.removed > 0) {
        const staged = await stage({ ...existing, part: found.part }, difference);
        return { index: existing, missing: { verb: 'Rescan', request: requestFor([...staged.layers, ...missing]) } };
      }
      if (missing.length > 0) return { index: existing, missing: { verb: 'Index', request: requestFor(missing) } };
      await settleUnchanged(existing);
      return { index: existing, missing: (await isUnfinished(existing)) ? { verb: 'Index', request: {} } : null };
    },
    async start(request, signal) {
      const { index, missing } = await service.plan(request, signal);
      return { index: index.id, jobId: missing && (await enqueue(index, missing.verb, missing.request)) };
    },
    async rescan(index, signal) {
      const { store } = workspaces.required();
      requireSameComputation(index);
      if (index.part) throw new AppError('UNSUPPORTED', 'This index covers only a part of its folder (a shard), and cannot be rescanned: index the shard again in a new workspace, or merge all shards and rescan the result.', { index: index.id });
      await scanForStore(store, index.imagesPath, { labelsPath: index.labelsPath }, signal);
      const difference = await store.scans.compare(index.id);
      if (isSame(difference)) {
        await settleUnchanged(index);
        return { ...difference, recomputes: null, jobId: await service.complete(index) };
      }
      const { layers, ...report } = await stage(index, difference);
      return { ...report, jobId: await enqueue(index, 'Rescan', requestFor(layers)) };
    },
    async complete(index) {
      if (!(await isUnfinished(index))) return null;
      requireSameComputation(index);
      return enqueue(index, 'Index');
    },
    async estimate(request, signal) {
      const { layers } = await modelOf(request, signal);
      let images = 0;
      await scanInto(resolve(request.imagesPath), async (piece) => void (images += piece.length), signal);
      return {
        images,
        layers: layers.length,
        channels: layers.reduce((sum, layer) => sum + layer.channels, 0),
        matrixBytes: { float32: scoreMatrixBytes(layers, images, 'float32'), float16: scoreMatrixBytes(layers, images, 'float16') },
        freeBytes: await freeBytesAt(workspaces.folder()),
      };
    },
  };
  return service;
}

/** Shards are computed alike wherever they run (method.md section 2), so nothing is chosen by what a machine has, and no batch size is measured. */
function sameOnEveryMachine(request: StartRequest): StartRequest {
  return { ...request, ...fixedPlacement(request), batch: request.batch ?? shardBatchSize };
}

/** Images per batch of a shard, where none is asked for. */
export const shardBatchSize = 16;

type KeyFields = Pick<StoredIndex, 'computationVersion' | 'modelHash' | 'preprocessing' | 'imagesPath' | 'top' | 'labelsPath'>;

function keyOf({ computationVersion: version, modelHash, preprocessing, imagesPath, top, labelsPath }: KeyFields, shard?: Shard): string {
  return createHash('sha256')
    .update(JSON.stringify([version, modelHash, inFixedOrder(preprocessing), imagesPath, top, labelsPath ? resolve(labelsPath) : null, shard ?? null]))
    .digest('hex');
}

/** The key of an index of the whole folder, made of a part's record. */
export function wholeKeyOf(part: StoredIndex): string {
  return `${keyOf(part)} ${part.engine} ${part.device} ${part.batchSize}`;
}

function requestFor(layers: readonly Layer[]): IndexJobRequest {
  return layers.length > 0 ? { layers } : {};
}

function isSame({ added, changed, removed }: ScanDifference): boolean {
  return added + changed + removed === 0;
}

async function hasWholeMatrix(workspace: string, index: StoredIndex): Promise<boolean> {
  try {
    for (const { number } of index.layers) await (await readScoreMatrix(scoreMatrixFolder(workspace, index.matrixFolder), number, { rows: index.cursor - index.skipped })).close();
    return true;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}

/** Whether a stored index is what a request asks for, as far as the request says. */
function fits(index: StoredIndex, request: StartRequest): boolean {
  return (
    (request.engine === 'auto' || request.engine === index.engine) &&
    (request.device === 'auto' || request.device === index.device) &&
    (request.batch === undefined || request.batch === index.batchSize)
  );
}
