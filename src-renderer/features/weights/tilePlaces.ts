/** Where the filters lie on their sheet, as shares of its width and height. Pure. */
import type { FilterSheet } from '../../api/records.ts';

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
