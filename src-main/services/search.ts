/**
 * One search over everything of the open workspace that has a name (contract area `search`). Things of the index that a person looks at come first; what several indexes share (a layer of one
 * model, a file of one folder) is listed once. Manifests are read in pieces, so that a million paths hold up nobody else who reads.
 */
import type * as z from 'zod';
import type { searchAnswer } from '../../src-shared/contract/search.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { StoredNote } from '../store/notes.ts';
import type { Store } from '../store/open.ts';
import { imageClasses } from './imageClasses.ts';
import type { WorkspaceService } from './workspaces.ts';

export type SearchAnswer = z.infer<typeof searchAnswer>;
type Found<K extends keyof SearchAnswer> = SearchAnswer[K]['items'][number];

export interface SearchRequest {
  readonly query: string;
  /** The index that a person looks at. */
  readonly index?: string | undefined;
  readonly limit: number;
}

export interface SearchService {
  find(request: SearchRequest, signal?: AbortSignal): Promise<SearchAnswer>;
}

/** Manifest rows per statement. */
const rowsAtOnce = 50_000;
/** Places that a tag lists. */
const placesOfTag = 6;

export function createSearchService(workspaces: WorkspaceService): SearchService {
  return {
    async find({ query, index, limit }, signal) {
      const { store } = workspaces.required();
      const words = query.normalize('NFC').toLowerCase().split(/\s+/).filter(Boolean);
      const all = await store.indexes.list();
      const indexes = [...all.filter(({ id }) => id === index), ...all.filter(({ id }) => id !== index)];
      return {
        layers: cut(findLayers(indexes, words), limit),
        channels: cut(findChannels(indexes, query), limit),
        tags: cut(await findTags(store, all, words), limit),
        notes: cut((await store.notes.find(words, limit + 1)).map((note) => ({ ...placeOf(note, all), excerpt: excerptOf(note.text, words), tags: note.tags })), limit),
        classes: cut(await findClasses(store, indexes, words, signal), limit),
        images: cut(await findImages(store, indexes, words, limit + 1, signal), limit),
      };
    },
  };
}

function cut<T>(items: readonly T[], limit: number): { items: readonly T[]; more: boolean } {
  return { items: items.slice(0, limit), more: items.length > limit };
}

function holds(text: string, words: readonly string[]): boolean {
  const lower = text.toLowerCase();
  return words.every((word) => lower.includes(word));
}

/** The first of those that have the same key. */
function once<T>(items: readonly T[], key: (item: T) => string): T[] {
  const seen = new Set<string>();
  return items.filter((item) => !seen.has(key(item)) && seen.add(key(item)));
}

const distinctLayers = (indexes: readonly StoredIndex[]) =>
  once(indexes.flatMap((index) => index.layers.map((layer) => ({ index, layer }))), ({ index, layer }) => `${index.modelHash} ${layer.name}`);

function findLayers(indexes: readonly StoredIndex[], words: readonly string[]): Found<'layers'>[] {
  // What begins with the words comes before what merely holds them.
  const begins = (title: string) => (title.toLowerCase().startsWith(words.join(' ')) ? 0 : 1);
  return distinctLayers(indexes)
    .filter(({ index, layer }) => holds(`${layer.title} ${layer.name} ${index.modelName}`, words) && words.some((word) => holds(`${layer.title} ${layer.name}`, [word])))
    .sort((a, b) => begins(a.layer.title) - begins(b.layer.title))
    .map(({ index, layer }) => ({ index: index.id, modelName: index.modelName, layer: layer.number, title: layer.title, name: layer.name, channels: layer.channels }));
}

