/** Series of checkpoints: found, started, listed, and read as rows of Figure 4. The work itself is evolutionJob.ts. */
import { randomBytes } from 'node:crypto';
import { basename, resolve } from 'node:path';
import type * as z from 'zod';
import type { evolutionRow, evolutionStart, seriesRecord, seriesSummary } from '../../src-shared/contract/evolution.ts';
import { inFixedOrder } from '../../src-shared/domain/preprocessing.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { LiveJob } from '../jobs/queue.ts';
import type { SeriesCheckpoint, SeriesRecord, StoredSeries } from '../store/evolutions.ts';
import type { StoredIndex } from '../store/indexes.ts';
import { folderOf, inspectCheckpoints, type CheckpointReport, type CheckpointSource } from './evolutionCheckpoints.ts';
import { indexOf, type EvolutionRequest } from './evolutionJob.ts';
import { readRows } from './evolutionRows.ts';
import { createTurns } from './turns.ts';
import type { WorkspaceService } from './workspaces.ts';

export type SeriesSummary = z.infer<typeof seriesSummary>;
export type Series = z.infer<typeof seriesRecord>;
export type EvolutionRow = z.infer<typeof evolutionRow>;
export type StartEvolution = z.output<typeof evolutionStart>;

export interface EvolutionService {
  inspect(source: CheckpointSource, signal?: AbortSignal): Promise<CheckpointReport>;
  start(request: StartEvolution, signal?: AbortSignal): Promise<{ readonly series: string; readonly jobId: string | null }>;
  /** @throws AppError NOT_FOUND */
  resume(series: string): Promise<{ readonly jobId: string | null }>;
  series(): Promise<SeriesSummary[]>;
  get(series: string): Promise<Series>;
  watch(series: string, signal?: AbortSignal): AsyncGenerator<Series, void, void>;
  /** @throws AppError NOT_FOUND for a layer or channel that the series does not have */
  rows(request: { readonly series: string; readonly layer: string; readonly channels: readonly number[] }): Promise<EvolutionRow[]>;
  forget(series: string): Promise<void>;
}

const watchIntervalMs = 1000;

export function createEvolutionService(workspaces: WorkspaceService, inference: InferenceClient): EvolutionService {
  // Two starts at once must not make the same series twice.
  const inTurn = createTurns(1);

  /** Newest first. */
  const jobs = (): Promise<readonly LiveJob[]> => workspaces.required().queue.list();

  /** A stopped job of the series goes on; a person who put an end to it gets a new one. */
  async function enqueue(series: StoredSeries, images: number): Promise<string> {
    const { queue } = workspaces.required();
    const known = jobsOf(series.id, await jobs());
    const active = known.find(isActive);
    if (active) return active.id;
    const [stopped] = known;
    if (stopped && (stopped.state === 'paused' || stopped.state === 'interrupted' || stopped.state === 'failed')) {
      await queue.resume(stopped.id);
      return stopped.id;
    }
    const id = randomBytes(6).toString('hex');
    const title = `Evolution of ${series.name} in ${basename(series.imagesPath)}`;
    await queue.add({ id, kind: 'evolution', indexId: null, title, total: images * series.checkpoints.length, request: { series: series.id } satisfies EvolutionRequest });
    return id;
  }

  async function begin(request: StartEvolution, signal: AbortSignal | undefined): Promise<{ readonly series: string; readonly jobId: string | null }> {
    const { store } = workspaces.required();
    const report = await inspectCheckpoints(inference, request.source, signal);
    const asked = recordOf(request, report);
    const known = (await store.evolutions.list()).find((each) => isOneSeries(each, asked));
    const id = known?.id ?? randomBytes(6).toString('hex');
    if (!known) await store.evolutions.create(id, asked);
    else if (JSON.stringify(facts(extended(known, asked))) !== JSON.stringify(facts(known))) await store.evolutions.replace(id, extended(known, asked));
    return { series: id, jobId: await goOn(id) };
  }

  /** The job that does what is missing of a series; null where nothing is. */
  async function goOn(id: string): Promise<string | null> {
    const { store } = workspaces.required();
    const series = await store.evolutions.get(id);
    const indexes = await indexesById();
    const found = series.checkpoints.map((checkpoint) => indexOf(checkpoint, indexes));
    const isWhole = found.every((index) => index !== null && isComplete(index) && series.layers.every(({ name }) => numberIn(index, name) !== null)) && (await store.evolutions.movement(id)) !== null;
    return isWhole ? null : enqueue(series, found.find((index) => index !== null)?.images ?? 0);
  }

  async function indexesById(): Promise<ReadonlyMap<StoredIndex['id'], StoredIndex>> {
    return new Map((await workspaces.required().store.indexes.list()).map((index) => [index.id, index]));
  }

  const service: EvolutionService = {
    inspect: (source, signal) => inspectCheckpoints(inference, source, signal),
    start: (request, signal) => inTurn(() => begin(request, signal)),
    resume: (id) => inTurn(async () => ({ jobId: await goOn(id) })),
    async series() {
      const [indexes, all] = [await indexesById(), await jobs()];
      return (await workspaces.required().store.evolutions.list()).map((series) => summarize(series, indexes, all));
    },
    async get(id) {
      const { store, queue } = workspaces.required();
      const series = await store.evolutions.get(id);
      const indexes = await indexesById();
      const checkpoints = series.checkpoints.map((checkpoint) => {
        const index = indexOf(checkpoint, indexes);
        const { epoch, name, modelHash } = checkpoint;
        const state = !index || index.cursor === 0 ? 'empty' : isComplete(index) ? 'complete' : 'partial';
        return {
          epoch,
          name,
          modelHash,
          index: index?.id ?? null,
          state,
          indexed: index ? index.cursor - index.skipped : 0,
          images: index?.images ?? 0,
          numbering: index?.versionBase ?? 0,
          layerNumbers: series.layers.map((layer) => numberIn(index, layer.name)),
          running: index !== null && queue.activeFor(index.id, 'index') !== null,
        } as const;
      });
      return { ...summarize(series, indexes, await jobs()), checkpoints, layers: series.layers, movement: await store.evolutions.movement<NonNullable<Series['movement']>>(id) };
    },
    async *watch(id, signal) {
      for await (const _ of workspaces.jobsChanged.changes(watchIntervalMs, signal)) {
        const series = await service.get(id);
        yield series;
        if (series.jobId === null) return;
      }
    },
    async rows({ series: id, layer, channels }) {
      const { store } = workspaces.required();
      const series = await store.evolutions.get(id);
      const indexes = await indexesById();
      return readRows(store, series, layer, channels, (checkpoint) => indexOf(checkpoint, indexes));
    },
    async forget(id) {
      const { store, queue } = workspaces.required();
      await store.evolutions.get(id);
      for (const active of jobsOf(id, await jobs()).filter(isActive)) await queue.cancel(active.id);
      await store.evolutions.delete(id);
    },
  };
  return service;
}

