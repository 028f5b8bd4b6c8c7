/** The way in which an index computes its rows: as its record says, or as it was last changed to, and each further change goes into the record. */
import type { Device, EngineKind } from '../inference/engine.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { VectorWish } from '../rewrite/probe/featureGraph.ts';
import type { StoredIndex } from '../store/indexes.ts';
import { createDeviceScoring, type DeviceScoring, type WayChange, type WayOfComputing } from './deviceScoring.ts';

export interface ScoringFor {
  readonly inference: InferenceClient;
  readonly index: StoredIndex;
  readonly way: WayOfComputing;
  /** What else each batch gives. */
  readonly vectors?: readonly VectorWish[];
  /** A sentence for the person who watches. */
  note(text: string): void;
  /** Stores a change with or before the rows it is for. */
  changed(change: WayChange): Promise<void>;
}

export function scoringFor({ inference, index, way, vectors = [], note, changed }: ScoringFor): DeviceScoring {
  return createDeviceScoring({
    inference,
    index: {
      ...way,
      modelPath: index.modelPath,
      modelHash: index.modelHash,
      layers: index.layers.map((layer) => layer.name),
      vectors,
      preprocessing: index.preprocessing,
    },
    async devices() {
      const { placement, next } = await inference.devices.chooseDevice({ engine: 'auto', device: 'auto' });
      return [placement, ...next];
    },
    note,
    changed,
  });
}

/** How the index was made to be computed. */
export function firstWayOf({ engine, device, batchSize }: Pick<StoredIndex, 'engine' | 'device' | 'batchSize'>): WayOfComputing {
  return { engine: engine as EngineKind, device: device as Device, batchSize };
}

/** How the rows of an image were computed. */
export function wayOfImage(index: StoredIndex, image: number): WayOfComputing {
  return firstWayOf(index.placementChanges.findLast(({ fromImage }) => fromImage <= image) ?? index);
}

/** How the index is computed now: as its last rows were. A change behind the cursor belongs to rows that a kill took back. */
export function wayOf(index: StoredIndex): WayOfComputing {
  return wayOfImage(index, index.cursor - 1);
}
