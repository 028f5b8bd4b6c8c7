/**
 * Lists without duplicates: of hits whose photographs are the same, or nearly, only the strongest is shown, and the next images take the places of the others. They come from the score
 * matrix; where none is kept the list is shorter, and says so.
 */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { repeatedPlaces } from '../dataset/duplicates.ts';
import type { StoredHit } from '../store/hits.ts';
import type { StoredIndex } from '../store/indexes.ts';
import { layerOf, toHit, type ChannelDetail, type ChannelHits, type IndexingService } from './indexing.ts';
import type { ScoreService } from './scores.ts';
import type { WorkspaceService } from './workspaces.ts';

/** A list whose ranks count what is shown. */
export interface UniqueList {
  readonly hits: readonly StoredHit[];
  /** Stored hits that are not shown. */
  readonly hidden: number;
  /** Why fewer are shown than the index keeps; null where there is nothing to explain. */
  readonly shorter: string | null;
}

export interface DuplicateService {
  list(index: string, layer: number, channel: number, signal?: AbortSignal): Promise<UniqueList>;
  /** A channel as indexing.channel shows it, with such a list. */
  channel(index: string, layer: number, channel: number, signal?: AbortSignal): Promise<ChannelDetail>;
  /** Of all channels of a layer, or of one. */
  hits(index: string, layer: number, channel?: number, signal?: AbortSignal): Promise<readonly (ChannelHits & { readonly unique: Omit<UniqueList, 'hits'> })[]>;
}

/** Images of a channel that are looked through for the places to fill. */
const mostLookedAt = 200;

export function createDuplicateService(workspaces: WorkspaceService, indexing: IndexingService, scores: ScoreService): DuplicateService {
  async function list(id: string, layer: number, channel: number, signal?: AbortSignal): Promise<UniqueList> {
    const { store } = workspaces.required();
    const index = await store.indexes.get(id as IndexId);
    const stored = await store.hits.ofChannel(index.id, layer, channel);
    const kept = await withoutRepeats(index, stored);
    const hidden = stored.length - kept.length;
    if (hidden === 0 || stored.length < index.top) return { hits: ranked(kept), hidden, shorter: null };
    const more = await further(index, layer, channel, kept.length, signal);
    return typeof more === 'string' ? { hits: ranked(kept), hidden, shorter: more } : { ...more, hidden };
  }

  async function withoutRepeats<T extends { readonly image: number }>(index: StoredIndex, hits: readonly T[]): Promise<readonly T[]> {
    const images = await workspaces.required().store.images.several(index.id, hits.map(({ image }) => image));
    const repeats = repeatedPlaces(hits.map(({ image }) => images.get(image)));
    return hits.filter((_, place) => repeats[place] === null);
  }

  /** The list filled up from the score matrix, or why it cannot be. */
  async function further(index: StoredIndex, layer: number, channel: number, enough: number, signal?: AbortSignal): Promise<Omit<UniqueList, 'hidden'> | string> {
    if (index.matrix === 'none') return 'No score matrix is kept, so nothing is known of the images after the stored hits. Index the folder with --matrix float32 to fill the list up.';
    const ask = async (k: number, positions: boolean) => {
      const { hits } = await scores.top({ index: index.id, layer, channel, k, lowest: false, positions }, signal);
      const unique = await withoutRepeats(index, hits.map((hit) => ({ ...hit, image: hit.imageNumber, path: hit.image })));
      return { all: hits.length, unique: unique.slice(0, index.top) };
    };
    let wanted = index.top * 2;
    let found = await ask(wanted, false);
    while (found.unique.length < index.top && found.all === wanted && wanted < mostLookedAt) found = await ask((wanted = Math.min(mostLookedAt, wanted * 2)), false);
    const isRead = workspaces.required().store.mode === 'read';
    if (!isRead && found.unique.some(({ y }) => y === null)) found = await ask(found.unique.at(-1)!.rank, true);
    const hits = found.unique.flatMap(({ image, path, className, score, y, x }) => (y === null || x === null ? [] : [{ channel, rank: 0, image, path, className, score, y, x }]));
    const lost = found.unique.length - hits.length;
    if (hits.length < enough) return 'The score matrix does not hold the stored hits. Index the folder again.';
    if (lost > 0) return { hits: ranked(hits), shorter: `${lost} further images excite the channel, but where is not known: ${isRead ? 'the workspace is open for reading only.' : 'their files are gone or were changed.'}` };
    return { hits: ranked(hits), shorter: hits.length < index.top && found.all >= mostLookedAt ? `The strongest ${mostLookedAt} images show ${hits.length} different photographs.` : null };
  }

  return {
    list,
    async channel(id, number, channel, signal) {
      const detail = await indexing.channel(id, number, channel);
      const index = await workspaces.required().store.indexes.get(id as IndexId);
      const { hits, ...unique } = await list(id, number, channel, signal);
      return { ...detail, hits: hits.map((hit) => ({ ...toHit(hit, layerOf(index, number), index.preprocessing.crop), className: hit.className, duplicateOf: null })), unique };
    },
    async hits(id, number, channel, signal) {
      const index = await workspaces.required().store.indexes.get(id as IndexId);
      const layer = layerOf(index, number);
      const channels: (ChannelHits & { unique: Omit<UniqueList, 'hits'> })[] = [];
      for (const each of await indexing.hits(id, number, channel)) {
        signal?.throwIfAborted();
        const { hits, ...unique } = await list(id, number, each.channel, signal);
        channels.push({ ...each, hits: hits.map((hit) => withoutNumber(toHit(hit, layer, index.preprocessing.crop))), unique });
      }
      return channels;
    },
  };
}

function ranked(hits: readonly StoredHit[]): readonly StoredHit[] {
  return hits.map((hit, at) => ({ ...hit, rank: at + 1 }));
}

function withoutNumber({ imageNumber: _number, ...hit }: ReturnType<typeof toHit>): ChannelHits['hits'][number] {
  return hit;
}
