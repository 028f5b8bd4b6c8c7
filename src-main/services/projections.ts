/**
 * Projections of units, kept: what was computed once is served from the workspace as long as everything it depends on agrees (method.md section 8).
 * Only the support (the hull of non-zero values) is stored, as exact float32.
 */
import { LRUCache } from 'lru-cache';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { Control, Method, ProjectionRecord, Seed } from '../../src-shared/domain/projection.ts';
import { AppError } from '../../src-shared/errors.ts';
import { decodeImage } from '../dataset/decode.ts';
import { clipBox, unitWindow } from '../geometry/receptiveField.ts';
import type { Device, EngineKind } from '../inference/engine.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import { cut, measure, uncut } from '../projection/measure.ts';
import type { StoredImage } from '../store/images.ts';
import type { StoredIndex } from '../store/indexes.ts';
import { computationVersion, layerOf } from './indexing.ts';
import type { WorkspaceService } from './workspaces.ts';

export interface UnitRequest {
  readonly channel: number;
  readonly imageNumber: number;
  readonly y: number;
  readonly x: number;
}

export interface Projection {
  readonly record: ProjectionRecord;
  /** Float32 `[C, H, W]` of the whole network input, signed, unscaled. */
  readonly values: Float32Array;
}

export interface ProjectionService {
  get(request: { readonly index: string; readonly layer: number; readonly method: Method; readonly seed: Seed; readonly control?: Control } & UnitRequest, signal?: AbortSignal): Promise<ProjectionRecord>;
  /** Several units of one layer at once; those not kept are computed together. `control`: none if absent. */
  many(index: StoredIndex, layer: number, units: readonly UnitRequest[], method: Method, seed: Seed, signal?: AbortSignal, control?: Control): Promise<readonly Projection[]>;
  /** The picture as the network sees it: `[H, W, 3]` 8-bit RGB. */
  inputPixels(index: StoredIndex, imageNumber: number, signal?: AbortSignal): Promise<Uint8Array>;
}

/** Decoded pictures kept in memory. */
const pictureCacheBytes = 192 * 2 ** 20;

export function createProjectionService(workspaces: WorkspaceService, inference: InferenceClient): ProjectionService {
  const pictures = new LRUCache<string, Promise<Uint8Array>>({ max: 4000, maxSize: pictureCacheBytes, sizeCalculation: () => 1 });

  async function inputPixels(index: StoredIndex, imageNumber: number): Promise<Uint8Array> {
    const key = `${index.id} ${imageNumber}`;
    let picture = pictures.get(key);
    if (!picture) {
      picture = decode(index, await workspaces.required().store.images.get(index.id, imageNumber));
      picture.catch(() => pictures.delete(key));
      pictures.set(key, picture, { size: index.preprocessing.crop[0] * index.preprocessing.crop[1] * 3 });
    }
    return picture;
  }

  const service: ProjectionService = {
    inputPixels,
    async get({ index: id, layer, method, seed, control, ...unit }, signal) {
      const index = await workspaces.required().store.indexes.get(id as IndexId);
      const [projection] = await service.many(index, layer, [unit], method, seed, signal, control);
      return projection!.record;
    },
    async many(index, layerNumber, units, method, seed, signal, control = 'none') {
      const layer = layerOf(index, layerNumber);
      for (const unit of units) checkUnit(layer, unit);
      const { store } = workspaces.required();
      const images = await Promise.all(units.map((unit) => store.images.get(index.id, unit.imageNumber)));
      const keys = units.map((unit, at) => keyOf(index, layer, images[at]!, unit, method, seed, control));
      const [height, width] = index.preprocessing.crop;
      const channels = index.preprocessing.order === 'grey' ? 1 : 3;

      const results: (Projection | undefined)[] = await Promise.all(
        keys.map(async (key) => {
          const kept = await store.projections.get<ProjectionRecord>(key);
          if (!kept) return undefined;
          const part = new Float32Array(Uint8Array.from(kept.picture).buffer);
          return { record: kept.record, values: kept.record.support ? uncut(part, kept.record.support, channels, height, width) : new Float32Array(channels * height * width) };
        }),
      );
      const missing = units.flatMap((_, at) => (results[at] ? [] : [at]));
      if (missing.length > 0) {
        const numbers = [...new Set(missing.map((at) => units[at]!.imageNumber))];
        const computed = await inference.call(
          'project',
          {
            model: { path: index.modelPath, hash: index.modelHash },
            layer: layer.name,
            method,
            seed,
            control,
            preprocessing: index.preprocessing,
            placement: { engine: index.engine as EngineKind, device: index.device as Device },
            pictures: await Promise.all(numbers.map((number) => inputPixels(index, number))),
            units: missing.map((at) => ({ picture: numbers.indexOf(units[at]!.imageNumber), channel: units[at]!.channel, y: units[at]!.y, x: units[at]!.x })),
          },
          signal,
        );
        await Promise.all(
          missing.map(async (at, position) => {
            const { values: part, box: window, rectified, notes } = computed[position]!;
            const values = uncut(part, window, channels, height, width);
            const unit = units[at]!;
            const record: ProjectionRecord = {
              layer: layer.name, channel: unit.channel, image: images[at]!.path, y: unit.y, x: unit.x, method, seed, control,
              box: clipBox(unitWindow(layer.receptiveField, unit.y, unit.x), height, width),
              ...measure(values, height, width), rectified, notes,
            };
            results[at] = { record, values };
            const support = record.support ? cut(values, height, width, record.support) : new Float32Array(0);
            if (store.mode === 'write') await store.projections.put(keys[at]!, { record, picture: new Uint8Array(support.buffer) });
          }),
        );
      }
      return results as Projection[];
    },
  };
  return service;
}

async function decode(index: StoredIndex, image: StoredImage): Promise<Uint8Array> {
  if (image.skipped !== null) throw new AppError('UNREADABLE_FILE', `${image.path}: ${image.skipped}`, { image: image.path });
  const decoded = await decodeImage(join(index.imagesPath, image.file), index.preprocessing).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== 'UNREADABLE_FILE') throw error;
    throw new AppError('UNREADABLE_FILE', `${image.path} in ${index.imagesPath} cannot be shown: ${error.message} Put the file back, or index the folder again.`, { image: image.path }, error);
  });
  if (image.contentHash !== null && decoded.contentHash !== image.contentHash) {
    throw new AppError('CONFLICT', `The image ${image.path} was changed after it was indexed. Put the old file back, or index the folder again.`, { image: image.path });
  }
  return decoded.pixels;
}

/** @throws AppError NOT_FOUND for a unit that the layer does not have */
export function checkUnit(layer: Layer, unit: Pick<UnitRequest, 'channel' | 'y' | 'x'>): void {
  if (unit.channel < layer.channels && unit.y < layer.height && unit.x < layer.width) return;
  throw new AppError('NOT_FOUND', `The layer ${JSON.stringify(layer.name)} has ${layer.channels} channels of ${layer.height} x ${layer.width}, counted from 0; there is no unit at channel ${unit.channel}, row ${unit.y}, column ${unit.x}.`, { layer: layer.name, channel: unit.channel });
}

function keyOf(index: StoredIndex, layer: Layer, image: StoredImage, unit: UnitRequest, method: Method, seed: Seed, control: Control): string {
  const parts = [computationVersion, index.modelHash, index.preprocessing, layer.name, image.contentHash ?? `${index.id} ${image.path}`, unit.channel, unit.y, unit.x, method, seed, control, index.engine, index.device];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40);
}
