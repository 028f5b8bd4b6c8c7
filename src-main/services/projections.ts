/**
 * Projections of units, kept: what was computed once is served from the workspace as long as everything it depends on agrees (method.md section 8). Pictures of hits stay with their index
 * in the small form of projection/atlasPicture.ts, others in a cache that forgets; exact values are computed when asked for, and cached.
 */
import { createHash } from 'node:crypto';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { Control, Method, ProjectionRecord, Seed } from '../../src-shared/domain/projection.ts';
import { AppError, isAbort } from '../../src-shared/errors.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import { packAtlasPicture, unpackAtlasPicture } from '../projection/atlasPicture.ts';
import { uncut } from '../projection/measure.ts';
import type { StoredImage } from '../store/images.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { KeptProjection } from '../store/keptProjections.ts';
import type { CropService } from './crops.ts';
import { computationVersion } from './computation.ts';
import { layerOf } from './indexing.ts';
import { createProjectionComputing, type Asking, type KnownUnit, type ProjectionPicture } from './projectionComputing.ts';
import { checkUnit, type LayerOfIndex, type UnitRequest, type UnitsOfLayer, type Way } from './projectionUnits.ts';
import { wayOf } from './scoringFor.ts';
import type { WorkspaceService } from './workspaces.ts';

export interface Projection {
  readonly record: ProjectionRecord;
  /** Float32 `[C, H, W]` of the whole network input, signed, unscaled. */
  readonly values: Float32Array;
}

export interface ProjectionService {
  get(request: { readonly index: string; readonly layer: number } & Way & UnitRequest, signal?: AbortSignal): Promise<ProjectionRecord>;
  /** Exact values on the whole network input. `control`: none if absent. */
  many(index: StoredIndex, layer: number, units: readonly UnitRequest[], method: Method, seed: Seed, signal?: AbortSignal, control?: Control): Promise<readonly Projection[]>;
  /** Exact values of the support alone, neither read from the workspace nor kept there: for whoever writes them elsewhere. `values`: float32 `[C, rows, columns]`, empty without support. */
  exact(of: UnitsOfLayer, way: Way, signal?: AbortSignal): Promise<readonly Projection[]>;
  /** For looking. */
  pictures(of: UnitsOfLayer, way: Way, asking: Asking): Promise<readonly ProjectionPicture[]>;
  /** The units whose images can still be had, and of each image that cannot the reason. */
  readable<U extends UnitRequest>(of: UnitsOfLayer<U>, signal?: AbortSignal): Promise<{ readonly units: readonly U[]; readonly lost: readonly string[] }>;
  /** Keys under which pictures of units are kept, in their order. */
  keys(of: UnitsOfLayer, way: Way): Promise<readonly string[]>;
  /** How many units of a layer take about so long to compute, by what was computed so far, and no more than memory should hold at once. */
  unitsIn(of: LayerOfIndex, way: Way, milliseconds: number): number;
}

