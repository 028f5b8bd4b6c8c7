/**
 * Addresses of what a map is drawn from: binary columns, little-endian, one entry per row of the map and without a header, and sheets of thumbnails. Apart from map.ts, whose schemas
 * stay in the core, so that the page can have them without zod.
 */

/** What points can be coloured by. `channel`: the score of one channel, of any layer whose scores the index keeps (by number). */
export const mapColours = ['class', 'prediction', 'error', 'channel'] as const;
export type MapColour = (typeof mapColours)[number];

/** Images on one sheet of thumbnails. */
export const mostThumbnails = 256;
/** The edge of thumbnails that are kept beside the features: sheets of them need no picture file. Larger ones are drawn from the network's inputs. */
export const keptThumbnailSize = 32;
export const thumbnailSizes = [32, 64, 128] as const;

/** Float32 `[rows, 2]`: x to the right, y up, in the units of the method. `revision` counts the layouts of a map that settles; any address answers the newest, and says in the header `x-revision` which. */
export function mapCoordinatesUrl({ map, revision }: { readonly map: string; readonly revision: number }): string {
  return `/media/map/${map}/coordinates?v=${revision}`;
}

/** Int32 `[rows]`: the image number of each row (of a channel map: the channel); -1 for an image that the index has no longer. `numbering`: the index's. */
export function mapRowsUrl({ map, numbering }: { readonly map: string; readonly numbering: number }): string {
  return `/media/map/${map}/rows?v=${numbering}`;
}

/** Int32 `[rows]`: the cell of each row in the mosaic of `map.grid`, row-major from the top left. */
export function mapGridUrl({ map, revision }: { readonly map: string; readonly revision: number }): string {
  return `/media/map/${map}/grid?v=${revision}`;
}

/** Float32 `[rows]`: a value of the legend that `map.colours` gives, or a score; NaN where there is none. */
export function mapColoursUrl({ map, by, layer, channel }: { readonly map: string; readonly by: MapColour; readonly layer?: number; readonly channel?: number }): string {
  return `/media/map/${map}/colours?by=${by}${layer === undefined ? '' : `&layer=${layer}`}${channel === undefined ? '' : `&channel=${channel}`}`;
}

/** Int32 `[rows of map]`: the row of the same image (by its path) in the other map, -1 where it has none. */
export function mapLinkUrl({ map, other }: { readonly map: string; readonly other: string }): string {
  return `/media/map/${map}/link/${other}`;
}

/**
 * Images of an index (at most `mostThumbnails`, in the given order) as ONE picture: tiles of `size` pixels without gaps, `columns` to a row; a picture that is not square stands in the middle of its
 * tile, an image that cannot be shown leaves it empty.
 */
export function thumbnailSheetUrl({ index, numbering, size, columns, images }: { readonly index: string; readonly numbering: number; readonly size: number; readonly columns: number; readonly images: readonly number[] }): string {
  return `/media/thumbnails/${index}?v=${numbering}&size=${size}&columns=${columns}&images=${images.join('.')}`;
}
