/**
 * Projections of units, kept: what was computed once is served from the workspace as long as everything it depends on agrees (method.md section 8). Pictures of hits stay with their index
 * in the small form of projection/atlasPicture.ts, others in a cache that forgets; exact values are computed when asked for, and cached.
 */
import { createHash } from 'node:crypto';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { Control, Method, ProjectionRecord, Seed } from '../../src-shared/domain/projection.ts';
import { AppError } from '../../src-shared/errors.ts';
import { clipBox, unitWindow } from '../geometry/receptiveField.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import { packAtlasPicture, toAtlasPicture, unpackAtlasPicture, type AtlasPicture } from '../projection/atlasPicture.ts';
import { measure, uncut } from '../projection/measure.ts';
import type { StoredImage } from '../store/images.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { KeptProjection } from '../store/keptProjections.ts';
import type { Store } from '../store/open.ts';
import type { CropService } from './crops.ts';
import { computationVersion, layerOf } from './indexing.ts';
import { createProjectionQueue, type UnitGroup, type Urgency } from './projectionQueue.ts';
import { wayOf } from './scoringFor.ts';
import type { WorkspaceService } from './workspaces.ts';

export interface UnitRequest {
  readonly channel: number;
  readonly imageNumber: number;
  readonly y: number;
  readonly x: number;
}

/** How units are projected; `control`: none if absent. */
export interface Way {
  readonly method: Method;
  readonly seed: Seed;
  readonly control?: Control;
}

/** Units of one layer of an index. */
export interface UnitsOfLayer {
  readonly store: Store;
  readonly index: StoredIndex;
  readonly layer: number;
  readonly units: readonly UnitRequest[];
}

export interface Projection {
  readonly record: ProjectionRecord;
  /** Float32 `[C, H, W]` of the whole network input, signed, unscaled. */
  readonly values: Float32Array;
}

/** As it is kept: enough to draw it under every scale. */
export interface ProjectionPicture {
  readonly record: ProjectionRecord;
  readonly picture: AtlasPicture;
}

export interface Asking {
  /** They are hits of the index, so their pictures stay with it. No if absent. */
  readonly areHits?: boolean;
  /** Somebody waits, if absent. */
  readonly urgency?: Urgency;
  readonly signal?: AbortSignal | undefined;
}

export interface ProjectionService {
  get(request: { readonly index: string; readonly layer: number } & Way & UnitRequest, signal?: AbortSignal): Promise<ProjectionRecord>;
  /** Exact values on the whole network input. `control`: none if absent. */
  many(index: StoredIndex, layer: number, units: readonly UnitRequest[], method: Method, seed: Seed, signal?: AbortSignal, control?: Control): Promise<readonly Projection[]>;
  /** Exact values of the support alone, neither read from the workspace nor kept there: for whoever writes them elsewhere. `values`: float32 `[C, rows, columns]`, empty without support. */
  exact(of: UnitsOfLayer, way: Way, signal?: AbortSignal): Promise<readonly Projection[]>;
  /** For looking. */
  pictures(of: UnitsOfLayer, way: Way, asking: Asking): Promise<readonly ProjectionPicture[]>;
  /** Keys under which pictures of units are kept, in their order. */
  keys(of: UnitsOfLayer, way: Way): Promise<readonly string[]>;
  /** How many units of a layer take about so long to compute, by what was computed so far. */
  unitsIn(of: Omit<UnitsOfLayer, 'units'>, way: Way, milliseconds: number): number;
}

interface Computed extends ProjectionPicture {
  /** Of the support. */
  readonly values: Float32Array;
}

/** A unit with its image and the keys of what it depends on. */
interface Known {
  readonly unit: UnitRequest;
  readonly image: StoredImage;
  readonly key: string;
}

