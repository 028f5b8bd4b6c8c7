/**
 * Which images a machine takes when several share one folder. Shards are runs of the sorted listing, so that putting them together is appending, and so that the images of one class folder
 * mostly lie on one machine. Rows do not depend on the company of an image (method.md section 2), so any split gives the rows of one run.
 */

/** One of several disjoint parts of a folder's images, counted from 1. */
export interface Shard {
  readonly number: number;
  readonly of: number;
}

/** Half-open range of places in the sorted listing of a folder. */
export type PlaceRange = readonly [from: number, to: number];

/** What an index covers of its folder's listing, kept with the index so that parts can be put together again. */
export interface IndexPart {
  /** Images of the whole listing. */
  readonly images: number;
  /** Hash of the whole listing's paths and sizes: parts of a folder that changed meanwhile do not fit together. Null where nobody took it. */
  readonly listing: string | null;
  /** In order, disjoint, not empty and not touching; image 0 of the manifest has the first place. */
  readonly ranges: readonly PlaceRange[];
}

/** Places of the images that a shard takes; sizes differ by one at most, and are 0 where there are more shards than images. */
export function shardRange(images: number, { number, of }: Shard): PlaceRange {
  return [Math.floor(((number - 1) * images) / of), Math.floor((number * images) / of)];
}

/** The record of a shard's index; null where one shard is all. */
export function partOf(images: number, listing: string, shard: Shard): IndexPart | null {
  const range = shardRange(images, shard);
  return range[1] - range[0] === images ? null : { images, listing, ranges: [range] };
}
