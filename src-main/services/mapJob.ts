/**
 * The runner of map jobs: features where they are missing, then the layout in a thread of its own. What the thread hands over to go on from is kept, so that a killed map goes on where it was and
 * ends with the same coordinates. The layouts on the way are held in memory for whoever watches.
 */
import type * as z from 'zod';
import type { mapSpec, mapStages } from '../../src-shared/contract/map.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { LayoutProgress, LayoutResult } from '../features/layout/request.ts';
import { neighboursFor } from '../features/layout/settling.ts';
import { runLayoutInThread, type LayoutOrder } from '../features/layout/runInThread.ts';
import type { RowSource } from '../features/matrix.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { JobProgress, JobRunner } from '../jobs/queue.ts';
import type { StoredMap } from '../store/maps.ts';
import { npyBytes, npyHeader } from '../store/npy.ts';
import type { Store } from '../store/open.ts';
import type { StoredIndex } from '../store/indexes.ts';
import { channelRows } from './channelRows.ts';
import { completeFeatures } from './featurePass.ts';
import { createFeatureRows, featuresFile, rowImages } from './featureRows.ts';
import { pausing } from './indexJob.ts';
import { committedRows } from './scoreRows.ts';

export type MapSpec = z.infer<typeof mapSpec>;
export type MapStage = (typeof mapStages)[number];

/** What is kept of a map beside its files. */
export interface MapFacts {
  readonly spec: MapSpec;
  readonly title: string;
  readonly modelName: string;
  readonly imagesPath: string;
  readonly layerTitle: string;
  /** Of the index when the map was started: what its rows mean. */
  readonly numbering: number;
  readonly indexRows: number;
  readonly stage: MapStage;
  readonly points: number;
  readonly dimensions: number;
  readonly iterations: number;
  readonly extent: readonly [number, number, number, number] | null;
  readonly explained: readonly [number, number] | null;
  readonly trustworthiness: number | null;
  readonly notes: readonly string[];
  readonly caption: string;
  /** Revision of the finished layout; 0 before. */
  readonly revision: number;
}

/** A map that is being laid out, as it is right now. */
export interface LiveMap {
  readonly stage: MapStage;
  readonly done: number;
  readonly total: number;
  readonly iteration: number;
  readonly points: number;
  readonly revision: number;
  readonly positions: Float32Array<ArrayBuffer> | null;
}

/** By map. */
export type LiveMaps = Map<string, LiveMap>;

export interface MapJobRequest {
  readonly map: string;
}

/** Numbers that the layout keeps of each row. */
export const reducedDimensions = 50;

/** Names of the files of a map. `rows`: the image number (or channel) of each row at that time; `paths`: of images, one in a line. */
export const mapFiles = { coordinates: 'coordinates.npy', rows: 'rows.npy', paths: 'paths.txt', prepared: 'prepared.bin', settled: 'settled.bin', grid: 'grid.npy' } as const;

const stageWords: Readonly<Record<LayoutProgress['stage'], string>> = {
  reducing: 'reducing the features to principal components',
  neighbours: 'finding neighbours',
  weighing: 'weighing the neighbours',
  settling: 'letting the layout settle',
};

/** @param layOut how a layout is made; in a thread of its own unless a test says otherwise */
export function mapRunner(store: Store, inference: InferenceClient, live: LiveMaps, layOut: (order: LayoutOrder) => Promise<LayoutResult> = runLayoutInThread): JobRunner {
  return async (job, progress, signal) => {
    const { map: id } = job.request as MapJobRequest;
    try {
      const map = await store.maps.get<MapFacts>(id);
      if (map.record.stage !== 'done') await makeMap({ store, inference, progress, signal, live, layOut }, map);
    } catch (error) {
      throw pausing(error);
    } finally {
      live.delete(id);
    }
  };
}

interface MapRun {
  readonly store: Store;
  readonly inference: InferenceClient;
  readonly progress: JobProgress;
  readonly signal: AbortSignal;
  readonly live: LiveMaps;
  readonly layOut: (order: LayoutOrder) => Promise<LayoutResult>;
}

