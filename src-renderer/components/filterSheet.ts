/** Where the filters lie on their sheet, and which of them lies at a point of it. Pure. */
import type { FilterSheet } from '../api/records.ts';

export interface TilePlace {
  /** Number of the filter, which is the channel it makes. */
  readonly filter: number;
  /** CSS percentages of the sheet. */
  readonly left: string;
  readonly top: string;
  readonly width: string;
  readonly height: string;
}

type Sheet = Pick<FilterSheet, 'from' | 'count' | 'kind' | 'tile' | 'columns' | 'gap' | 'width' | 'height'>;

/** One place for each filter: a tile, or a whole row where a filter is a row of tiles. */
export function tilePlaces({ from, count, kind, tile, columns, gap, width, height }: Sheet): readonly TilePlace[] {
  const across = kind === 'rows' ? 1 : columns;
  const tileWidth = kind === 'rows' ? width : tile[1];
  return Array.from({ length: count }, (_, at) => ({
    filter: from + at,
    left: `${(100 * (at % across) * (tileWidth + gap)) / width}%`,
    top: `${(100 * Math.floor(at / across) * (tile[0] + gap)) / height}%`,
    width: `${(100 * tileWidth) / width}%`,
    height: `${(100 * tile[0]) / height}%`,
  }));
}

/** The filter at a point, counted within the sheet; null where none lies. `x`, `y`: shares of the sheet's width and height. */
export function filterAt({ count, kind, tile, columns, gap, width, height }: Sheet, { x, y }: { readonly x: number; readonly y: number }): number | null {
  const across = kind === 'rows' ? 1 : columns;
  const column = kind === 'rows' ? 0 : Math.floor((x * width) / (tile[1] + gap));
  const at = Math.floor((y * height) / (tile[0] + gap)) * across + column;
  return x >= 0 && y >= 0 && column < across && at < count ? at : null;
}
