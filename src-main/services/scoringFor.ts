/** The way in which an index computes its rows: as its record says, or as it was last changed to, and each further change goes into the record. */
import type { Device, EngineKind } from '../inference/engine.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import { createDeviceScoring, type DeviceScoring, type WayOfComputing } from './deviceScoring.ts';

export interface ScoringFor {
  readonly store: Store;
  readonly inference: InferenceClient;
  readonly index: StoredIndex;
  /** A sentence for the person who watches. */
  note(text: string): void;
}

export function scoringFor({ store, inference, index, note }: ScoringFor): DeviceScoring {
  return createDeviceScoring({
    inference,
    index: {
      ...wayOf(index),
      modelPath: index.modelPath,
      modelHash: index.modelHash,
      layers: index.layers.map((layer) => layer.name),
      preprocessing: index.preprocessing,
    },
    async devices() {
      const { placement, next } = await inference.devices.chooseDevice({ engine: 'auto', device: 'auto' });
      return [placement, ...next];
    },
    note,
    changed: (change) => store.indexes.recordPlacement(index.id, change),
  });
}

/** How the index is computed now: as it was last changed to, else as it was made. */
export function wayOf(index: StoredIndex): WayOfComputing {
  // Changes behind the cursor belong to rows that a kill took back.
  const { engine, device, batchSize } = index.placementChanges.filter(({ fromImage }) => fromImage < Math.max(index.cursor, 1)).at(-1) ?? index;
  return { engine: engine as EngineKind, device: device as Device, batchSize };
}
