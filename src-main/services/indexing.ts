/** Indexes of the open workspace: started, resumed, listed, read. */
import type * as z from 'zod';
import type { channelDetail, channelSummary, indexedLayer, indexRecord, indexState, skippedImage } from '../../src-shared/contract/indexing.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { ChannelStatistics, Hit, Layer } from '../../src-shared/domain/layers.ts';
import { AppError } from '../../src-shared/errors.ts';
import { repeatedPlaces } from '../dataset/duplicates.ts';
import { clipBox, unitWindow } from '../geometry/receptiveField.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import { channelStatistics, createStatistics, meanOf, unpackStatistics } from '../indexing/statistics.ts';
import type { StoredHit } from '../store/hits.ts';
import type { StoredIndex } from '../store/indexes.ts';
import { computationVersion } from './computation.ts';
import { createIndexStarter, type Estimate, type PlannedIndex, type RescanReport, type SourceRequest, type StartRequest } from './startIndex.ts';
import { createTurns } from './turns.ts';
import type { WorkspaceService } from './workspaces.ts';

export type IndexRecord = z.infer<typeof indexRecord>;
export type IndexedLayer = z.infer<typeof indexedLayer>;
export type ChannelSummary = z.infer<typeof channelSummary>;
export type ChannelDetail = z.infer<typeof channelDetail>;
type IndexState = z.infer<typeof indexState>;

export type { StartRequest };

export interface ChannelHits {
  readonly channel: number;
  readonly dead: boolean;
  readonly hits: readonly Omit<Hit, 'imageNumber'>[];
}

export interface Progress {
  readonly indexed: number;
  readonly images: number;
  readonly skipped: number;
  readonly state: IndexState;
  readonly running: boolean;
}

export interface IndexingService {
  list(): Promise<IndexRecord[]>;
  get(index: string): Promise<IndexRecord>;
  start(request: StartRequest, signal?: AbortSignal): Promise<{ index: string; jobId: string | null }>;
  /** What `start` would do, for a job that does it itself. */
  plan(request: StartRequest, signal?: AbortSignal): Promise<PlannedIndex>;
  estimate(request: SourceRequest, signal?: AbortSignal): Promise<Estimate>;
  rescan(index: string, signal?: AbortSignal): Promise<RescanReport>;
  resume(index: string): Promise<{ jobId: string | null }>;
  delete(index: string): Promise<void>;
  layers(index: string): Promise<IndexedLayer[]>;
  channels(index: string, layer: number): Promise<ChannelSummary[]>;
  channel(index: string, layer: number, channel: number): Promise<ChannelDetail>;
  /** Hits of all channels of a layer, or of one. */
  hits(index: string, layer: number, channel?: number): Promise<readonly ChannelHits[]>;
  skipped(index: string): Promise<readonly z.infer<typeof skippedImage>[]>;
  watch(index: string, signal?: AbortSignal): AsyncGenerator<Progress, void, void>;
}

const watchIntervalMs = 250;

