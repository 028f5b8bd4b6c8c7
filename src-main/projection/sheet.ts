/** The paper's 3 x 3: nine tiles as one picture, so that a channel costs two requests. */
import type { Picture } from './display.ts';

/** Pixels between tiles, transparent. */
export const sheetGap = 1;

/** Tiles of `size`, `[height, width]` or the edge of a square (or undefined for an empty place), left to right, top to bottom, on a transparent sheet of `columns` columns. */
export function composeSheet(tiles: readonly (Picture | undefined)[], size: number | readonly [number, number], columns = 3): Picture {
  const [tileHeight, tileWidth] = typeof size === 'number' ? [size, size] : size;
  const rows = Math.ceil(tiles.length / columns);
  const width = columns * tileWidth + (columns - 1) * sheetGap;
  const height = rows * tileHeight + (rows - 1) * sheetGap;
  const pixels = new Uint8Array(width * height * 4);
  tiles.forEach((tile, index) => {
    if (!tile) return;
    const left = (index % columns) * (tileWidth + sheetGap) + Math.floor((tileWidth - tile.width) / 2);
    const top = Math.floor(index / columns) * (tileHeight + sheetGap) + Math.floor((tileHeight - tile.height) / 2);
    for (let y = 0; y < tile.height; y++) {
      pixels.set(tile.pixels.subarray(y * tile.width * 4, (y + 1) * tile.width * 4), ((top + y) * width + left) * 4);
    }
  });
  return { width, height, pixels };
}
