/** Questions to the score matrices of the open workspace (contract area `scores`): any k, weakest images, classes, histograms, channels that go together. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type * as z from 'zod';
import type { countedClass, exactHistogram, keptScores } from '../../src-shared/contract/scores.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import { histogramOfColumn } from '../indexing/queries/histogram.ts';
import { keptLayers, scoreMatrixBytes, scoreMatrixFolder } from '../store/scoreMatrix.ts';
import { createChannelRelations, type ChannelRelations } from './channelRelations.ts';
import { imageClasses } from './imageClasses.ts';
import { createLayerSelectivity, type LayerSelectivity } from './layerSelectivity.ts';
import { createScoreLayers, type ChannelRequest } from './scoreLayers.ts';
import { committedRows } from './scoreRows.ts';
import { createTopImages, type TopImages } from './topImages.ts';
import type { WorkspaceService } from './workspaces.ts';

export interface ScoreService extends TopImages, ChannelRelations, LayerSelectivity {
  kept(index: string): Promise<z.infer<typeof keptScores>>;
  classes(index: string): Promise<z.infer<typeof countedClass>[]>;
  histogram(request: ChannelRequest & { readonly bins: number; readonly from?: number; readonly to?: number }, signal?: AbortSignal): Promise<z.infer<typeof exactHistogram>>;
}

export function createScoreService(workspaces: WorkspaceService, inference: InferenceClient): ScoreService {
  const layers = createScoreLayers(workspaces);
  return {
    ...createTopImages(layers, inference),
    ...createChannelRelations(layers),
    ...createLayerSelectivity(layers),
    async kept(id) {
      const { store } = workspaces.required();
      const index = await store.indexes.get(id as IndexId);
      const folder = scoreMatrixFolder(store.folder, index.matrixFolder);
      const numbers = index.matrix === 'none' ? [] : [...(await keptLayers(folder))];
      if (index.matrix === 'none' || numbers.length === 0) return { precision: null, rows: 0, layers: [], bytes: 0 };
      const rows = committedRows(index);
      const paths = (await stat(join(folder, 'images.json')).catch(() => null))?.size ?? 0;
      return { precision: index.matrix, rows, layers: numbers, bytes: scoreMatrixBytes(index.layers.filter((layer) => numbers.includes(layer.number)), rows, index.matrix) + paths };
    },
    async classes(id) {
      const { store } = workspaces.required();
      return [...(await imageClasses(store, await store.indexes.get(id as IndexId)))];
    },
    async histogram(request, signal) {
      if (request.from !== undefined && request.to !== undefined && request.from > request.to) throw new AppError('BAD_REQUEST', `A histogram from ${request.from} to ${request.to} holds nothing: from must not exceed to.`);
      const { column } = await layers.column(await layers.openedChannel(request), request.channel, signal);
      const { counts, ...rest } = histogramOfColumn(column, request.bins, { ...(request.from === undefined ? {} : { from: request.from }), ...(request.to === undefined ? {} : { to: request.to }) });
      return { ...rest, counts: [...counts] };
    },
  };
}
