/**
 * The runner of index jobs: brings an index to completion. First the rest of its own rows, then an unfinished pass over it (a rescan, or layers it has not got yet), whose rows take their
 * place when they are all there. Where a job cannot go on because of the world around it (full disk, image folder gone), it pauses with the reason.
 */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import { buildIndex, type RowSink } from '../indexing/buildIndex.ts';
import type { JobProgress, JobRunner } from '../jobs/queue.ts';
import { allWritten } from '../store/filePieces.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import { openScoreMatrix, scoreMatrixFolder, type ScoreMatrixWriter } from '../store/scoreMatrix.ts';
import { requireSameComputation } from './computation.ts';
import { openEarlierRows } from './earlierRows.ts';
import { openFeaturesInPass } from './featuresInPass.ts';
import { openImageSource } from './imageSource.ts';
import { placeTakenHits } from './placeTakenHits.ts';
import { writePaths } from './rowColumns.ts';
import { rowsBefore } from './scoreRows.ts';
import { scoringFor, wayOf } from './scoringFor.ts';

/** What a job of kind `index` is asked for beside completing its index. */
export interface IndexJobRequest {
  readonly layers?: readonly Layer[];
}

/** What one run of the job works with. */
export interface IndexRun {
  readonly store: Store;
  readonly inference: InferenceClient;
  readonly progress: JobProgress;
  readonly signal: AbortSignal;
}

export function indexRunner(store: Store, inference: InferenceClient): JobRunner {
  return async (job, progress, signal) => {
    const run: IndexRun = { store, inference, progress, signal };
    const id = job.indexId as IndexId;
    try {
      const index = await store.indexes.get(id);
      const pass = await store.passes.of(id);
      if (pass) await completePass(run, pass);
      else if (index.cursor < index.images) await fill(run, index, null);
      const missing = missingLayers(await store.indexes.get(id), (job.request as IndexJobRequest | null)?.layers ?? []);
      if (missing.length > 0) await completePass(run, await store.passes.stageLayers(await store.indexes.get(id), missing));
    } catch (error) {
      throw pausing(error);
    }
  };
}

/** Layers that an index does not have, with numbers it does not use. */
export function missingLayers(index: StoredIndex, wanted: readonly Layer[]): readonly Layer[] {
  const names = new Set(index.layers.map((layer) => layer.name));
  const last = Math.max(0, ...index.layers.map((layer) => layer.number));
  return wanted.filter((layer) => !names.has(layer.name)).map((layer, at) => ({ ...layer, number: last + 1 + at }));
}

async function completePass(run: IndexRun, pass: StoredIndex): Promise<void> {
  const { store } = run;
  const base = await store.indexes.get(pass.stagedFor!);
  await fill(run, pass, base);
  if (pass.stagedKind === 'rescan') await placeTakenHits(run, pass, base);
  await store.passes.adopt(await store.indexes.get(pass.id));
  await store.indexes.finishDeletions();
}

/** @param base the index that `index` is a pass over */
async function fill({ store, inference, progress, signal }: IndexRun, index: StoredIndex, base: StoredIndex | null): Promise<void> {
  requireSameComputation(index);
  await store.indexes.forgetPlacements(index.id);
  const source = await openImageSource(index);
  const opened: { close(): Promise<void> }[] = [];
  const kept = <T extends { close(): Promise<void> } | null>(file: T): T => {
    if (file) opened.push(file);
    return file;
  };
  try {
    const earlier = kept(base && index.stagedKind === 'rescan' ? await openEarlierRows(store, base, index) : null);
    const matrix = kept(await openMatrix(store, index, base));
    const features = kept(await openFeaturesInPass({ store, inference, signal }, index, base));
    const scoring = scoringFor({
      inference,
      index,
      way: wayOf(index),
      vectors: features?.vectors ?? [],
      note: (text) => progress.report(done, index.images, text),
      changed: (change) => store.indexes.recordPlacement(index.id, change),
    });
    let done = index.cursor;
    const report = () => {
      const { engine, device } = scoring.placement();
      progress.report(done, index.images, `decoding and running on ${engine} ${device}`);
    };
    report();
    await buildIndex(
      {
        layers: index.layers,
        top: index.top,
        batchSize: index.batchSize,
        images: index.images,
        cursor: index.cursor,
        crop: index.preprocessing.crop,
        page: (from, limit) => store.images.page(index.id, from, limit),
        ...planFor(index, earlier),
        decode: source.decode,
        score: scoring.score,
        rows: together([matrix, features].filter((sink) => sink !== null)),
        commit: (batch) => store.hits.commitBatch({ indexId: index.id, ...batch, rowFiles: features?.flushed() ?? [] }),
        async storedHits(layer) {
          const { width } = index.layers.find((candidate) => candidate.number === layer)!;
          return (await store.hits.ofLayer(index.id, layer)).map((hit) => ({ channel: hit.channel, image: hit.image, score: hit.score, position: hit.y < 0 ? -1 : hit.y * width + hit.x }));
        },
        storedStatistics: (layer) => store.statistics.read(index.id, layer),
        onProgress(ranked) {
          done = ranked;
          report();
        },
      },
      signal,
    );
    if (features && !matrix) await writePaths(store, await store.indexes.get(index.id));
  } finally {
    for (const file of opened.reverse()) await file.close();
  }
}

/** Each step in all of them. */
function together(sinks: readonly RowSink[]): RowSink {
  return {
    async append(batch) {
      for (const sink of sinks) await sink.append(batch);
    },
    // Begun at one moment, so that all count the same rows.
    flush: () => allWritten(sinks.map((sink) => sink.flush())),
    confirm: () => allWritten(sinks.map((sink) => sink.confirm())),
  };
}

/** A pass for more layers leaves what the index could not read. */
function planFor(index: StoredIndex, earlier: Awaited<ReturnType<typeof openEarlierRows>> | null): Partial<Parameters<typeof buildIndex>[0]> {
  if (earlier) return { plan: (images, signal) => earlier.plan(images, signal), earlierRows: (sources) => earlier.read(sources) };
  return index.stagedKind === 'layers' ? { plan: async (images) => images.map(({ skipped }) => ({ kind: skipped == null ? 'compute' : 'leave' })) } : {};
}

async function openMatrix(store: Store, index: StoredIndex, base: StoredIndex | null): Promise<ScoreMatrixWriter | null> {
  if (index.matrix === 'none') return null;
  const options = { layers: index.layers, precision: index.matrix, rows: await rowsBefore(store, index) };
  if (base && index.stagedKind === 'layers') return openScoreMatrix(scoreMatrixFolder(store.folder, base.matrixFolder), { ...options, images: await rowsBefore(store, base) });
  return openScoreMatrix(scoreMatrixFolder(store.folder, index.matrixFolder), options);
}

/** Failures that end when a person makes room or plugs a drive in: the job waits instead of failing. */
export function pausing(error: unknown): unknown {
  if (!(error instanceof AppError) || error.data['pauses'] === true) return error;
  const isFull = error.data['sqlite'] === 'SQLITE_FULL' || error.data['system'] === 'ENOSPC' || error.data['system'] === 'EDQUOT';
  return isFull ? new AppError(error.code, error.message, { ...error.data, pauses: true }, error) : error;
}
