/** What the rows of a map mean today: image numbers of the index as it is now, paths as they were, and the rows of another map with the same images. */
import type { StoredIndex } from '../store/indexes.ts';
import type { StoredMap } from '../store/maps.ts';
import { parseNpyHeader } from '../store/npy.ts';
import type { Store } from '../store/open.ts';
import { mapFiles, type MapFacts } from './mapJob.ts';

/** The index of a map, while it is there. */
export async function indexOfMap(store: Store, { index }: StoredMap<unknown>): Promise<StoredIndex | null> {
  return store.indexes.get(index).catch(() => null);
}

/** Image numbers (or channels) of the rows, -1 for an image that the index has no longer; empty before they are known. */
export async function rowsNow(store: Store, map: StoredMap<MapFacts>): Promise<Int32Array<ArrayBuffer>> {
  const file = await store.maps.file(map.id, mapFiles.rows);
  if (!file) return new Int32Array(0);
  const { dataOffset } = parseNpyHeader(file, mapFiles.rows);
  const rows = new Int32Array(file.buffer.slice(file.byteOffset + dataOffset, file.byteOffset + file.byteLength));
  if (map.record.spec.subject.kind === 'channels') return rows;
  const index = await indexOfMap(store, map);
  if (!index) return rows.fill(-1);
  if (index.versionBase === map.record.numbering) return rows;
  const numbers = new Map<string, number>();
  const atOnce = 10_000;
  for (let from = 0; from < index.images; from += atOnce) {
    for (const image of await store.images.page(index.id, from, Math.min(atOnce, index.images - from))) if (image.skipped === null) numbers.set(image.path, image.number);
  }
  return Int32Array.from(await rowPaths(store, map.id), (path) => numbers.get(path) ?? -1);
}

/** Of a map of images. */
export async function rowPaths(store: Store, id: string): Promise<readonly string[]> {
  const bytes = await store.maps.file(id, mapFiles.paths);
  if (!bytes || bytes.length === 0) return [];
  return new TextDecoder().decode(bytes).split('\n').map((line) => JSON.parse(line) as string);
}

/** For each row the row of the same image (or channel) in the other map, -1 without one. */
export async function linkedRows(store: Store, map: StoredMap<MapFacts>, other: StoredMap<MapFacts>): Promise<Int32Array<ArrayBuffer>> {
  const kinds = [map, other].map(({ record }) => record.spec.subject.kind);
  if (kinds[0] !== kinds[1]) return new Int32Array(map.record.points).fill(-1);
  if (kinds[0] === 'channels') {
    const there = new Map(Array.from(await rowsNow(store, other), (channel, row) => [channel, row]));
    return Int32Array.from(await rowsNow(store, map), (channel) => there.get(channel) ?? -1);
  }
  const there = new Map((await rowPaths(store, other.id)).map((path, row) => [path, row]));
  return Int32Array.from(await rowPaths(store, map.id), (path) => there.get(path) ?? -1);
}
