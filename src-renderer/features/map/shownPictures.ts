/** Which points of a map are shown by their picture, for one view of it. */
import type { MapBox } from './pointIndex.ts';
import type { PictureLevels } from './pictureLevels.ts';
import type { PlacedPoints } from './useMap.ts';

export interface ShownPictures {
  readonly points: readonly number[];
  /** In CSS pixels. */
  readonly edge: number;
}

/** Cells of a mosaic smaller than this, in CSS pixels, are squares of colour. */
const leastCell = 6;
/** More pictures at once are no pictures any more, and too many for memory. */
const mostCells = 12_288;
const mostFree = 1500;
const none: ShownPictures = { points: [], edge: 0 };

/** @param visible the part of the layout that is seen */
export function shownPictures({ layout, index, columns }: PlacedPoints, levels: PictureLevels, scale: number, visible: MapBox): ShownPictures {
  if (columns !== null) return cellPictures(index.inBox, scale * cellEdge(layout.width, columns), visible);
  const { level, edge } = levels.at(scale);
  const half = edge / scale / 2;
  const { points, isOpen } = levels.of(level);
  const { positions } = layout;
  const seen: number[] = [];
  for (const point of points) {
    const [x, y] = [positions[2 * point]!, positions[2 * point + 1]!];
    if (x < visible.left - half || x > visible.right + half || y < visible.top - half || y > visible.bottom + half || !isOpen(point)) continue;
    seen.push(point);
    if (seen.length === mostFree) break;
  }
  return { points: seen, edge };
}

/** Of a mosaic whose columns take this width. */
export function cellEdge(width: number, columns: number): number {
  return width / Math.max(1, columns);
}

function cellPictures(inBox: (box: MapBox) => readonly number[], cell: number, visible: MapBox): ShownPictures {
  if (cell < leastCell) return none;
  const points = inBox(visible);
  return points.length > mostCells ? none : { points, edge: cell };
}
