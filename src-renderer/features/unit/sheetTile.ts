/** Where one of the nine tiles lies in a sheet of 3 x 3 tiles with a gap of 1 px (contract/media.ts), for showing it alone. */

/** CSS of the whole sheet, relative to the element that shows one tile. */
export type TileStyle = Readonly<Record<'width' | 'left' | 'top', string>>;

/** @param rank 1..9, row-major. @param size edge of one tile, picture pixels. */
export function sheetTile(rank: number, size: number): TileStyle {
  const [column, row] = [(rank - 1) % 3, Math.floor((rank - 1) / 3)];
  const pitch = (100 * (size + 1)) / size;
  return { width: `${(100 * (3 * size + 2)) / size}%`, left: `${-column * pitch}%`, top: `${-row * pitch}%` };
}

/** The hits in the order of the sheet that are on it. */
export const sheetHits = 9;
