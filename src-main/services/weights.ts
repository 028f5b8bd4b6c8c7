/** What the weights of an indexed model say of its channels (contract area `weights`). */
import { LRUCache } from 'lru-cache';
import type * as z from 'zod';
import type { feedingChannels } from '../../src-shared/contract/weights.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import { layerOf } from './indexing.ts';
import { checkChannel } from './projectionUnits.ts';
import type { ChannelRequest } from './scoreLayers.ts';
import type { WorkspaceService } from './workspaces.ts';

export type FeedingAnswer = z.infer<typeof feedingChannels>;

export interface WeightService {
  feeding(request: ChannelRequest & { readonly limit: number }, signal?: AbortSignal): Promise<FeedingAnswer>;
}

export function createWeightService(workspaces: WorkspaceService, inference: InferenceClient): WeightService {
  const kept = new LRUCache<string, FeedingAnswer>({ max: 256 });
  return {
    async feeding({ index: id, layer: number, channel, limit }, signal) {
      const index = await workspaces.required().store.indexes.get(id as IndexId);
      const layer = layerOf(index, number);
      checkChannel(layer, channel);
      const key = `${index.id} ${index.modelHash} ${number} ${channel} ${limit}`;
      const known = kept.get(key);
      if (known) return known;
      const numbers = new Map(index.layers.map((each) => [each.name, each.number]));
      const request = { model: { path: index.modelPath, hash: index.modelHash }, crop: index.preprocessing.crop, layers: [...numbers.keys()], layer: layer.name, channel, limit };
      const found = await inference.call('feeding', request, signal);
      const answer: FeedingAnswer = { ...found, channels: found.channels.map(({ source, ...each }) => ({ ...each, source: source && { layer: numbers.get(source.layer)!, channel: source.channel } })) };
      kept.set(key, answer);
      return answer;
    },
  };
}
