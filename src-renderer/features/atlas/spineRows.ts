/** The spine's rows: the index's layers in their places in the drawn network, and what stands between them. Pure. */
import type { IndexedLayer, SpineRow } from '../../api/records.ts';
import { lanePaths, type RowLines } from '../../components/lanePaths.ts';

export type SpineLine =
  | { readonly kind: 'layer'; readonly layer: IndexedLayer; readonly drawn: RowLines | null }
  /** A pool, a concatenation, or a layer that is not in the index. */
  | { readonly kind: 'joint'; readonly what: string; readonly drawn: RowLines }
  /** Lanes that only split or join. */
  | { readonly kind: 'lanes'; readonly drawn: RowLines };

/** Heights in CSS pixels. */
export const spineHeights = { layer: 46, joint: 20, lanes: 10 } as const;
/** The lanes take no more than this, however many there are. */
const mostWidth = 62;
const usualCell = 7;

export interface Spine {
  readonly lines: readonly SpineLine[];
  /** Of the lanes, CSS pixels; 0 without a drawing. */
  readonly width: number;
}

/** Without drawn rows (the model file is gone) the layers alone; a layer that the drawing does not know stands at its end. */
export function spineRows(layers: readonly IndexedLayer[], rows: readonly SpineRow[]): Spine {
  const byNumber = new Map(layers.map((layer) => [layer.number, layer]));
  const layerOf = (row: SpineRow): IndexedLayer | undefined => (row.layer === null ? undefined : byNumber.get(row.layer));
  const cell = cellWidth(rows);
  const heights = rows.map((row) => spineHeights[layerOf(row) ? 'layer' : row.what === '' ? 'lanes' : 'joint']);
  const drawn = lanePaths(rows.map(({ lanes }) => lanes), heights, cell);
  const lines = rows.map((row, at): SpineLine => {
    const layer = layerOf(row);
    if (layer) return { kind: 'layer', layer, drawn: drawn[at]! };
    return row.what === '' ? { kind: 'lanes', drawn: drawn[at]! } : { kind: 'joint', what: row.what, drawn: drawn[at]! };
  });
  const placed = new Set(rows.map((row) => row.layer));
  const others = layers.filter((layer) => !placed.has(layer.number)).map((layer): SpineLine => ({ kind: 'layer', layer, drawn: null }));
  return { lines: [...lines, ...others], width: Math.ceil(cell * characters(rows)) };
}

function cellWidth(rows: readonly SpineRow[]): number {
  return Math.min(usualCell, mostWidth / Math.max(1, characters(rows)));
}

function characters(rows: readonly SpineRow[]): number {
  return rows.reduce((most, { lanes }) => Math.max(most, lanes.length), 0);
}
