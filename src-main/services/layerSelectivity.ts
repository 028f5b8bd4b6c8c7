/** The class that each channel of a layer tells apart most surely, for all channels at once; kept until the rows change. */
import { LRUCache } from 'lru-cache';
import type * as z from 'zod';
import { leastSelectiveImages, type layerSelectivity } from '../../src-shared/contract/scores.ts';
import { surestClass } from '../indexing/queries/selectivity.ts';
import { imageClasses, named, requireClasses } from './imageClasses.ts';
import type { LayerRequest, ScoreLayers } from './scoreLayers.ts';
import type { LayerRows } from './scoreRows.ts';

export type LayerSelectivityAnswer = z.infer<typeof layerSelectivity>;

export interface LayerSelectivity {
  layerSelectivity(request: LayerRequest, signal?: AbortSignal): Promise<LayerSelectivityAnswer>;
}

/** Scores held at once: 64 MB. More channels are read in several passes. */
const mostScores = 16 * 2 ** 20;

export function createLayerSelectivity(layers: ScoreLayers): LayerSelectivity {
  const kept = new LRUCache<string, LayerSelectivityAnswer>({ max: 64 });
  return {
    async layerSelectivity(request, signal) {
      const place = await layers.opened(request);
      const { store, index, layer } = place;
      const key = `${store.folder} ${index.id} ${index.matrixFolder} ${index.cursor} ${index.skipped} ${layer.number}`;
      const known = kept.get(key);
      if (known) return known;
      const classes = await imageClasses(store, index);
      requireClasses(classes, index.id);
      const classOf = await store.classes.ofImages(index.id, index.images);
      const answer = await layers.rows(
        place,
        async (rows) => {
          const classOfRow = Int32Array.from(rows.images, (number) => classOf[number]!);
          const counts = new Map<number, number>();
          for (const of of classOfRow) if (of >= 0) counts.set(of, (counts.get(of) ?? 0) + 1);
          const enough = [...counts].filter(([, images]) => images >= leastSelectiveImages).length;
          const channels: LayerSelectivityAnswer['channels'][number][] = [];
          // Where no class has enough images there is nothing to read.
          if (enough === 0) channels.push(...Array.from({ length: rows.channels }, () => null));
          else {
            for await (const column of channelColumns(rows)) {
              const best = await surestClass(column, classOfRow, classes.length, leastSelectiveImages, signal);
              channels.push(best && { class: named(classes[best.class]!), images: best.images, auc: best.auc, deviations: best.deviations });
            }
          }
          return { images: [...counts.values()].reduce((sum, images) => sum + images, 0), classes: enough, channels };
        },
        signal,
      );
      kept.set(key, answer);
      return answer;
    },
  };
}

/** Every channel's scores, float32 `[rows]`, valid until the next. */
export async function* channelColumns({ rows, channels, blocks }: LayerRows): AsyncGenerator<Float32Array, void, void> {
  const atOnce = Math.max(1, Math.min(channels, Math.floor(mostScores / Math.max(1, rows))));
  for (let first = 0; first < channels; first += atOnce) {
    const count = Math.min(atOnce, channels - first);
    const turned = new Float32Array(count * rows);
    for await (const { firstRow, rows: more, scores } of blocks()) {
      for (let row = 0; row < more; row++) for (let at = 0; at < count; at++) turned[at * rows + firstRow + row] = scores[row * channels + first + at]!;
    }
    for (let at = 0; at < count; at++) yield turned.subarray(at * rows, (at + 1) * rows);
  }
}
