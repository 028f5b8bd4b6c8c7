/**
 * The evolution job: reads how far the weights went, then brings the index of each checkpoint to completion, the last one first, as an index job would, and projects the strongest hit of every channel, so that
 * Figure 4 is there to look at. It goes on where it was after any interruption; checkpoints that join the series meanwhile are done too.
 */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { JobProgress, JobRow, JobRunner } from '../jobs/queue.ts';
import type { SeriesCheckpoint, StoredSeries } from '../store/evolutions.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import { movementOf } from '../training/evolution/movement.ts';
import { withStrikes } from './atlasJob.ts';
import { indexRunner, pausing } from './indexJob.ts';
import type { IndexingService, StartRequest } from './indexing.ts';
import type { ProjectionService } from './projections.ts';
import type { Way } from './projectionUnits.ts';

export interface EvolutionRequest {
  readonly series: string;
}

export interface EvolutionParts {
  readonly inference: InferenceClient;
  readonly indexing: IndexingService;
  readonly projections: ProjectionService;
}

interface EvolutionRun extends EvolutionParts {
  readonly store: Store;
  readonly job: JobRow;
  readonly progress: JobProgress;
  readonly signal: AbortSignal;
}

/** As the interface shows them first. */
const way: Way = { method: 'deconvnet', seed: 'one' };
/** What one call for projections may take while nobody waits for them. */
const portionMs = 700;
const leastUnits = 16;

export function evolutionRunner(store: Store, parts: EvolutionParts): JobRunner {
  return async (job, progress, signal) => {
    const run: EvolutionRun = { ...parts, store, job, progress, signal };
    const { series: id } = job.request as EvolutionRequest;
    const done = new Map<string, StoredIndex>();
    try {
      for (;;) {
        signal.throwIfAborted();
        const series = await store.evolutions.get(id);
        if ((await store.evolutions.movement(id)) === null) await readMovement(run, series);
        const next = lastFirst(series.checkpoints).find(({ modelHash }) => !done.has(modelHash));
        if (!next) return;
        done.set(next.modelHash, await complete(run, series, next, [...done.values()]));
      }
    } catch (error) {
      throw pausing(error);
    } finally {
      progress.standFor(null);
    }
  };
}

/** What the network learned is what a person wants to see first. */
function lastFirst(checkpoints: readonly SeriesCheckpoint[]): readonly SeriesCheckpoint[] {
  return [...checkpoints.slice(-1), ...checkpoints.slice(0, -1)];
}

async function readMovement({ store, inference, job, progress, signal }: EvolutionRun, { id, checkpoints }: StoredSeries): Promise<void> {
  const movement = await movementOf(checkpoints.length, async (at) => {
    const { path, modelHash, epoch } = checkpoints[at]!;
    progress.report(job.done, job.total, `reading the weights of epoch ${epoch}`);
    const { layers } = await inference.call('weights', { path, hash: modelHash, which: { kind: 'all' } }, signal);
    return layers.map(({ layer, title, data }) => ({ layer, title, data }));
  });
  await store.evolutions.setMovement(id, movement);
}

/** @param before indexes of this series that are done: new ones compute in the same way */
async function complete(run: EvolutionRun, series: StoredSeries, checkpoint: SeriesCheckpoint, before: readonly StoredIndex[]): Promise<StoredIndex> {
  const { store, inference, indexing, job, progress, signal } = run;
  const label = `epoch ${checkpoint.epoch}`;
  const [sibling] = before;
  progress.report(before.length * (sibling?.images ?? 0), job.total, `${label}: looking at the images`);
  const { index, missing } = await indexing.plan(requestOf(series, checkpoint, sibling), signal);
  if (checkpoint.index !== index.id) await store.evolutions.setIndex(series.id, checkpoint.modelHash, index.id);
  progress.standFor({ kind: 'index', indexId: index.id });
  const total = series.checkpoints.length * index.images;
  const base = before.length * index.images;
  const report: JobProgress['report'] = (done, _, step) => progress.report(base + done, total, `${label}: ${step}`);
  report(index.cursor, index.images, 'beginning');
  if (missing) await indexRunner(store, inference)({ ...job, kind: 'index', indexId: index.id, request: missing.request }, { ...progress, report }, signal);
  const complete = await store.indexes.get(index.id);
  await projectStrongest(run, series, complete, (step) => report(complete.images, complete.images, step));
  progress.standFor(null);
  return complete;
}

function requestOf(series: StoredSeries, { path }: SeriesCheckpoint, sibling: StoredIndex | undefined): StartRequest {
  const { imagesPath, labelsPath, preprocessing, engine, device, batch, matrix, layers } = series;
  return {
    modelPath: path,
    imagesPath,
    preprocessing,
    top: 9,
    engine: engine as StartRequest['engine'],
    device: device as StartRequest['device'],
    matrix,
    layers: layers.map(({ name }) => name),
    ...(labelsPath === null ? {} : { labelsPath }),
    ...(batch === null ? {} : { batch }),
    ...(sibling ? { batchOfNew: sibling.batchSize } : {}),
  };
}

/** What cannot be projected (an image that is gone, a layer without a way down) is left out: the cell shows its patch. */
async function projectStrongest({ store, projections, signal }: EvolutionRun, series: StoredSeries, index: StoredIndex, report: (step: string) => void): Promise<void> {
  const names = new Set(series.layers.map(({ name }) => name));
  for (const { number, name, title } of index.layers) {
    if (!names.has(name)) continue;
    const strongest = (await store.hits.ofLayer(index.id, number)).filter(({ rank, y }) => rank === 1 && y >= 0);
    const units = strongest.map(({ channel, image, y, x }) => ({ channel, imageNumber: image, y, x })).sort((a, b) => a.imageNumber - b.imageNumber);
    const of = { store, index, layer: number, units };
    const keys = await projections.keys(of, way);
    const kept = await store.keptProjections.has(keys);
    let left = units.filter((_, at) => !kept.has(keys[at]!));
    while (left.length > 0) {
      signal.throwIfAborted();
      report(`projecting ${title}`);
      const size = Math.max(leastUnits, projections.unitsIn(of, way, portionMs));
      const portion = await projections.readable({ ...of, units: left.slice(0, size) }, signal);
      left = left.slice(size);
      try {
        await withStrikes(
          () => projections.pictures({ ...of, units: portion.units }, way, { areHits: true, urgency: 'ahead', signal }),
          () => report('the inference process ended and was started again'),
        );
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'UNSUPPORTED') throw error;
        left = [];
      }
    }
  }
}

/** An index of the series that is still there; null otherwise. */
export function indexOf(checkpoint: SeriesCheckpoint, indexes: ReadonlyMap<IndexId, StoredIndex>): StoredIndex | null {
  return checkpoint.index === null ? null : (indexes.get(checkpoint.index) ?? null);
}
