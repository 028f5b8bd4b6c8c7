/**
 * Finds points of a map by place: a grid of cells over the unit square, each with its points in a row, so that 100,000 points are searched in microseconds while the pointer moves. Rows without a
 * place (NaN) are never found.
 */
import type { Spot } from './mapCamera.ts';

/** Left, top, right, bottom, in the units of the layout. */
export interface MapBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface PointIndex {
  /** The nearest point that lies within `reach` of the spot; null where there is none. */
  readonly nearest: (spot: Spot, reach: number) => number | null;
  readonly inBox: (box: MapBox) => readonly number[];
  /** Points in the box, counted up to `limit`. */
  readonly countInBox: (box: MapBox, limit: number) => number;
  /** Points inside a closed line, by the even-odd rule. */
  readonly inPolygon: (line: readonly Spot[]) => readonly number[];
}

/** Points of a cell on average. */
const perCell = 4;

/** @param positions `[points, 2]`, 0-1 */
export function indexPoints(positions: Float32Array): PointIndex {
  const points = positions.length / 2;
  const side = Math.max(1, Math.min(1024, Math.ceil(Math.sqrt(points / perCell))));
  const cellOf = (at: number): number => Math.min(side - 1, Math.max(0, Math.floor(at * side)));
  const starts = new Int32Array(side * side + 1);
  const cells = new Int32Array(points);
  for (let point = 0; point < points; point++) {
    const [x, y] = [positions[2 * point]!, positions[2 * point + 1]!];
    const cell = Number.isNaN(x) || Number.isNaN(y) ? -1 : cellOf(y) * side + cellOf(x);
    cells[point] = cell;
    if (cell >= 0) starts[cell + 1]! += 1;
  }
  for (let cell = 0; cell < side * side; cell++) starts[cell + 1]! += starts[cell]!;
  const next = starts.slice();
  const members = new Int32Array(starts[side * side]!);
  for (let point = 0; point < points; point++) if (cells[point]! >= 0) members[next[cells[point]!]!++] = point;

  /** Calls `visit` with each point of the cells that the box touches, until it returns false. */
  function around({ left, top, right, bottom }: MapBox, visit: (point: number, x: number, y: number) => boolean): void {
    for (let row = cellOf(top); row <= cellOf(bottom); row++) {
      for (let column = cellOf(left); column <= cellOf(right); column++) {
        const cell = row * side + column;
        for (let at = starts[cell]!; at < starts[cell + 1]!; at++) {
          const point = members[at]!;
          if (!visit(point, positions[2 * point]!, positions[2 * point + 1]!)) return;
        }
      }
    }
  }

  const isIn = (box: MapBox, x: number, y: number): boolean => x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;

  return {
    nearest(spot, reach) {
      let best: number | null = null;
      let least = reach * reach;
      around({ left: spot.x - reach, top: spot.y - reach, right: spot.x + reach, bottom: spot.y + reach }, (point, x, y) => {
        const distance = (x - spot.x) ** 2 + (y - spot.y) ** 2;
        if (distance > least || (distance === least && best !== null)) return true;
        best = point;
        least = distance;
        return true;
      });
      return best;
    },
    inBox(box) {
      const found: number[] = [];
      around(box, (point, x, y) => {
        if (isIn(box, x, y)) found.push(point);
        return true;
      });
      return found.sort((a, b) => a - b);
    },
    countInBox(box, limit) {
      let count = 0;
      around(box, (_, x, y) => {
        if (isIn(box, x, y)) count += 1;
        return count < limit;
      });
      return count;
    },
    inPolygon(line) {
      if (line.length < 3) return [];
      const found: number[] = [];
      around(boxAround(line), (point, x, y) => {
        if (isInside(line, x, y)) found.push(point);
        return true;
      });
      return found.sort((a, b) => a - b);
    },
  };
}

/** The smallest box that holds all spots. */
export function boxAround(spots: readonly Spot[]): MapBox {
  const [xs, ys] = [spots.map(({ x }) => x), spots.map(({ y }) => y)];
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}

function isInside(line: readonly Spot[], x: number, y: number): boolean {
  let inside = false;
  for (let at = 0, before = line.length - 1; at < line.length; before = at++) {
    const [a, b] = [line[at]!, line[before]!];
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
  }
  return inside;
}
