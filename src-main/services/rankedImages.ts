/** Rows of a score matrix as a person sees them: path, class, score, and where in the image the channel is excited, as far as that is known or asked for. */
import type * as z from 'zod';
import type { rankedImage } from '../../src-shared/contract/scores.ts';
import { AppError } from '../../src-shared/errors.ts';
import { clipBox, unitWindow } from '../geometry/receptiveField.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { RankedRow } from '../indexing/queries/topRows.ts';
import type { LayerOfIndex } from './scoreLayers.ts';
import { createUnitPositions } from './unitPositions.ts';

export type RankedImage = z.infer<typeof rankedImage>;

export interface RankedImages {
  /**
   * @param images row -> image number
   * @param lists ranked rows; each list is ranked from 1
   * @param options.forward computes the positions that nobody knows yet
   */
  shown(place: LayerOfIndex, channel: number, images: Int32Array, lists: readonly (readonly RankedRow[])[], options: { readonly forward: boolean }, signal?: AbortSignal): Promise<RankedImage[][]>;
}

export function createRankedImages(inference: InferenceClient): RankedImages {
  const positions = createUnitPositions(inference);
  return {
    async shown({ store, index, layer }, channel, images, lists, { forward }, signal) {
      const numbers = [...new Set(lists.flat().map(({ row }) => images[row]!))];
      const manifest = await store.images.several(index.id, numbers);
      if ((await store.indexes.get(index.id)).matrixFolder !== index.matrixFolder) {
        throw new AppError('CONFLICT', 'A rescan has just brought this index up to date, so its images have other numbers now. Ask again.', { index: index.id });
      }
      const stored = new Map((await store.hits.ofChannel(index.id, layer.number, channel)).map((hit) => [hit.image, hit]));
      const others = numbers.filter((number) => !stored.has(number)).map((number) => manifest.get(number)!);
      const found = await (forward ? positions.find(store, index, layer, others, signal) : positions.known(store, index, layer, others));
      const unitOf = (number: number): { readonly y: number; readonly x: number } | null => {
        const position = found.get(number)?.[channel];
        return stored.get(number) ?? (position === undefined ? null : { y: Math.floor(position / layer.width), x: position % layer.width });
      };
      const [height, width] = index.preprocessing.crop;
      return lists.map((list) =>
        list.map(({ row, score }, at): RankedImage => {
          const number = images[row]!;
          const { path, className } = manifest.get(number)!;
          const unit = unitOf(number);
          const box = unit ? clipBox(unitWindow(layer.receptiveField, unit.y, unit.x), height, width) : null;
          return { rank: at + 1, image: path, imageNumber: number, score: finite(score), y: unit?.y ?? null, x: unit?.x ?? null, box, className };
        }),
      );
    },
  };
}

/** JSON has no infinities. */
export function finite(score: number): number {
  const largest = 3.4028234663852886e38;
  return Math.min(largest, Math.max(-largest, score));
}
