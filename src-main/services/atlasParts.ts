/** What an atlas consists of: parts, one layer by one method each, with what is kept of them and what is missing. */
import type { Method } from '../../src-shared/domain/projection.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import type { ProjectionService } from './projections.ts';
import type { UnitRequest, Way } from './projectionUnits.ts';

/** What is asked for; stored with the job. */
export interface AtlasParts {
  /** Numbers. */
  readonly layers: readonly number[];
  readonly methods: readonly Method[];
}

/** One layer by one method. */
export interface AtlasPart {
  readonly layer: number;
  readonly method: Method;
  readonly hits: number;
  /** Stored under this index, at most `hits`: fewer than are found by their keys where images of the same content share a picture. */
  readonly kept: number;
}

/** What the units of a part are found in. */
export interface AtlasPlace {
  readonly store: Store;
  readonly index: StoredIndex;
  readonly projections: ProjectionService;
  readonly signal?: AbortSignal;
}

/** Units whose keys are made without a pause. */
const keysAtOnce = 500;

export function wayOfPart({ method }: Pick<AtlasPart, 'method'>): Way {
  return { method, seed: 'one' };
}

/** Those that have hits, in the order of layers. */
export async function partsOf(store: Store, index: StoredIndex, { layers, methods }: AtlasParts): Promise<readonly AtlasPart[]> {
  const sizes = await store.keptProjections.sizes(index.id);
  const parts: AtlasPart[] = [];
  for (const layer of layers) {
    const hits = await hitsOfLayer(store, index, layer);
    for (const method of methods) {
      const kept = sizes.find((size) => size.layer === layer && size.method === method)?.kept ?? 0;
      if (hits > 0) parts.push({ layer, method, hits, kept: Math.min(kept, hits) });
    }
  }
  return parts;
}

export async function hitsOfLayer(store: Store, index: StoredIndex, layer: number): Promise<number> {
  return (await store.hits.summaries(index.id, layer)).reduce((sum, channel) => sum + channel.hits, 0);
}

export async function isComplete(place: AtlasPlace, parts: readonly AtlasPart[]): Promise<boolean> {
  for (const part of parts) if ((await missingUnits(place, part)).length > 0) return false;
  return true;
}

/** Hits whose pictures are not kept. */
export async function missingUnits(place: AtlasPlace, part: AtlasPart): Promise<readonly UnitRequest[]> {
  const keyed = await keyedHits(place, part);
  const kept = await place.store.keptProjections.has(keyed.map(([key]) => key));
  return keyed.flatMap(([key, unit]) => (kept.has(key) ? [] : [unit]));
}

/** Removes pictures of hits that a rescan drove out. */
export async function prune(place: AtlasPlace, part: AtlasPart): Promise<void> {
  const { store, index } = place;
  const size = (await store.keptProjections.sizes(index.id)).find(({ layer, method }) => layer === part.layer && method === part.method);
  if (!size || size.kept <= part.hits) return;
  const keyed = await keyedHits(place, part);
  await store.keptProjections.prune(index.id, part.layer, part.method, keyed.map(([key]) => key));
}

/** Hits of a layer with the keys of their pictures. */
async function keyedHits({ store, index, projections, signal }: AtlasPlace, part: AtlasPart): Promise<readonly (readonly [string, UnitRequest])[]> {
  const hits = await store.hits.ofLayer(index.id, part.layer);
  const keyed: (readonly [string, UnitRequest])[] = [];
  for (let start = 0; start < hits.length; start += keysAtOnce) {
    signal?.throwIfAborted();
    const units = hits.slice(start, start + keysAtOnce).map(({ channel, image, y, x }) => ({ channel, imageNumber: image, y, x }));
    const keys = await projections.keys({ store, index, layer: part.layer, units }, wayOfPart(part));
    keyed.push(...units.map((unit, at) => [keys[at]!, unit] as const));
  }
  return keyed;
}