export function createProjectionService(workspaces: WorkspaceService, inference: InferenceClient, crops: CropService): ProjectionService {
  const computing = createProjectionComputing(inference, crops);

  async function known({ store, index, layer: number, units }: UnitsOfLayer, way: Way): Promise<readonly KnownUnit[]> {
    const layer = layerOf(index, number);
    for (const unit of units) checkUnit(layer, unit);
    const images = await store.images.several(index.id, [...new Set(units.map((unit) => unit.imageNumber))]);
    // A pack is what it was when it was made; whoever opens it may have neither network nor images to make it anew.
    const version = store.kind === 'pack' ? index.computationVersion : computationVersion;
    return units.map((unit) => {
      const image = images.get(unit.imageNumber);
      if (!image) throw new AppError('NOT_FOUND', `There is no image ${unit.imageNumber} in index ${index.id}.`, { index: index.id, image: unit.imageNumber });
      return { unit, image, key: keyOf(version, index, layer, image, unit, way) };
    });
  }

  async function pictures(of: UnitsOfLayer, way: Way, asking: Asking): Promise<readonly ProjectionPicture[]> {
    const { store, index, layer } = of;
    const wanted = await known(of, way);
    const keys = wanted.map(({ key }) => key);
    const kept = await store.keptProjections.get<ProjectionRecord>(keys);
    const cached = new Map<string, KeptProjection<ProjectionRecord>>();
    for (const key of keys) {
      const found = kept.has(key) ? null : await store.projections.get<ProjectionRecord>(key);
      if (found) cached.set(key, found);
    }
    const missing = wanted.filter(({ key }) => !kept.has(key) && !cached.has(key));
    const computed = new Map((missing.length === 0 ? [] : await computing.compute(of, way, missing, asking)).map((each, at) => [missing[at]!.key, each]));
    if (store.mode === 'write') {
      const packed: (KeptProjection<ProjectionRecord> & { readonly key: string })[] = [];
      for (const [key, { record, picture }] of computed) packed.push({ key, record, picture: await packAtlasPicture(picture) });
      // While an index grows its hits come and go: what is looked at then is only cached.
      if (asking.areHits && index.cursor === index.images) {
        packed.push(...[...cached].map(([key, projection]) => ({ key, ...projection })));
        if (packed.length > 0) await store.keptProjections.put(index.id, packed.map((each) => ({ ...each, layer, method: way.method, seed: way.seed, control: way.control ?? 'none' })));
      } else for (const { key, ...projection } of packed) await store.projections.put(key, projection);
    }
    return Promise.all(
      keys.map(async (key, at) => {
        const stored = kept.get(key) ?? cached.get(key);
        const found = stored ? { record: stored.record, picture: await unpackAtlasPicture(stored.picture) } : computed.get(key)!;
        return { ...found, record: { ...found.record, image: wanted[at]!.image.path } };
      }),
    );
  }

  return {
    pictures,
    async get({ index: id, layer, channel, imageNumber, y, x, ...way }, signal) {
      const { store } = workspaces.required();
      const index = await store.indexes.get(id as IndexId);
      const [projection] = await pictures({ store, index, layer, units: [{ channel, imageNumber, y, x }] }, way, { signal });
      return projection!.record;
    },
    async exact(of, way, signal) {
      return computing.compute(of, way, await known(of, way), { signal });
    },
    async many(index, layer, units, method, seed, signal, control = 'none') {
      const { store } = workspaces.required();
      const of = { store, index, layer, units };
      const way = { method, seed, control };
      const wanted = await known(of, way);
      const cached = await Promise.all(wanted.map(({ key }) => store.projections.get<ProjectionRecord>(exactKey(key))));
      const missing = wanted.filter((_, at) => !cached[at]);
      const computed = missing.length === 0 ? [] : await computing.compute(of, way, missing, { signal });
      for (const [at, { record, values }] of computed.entries()) {
        if (store.mode === 'write') await store.projections.put(exactKey(missing[at]!.key), { record, picture: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) });
      }
      const [height, width] = index.preprocessing.crop;
      const channels = index.preprocessing.order === 'grey' ? 1 : 3;
      let next = 0;
      return cached.map((kept, at) => {
        const { record, values } = kept ? { record: kept.record, values: new Float32Array(Uint8Array.from(kept.picture).buffer) } : computed[next++]!;
        return { record: { ...record, image: wanted[at]!.image.path }, values: record.support ? uncut(values, record.support, channels, height, width) : new Float32Array(channels * height * width) };
      });
    },
    async readable({ store, index, units }, signal) {
      const lost = new Map<number, string>();
      for (const number of new Set(units.map((unit) => unit.imageNumber))) {
        signal?.throwIfAborted();
        try {
          await crops.pixels(store, index, number, true);
        } catch (error) {
          if (!(error instanceof AppError) || isAbort(error)) throw error;
          lost.set(number, error.message);
        }
      }
      return { units: units.filter((unit) => !lost.has(unit.imageNumber)), lost: [...lost.values()] };
    },
    async keys(of, way) {
      return (await known(of, way)).map(({ key }) => key);
    },
    unitsIn: computing.unitsIn,
  };
}

function exactKey(key: string): string {
  return `${key} exact`;
}

function keyOf(version: number, index: StoredIndex, layer: Layer, image: StoredImage, unit: UnitRequest, { method, seed, control = 'none' }: Way): string {
  const { engine, device } = wayOf(index);
  const parts = [version, index.modelHash, index.preprocessing, layer.name, image.contentHash ?? `${index.id} ${image.path}`, unit.channel, unit.y, unit.x, method, seed, control, engine, device];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40);
}
