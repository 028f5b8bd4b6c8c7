/**
 * Fills an index: plan, decode, run, rank, commit, side by side with bounded queues (method.md section 2). While one batch runs the next stands ready, those after it are being decoded, and
 * what is ranked is committed every few seconds: rows of the score matrix first, then hits, statistics and cursor in one transaction, so that a kill loses a few seconds of work and no row.
 * It knows no engine, image library or database: all of them are handed in.
 */
import type { Layer } from '../../src-shared/domain/layers.ts';
import { letGo } from '../../src-shared/letGo.ts';
import { restoreRanking, rowsInOrder, type CommittedBatch, type LayerRows, type Restored } from './ranking.ts';
import { decodedSegments, type DecodedSegment, type SegmentOptions } from './segments.ts';

export interface RowBatch {
  /** Those with a row, in order. */
  readonly images: readonly { readonly number: number; readonly path: string }[];
  /** `[images, channels]` each. */
  readonly layers: readonly { readonly number: number; readonly scores: Float32Array }[];
  /** Where the images and their rows come from. */
  readonly segment: DecodedSegment;
  /** Of the engine's batch, `[batch, dimensions]` each; none where nothing was computed. */
  readonly vectors: readonly Float32Array[];
}

/** What the engine makes of a full batch. */
export interface ScoredBatch {
  /** Per layer `[batch, channels]`. */
  readonly layers: readonly LayerRows[];
  /** Features that the rows are wanted with, `[batch, dimensions]` each. */
  readonly vectors?: readonly Float32Array[];
}

/** Where all scores go, beside the top lists: written ahead of the commit that counts them. */
export interface RowSink {
  append(batch: RowBatch): Promise<void>;
  flush(): Promise<void>;
  confirm(): Promise<void>;
}

export interface BuildIndexOptions extends SegmentOptions, Restored {
  readonly layers: readonly Layer[];
  readonly cursor: number;
  /** `firstImage`: number of the batch's first image. */
  score(pixels: Uint8Array, firstImage: number, signal: AbortSignal): Promise<ScoredBatch>;
  /** Per layer the rows of an earlier pass, `[sources, channels]`; needed where a plan takes rows. */
  earlierRows?(sources: readonly number[]): Promise<readonly Float32Array[]>;
  readonly rows?: RowSink;
  commit(batch: CommittedBatch): Promise<void>;
  /** Images that are ranked; what is committed follows within seconds. */
  onProgress(done: number): void;
  /** Longest time between commits in milliseconds; 0 commits every batch. */
  readonly commitEveryMs?: number;
}

/** Batches handed to the engine at once: two processes may share a processor (inference/worker/lanes.ts), and for each the next stands ready when one is done, so that neither waits for the ranking. */
const mostInFlight = 4;
const longestMs = 4000;
/** The first commits come sooner, so that a person sees the atlas fill; later ones may take a twenty-fifth of the time. */
const shortestMs = 250;
const commitShare = 25;

/** Runs until all images are done or the signal aborts; what was ranked before an end of any kind is committed. */
export async function buildIndex(options: BuildIndexOptions, signal: AbortSignal): Promise<void> {
  const ranking = await restoreRanking(options);
  const ended = new AbortController();
  const working = AbortSignal.any([signal, ended.signal]);
  const inFlight: Promise<void>[] = [];
  const commits = createCommits(options, () => ranking.changes());

  const finish = async (segment: DecodedSegment, scored: Promise<ScoredBatch>, earlier: Promise<void> | undefined) => {
    const { layers: found, vectors = [] } = await scored;
    await earlier;
    const rows = await layerRows(options, segment, found);
    // What fails half-way is written again, in the same place, by the run that goes on.
    await options.rows?.append({ images: segment.rows.map(({ image }) => image), layers: options.layers.map(({ number }, at) => ({ number, scores: rows[at]!.score })), segment, vectors });
    // Not before: features that grow with the index keep small pictures.
    if (segment.pixels) letGo(segment.pixels);
    ranking.take(segment, rows);
    options.onProgress(ranking.cursor());
    await commits.whenDue();
  };

  try {
    for await (const segment of decodedSegments(options, working)) {
      signal.throwIfAborted();
      const scored = segment.pixels ? options.score(segment.pixels, segment.first, working) : Promise.resolve({ layers: [] });
      const finished = finish(segment, scored, inFlight.at(-1));
      finished.catch(() => undefined);
      inFlight.push(finished);
      if (inFlight.length === mostInFlight) await inFlight.shift();
    }
    await Promise.all(inFlight);
  } finally {
    ended.abort();
    // What is computed by now, and follows on what is ranked, still counts.
    await Promise.allSettled(inFlight);
    await commits.last();
  }
}

async function layerRows({ layers, earlierRows }: BuildIndexOptions, segment: DecodedSegment, scores: readonly LayerRows[]): Promise<readonly LayerRows[]> {
  const sources = segment.rows.flatMap(({ from, row }) => (from === 'earlier' ? [row] : []));
  const earlier = sources.length > 0 ? await earlierRows!(sources) : [];
  return layers.map(({ channels }, at) => rowsInOrder(segment.rows, channels, scores[at], earlier[at]));
}

interface Commits {
  /** Starts a commit where it is time for one; ranking goes on meanwhile. */
  whenDue(): Promise<void>;
  /** Commits what is left and waits for it. */
  last(): Promise<void>;
}

function createCommits({ rows, commit, commitEveryMs = longestMs }: BuildIndexOptions, changes: () => CommittedBatch | null): Commits {
  let running: Promise<void> = Promise.resolve();
  let dueMs = 0;

  async function write(batch: CommittedBatch, flushed: Promise<void> | undefined): Promise<void> {
    const startedMs = performance.now();
    await flushed;
    await commit(batch);
    await rows?.confirm();
    const tookMs = performance.now() - startedMs;
    dueMs = performance.now() + Math.min(commitEveryMs, Math.max(shortestMs, tookMs * commitShare));
  }

  async function start(): Promise<void> {
    await running;
    const batch = changes();
    if (!batch) return;
    // Both are taken at this very moment: a row that is appended later is not counted by this commit.
    dueMs = Infinity;
    running = write(batch, rows?.flush());
    // A failure ends the run at the next batch, not at the end of all images.
    running.catch(() => (dueMs = 0));
  }

  return {
    whenDue: async () => {
      if (commitEveryMs === 0 || performance.now() >= dueMs) await start();
    },
    last: async () => {
      await start();
      await running;
    },
  };
}