function summarize({ id, name, folder, imagesPath, checkpoints, createdAt }: StoredSeries, indexes: ReadonlyMap<StoredIndex['id'], StoredIndex>, jobs: readonly LiveJob[]): SeriesSummary {
  const complete = checkpoints.filter((checkpoint) => isComplete(indexOf(checkpoint, indexes))).length;
  const known = jobsOf(id, jobs);
  const active = known.find(isActive);
  return { id, name, folder, imagesPath, epochs: checkpoints.map(({ epoch }) => epoch), complete, jobId: active?.id ?? null, lastJobId: active ? null : (known[0]?.id ?? null), createdAt };
}

function jobsOf(series: string, jobs: readonly LiveJob[]): readonly LiveJob[] {
  return jobs.filter(({ kind, request }) => kind === 'evolution' && (request as EvolutionRequest).series === series);
}

function recordOf({ source, imagesPath, labelsPath, layers: names, epochs, preprocessing, engine, device, batch, matrix }: StartEvolution, report: CheckpointReport): SeriesRecord {
  const folder = folderOf(source);
  const chosen = report.checkpoints.filter(({ epoch }) => !epochs || epochs.includes(epoch));
  const absent = epochs?.find((epoch) => !report.checkpoints.some((checkpoint) => checkpoint.epoch === epoch));
  if (absent !== undefined) throw new AppError('NOT_FOUND', `${folder} has no checkpoint of epoch ${absent}; it has ${report.checkpoints.map(({ epoch }) => epoch).join(', ')}.`, { path: folder, epoch: absent });
  const unknown = names?.find((name) => !report.layers.some((layer) => layer.name === name));
  if (unknown !== undefined) throw new AppError('NOT_FOUND', `The network has no layer named ${JSON.stringify(unknown)}; it has ${report.layers.map(({ name }) => name).join(', ')}.`, { layer: unknown });
  return {
    name: basename(folder),
    folder,
    imagesPath: resolve(imagesPath),
    labelsPath: labelsPath ? resolve(labelsPath) : null,
    preprocessing: inFixedOrder(preprocessing ?? report.preprocessing),
    engine,
    device,
    batch: batch ?? null,
    matrix,
    layers: names ? report.layers.filter(({ name }) => names.includes(name)) : report.layers,
    checkpoints: chosen.map(({ epoch, name, path, modelHash }) => ({ epoch, name, path, modelHash, index: null })),
  };
}

function isOneSeries(left: SeriesRecord, right: SeriesRecord): boolean {
  const facts = ({ folder, imagesPath, labelsPath, preprocessing }: SeriesRecord) => JSON.stringify([folder, imagesPath, labelsPath, inFixedOrder(preprocessing)]);
  return facts(left) === facts(right);
}

/** What is known with what is asked for: more epochs, other weights of an epoch, more layers. */
function extended(known: StoredSeries, asked: SeriesRecord): SeriesRecord {
  const { id: _, createdAt: __, ...record } = known;
  const byEpoch = new Map<number, SeriesCheckpoint>(known.checkpoints.map((checkpoint) => [checkpoint.epoch, checkpoint]));
  for (const checkpoint of asked.checkpoints) if (byEpoch.get(checkpoint.epoch)?.modelHash !== checkpoint.modelHash) byEpoch.set(checkpoint.epoch, checkpoint);
  const layers = [...known.layers, ...asked.layers.filter(({ name }) => !known.layers.some((layer) => layer.name === name))].sort((a, b) => a.number - b.number);
  return { ...record, layers, checkpoints: [...byEpoch.values()].sort((a, b) => a.epoch - b.epoch) };
}

function facts({ layers, checkpoints }: SeriesRecord): unknown {
  return [layers.map(({ name }) => name), checkpoints.map(({ epoch, modelHash }) => [epoch, modelHash])];
}

function isActive({ state }: LiveJob): boolean {
  return state === 'running' || state === 'queued';
}

function isComplete(index: StoredIndex | null): boolean {
  return index !== null && index.cursor > 0 && index.cursor === index.images;
}

function numberIn(index: StoredIndex | null, name: string): number | null {
  return index?.layers.find((layer) => layer.name === name)?.number ?? null;
}