async function makeMap(run: MapRun, map: StoredMap<MapFacts>): Promise<void> {
  const { store } = run;
  const index = await store.indexes.get(map.index);
  const { numbering, indexRows } = map.record;
  if (index.versionBase !== numbering || committedRows(index) !== indexRows) {
    throw new AppError('CONFLICT', `The index has other images by now than when the map was started (${committedRows(index)}, then ${indexRows}). Delete this map and make it anew.`, { map: map.id, index: index.id });
  }
  const rows = map.record.spec.subject.kind === 'images' ? await imageRows(run, map, index) : await channelsAsRows(run, map, index);
  try {
    await layOutRows(run, map, rows);
  } finally {
    await rows.close();
  }
}

interface MapRows extends RowSource {
  /** Image numbers, or channels. */
  readonly meanings: Int32Array<ArrayBuffer>;
  readonly notes: readonly string[];
  close(): Promise<void>;
}

async function imageRows({ store, inference, progress, signal, live }: MapRun, { id, record: { spec } }: StoredMap<MapFacts>, index: StoredIndex): Promise<MapRows> {
  const { layer, pooling } = spec.subject as Extract<MapSpec['subject'], { kind: 'images' }>;
  await completeFeatures(
    {
      store,
      inference,
      signal,
      report(done, total, step) {
        live.set(id, { stage: 'features', done, total, iteration: 0, points: 0, revision: 0, positions: null });
        progress.report(done, total, step);
      },
    },
    index,
    { layers: [layer], pooling },
  );
  const meanings = await rowImages(store, index);
  const source = await createFeatureRows().open(store, index, featuresFile({ layer, pooling }));
  if (!source) throw new AppError('CONFLICT', `The index ${index.id} was changed while its features were computed. Start the map again.`, { index: index.id });
  let holes = 0;
  const seen = new Set<number>();
  return {
    rows: source.rows,
    dimensions: source.dimensions,
    meanings,
    get notes() {
      return holes > 0 ? [`${holes} of the features were no finite numbers; 0 stands in their place.`] : [];
    },
    async read(first, count) {
      const block = await source.read(first, count);
      let mended: Float32Array | null = null;
      for (let at = 0; at < block.length; at++) {
        if (Number.isFinite(block[at]!)) continue;
        mended ??= block.slice();
        mended[at] = 0;
        const place = first * source.dimensions + at;
        if (!seen.has(place)) holes++;
        if (seen.size < 100_000) seen.add(place);
      }
      return mended ?? block;
    },
    close: () => source.close(),
  };
}

async function channelsAsRows({ store, signal }: MapRun, { record: { spec } }: StoredMap<MapFacts>, index: StoredIndex): Promise<MapRows> {
  const { layer } = spec.subject as Extract<MapSpec['subject'], { kind: 'channels' }>;
  const { matrix, notes } = await channelRows(store, index, layer, signal);
  const { rows, dimensions, data } = matrix;
  return {
    rows,
    dimensions,
    notes,
    meanings: Int32Array.from({ length: rows }, (_, channel) => channel),
    read: (first, count) => data.subarray(first * dimensions, (first + count) * dimensions),
    close: async () => undefined,
  };
}

