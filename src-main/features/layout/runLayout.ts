/**
 * One map from rows to coordinates: principal components, the graph of neighbours, the layout, each reported and kept as it goes. Runs where nothing else waits
 * (runInThread.ts); in a test it may run anywhere.
 */
import { gathered, sourceOf, unitRows, type Matrix, type RowSource } from '../matrix.ts';
import { neighbourGraph } from '../neighbours/neighbourGraph.ts';
import { principalComponents, projectedRows } from '../principalComponents.ts';
import { trustworthiness } from '../trustworthiness.ts';
import { nameOfRun, packPrepared, packSettled, unpackPrepared, unpackSettled, type Prepared } from './checkpoints.ts';
import type { LayoutCheckpoints, LayoutRequest, LayoutResult, LayoutStage, LayoutWatch } from './request.ts';
import { firstTwo, neighboursFor, startSettling, type SettlingMethod } from './settling.ts';

export interface LayoutRun extends LayoutWatch {
  readonly resumeFrom?: LayoutCheckpoints;
  /** Coordinates are shown this often at most, while they settle. */
  readonly betweenPositionsMs?: number;
  readonly betweenCheckpointsMs?: number;
}

/** More principal components than these carry noise into the neighbours of pictures. */
const mostComponents = 50;
const betweenProgressMs = 100;

export async function runLayout(rows: RowSource, request: LayoutRequest, run: LayoutRun = {}): Promise<LayoutResult> {
  const source = request.metric === 'cosine' ? unitRows(rows) : rows;
  const { method } = request;
  const report = createReport(run);
  if (method.kind === 'pca') {
    const { reduced, explained } = await reduce(source, request.seed, report);
    const positions = firstTwo(reduced);
    run.onPositions?.(positions.slice(), 0);
    return { positions, iterations: 0, explained, trustworthiness: trustOf(reduced, positions) };
  }
  return settle(method, source, request, run, report);
}

async function settle(method: SettlingMethod, source: RowSource, request: LayoutRequest, run: LayoutRun, report: Report): Promise<LayoutResult> {
  const { rows, dimensions } = source;
  const { seed } = request;
  const { betweenPositionsMs = 250, betweenCheckpointsMs = 10_000, resumeFrom = {} } = run;
  const name = nameOfRun(request, rows, dimensions);
  const prepared = resumeFrom.prepared ? unpackPrepared(name, rows, resumeFrom.prepared) : await prepare(method, source, seed, report);
  if (!resumeFrom.prepared) run.onCheckpoint?.({ prepared: packPrepared(name, prepared) });
  report('weighing', 0, 1);
  const settling = startSettling(method, prepared.reduced, prepared.graph, seed, resumeFrom.settled ? unpackSettled(name, resumeFrom.settled) : null);
  report('weighing', 1, 1);
  const isShowing = clock(betweenPositionsMs);
  const isKeeping = clock(betweenCheckpointsMs);
  while (settling.iteration() < settling.total) {
    settling.step(1);
    const iteration = settling.iteration();
    report('settling', iteration, settling.total);
    if (isShowing()) run.onPositions?.(settling.positions(), iteration);
    if (isKeeping()) run.onCheckpoint?.({ settled: packSettled(name, iteration, settling.state()) });
  }
  const positions = settling.positions();
  run.onPositions?.(positions.slice(), settling.total);
  return { positions, iterations: settling.total, explained: null, trustworthiness: trustOf(prepared.reduced, positions) };
}

async function prepare(method: SettlingMethod, source: RowSource, seed: number, report: Report): Promise<Prepared> {
  const { reduced } = await reduce(source, seed, report);
  return { reduced, graph: neighbourGraph(reduced, neighboursFor(method, source.rows), seed, (done, total) => report('neighbours', done, total)) };
}

/** Along the principal components; where there are no more of them than dimensions, that only turns the rows. */
async function reduce(source: RowSource, seed: number, report: Report): Promise<{ readonly reduced: Matrix; readonly explained: readonly [number, number] }> {
  // Rows that fit are read once: what follows passes over them several times.
  const near = source.rows * source.dimensions <= mostGatheredNumbers ? sourceOf(await gathered(source)) : source;
  const found = await principalComponents(near, { count: mostComponents, seed, onProgress: (done, total) => report('reducing', done, total) });
  const share = (at: number) => (found.totalVariance > 0 ? (found.variances[at] ?? 0) / found.totalVariance : 0);
  return { reduced: await projectedRows(near, found), explained: [share(0), share(1)] };
}

/** 200 MB. */
const mostGatheredNumbers = 5e7;

/** Two hundred rows say it to a hundredth already; a thousand are looked at where that takes no time. */
function trustOf(reduced: Matrix, positions: Float32Array): number | null {
  return trustworthiness(reduced, positions, { rowsLookedAt: reduced.rows <= 20_000 ? 1000 : 300 });
}

type Report = (stage: LayoutStage, done: number, total: number) => void;

/** Passes on the first and the last of a stage, and between them only what a person could see change. */
function createReport({ onProgress }: LayoutWatch): Report {
  const isDue = clock(betweenProgressMs);
  let last: LayoutStage | null = null;
  return (stage, done, total) => {
    if (stage !== last || done >= total || isDue()) onProgress?.({ stage, done, total });
    last = stage;
  };
}

/** True once in every so many milliseconds. */
function clock(everyMs: number): () => boolean {
  let dueMs = performance.now() + everyMs;
  return () => {
    if (performance.now() < dueMs) return false;
    dueMs = performance.now() + everyMs;
    return true;
  };
}
