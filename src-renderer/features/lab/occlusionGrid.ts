/** The grids of an occlusion sweep, as they are drawn while it runs: coarse first, so that a position that was not computed yet shows its nearest neighbour that was. Pure. */

export type Grid = readonly (readonly (number | null)[])[];

/** Every missing cell takes the value of a nearest one (in steps along rows and columns); all stay missing where there is none. */
export function filledGrid(grid: Grid): readonly (readonly (number | null)[])[] {
  const filled = grid.map((row) => [...row]);
  let edge = filled.flatMap((row, y) => row.flatMap((value, x) => (value === null ? [] : [[y, x] as const])));
  while (edge.length > 0) {
    const next: (readonly [number, number])[] = [];
    for (const [y, x] of edge) {
      for (const [dy, dx] of [[-1, 0], [1, 0], [0, -1], [0, 1]] as const) {
        if (filled[y + dy]?.[x + dx] !== null) continue;
        filled[y + dy]![x + dx] = filled[y]![x]!;
        next.push([y + dy, x + dx]);
      }
    }
    edge = next;
  }
  return filled;
}

/** Smallest and largest of what is there; `otherwise` where nothing is. */
export function rangeOf(grid: Grid, otherwise: readonly [number, number]): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const row of grid) {
    for (const value of row) {
      if (value === null) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return low <= high ? [low, high] : otherwise;
}

/** The covered part of the picture, clipped to it: a square of `size` around its centre, as shares of the picture's edges. `crop`: `[height, width]`. */
export function coveredBox(centre: { readonly y: number; readonly x: number }, size: number, crop: readonly [number, number]): { readonly top: number; readonly left: number; readonly height: number; readonly width: number } {
  const side = (at: number, edge: number): readonly [number, number] => {
    const from = at - Math.floor(size / 2);
    return [Math.max(0, from) / edge, Math.min(edge, from + size) / edge];
  };
  const [top, bottom] = side(centre.y, crop[0]);
  const [left, right] = side(centre.x, crop[1]);
  return { top, left, height: bottom - top, width: right - left };
}
