/** Maps of images and channels: started, watched, listed, and read as binary columns (contract area `map`). The work itself is mapJob.ts. */
import { createHash } from 'node:crypto';
import type * as z from 'zod';
import type { mapRecord } from '../../src-shared/contract/map.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import { gridCells } from '../features/gridCells.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { LiveJob } from '../jobs/queue.ts';
import type { StoredMap } from '../store/maps.ts';
import { npyHeader, parseNpyHeader } from '../store/npy.ts';
import type { StoredIndex } from '../store/indexes.ts';
import { continuedJob } from './continuedJob.ts';
import { planPass } from './featurePlan.ts';
import { featuresFile, isWhole } from './featureRows.ts';
import type { FeatureService } from './features.ts';
import { computationVersion } from './computation.ts';
import { layerOf } from './indexing.ts';
import { subjectOfIndex } from './labSubject.ts';
import { mapCaption, methodNames } from './mapCaption.ts';
import { extentOf, mapFiles, reducedDimensions, type LiveMaps, type MapFacts, type MapJobRequest, type MapSpec } from './mapJob.ts';
import { indexOfMap, linkedRows, rowsNow } from './mapRows.ts';
import { committedRows } from './scoreRows.ts';
import { createTurns } from './turns.ts';
import type { WorkspaceService } from './workspaces.ts';

export type MapRecord = z.infer<typeof mapRecord>;

export interface MapService {
  /** @throws AppError NOT_FOUND for a layer that is not there; CONFLICT where the features have no room */
  start(spec: MapSpec, signal?: AbortSignal): Promise<{ readonly map: string; readonly jobId: string | null }>;
  /** Newest first. */
  list(index?: string): Promise<MapRecord[]>;
  get(id: string): Promise<MapRecord>;
  watch(id: string, signal?: AbortSignal): AsyncGenerator<MapRecord, void, void>;
  delete(id: string): Promise<void>;
  grid(id: string): Promise<{ readonly columns: number; readonly rows: number; readonly cells: Int32Array<ArrayBuffer> }>;
  /** `[rows, 2]` float32 of the newest layout, and which it is. @throws AppError NOT_FOUND before the first */
  coordinates(id: string): Promise<{ readonly positions: Float32Array<ArrayBuffer>; readonly revision: number; readonly isFinal: boolean }>;
  rows(id: string): Promise<Int32Array<ArrayBuffer>>;
  link(id: string, other: string): Promise<Int32Array<ArrayBuffer>>;
}

const watchIntervalMs = 250;