/** A layer's name with a number behind it; of layers that hold the name, those that are called so or begin so. */
function findChannels(indexes: readonly StoredIndex[], query: string): Found<'channels'>[] {
  const [, word, digits] = /^(.+?)[\s:#,/]+(\d{1,8})$/.exec(query.trim().toLowerCase()) ?? [];
  if (word === undefined || digits === undefined) return [];
  const channel = Number(digits);
  const closeness = (title: string) => (title.toLowerCase() === word ? 0 : title.toLowerCase().startsWith(word) ? 1 : 2);
  return distinctLayers(indexes)
    .filter(({ layer }) => closeness(layer.title) < 2 && channel < layer.channels)
    .sort((a, b) => closeness(a.layer.title) - closeness(b.layer.title))
    .map(({ index, layer }) => ({ index: index.id, modelName: index.modelName, layer: layer.number, title: layer.title, channel }));
}

async function findTags(store: Store, indexes: readonly StoredIndex[], words: readonly string[]): Promise<Found<'tags'>[]> {
  const tags = (await store.notes.tags()).filter(({ tag }) => holds(tag, words));
  if (tags.length === 0) return [];
  const tagged = await store.notes.list();
  return tags.map(({ tag, count }) => ({ tag, count, places: tagged.filter((note) => note.tags.includes(tag)).slice(0, placesOfTag).map((note) => placeOf(note, indexes)) }));
}

/** Where a person can look at what a note is about: in the newest index of its model that has the layer. */
function placeOf(note: StoredNote, indexes: readonly StoredIndex[]): Omit<Found<'notes'>, 'excerpt' | 'tags'> {
  if (note.modelHash === '') return { modelName: null, layerTitle: null, index: null, layer: null, channel: null };
  const channel = note.channel < 0 ? null : note.channel;
  for (const { id, modelHash, layers } of indexes) {
    const layer = modelHash === note.modelHash ? layers.find(({ name }) => name === note.layer) : undefined;
    if (layer) return { modelName: note.modelName, layerTitle: layer.title, index: id, layer: layer.number, channel };
  }
  return { modelName: note.modelName, layerTitle: note.layerTitle, index: null, layer: null, channel };
}

const excerptLength = 160;

/** Around the first of the words, on one line. */
export function excerptOf(text: string, words: readonly string[]): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line.length <= excerptLength) return line;
  const at = Math.min(...words.map((word) => line.toLowerCase().indexOf(word)).filter((place) => place >= 0), line.length);
  const start = Math.max(0, Math.min(at - 40, line.length - excerptLength));
  const end = Math.min(line.length, start + excerptLength);
  return `${start > 0 ? '…' : ''}${line.slice(start, end)}${end < line.length ? '…' : ''}`;
}

async function findClasses(store: Store, indexes: readonly StoredIndex[], words: readonly string[], signal: AbortSignal | undefined): Promise<Found<'classes'>[]> {
  const found: Found<'classes'>[] = [];
  for (const index of distinctFolders(indexes)) {
    signal?.throwIfAborted();
    for (const { name, wnid, images } of await imageClasses(store, index)) {
      if (name !== null && holds(`${name} ${wnid ?? ''}`, words)) found.push({ index: index.id, modelName: index.modelName, className: name, wnid, images });
    }
  }
  return once(found, ({ className, wnid }) => `${className} ${wnid ?? ''}`);
}

async function findImages(store: Store, indexes: readonly StoredIndex[], words: readonly string[], limit: number, signal: AbortSignal | undefined): Promise<Found<'images'>[]> {
  const found: Found<'images'>[] = [];
  for (const { id, images, modelName } of distinctFolders(indexes)) {
    for (let from = 0; from < images && found.length < limit; from += rowsAtOnce) {
      signal?.throwIfAborted();
      const rows = await store.images.find(id as IndexId, words, from, from + rowsAtOnce, limit - found.length);
      found.push(...rows.map(({ path, number, className }) => ({ index: id, modelName, image: path, imageNumber: number, className })));
    }
  }
  return found;
}

/** One index for each folder of images, and part of it. */
function distinctFolders(indexes: readonly StoredIndex[]): StoredIndex[] {
  return once(indexes, ({ imagesPath, part }) => `${imagesPath} ${JSON.stringify(part?.ranges ?? null)}`);
}
