/** How channels, images and classes hang together: channels that go along with each other, channels that an image excites, classes that a channel tells apart. */
import type * as z from 'zod';
import type { excitedAnswer, selectivityAnswer, similarChannels } from '../../src-shared/contract/scores.ts';
import { AppError } from '../../src-shared/errors.ts';
import { correlate, type Correlations } from '../indexing/queries/correlation.ts';
import { contrastingChannels, type Contrast } from '../indexing/queries/contrast.ts';
import { excitedChannels } from '../indexing/queries/excited.ts';
import { selectivityOfColumn } from '../indexing/queries/selectivity.ts';
import { imageClasses, named, requireClasses } from './imageClasses.ts';
import { finite } from './rankedImages.ts';
import type { ChannelRequest, LayerRequest, ScoreLayers } from './scoreLayers.ts';
import { ownBlocks, rowOf } from './scoreRows.ts';

export interface ChannelRelations {
  similar(request: ChannelRequest & { readonly limit: number }, signal?: AbortSignal): Promise<z.infer<typeof similarChannels>>;
  excited(request: LayerRequest & { readonly image: number; readonly limit: number }, signal?: AbortSignal): Promise<z.infer<typeof excitedAnswer>>;
  /** The channels that some images excite more than all others do (contract `map.excited`). */
  contrasting(request: LayerRequest & { readonly images: readonly number[]; readonly limit: number }, signal?: AbortSignal): Promise<{ readonly chosen: number; readonly others: number; readonly channels: readonly Contrast[] }>;
  selectivity(request: ChannelRequest & { readonly limit: number; readonly leastImages?: number }, signal?: AbortSignal): Promise<z.infer<typeof selectivityAnswer>>;
  /** Of all channels of a layer with each other, at most 4,096. */
  correlations(request: LayerRequest, signal?: AbortSignal): Promise<Correlations>;
}

/** Channels that a full table of correlations may have on a side: 200 MB of sums. */
const mostCorrelated = 4096;

export function createChannelRelations(layers: ScoreLayers): ChannelRelations {
  return {
    async similar(request, signal) {
      const place = await layers.openedChannel(request);
      const { layer } = place;
      const { images, values } = await layers.rows(place, (rows) => correlate(ownBlocks(rows), { left: layer.channels, right: layer.channels, channel: request.channel }, signal), signal);
      const others = [...values].map((correlation, channel) => ({ channel, correlation })).filter(({ channel, correlation }) => channel !== request.channel && !Number.isNaN(correlation));
      const best = (sign: number) =>
        others
          .filter(({ correlation }) => sign * correlation > 0)
          .sort((a, b) => sign * (b.correlation - a.correlation) || a.channel - b.channel)
          .slice(0, request.limit);
      return { images, similar: best(1), opposite: best(-1) };
    },
    async excited(request, signal) {
      const place = await layers.opened(request);
      const image = await place.store.images.get(place.index.id, request.image);
      return layers.rows(
        place,
        async (rows) => {
          const row = rowOf(rows.images, request.image);
          if (row === -1) throw new AppError('NOT_FOUND', `${image.path} has no scores: ${image.skipped ?? 'it is not indexed yet; resume the index'}`, { image: image.path });
          const channels = (await excitedChannels(rows.blocks(), await rows.row(row), signal)).slice(0, request.limit);
          return { image: image.path, images: rows.rows, channels: channels.map((each) => ({ ...each, score: finite(each.score) })) };
        },
        signal,
      );
    },
    async contrasting(request, signal) {
      const place = await layers.opened(request);
      return layers.rows(
        place,
        async (rows) => {
          const chosen = new Uint8Array(rows.rows);
          for (const image of request.images) {
            const row = rowOf(rows.images, image);
            if (row >= 0) chosen[row] = 1;
          }
          const count = chosen.reduce((sum, each) => sum + each, 0);
          return { chosen: count, others: rows.rows - count, channels: await contrastingChannels(rows.blocks, rows.channels, chosen, request.limit, signal) };
        },
        signal,
      );
    },
    async selectivity(request, signal) {
      const place = await layers.openedChannel(request);
      const { column, images: numbers } = await layers.column(place, request.channel, signal);
      const { store, index } = place;
      const classes = await imageClasses(store, index);
      requireClasses(classes, index.id);
      const classOf = await store.classes.ofImages(index.id, index.images);
      const found = await selectivityOfColumn(column, Int32Array.from(numbers, (number) => classOf[number]!), classes.length, signal);
      return {
        images: found.images,
        mean: found.mean === null ? null : finite(found.mean),
        classes: found.classes.filter(({ images }) => images >= (request.leastImages ?? 1)).slice(0, request.limit).map((each) => ({ class: named(classes[each.class]!), images: each.images, mean: finite(each.mean), auc: each.auc })),
      };
    },
    async correlations(request, signal) {
      const place = await layers.opened(request);
      const { channels } = place.layer;
      checkTable(channels, channels);
      return layers.rows(place, (rows) => correlate(ownBlocks(rows), { left: channels, right: channels, symmetric: true }, signal), signal);
    },
  };
}

function checkTable(left: number, right: number): void {
  if (Math.max(left, right) <= mostCorrelated) return;
  throw new AppError('UNSUPPORTED', `A table of correlations has at most ${mostCorrelated} channels on a side; these layers have ${left} and ${right}. Ask for the channels that are similar to one channel instead.`, { left, right });
}
