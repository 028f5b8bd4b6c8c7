/** What every question to the score matrix begins with: the layer of an index that is meant, and its rows or one of its columns. */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import { layerOf } from './indexing.ts';
import { createScoreRows, type LayerRows } from './scoreRows.ts';
import type { WorkspaceService } from './workspaces.ts';

export interface LayerRequest {
  readonly index: string;
  readonly layer: number;
}

export interface ChannelRequest extends LayerRequest {
  readonly channel: number;
}

export interface LayerOfIndex {
  readonly store: Store;
  readonly index: StoredIndex;
  readonly layer: Layer;
}

export interface ScoreLayers {
  /** @throws AppError NOT_FOUND */
  opened(request: LayerRequest): Promise<LayerOfIndex>;
  /** Also makes sure that the layer has the channel. @throws AppError NOT_FOUND */
  openedChannel(request: ChannelRequest): Promise<LayerOfIndex>;
  /** @throws AppError NOT_FOUND where the index keeps no scores */
  rows<T>(place: LayerOfIndex, work: (rows: LayerRows) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** All scores of a channel, and the image number of each. */
  column(place: LayerOfIndex, channel: number, signal?: AbortSignal): Promise<{ readonly column: Float32Array; readonly images: Int32Array }>;
}

export function createScoreLayers(workspaces: WorkspaceService): ScoreLayers {
  const scoreRows = createScoreRows();
  const layers: ScoreLayers = {
    async opened({ index: id, layer: number }) {
      const { store } = workspaces.required();
      const index = await store.indexes.get(id as IndexId);
      return { store, index, layer: layerOf(index, number) };
    },
    async openedChannel(request) {
      const place = await layers.opened(request);
      const { name, channels } = place.layer;
      if (request.channel < channels) return place;
      throw new AppError('NOT_FOUND', `The layer ${JSON.stringify(name)} has channels 0 to ${channels - 1}; there is no channel ${request.channel}.`, { layer: name, channel: request.channel });
    },
    rows: ({ store, index, layer }, work, signal) => scoreRows.layer(store, index, layer, work, signal),
    column: (place, channel, signal) => layers.rows(place, async (rows) => ({ column: await rows.column(channel), images: rows.images }), signal),
  };
  return layers;
}