export function createMapService(workspaces: WorkspaceService, inference: InferenceClient, features: FeatureService, live: LiveMaps, version: string): MapService {
  // Two starts at once must not make the same map twice.
  const inTurn = createTurns(1);

  /** Newest first. */
  async function jobsOf(id: string): Promise<readonly LiveJob[]> {
    return (await workspaces.required().queue.list()).filter(({ kind, request }) => kind === 'map' && (request as MapJobRequest).map === id);
  }

  async function begin(spec: MapSpec, signal: AbortSignal | undefined): Promise<{ readonly map: string; readonly jobId: string | null }> {
    const { store, queue, readOnly } = workspaces.required();
    const index = await store.indexes.get(spec.subject.index as IndexId);
    const { exact, layerTitle } = await resolved(index, spec, signal);
    const key = createHash('sha256').update(JSON.stringify([computationVersion, index.id, index.modelHash, index.versionBase, committedRows(index), exact])).digest('hex');
    const known = await store.maps.findByKey<MapFacts>(key);
    if (known?.record.stage === 'done') return { map: known.id, jobId: null };
    if (readOnly !== null) throw new AppError('WORKSPACE', readOnly);
    const title = `${layerTitle}, ${methodNames[exact.method.kind]}`;
    const facts: MapFacts = {
      spec: exact,
      title,
      modelName: index.modelName,
      imagesPath: index.imagesPath,
      layerTitle,
      numbering: index.versionBase,
      indexRows: committedRows(index),
      stage: 'features',
      points: 0,
      dimensions: 0,
      iterations: 0,
      extent: null,
      explained: null,
      trustworthiness: null,
      notes: [],
      caption: '',
      revision: 0,
    };
    const id = known?.id ?? (await store.maps.create(key, index.id, facts));
    const jobId = await continuedJob(queue, await jobsOf(id), { kind: 'map', indexId: index.id, title: `Map of ${title}`, total: facts.indexRows, request: { map: id } satisfies MapJobRequest });
    return { map: id, jobId };
  }

  /** The layer by its own name, so that one map has one spec; and its features fit on the disk. */
  async function resolved(index: StoredIndex, spec: MapSpec, signal: AbortSignal | undefined): Promise<{ readonly exact: MapSpec; readonly layerTitle: string }> {
    const { subject } = spec;
    if (subject.kind === 'channels') {
      if (index.matrix === 'none') throw new AppError('NOT_FOUND', `The index ${index.id} keeps no scores, so that its channels cannot be compared. Index the folder again with the score matrix (--matrix float32).`, { index: index.id });
      return { exact: { ...spec, metric: 'l2' }, layerTitle: `channels of ${layerOf(index, subject.layer).title}` };
    }
    const kept = await workspaces.required().store.rowFiles.find(index.id, featuresFile(subject));
    if (isWhole(kept, index)) return { exact: spec, layerTitle: kept.title };
    const [layer] = (await planPass(await subjectOfIndex(inference, workspaces.required().store, index, signal), [subject])).layers;
    const named = { ...subject, layer: layer!.name };
    const { obstacle } = await features.estimate(named, signal);
    if (obstacle !== null) throw new AppError('CONFLICT', obstacle, { index: index.id, layer: named.layer });
    return { exact: { ...spec, subject: named }, layerTitle: layer!.title };
  }

  async function toRecord(map: StoredMap<MapFacts>): Promise<MapRecord> {
    const { store } = workspaces.required();
    const { id, record, createdAt } = map;
    const now = live.get(id);
    const [latest] = await jobsOf(id);
    const isActive = latest?.state === 'running' || latest?.state === 'queued';
    const index = await indexOfMap(store, map);
    const { method } = record.spec;
    const iterations = record.iterations > 0 ? record.iterations : method.kind === 'tsne' ? method.iterations : method.kind === 'umap' ? method.epochs : 0;
    const isDone = record.stage === 'done';
    return {
      id,
      spec: record.spec,
      title: record.title,
      modelName: record.modelName,
      imagesPath: record.imagesPath,
      layerTitle: record.layerTitle,
      state: isDone ? 'done' : (latest?.state ?? 'interrupted'),
      stage: now?.stage ?? record.stage,
      done: isDone ? 1 : (now?.done ?? latest?.done ?? 0),
      total: isDone ? 1 : (now?.total ?? latest?.total ?? 0),
      iteration: isDone ? record.iterations : (now?.iteration ?? 0),
      iterations,
      points: now && now.points > 0 ? now.points : record.points,
      revision: isDone ? record.revision : (now?.revision ?? 0),
      numbering: index?.versionBase ?? record.numbering,
      extent: now?.positions ? extentOf(now.positions) : (record.extent as MapRecord['extent']),
      dimensions: record.dimensions,
      reduced: Math.min(record.dimensions, reducedDimensions),
      explained: record.explained as MapRecord['explained'],
      trustworthiness: record.trustworthiness,
      notes: record.notes,
      caption: mapCaption(record, index, version),
      bytes: await store.maps.size(id),
      index: index?.id ?? null,
      error: isDone ? null : (latest?.error ?? null),
      jobId: isDone ? null : isActive || latest?.state === 'paused' || latest?.state === 'interrupted' || latest?.state === 'failed' || latest?.state === 'cancelled' ? latest.id : null,
      createdAt,
    };
  }

  const stored = (id: string) => workspaces.required().store.maps.get<MapFacts>(id);

  const service: MapService = {
    start: (spec, signal) => inTurn(() => begin(spec, signal)),
    list: async (index) => Promise.all((await workspaces.required().store.maps.list<MapFacts>(index)).map(toRecord)),
    get: async (id) => toRecord(await stored(id)),
    async *watch(id, signal) {
      for await (const _ of workspaces.jobsChanged.changes(watchIntervalMs, signal)) {
        const record = await service.get(id);
        yield record;
        if (record.state !== 'running' && record.state !== 'queued') return;
      }
    },
    async delete(id) {
      const { store, queue } = workspaces.required();
      await store.maps.get(id);
      for (const job of await jobsOf(id)) if (job.state === 'running' || job.state === 'queued') await queue.cancel(job.id);
      await store.maps.delete(id);
    },
    async coordinates(id) {
      const now = live.get(id);
      if (now?.positions) return { positions: now.positions, revision: now.revision, isFinal: false };
      const { record } = await stored(id);
      const file = await workspaces.required().store.maps.file(id, mapFiles.coordinates);
      if (!file) throw new AppError('NOT_FOUND', 'This map has no layout yet.', { map: id });
      const { dataOffset } = parseNpyHeader(file, mapFiles.coordinates);
      return { positions: new Float32Array(file.buffer.slice(file.byteOffset + dataOffset, file.byteOffset + file.byteLength)), revision: record.revision, isFinal: record.stage === 'done' };
    },
    async grid(id) {
      const { store, readOnly } = workspaces.required();
      const kept = await store.maps.file(id, mapFiles.grid);
      if (kept) {
        const values = new Int32Array(kept.buffer.slice(kept.byteOffset + parseNpyHeader(kept, mapFiles.grid).dataOffset, kept.byteOffset + kept.byteLength));
        return { columns: values[0]!, rows: values[1]!, cells: values.slice(2) };
      }
      const { positions, isFinal } = await service.coordinates(id);
      // The grid counts its rows with y, upwards; a picture counts from its top.
      const { columns, rows, cells } = gridCells(positions.map((value, at) => (at % 2 === 1 ? -value : value)));
      if (isFinal && readOnly === null) await store.maps.setFile(id, mapFiles.grid, Buffer.concat([npyHeader('int32', [cells.length + 2]), Buffer.from(Int32Array.of(columns, rows).buffer), Buffer.from(cells.buffer)])).catch(() => undefined);
      return { columns, rows, cells };
    },
    async rows(id) {
      return rowsNow(workspaces.required().store, await stored(id));
    },
    async link(id, other) {
      return linkedRows(workspaces.required().store, await stored(id), await stored(other));
    },
  };
  return service;
}
