/**
 * The small pictures of a map, many on one sheet, so that a screen full of them is a handful of requests. A picture is asked for once at each size; the oldest sheets are let go of when there are too
 * many, and asked for again when they are seen again.
 */
import { toFailure, wasCalledOff } from '../../api/failure.ts';
import { fetchPicture } from '../../api/pictures.ts';
import { patchSheetUrl, sheetTileSizes } from '../../../src-shared/contract/media.ts';
import { thumbnailSheetUrl, thumbnailSizes } from '../../../src-shared/contract/mapMedia.ts';
import type { PlainError } from '../../../src-shared/errors.ts';

/** Where a picture lies on a sheet. */
export interface Thumbnail {
  readonly sheet: CanvasImageSource;
  readonly x: number;
  readonly y: number;
  readonly edge: number;
}

export interface Thumbnails {
  /** The best that is there for an edge of so many screen pixels; null while there is none. */
  readonly find: (key: number, edge: number) => Thumbnail | null;
  /** Asks, in a moment, for those that are not there yet. */
  readonly want: (keys: readonly number[], edge: number) => void;
  /** Why the last sheet could not be had; null where it could. */
  readonly failure: () => PlainError | null;
  /** Lets what failed be asked for again. */
  readonly retry: () => void;
  readonly dispose: () => void;
}

export interface SheetWay {
  /** Edges that a sheet can have, ascending. */
  readonly sizes: readonly number[];
  /** Pictures on one sheet; 1: the sheet is the picture. */
  readonly most: number;
  readonly columns: number;
  readonly url: (keys: readonly number[], size: number) => string;
  /** Whether there is a picture at all. */
  readonly has: (key: number) => boolean;
}

/** Screen pixels of all sheets that are held. */
const heldPixels = 48 * 2 ** 20;
const settleMs = 70;
/** Of a channel's nine patches on the map; closer, they are as large as in the atlas. */
const smallSheetTile = 32;

/** Images of an index by number; few at a time where they are large. */
export function imageSheets(index: string, numbering: number): SheetWay {
  const columns = 16;
  return { sizes: thumbnailSizes, most: 128, columns, url: (images, size) => thumbnailSheetUrl({ index, numbering, size, columns, images }), has: (image) => image >= 0 };
}

/** Channels of a layer, each by its nine patches, as the atlas has them. `version`: of a channel's hits, null where it has none. */
export function channelSheets(index: string, layer: number, version: (channel: number) => string | null): SheetWay {
  /** Three tiles and the two gaps between them. */
  const edgeOf = (tile: number): number => 3 * tile + 2;
  return {
    sizes: [smallSheetTile, sheetTileSizes[0]].map(edgeOf),
    most: 1,
    columns: 1,
    url: ([channel], size) => patchSheetUrl({ index, layer, channel: channel!, version: version(channel!) ?? '', size: (size - 2) / 3 }),
    has: (channel) => version(channel) !== null,
  };
}

/** @param arrived called when there is something new to draw, or when something failed; `busy`: when pictures are on their way, or all are there */
export function createThumbnails(way: SheetWay, arrived: () => void, busy: (isBusy: boolean) => void): Thumbnails {
  const stop = new AbortController();
  /** By size, then by key. */
  const found = new Map<number, Map<number, Thumbnail>>(way.sizes.map((size) => [size, new Map()]));
  const asked = new Map<number, Set<number>>(way.sizes.map((size) => [size, new Set()]));
  const held: { readonly size: number; readonly keys: readonly number[]; readonly bitmap: ImageBitmap }[] = [];
  let waiting: { readonly keys: readonly number[]; readonly size: number } | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failure: PlainError | null = null;
  let loading = 0;

  const sizeFor = (edge: number): number => way.sizes.find((size) => size >= edge * 0.8) ?? way.sizes.at(-1)!;

  const missingOf = (keys: readonly number[], size: number): readonly number[] => keys.filter((key) => !asked.get(size)!.has(key) && way.has(key));
  const tell = (): void => busy(timer !== undefined || loading > 0);

  function ask(): void {
    const missing = missingOf(waiting!.keys, waiting!.size);
    const { size } = waiting!;
    for (let from = 0; from < missing.length; from += way.most) void load(missing.slice(from, from + way.most), size);
  }

  async function load(keys: readonly number[], size: number): Promise<void> {
    for (const key of keys) asked.get(size)!.add(key);
    loading += 1;
    try {
      const bitmap = await createImageBitmap(await fetchPicture(way.url(keys, size), 'patches', stop.signal));
      if (stop.signal.aborted) return bitmap.close();
      hold(keys, size, bitmap);
      failure = null;
    } catch (thrown) {
      if (stop.signal.aborted || wasCalledOff(thrown)) return;
      failure = toFailure(thrown);
    } finally {
      loading -= 1;
    }
    arrived();
    tell();
  }

  function hold(keys: readonly number[], size: number, bitmap: ImageBitmap): void {
    const edge = way.most === 1 ? bitmap.width : size;
    keys.forEach((key, at) => found.get(size)!.set(key, { sheet: bitmap, x: (at % way.columns) * edge, y: Math.floor(at / way.columns) * edge, edge }));
    held.push({ size, keys, bitmap });
    while (held.length > 1 && held.reduce((sum, { bitmap: each }) => sum + each.width * each.height, 0) > heldPixels) {
      const oldest = held.shift()!;
      for (const key of oldest.keys) {
        found.get(oldest.size)!.delete(key);
        asked.get(oldest.size)!.delete(key);
      }
      oldest.bitmap.close();
    }
  }

  return {
    find(key, edge) {
      const wished = sizeFor(edge);
      const exact = found.get(wished)!.get(key);
      if (exact) return exact;
      for (const size of way.sizes.toReversed()) {
        const other = found.get(size)!.get(key);
        if (other) return other;
      }
      return null;
    },
    want(keys, edge) {
      waiting = { keys, size: sizeFor(edge) };
      // Not begun anew by each frame: a map that is moved slowly gets its pictures meanwhile.
      if (timer !== undefined || missingOf(keys, waiting.size).length === 0) return;
      timer = setTimeout(() => {
        timer = undefined;
        ask();
        tell();
      }, settleMs);
      tell();
    },
    failure: () => failure,
    retry() {
      failure = null;
      for (const size of way.sizes) for (const key of asked.get(size)!) if (!found.get(size)!.has(key)) asked.get(size)!.delete(key);
      arrived();
    },
    dispose() {
      stop.abort();
      clearTimeout(timer);
      for (const { bitmap } of held) bitmap.close();
    },
  };
}
