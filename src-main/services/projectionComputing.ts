/**
 * Units on their way through the inference process: put together by the queue, sent with the pictures they need, and what comes back measured and brought into the form that is kept.
 */
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { ProjectionRecord } from '../../src-shared/domain/projection.ts';
import { AppError } from '../../src-shared/errors.ts';
import { clipBox, unitWindow } from '../geometry/receptiveField.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import { toAtlasPicture, type AtlasPicture } from '../projection/atlasPicture.ts';
import { measure } from '../projection/measure.ts';
import type { StoredImage } from '../store/images.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { CropService } from './crops.ts';
import { layerOf } from './indexing.ts';
import { createProjectionQueue, type UnitGroup, type Urgency } from './projectionQueue.ts';
import type { LayerOfIndex, UnitRequest, Way } from './projectionUnits.ts';
import { wayOf } from './scoringFor.ts';

/** As it is kept: enough to draw it under every scale. */
export interface ProjectionPicture {
  readonly record: ProjectionRecord;
  readonly picture: AtlasPicture;
}

export interface ComputedProjection extends ProjectionPicture {
  /** Of the support. */
  readonly values: Float32Array;
}

/** A unit with its image and the key of what it depends on, the same for images of the same content. */
export interface KnownUnit {
  readonly unit: UnitRequest;
  readonly image: StoredImage;
  readonly key: string;
}

export interface Asking {
  /** They are hits of the index, so their pictures stay with it. No if absent. */
  readonly areHits?: boolean;
  /** Somebody waits, if absent. */
  readonly urgency?: Urgency;
  readonly signal?: AbortSignal | undefined;
}

export interface ProjectionComputing {
  /** Results are shared with whoever asks for the same units now. */
  compute(of: LayerOfIndex, way: Way, wanted: readonly KnownUnit[], asking?: Asking): Promise<readonly ComputedProjection[]>;
  /** How many units of a layer take about so long, by what was computed so far, and no more than memory should hold at once. */
  unitsIn(of: LayerOfIndex, way: Way, milliseconds: number): number;
}

/** What one call may carry: pictures on its way to the inference process, values on its way back. */
const callBytes = 96 * 2 ** 20;

export function createProjectionComputing(inference: InferenceClient, crops: CropService): ProjectionComputing {
  const queue = createProjectionQueue<KnownUnit, ComputedProjection>();

  async function compute(of: LayerOfIndex, way: Way, wanted: readonly KnownUnit[], { areHits = false, urgency = 'look', signal }: Asking = {}): Promise<readonly ComputedProjection[]> {
    // An image that cannot be read is the trouble of who asks for it, not of those whose units are computed in the same call.
    await Promise.all([...new Set(wanted.map(({ unit }) => unit.imageNumber))].map((number) => crops.pixels(of.store, of.index, number, areHits)));
    const computed = await queue.ask(groupOf(of, way), wanted.map((unit) => ({ key: unit.key, unit })), urgency, signal);
    return computed.map((each, at) => ({ ...each, record: { ...each.record, image: wanted[at]!.image.path } }));
  }

  function groupOf({ store, index, layer: number }: LayerOfIndex, { method, seed, control = 'none' }: Way): UnitGroup<KnownUnit, ComputedProjection> {
    const layer = layerOf(index, number);
    return {
      id: groupId({ store, index, layer: number }, { method, seed, control }),
      async compute(members, signal, urgency) {
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
            isAhead: urgency === 'ahead',
            pictures: await Promise.all(numbers.map((number) => crops.pixels(store, index, number))),
            units: members.map(({ unit }) => ({ picture: places.get(unit.imageNumber)!, channel: unit.channel, y: unit.y, x: unit.x })),
          },
          signal,
        );
        const results: ComputedProjection[] = [];
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

  return {
    compute,
    unitsIn: (of, way, milliseconds) =>
      Math.min(queue.unitsIn(groupId(of, way), milliseconds), Math.max(1, Math.floor(callBytes / bytesOfUnit(of.index, layerOf(of.index, of.layer), way)))),
  };
}

/** Of a unit alone on its image, on its window or where a whole map is projected on all of it: 8-bit colours to the inference process, float32 values back. */
function bytesOfUnit({ preprocessing: { crop: [height, width] } }: StoredIndex, { receptiveField: { size } }: Layer, { seed }: Way): number {
  const [rows, columns] = seed === 'map' ? [height, width] : [Math.min(height, Number(size[0])), Math.min(width, Number(size[1]))];
  return 3 * height * width + 4 * 3 * rows * columns;
}

function groupId({ store, index, layer }: LayerOfIndex, { method, seed, control = 'none' }: Way): string {
  const { engine, device } = wayOf(index);
  return JSON.stringify([store.folder, index.id, engine, device, layer, method, seed, control]);
}
