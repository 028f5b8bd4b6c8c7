/** The strongest and the weakest images of channels, by column or for a whole layer, of all images or by class. */
import type * as z from 'zod';
import type { topAnswer, topOfClass } from '../../src-shared/contract/scores.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import { createPauses } from '../indexing/queries/blocks.ts';
import { createTopRows, topOfColumn } from '../indexing/queries/topRows.ts';
import { classRows, imageClasses, named } from './imageClasses.ts';
import { createRankedImages, type RankedImage } from './rankedImages.ts';
import type { ChannelRequest, LayerRequest, ScoreLayers } from './scoreLayers.ts';

export interface TopOptions {
  readonly k: number;
  /** Class index, wnid or name. */
  readonly class?: string;
  readonly lowest: boolean;
  /** Forwards the images whose positions nobody knows yet. */
  readonly positions: boolean;
}

export interface TopImages {
  top(request: ChannelRequest & TopOptions, signal?: AbortSignal): Promise<z.infer<typeof topAnswer>>;
  /** The same for every channel of a layer, in a few passes over its scores. */
  topOfLayer(request: LayerRequest & TopOptions, signal?: AbortSignal): Promise<readonly TopOfChannel[]>;
  topPerClass(request: ChannelRequest & { readonly k: number; readonly classes: number }, signal?: AbortSignal): Promise<z.infer<typeof topOfClass>[]>;
}

export interface TopOfChannel {
  readonly channel: number;
  readonly dead: boolean;
  readonly hits: readonly RankedImage[];
}

/** Entries of top lists that one pass over a layer keeps. */
const mostKeptEntries = 4_000_000;

export function createTopImages(layers: ScoreLayers, inference: InferenceClient): TopImages {
  const ranked = createRankedImages(inference);
  return {
    async top(request, signal) {
      const { k, lowest, class: wish } = request;
      const place = await layers.openedChannel(request);
      const { layer } = place;
      const of = wish === undefined ? null : await classRows(place.store, place.index, wish);
      const { column, images } = await layers.column(place, request.channel, signal);
      const among = of ? of.rowsIn(images) : undefined;
      const found = topOfColumn(column, { k, lowest, nonNegative: layer.nonNegative }, among);
      const [hits] = await ranked.shown(place, request.channel, images, [found], { forward: request.positions }, signal);
      const looked = among ? among.map((row) => Number(Number.isNaN(column[row]!))) : Int32Array.from(column, (score) => Number(Number.isNaN(score)));
      return { hits: hits!, class: of ? named(of.class) : null, images: looked.length, nan: looked.reduce((sum, one) => sum + one, 0), dead: isDead(layer, column) };
    },
    async topOfLayer({ k, lowest, class: wish, positions: forward, ...request }, signal) {
      const place = await layers.opened(request);
      const { layer } = place;
      const of = wish === undefined ? null : await classRows(place.store, place.index, wish);
      const atOnce = Math.max(1, Math.floor(mostKeptEntries / (2 * k)));
      const answers: TopOfChannel[] = [];
      await layers.rows(
        place,
        async (rows) => {
          const among = of ? new Set(of.rowsIn(rows.images)) : undefined;
          const pause = createPauses(signal);
          for (let first = 0; first < layer.channels; first += atOnce) {
            const lists = Array.from({ length: Math.min(atOnce, layer.channels - first) }, () => createTopRows({ k, lowest, nonNegative: layer.nonNegative }));
            const alive = new Uint8Array(lists.length);
            for await (const { firstRow, rows: count, scores } of rows.blocks()) {
              for (let row = firstRow; row < firstRow + count; row++) {
                const at = (row - firstRow) * layer.channels + first;
                const counts = !among || among.has(row);
                for (let i = 0; i < lists.length; i++) {
                  const score = scores[at + i]!;
                  if (score > 0) alive[i] = 1;
                  if (counts) lists[i]!.offer(row, score);
                }
              }
              await pause();
            }
            for (const [i, list] of lists.entries()) {
              const [hits] = await ranked.shown(place, first + i, rows.images, [list.ranked()], { forward }, signal);
              answers.push({ channel: first + i, dead: layer.nonNegative && rows.rows > 0 && alive[i] === 0, hits: hits! });
            }
          }
        },
        signal,
      );
      return answers;
    },
    async topPerClass(request, signal) {
      const place = await layers.openedChannel(request);
      const { column, images } = await layers.column(place, request.channel, signal);
      const { store, index, layer } = place;
      const classes = await imageClasses(store, index);
      const classOf = await store.classes.ofImages(index.id, index.images);
      const lists = classes.map(() => createTopRows({ k: request.k, lowest: false, nonNegative: layer.nonNegative }));
      column.forEach((score, row) => lists[classOf[images[row]!]!]?.offer(row, score));
      const best = lists
        .flatMap((list, at) => {
          const rows = list.ranked();
          return rows.length > 0 ? [{ class: classes[at]!, rows }] : [];
        })
        .sort((a, b) => b.rows[0]!.score - a.rows[0]!.score || a.rows[0]!.row - b.rows[0]!.row)
        .slice(0, request.classes);
      const hits = await ranked.shown(place, request.channel, images, best.map(({ rows }) => rows), { forward: false }, signal);
      return best.map((each, at) => ({ class: named(each.class), hits: hits[at]! }));
    },
  };
}

function isDead(layer: Layer, column: Float32Array): boolean {
  return layer.nonNegative && column.length > 0 && !column.some((score) => score > 0);
}