async function layOutRows({ store, progress, signal, live, layOut }: MapRun, map: StoredMap<MapFacts>, rows: MapRows): Promise<void> {
  const { spec } = map.record;
  const { id } = map;
  await store.maps.setFile(id, mapFiles.rows, int32File(rows.meanings));
  if (spec.subject.kind === 'images') await store.maps.setFile(id, mapFiles.paths, await pathsOf(store, map.index, rows.meanings));
  const facts: MapFacts = { ...map.record, points: rows.rows, dimensions: rows.dimensions, stage: 'reducing' };
  await store.maps.update(id, facts);
  const settles = spec.method.kind !== 'pca';
  const iterations = spec.method.kind === 'tsne' ? spec.method.iterations : spec.method.kind === 'umap' ? spec.method.epochs : 0;
  let now: LiveMap = { stage: 'reducing', done: 0, total: rows.rows, iteration: 0, points: rows.rows, revision: 0, positions: null };
  const tell = (change: Partial<LiveMap>, step: string) => {
    now = { ...now, ...change };
    live.set(id, now);
    progress.report(now.done, now.total, step);
  };
  tell({}, stageWords.reducing);
  // One after the other, so that an older checkpoint never replaces a newer one; a failure stops the job.
  let writing: Promise<void> = Promise.resolve();
  const stop = new AbortController();
  const keep = (name: string, bytes: Uint8Array | undefined) => {
    if (!bytes) return;
    writing = writing.then(() => store.maps.setFile(id, name, bytes));
    writing.catch((error: unknown) => stop.abort(error));
  };
  const [prepared, settled] = await Promise.all([store.maps.file(id, mapFiles.prepared), store.maps.file(id, mapFiles.settled)]);
  const result = await layOut({
    rows,
    request: { method: spec.method, metric: spec.metric, seed: spec.seed },
    ...(settles && (prepared || settled) ? { resumeFrom: { ...(prepared ? { prepared } : {}), ...(settled ? { settled } : {}) } } : {}),
    signal: AbortSignal.any([signal, stop.signal]),
    onProgress({ stage, done, total }) {
      tell({ stage, done, total, ...(stage === 'settling' ? { iteration: done } : {}) }, stageWords[stage]);
    },
    onPositions(positions, iteration) {
      tell({ stage: 'settling', done: iteration, total: iterations, iteration, positions, revision: now.revision + 1 }, stageWords.settling);
    },
    onCheckpoint(checkpoints) {
      keep(mapFiles.prepared, checkpoints.prepared);
      keep(mapFiles.settled, checkpoints.settled);
    },
  });
  await writing;
  await store.maps.setFile(id, mapFiles.coordinates, npyBytes(result.positions, [rows.rows, 2]));
  const done: MapFacts = { ...facts, stage: 'done', iterations: result.iterations, extent: extentOf(result.positions), explained: result.explained, trustworthiness: result.trustworthiness, notes: [...loweredNotes(spec.method, rows.rows), ...rows.notes], revision: now.revision + 1 };
  await store.maps.update(id, done);
  for (const name of [mapFiles.prepared, mapFiles.settled]) await store.maps.removeFile(id, name);
  tell({ stage: 'done', done: Math.max(iterations, 1), total: Math.max(iterations, 1), positions: null }, 'done');
}

/** What was not done as it was asked for, because there are too few points. */
export function loweredNotes(method: MapSpec['method'], points: number): readonly string[] {
  if (method.kind === 'pca' || points < 2) return [];
  const used = neighboursFor(method, points);
  if (method.kind === 'umap') return used + 1 < method.neighbours ? [`${points} points have no more than ${used} neighbours each; ${method.neighbours} were asked for.`] : [];
  return used / 3 < method.perplexity ? [`The perplexity is ${Number((used / 3).toPrecision(3))}, the most that ${points} points can have; ${method.perplexity} was asked for.`] : [];
}

export function int32File(values: Int32Array): Uint8Array {
  return Buffer.concat([npyHeader('int32', [values.length]), new Uint8Array(values.buffer, values.byteOffset, values.byteLength)]);
}

/** minX, minY, maxX, maxY; null without a point. */
export function extentOf(positions: Float32Array): [number, number, number, number] | null {
  if (positions.length === 0) return null;
  const extent: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let at = 0; at < positions.length; at += 2) {
    for (const axis of [0, 1] as const) {
      const value = positions[at + axis]!;
      extent[axis] = Math.min(extent[axis], value);
      extent[axis + 2] = Math.max(extent[axis + 2]!, value);
    }
  }
  return extent;
}

/** A line for each row. A path with a line feed in it would break the lines, so each is a JSON string. */
async function pathsOf(store: Store, index: IndexId, numbers: Int32Array): Promise<Uint8Array> {
  const atOnce = 10_000;
  const lines: string[] = [];
  for (let start = 0; start < numbers.length; start += atOnce) {
    const wanted = [...numbers.subarray(start, start + atOnce)];
    const images = await store.images.several(index, wanted);
    for (const number of wanted) lines.push(JSON.stringify(images.get(number)!.path));
  }
  return new TextEncoder().encode(lines.join('\n'));
}
