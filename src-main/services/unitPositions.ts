/**
 * Where images excite a layer, for images beyond the stored hits: known positions first, then one forward pass per image, in batches of the index's own size, engine and device (so that the
 * maximum is found by the same numbers as the scores), kept in the workspace. An image that is gone or was changed has no position.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Layer } from '../../src-shared/domain/layers.ts';
import { AppError } from '../../src-shared/errors.ts';
import { decodeImage } from '../dataset/decode.ts';
import { repeatInto } from '../indexing/segments.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { StoredImage } from '../store/images.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import type { WayOfComputing } from './deviceScoring.ts';
import { wayOfImage } from './scoringFor.ts';
import { createTurns } from './turns.ts';

export interface UnitPositions {
  /** By image number: row * width + column of the first maximum, per channel. Images of which nothing is kept are absent. */
  known(store: Store, index: StoredIndex, layer: Layer, images: readonly StoredImage[]): Promise<ReadonlyMap<number, Int32Array>>;
  /** The same, and what is not kept is computed; only images that are gone or changed are absent. */
  find(store: Store, index: StoredIndex, layer: Layer, images: readonly StoredImage[], signal?: AbortSignal): Promise<ReadonlyMap<number, Int32Array>>;
}

export function createUnitPositions(inference: InferenceClient): UnitPositions {
  const inTurn = createTurns(availableParallelism());

  async function known(store: Store, index: StoredIndex, layer: Layer, images: readonly StoredImage[]): Promise<Map<number, Int32Array>> {
    const kept = await store.positions.of(index.id, layer.number, images.flatMap((image) => image.contentHash ?? []));
    return new Map(images.flatMap((image) => (image.contentHash !== null && kept.has(image.contentHash) ? [[image.number, kept.get(image.contentHash)!] as const] : [])));
  }

  async function pixelsOf(index: StoredIndex, image: StoredImage, signal: AbortSignal | undefined): Promise<Uint8Array | null> {
    try {
      const { pixels, contentHash } = await inTurn(() => decodeImage(join(index.imagesPath, image.file), index.preprocessing, signal));
      return contentHash === image.contentHash ? pixels : null;
    } catch (error) {
      if (error instanceof AppError && error.code === 'UNREADABLE_FILE') return null;
      throw error;
    }
  }

  /** One batch; pictures that are gone or changed are left out. */
  async function forward(index: StoredIndex, layer: Layer, way: WayOfComputing, images: readonly StoredImage[], signal: AbortSignal | undefined) {
    const [height, width] = index.preprocessing.crop;
    const pictures = await Promise.all(images.map((image) => pixelsOf(index, image, signal)));
    const there = images.flatMap((image, at) => (pictures[at] ? [{ image, picture: pictures[at] }] : []));
    if (there.length === 0) return [];
    const pixels = new Uint8Array(way.batchSize * height * width * 3);
    there.forEach(({ picture }, row) => pixels.set(picture, row * height * width * 3));
    repeatInto(pixels, height * width * 3, there.map(() => true));
    const { layers: [scores] } = await inference.call(
      'score',
      {
        model: { path: index.modelPath, hash: index.modelHash },
        layers: [layer.name],
        preprocessing: index.preprocessing,
        placement: { engine: way.engine, device: way.device },
        batch: way.batchSize,
        pixels,
      },
      signal,
    );
    return there.map(({ image }, row) => ({ image: image.number, contentHash: image.contentHash!, positions: scores!.position.slice(row * layer.channels, (row + 1) * layer.channels) }));
  }

  return {
    known,
    async find(store, index, layer, images, signal) {
      const found = await known(store, index, layer, images);
      const missing = Map.groupBy(images.filter((image) => !found.has(image.number)), (image) => JSON.stringify(wayOfImage(index, image.number)));
      for (const those of missing.values()) {
        const way = wayOfImage(index, those[0]!.number);
        for (let start = 0; start < those.length; start += way.batchSize) {
          signal?.throwIfAborted();
          const computed = await forward(index, layer, way, those.slice(start, start + way.batchSize), signal);
          for (const { image, positions } of computed) found.set(image, positions);
          if (store.mode === 'write' && computed.length > 0) await store.positions.put(index.id, layer.number, computed);
        }
      }
      return found;
    },
  };
}