export function createIndexingService(workspaces: WorkspaceService, inference: InferenceClient): IndexingService {
  // Two starts at once must not make the same index twice.
  const inTurn = createTurns(1);
  const stored = (index: string): Promise<StoredIndex> => workspaces.required().store.indexes.get(index as IndexId);

  const starter = createIndexStarter(workspaces, inference);

  const service: IndexingService = {
    async list() {
      return (await workspaces.required().store.indexes.list()).map((index) => toRecord(index, workspaces));
    },
    get: async (index) => toRecord(await stored(index), workspaces),
    start: (request, signal) => inTurn(() => starter.start(request, signal)),
    plan: (request, signal) => inTurn(() => starter.plan(request, signal)),
    estimate: (request, signal) => starter.estimate(request, signal),
    rescan: (index, signal) => inTurn(async () => starter.rescan(await stored(index), signal)),
    resume: (id) => inTurn(async () => ({ jobId: await starter.complete(await stored(id)) })),
    async delete(index) {
      const { store, queue } = workspaces.required();
      for (let active = queue.activeFor(index); active; active = queue.activeFor(index)) await queue.cancel(active);
      await store.indexes.delete(index as IndexId);
    },
    async layers(id) {
      const index = await stored(id);
      const alive = await workspaces.required().store.hits.channelsWithHits(index.id);
      return index.layers.map((layer) => withProgress(layer, index, alive.get(layer.number) ?? 0));
    },
    async channels(id, number) {
      const index = await stored(id);
      const layer = layerOf(index, number);
      const { store } = workspaces.required();
      const summaries = new Map((await store.hits.summaries(index.id, number)).map((summary) => [summary.channel, summary]));
      const statistics = await statisticsOf(index, layer);
      return Array.from({ length: layer.channels }, (_, channel): ChannelSummary => {
        const summary = summaries.get(channel);
        const count = statistics.count[channel]!;
        return {
          channel,
          dead: isDead(layer, index, summary?.hits ?? 0),
          hits: summary?.hits ?? 0,
          topScore: summary ? finite(summary.topScore) : null,
          mean: finite(meanOf(statistics, channel)),
          shareAboveZero: count > 0 ? statistics.aboveZero[channel]! / count : 0,
          version: String(summary?.changedAt ?? 0),
        };
      });
    },
    async channel(id, number, channel) {
      const index = await stored(id);
      const layer = layerOf(index, number);
      if (channel >= layer.channels) throw new AppError('NOT_FOUND', `The layer ${JSON.stringify(layer.name)} has channels 0 to ${layer.channels - 1}; there is no channel ${channel}.`, { layer: layer.name, channel });
      const { store } = workspaces.required();
      const hits = await store.hits.ofChannel(index.id, number, channel);
      const images = await store.images.several(index.id, hits.map(({ image }) => image));
      const repeats = repeatedPlaces(hits.map(({ image }) => images.get(image)));
      const alive = await store.hits.channelsWithHits(index.id);
      const version = (await store.hits.summaries(index.id, number)).find((summary) => summary.channel === channel)?.changedAt ?? 0;
      return {
        layer: withProgress(layer, index, alive.get(number) ?? 0),
        channel,
        dead: isDead(layer, index, hits.length),
        version: String(version),
        hits: hits.map((hit, place) => ({ ...toHit(hit, layer, index.preprocessing.crop), className: hit.className, duplicateOf: repeats[place] === null ? null : repeats[place]! + 1 })),
        unique: null,
        statistics: finiteStatistics(channelStatistics(await statisticsOf(index, layer), channel)),
      };
    },
    async hits(id, number, channel) {
      const index = await stored(id);
      const layer = layerOf(index, number);
      const { hits: table } = workspaces.required().store;
      const rows = channel === undefined ? await table.ofLayer(index.id, number) : await table.ofChannel(index.id, number, channel);
      const byChannel = Map.groupBy(rows, (row) => row.channel);
      const wanted = channel === undefined ? Array.from({ length: layer.channels }, (_, at) => at) : [channel];
      return wanted.map((at) => {
        const hits = (byChannel.get(at) ?? []).map((row) => {
          const { imageNumber: _number, ...hit } = toHit(row, layer, index.preprocessing.crop);
          return hit;
        });
        return { channel: at, dead: isDead(layer, index, hits.length), hits };
      });
    },
    skipped: async (index) => workspaces.required().store.images.skipped((await stored(index)).id),
    async *watch(id, signal) {
      for await (const _ of workspaces.jobsChanged.changes(watchIntervalMs, signal)) {
        const record = await service.get(id);
        yield { indexed: record.indexed, images: record.images, skipped: record.skipped, state: record.state, running: record.jobId !== null };
        if (record.jobId === null) return;
      }
    },
  };
  return service;

  async function statisticsOf(index: StoredIndex, layer: Layer) {
    const bytes = await workspaces.required().store.statistics.read(index.id, layer.number);
    return bytes ? unpackStatistics(bytes) : createStatistics(layer.channels);
  }
}

/** A stored hit with its rank, and its box in network-input pixels. */
export function toHit(hit: StoredHit, layer: Layer, crop: readonly [number, number]): Hit {
  const box = clipBox(unitWindow(layer.receptiveField, hit.y, hit.x), crop[0], crop[1]);
  return { rank: hit.rank, image: hit.path, imageNumber: hit.image, score: finite(hit.score), y: hit.y, x: hit.x, box };
}

export function layerOf(index: StoredIndex, number: number): Layer {
  const layer = index.layers.find((candidate) => candidate.number === number);
  if (!layer) throw new AppError('NOT_FOUND', `Index ${index.id} has layers 1 to ${index.layers.length}; there is no layer ${number}.`, { index: index.id, layer: number });
  return layer;
}

/** No image has excited it so far; only layers that are non-negative by construction know dead channels. */
function isDead(layer: Layer, index: StoredIndex, hits: number): boolean {
  return layer.nonNegative && hits === 0 && index.cursor > index.skipped;
}

function withProgress(layer: Layer, index: StoredIndex, alive: number): IndexedLayer {
  const rows = index.cursor - index.skipped;
  return { ...layer, dead: layer.nonNegative ? (rows > 0 ? layer.channels - alive : 0) : null, images: rows };
}

function toRecord(index: StoredIndex, workspaces: WorkspaceService): IndexRecord {
  const { id, modelName, modelHash, imagesPath, preprocessing, engine, device, engineDescription, batchSize, top, images, cursor, skipped, versionBase, matrix, part, placementChanges, createdAt } = index;
  const state: IndexState = cursor === 0 ? 'empty' : cursor < images ? 'partial' : 'complete';
  return {
    id, modelName, modelHash, imagesPath, preprocessing, engine, device, engineDescription, batchSize, top, state,
    images, indexed: cursor - skipped, skipped, numbering: versionBase, layers: index.layers.length, matrix, part, placementChanges, createdAt, outdated: index.computationVersion !== computationVersion, jobId: workspaces.required().queue.activeFor(id, 'index'),
  };
}

/** JSON has no infinities and no NaN; a network that overflows must not make its channels unreadable. */
function finite(value: number): number {
  const largest = 3.4028234663852886e38;
  return Number.isNaN(value) ? 0 : Math.min(largest, Math.max(-largest, value));
}

function finiteStatistics(statistics: ChannelStatistics): ChannelStatistics {
  return { ...statistics, min: finite(statistics.min), max: finite(statistics.max), mean: finite(statistics.mean) };
}