export function createProjectionService(workspaces: WorkspaceService, inference: InferenceClient, crops: CropService): ProjectionService {
  const queue = createProjectionQueue<Known, Computed>();

  async function known({ store, index, layer: number, units }: UnitsOfLayer, way: Way): Promise<readonly Known[]> {
    const layer = layerOf(index, number);
    for (const unit of units) checkUnit(layer, unit);
    const images = await store.images.several(index.id, [...new Set(units.map((unit) => unit.imageNumber))]);
    return units.map((unit) => {
      const image = images.get(unit.imageNumber);
      if (!image) throw new AppError('NOT_FOUND', `There is no image ${unit.imageNumber} in index ${index.id}.`, { index: index.id, image: unit.imageNumber });
      return { unit, image, key: keyOf(index, layer, image, unit, way) };
    });
  }

  /** Through the queue: shared with whoever asks for the same units now. */
  async function compute(of: Omit<UnitsOfLayer, 'units'>, way: Way, wanted: readonly Known[], { areHits = false, urgency = 'look', signal }: Asking = {}): Promise<readonly Computed[]> {
    // An image that cannot be read is the trouble of who asks for it, not of those whose units are computed in the same call.
    await Promise.all([...new Set(wanted.map(({ unit }) => unit.imageNumber))].map((number) => crops.pixels(of.store, of.index, number, areHits)));
    return queue.ask(groupOf(of, way), wanted.map((unit) => ({ key: unit.key, unit })), urgency, signal);
  }

  function groupOf({ store, index, layer: number }: Omit<UnitsOfLayer, 'units'>, { method, seed, control = 'none' }: Way): UnitGroup<Known, Computed> {
    const layer = layerOf(index, number);
    return {
      id: groupId({ store, index, layer: number }, { method, seed, control }),
      async compute(members, signal) {
        if (store.kind === 'pack') {
          throw new AppError('NOT_FOUND', `What is asked for is not in this pack and cannot be computed: the model file is not on this machine: "${index.modelPath}". Ask for a pack made after "switchback atlas" with this method.`, { model: index.modelPath });
        }
        const numbers = [...new Set(members.map(({ unit }) => unit.imageNumber))];
        const places = new Map(numbers.map((number, at) => [number, at]));
        const { engine, device } = wayOf(index);
        const computed = await inference.call(
          'project',
          {
            model: { path: index.modelPath, hash: index.modelHash },
            layer: layer.name,
            method,
            seed,
            control,
            preprocessing: index.preprocessing,
            placement: { engine, device },
            pictures: await Promise.all(numbers.map((number) => crops.pixels(store, index, number))),
            units: members.map(({ unit }) => ({ picture: places.get(unit.imageNumber)!, channel: unit.channel, y: unit.y, x: unit.x })),
          },
          signal,
        );
        const results: Computed[] = [];
        for (const [at, { unit, image }] of members.entries()) {
          const { values: part, box: window, rectified, notes } = computed[at]!;
          const box = clipBox(unitWindow(layer.receptiveField, unit.y, unit.x), ...index.preprocessing.crop);
          const { numbers: measured, values } = measure(part, window, index.preprocessing.crop, box);
          const record: ProjectionRecord = { layer: layer.name, channel: unit.channel, image: image.path, y: unit.y, x: unit.x, method, seed, control, box, ...measured, rectified, notes };
          results.push({ record, values, picture: toAtlasPicture(values, record.quantile) });
          // A large call must not hold up what else this process answers.
          if (at % 16 === 15) await new Promise((resolve) => setImmediate(resolve));
        }
        return results;
      },
    };
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
    const computed = new Map((missing.length === 0 ? [] : await compute(of, way, missing, asking)).map((each, at) => [missing[at]!.key, each]));
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
      keys.map(async (key) => {
        const stored = kept.get(key) ?? cached.get(key);
        return stored ? { record: stored.record, picture: await unpackAtlasPicture(stored.picture) } : computed.get(key)!;
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
      return compute(of, way, await known(of, way), { signal });
    },
    async many(index, layer, units, method, seed, signal, control = 'none') {
      const { store } = workspaces.required();
      const of = { store, index, layer, units };
      const way = { method, seed, control };
      const wanted = await known(of, way);
      const cached = await Promise.all(wanted.map(({ key }) => store.projections.get<ProjectionRecord>(exactKey(key))));
      const missing = wanted.filter((_, at) => !cached[at]);
      const computed = missing.length === 0 ? [] : await compute(of, way, missing, { signal });
      for (const [at, { record, values }] of computed.entries()) {
        if (store.mode === 'write') await store.projections.put(exactKey(missing[at]!.key), { record, picture: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) });
      }
      const [height, width] = index.preprocessing.crop;
      const channels = index.preprocessing.order === 'grey' ? 1 : 3;
      let next = 0;
      return cached.map((kept) => {
        const { record, values } = kept ? { record: kept.record, values: new Float32Array(Uint8Array.from(kept.picture).buffer) } : computed[next++]!;
        return { record, values: record.support ? uncut(values, record.support, channels, height, width) : new Float32Array(channels * height * width) };
      });
    },
    async keys(of, way) {
      return (await known(of, way)).map(({ key }) => key);
    },
    unitsIn: (of, way, milliseconds) => queue.unitsIn(groupId(of, way), milliseconds),
  };
}

/** @throws AppError NOT_FOUND for a unit that the layer does not have */
export function checkUnit(layer: Layer, unit: Pick<UnitRequest, 'channel' | 'y' | 'x'>): void {
  if (unit.channel < layer.channels && unit.y < layer.height && unit.x < layer.width) return;
  throw new AppError('NOT_FOUND', `The layer ${JSON.stringify(layer.name)} has ${layer.channels} channels of ${layer.height} x ${layer.width}, counted from 0; there is no unit at channel ${unit.channel}, row ${unit.y}, column ${unit.x}.`, { layer: layer.name, channel: unit.channel });
}

function groupId({ store, index, layer }: Omit<UnitsOfLayer, 'units'>, { method, seed, control = 'none' }: Way): string {
  return JSON.stringify([store.folder, index.id, layer, method, seed, control]);
}

function exactKey(key: string): string {
  return `${key} exact`;
}

function keyOf(index: StoredIndex, layer: Layer, image: StoredImage, unit: UnitRequest, { method, seed, control = 'none' }: Way): string {
  const parts = [computationVersion, index.modelHash, index.preprocessing, layer.name, image.contentHash ?? `${index.id} ${image.path}`, unit.channel, unit.y, unit.x, method, seed, control, index.engine, index.device];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40);
}
