/**
 * What a pass keeps in memory while images go by: the top lists and statistics of every layer, and what has changed in them since the last commit. Rows are taken in the order of the
 * manifest; a row that an earlier pass computed has no position (it is -1 until it is looked up or computed).
 */
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { DecodedSegment, ImageHash, SegmentRow } from './segments.ts';
import { addRows, createStatistics, packStatistics, unpackStatistics, type LayerStatistics } from './statistics.ts';
import { createTopLists, hitsOf, offer, restore, type ListedHit, type TopLists } from './topList.ts';

export interface PlacedHit {
  readonly image: number;
  readonly score: number;
  /** -1 where the position is not known yet. */
  readonly y: number;
  readonly x: number;
}

export interface CommittedBatch {
  /** Images of the manifest that are done after this commit. */
  readonly cursor: number;
  readonly hashes: readonly ImageHash[];
  readonly skipped: readonly (readonly [image: number, reason: string])[];
  /** `changedAt`: end of the segment that changed the list last. */
  readonly channels: readonly { readonly layer: number; readonly channel: number; readonly hits: readonly PlacedHit[]; readonly changedAt: number }[];
  readonly statistics: readonly { readonly layer: number; readonly data: Uint8Array }[];
}

/** One layer's scores of some rows: `[rows, channels]`, and where each score is (row * width + column). */
export interface LayerRows {
  readonly score: Float32Array;
  readonly position: Int32Array;
}

export interface Ranking {
  /** `rows`: per layer, the rows of the segment's images in its order. */
  take(segment: DecodedSegment, rows: readonly LayerRows[]): void;
  /** Images of the manifest that were taken in. */
  cursor(): number;
  /** What has changed since the last call; null where no segment has been taken in. */
  changes(): CommittedBatch | null;
}

export interface Restored {
  readonly layers: readonly Layer[];
  readonly top: number;
  readonly cursor: number;
  storedHits(layer: number): Promise<readonly (ListedHit & { readonly channel: number })[]>;
  storedStatistics(layer: number): Promise<Uint8Array | null>;
}

interface LayerState {
  readonly layer: Layer;
  readonly lists: TopLists;
  readonly statistics: LayerStatistics;
  /** Channels whose list changed since the last commit, and after which image. */
  readonly changed: Map<number, number>;
}

/** A ranking as it was after the first `cursor` images. */
export async function restoreRanking({ layers, top, cursor: done, storedHits, storedStatistics }: Restored): Promise<Ranking> {
  const states: LayerState[] = [];
  for (const layer of layers) {
    const lists = createTopLists(layer.channels, top, layer.nonNegative);
    const bytes = done > 0 ? await storedStatistics(layer.number) : null;
    if (done > 0) {
      for (const [channel, hits] of Map.groupBy(await storedHits(layer.number), (hit) => hit.channel)) restore(lists, channel, hits);
    }
    states.push({ layer, lists, statistics: bytes ? unpackStatistics(bytes) : createStatistics(layer.channels), changed: new Map() });
  }
  let cursor = done;
  let committed = done;
  let hashes: ImageHash[] = [];
  let skipped: (readonly [number, string])[] = [];
  return {
    take(segment, rows) {
      const images = segment.rows.map(({ image }) => image.number);
      states.forEach(({ lists, statistics, changed }, at) => {
        const taken = { images, score: rows[at]!.score, position: rows[at]!.position };
        addRows(statistics, taken);
        for (const channel of offer(lists, taken)) changed.set(channel, segment.end);
      });
      hashes.push(...segment.hashes);
      skipped.push(...segment.skipped);
      cursor = segment.end;
    },
    cursor: () => cursor,
    changes() {
      if (cursor === committed) return null;
      const batch: CommittedBatch = {
        cursor,
        hashes,
        skipped,
        channels: states.flatMap((state) => [...state.changed].map(([channel, changedAt]) => ({ layer: state.layer.number, channel, hits: places(state, channel), changedAt }))),
        statistics: states.map(({ layer, statistics }) => ({ layer: layer.number, data: packStatistics(statistics) })),
      };
      committed = cursor;
      hashes = [];
      skipped = [];
      for (const { changed } of states) changed.clear();
      return batch;
    },
  };
}

/**
 * A layer's rows in the order of the segment.
 * @param engine scores of the engine's batch; absent where nothing was computed
 * @param earlier rows of the earlier pass, in the order in which the segment names them
 */
export function rowsInOrder(rows: readonly SegmentRow[], channels: number, engine: LayerRows | undefined, earlier: Float32Array | undefined): LayerRows {
  const isEngineOnly = engine !== undefined && rows.every(({ from, row }, at) => from === 'engine' && row === at);
  if (isEngineOnly) return { score: engine.score.subarray(0, rows.length * channels), position: engine.position.subarray(0, rows.length * channels) };
  const score = new Float32Array(rows.length * channels);
  const position = new Int32Array(rows.length * channels).fill(-1);
  let taken = 0;
  rows.forEach(({ from, row }, at) => {
    const source = from === 'engine' ? engine!.score : earlier!;
    const start = (from === 'engine' ? row : taken++) * channels;
    score.set(source.subarray(start, start + channels), at * channels);
    if (from === 'engine') position.set(engine!.position.subarray(start, start + channels), at * channels);
  });
  return { score, position };
}

function places({ layer, lists }: LayerState, channel: number): readonly PlacedHit[] {
  return hitsOf(lists, channel).map(({ image, score, position }) => (position < 0 ? { image, score, y: -1, x: -1 } : { image, score, y: Math.floor(position / layer.width), x: position % layer.width }));
}
