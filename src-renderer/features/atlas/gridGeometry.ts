/**
 * Where the cells of the channel grid lie and which of them are in sight. Pure arithmetic in CSS pixels: 4,096 channels cost no more than the
 * rows that are seen.
 */

export interface GridRequest {
  /** Cells in the list. */
  readonly count: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
  readonly gap: number;
  /** Inner width and height of the scrolled area. */
  readonly width: number;
  readonly height: number;
  readonly scrollTop: number;
  /** Rows kept ready above and below what is seen. */
  readonly overscan: number;
}

export interface GridGeometry {
  readonly columns: number;
  readonly rows: number;
  readonly totalHeight: number;
  /** Cells to be drawn, half-open. */
  readonly first: number;
  readonly end: number;
}

export function gridGeometry(request: GridRequest): GridGeometry {
  const columns = Math.max(1, Math.floor((request.width + request.gap) / (request.cellWidth + request.gap)));
  const rows = Math.ceil(request.count / columns);
  const pitch = request.cellHeight + request.gap;
  const firstRow = Math.max(0, Math.floor(request.scrollTop / pitch) - request.overscan);
  const endRow = Math.min(rows, Math.ceil((request.scrollTop + request.height) / pitch) + request.overscan);
  return {
    columns,
    rows,
    totalHeight: Math.max(0, rows * pitch - request.gap),
    first: Math.min(request.count, firstRow * columns),
    end: Math.min(request.count, Math.max(0, endRow) * columns),
  };
}

/**
 * Edge of a sheet, near the wanted one, at which the columns fill the width exactly. `sheets`: pictures side by side in a cell; `frame`: what a cell is wider than
 * its sheets. Never under three quarters of the wanted edge.
 */
export function fittedEdge(wanted: number, width: number, sheets: number, frame: number, gap: number): number {
  const columns = Math.max(1, Math.round((width + gap) / (sheets * wanted + frame + gap)));
  const edge = Math.floor(((width + gap) / columns - gap - frame) / sheets);
  return Math.max(Math.ceil(wanted * 0.75), Math.min(edge, Math.floor(wanted * 1.5)));
}

/** Top left corner of a cell. */
export function cellPosition(cell: number, columns: number, size: Pick<GridRequest, 'cellWidth' | 'cellHeight' | 'gap'>): { readonly left: number; readonly top: number } {
  return { left: (cell % columns) * (size.cellWidth + size.gap), top: Math.floor(cell / columns) * (size.cellHeight + size.gap) };
}

/** The scroll position nearest to the present one at which the whole cell is seen. */
export function scrollToCell(cell: number, columns: number, request: Pick<GridRequest, 'cellWidth' | 'cellHeight' | 'gap' | 'height' | 'scrollTop'>): number {
  const { top } = cellPosition(cell, columns, request);
  if (top < request.scrollTop) return top;
  return Math.max(request.scrollTop, top + request.cellHeight - request.height);
}

export const gridKeys = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'PageUp', 'PageDown', 'Home', 'End'] as const;
export type GridKey = (typeof gridKeys)[number];

/** The cell that a key leads to; the same one at an edge. A step down from above a short last row goes to its end. `rows`: how many are seen at once. */
export function stepFrom(cell: number, key: GridKey, columns: number, count: number, rows = 1): number {
  if (key === 'ArrowLeft') return Math.max(0, cell - 1);
  if (key === 'ArrowRight') return Math.min(count - 1, cell + 1);
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  const far = key === 'PageUp' || key === 'PageDown' ? rows : 1;
  if (key === 'ArrowUp' || key === 'PageUp') return cell - Math.min(far, Math.floor(cell / columns)) * columns;
  const below = Math.min(far, Math.floor((count - 1) / columns) - Math.floor(cell / columns));
  return Math.min(count - 1, cell + below * columns);
}

const tileSizes = [32, 48, 64, 96, 128, 192, 256] as const;

/**
 * Edge of one tile to ask for, so that a 3 x 3 sheet shown `sheetEdge` CSS pixels wide is sharp. A few fixed sizes only: sliding the size does not ask
 * for new pictures at every step.
 */
export function tileSize(sheetEdge: number, devicePixelRatio: number): number {
  const needed = (sheetEdge * devicePixelRatio) / 3;
  return tileSizes.find((size) => size >= needed) ?? tileSizes[tileSizes.length - 1]!;
}
