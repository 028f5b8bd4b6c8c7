/**
 * Which points show their picture at which closeness. Each level halves the area of a picture on the map; a point keeps its picture on all closer levels, and no two pictures of a level overlap. So
 * pictures only ever appear while a person comes closer, and never jump while the map is moved.
 */
import type { PointIndex } from './pointIndex.ts';

export interface PictureLevels {
  /** The closest level whose pictures are at least `leastEdge` CSS pixels large at this scale, and their edge in pixels. */
  readonly at: (pixelsPerUnit: number) => { readonly level: number; readonly edge: number };
  /** The points that have a picture at a level; `open` where few others lie under it. */
  readonly of: (level: number) => { readonly points: readonly number[]; readonly isOpen: (point: number) => boolean };
}

/** Edge of a picture of level 0, in units of the layout. */
const firstEdge = 0.05;
const lastLevel = 26;
/** CSS pixels. */
const leastEdge = 36;
const mostEdge = 128;
/** Points that a picture may hide, its own included; where more lie under it, they are shown as points. */
const mostUnder = 8;

/** A scattered rank and a number below this fit exactly into one double. */
const mostPoints = 2 ** 21;

const edgeOf = (level: number): number => firstEdge * 2 ** (-level / 2);

/** @param positions `[points, 2]`, 0-1 */
export function pictureLevels(positions: Float32Array, index: PointIndex): PictureLevels {
  const points = positions.length / 2;
  const order = steadyOrder(points).filter((point) => !Number.isNaN(positions[2 * point]!));
  const levels: { readonly points: readonly number[]; readonly isOpen: (point: number) => boolean }[] = [];

  function build(level: number): void {
    const edge = edgeOf(level);
    const before = levels[level - 1]?.points ?? [];
    if (before.length === order.length) return void levels.push({ points: before, isOpen: openness(edge) });
    const taken = new Map<number, number[]>();
    const cell = (at: number): number => Math.floor(at / edge);
    const key = (column: number, row: number): number => row * 1_048_576 + column;
    const placed: number[] = [];
    const has = new Uint8Array(points);

    function isFree(x: number, y: number): boolean {
      for (let row = cell(y) - 1; row <= cell(y) + 1; row++) {
        for (let column = cell(x) - 1; column <= cell(x) + 1; column++) {
          for (const other of taken.get(key(column, row)) ?? []) {
            if (Math.abs(positions[2 * other]! - x) < edge && Math.abs(positions[2 * other + 1]! - y) < edge) return false;
          }
        }
      }
      return true;
    }

    function put(point: number): void {
      const at = key(cell(positions[2 * point]!), cell(positions[2 * point + 1]!));
      const there = taken.get(at);
      if (there) there.push(point);
      else taken.set(at, [point]);
      placed.push(point);
      has[point] = 1;
    }

    for (const point of before) put(point);
    for (const point of order) if (has[point] === 0 && isFree(positions[2 * point]!, positions[2 * point + 1]!)) put(point);
    levels.push({ points: placed, isOpen: openness(edge) });
  }

  function openness(edge: number): (point: number) => boolean {
    const known = new Map<number, boolean>();
    return (point) => {
      const found = known.get(point);
      if (found !== undefined) return found;
      const [x, y] = [positions[2 * point]!, positions[2 * point + 1]!];
      const isOpen = index.countInBox({ left: x - edge / 2, top: y - edge / 2, right: x + edge / 2, bottom: y + edge / 2 }, mostUnder + 1) <= mostUnder;
      known.set(point, isOpen);
      return isOpen;
    };
  }

  return {
    at(pixelsPerUnit) {
      const level = Math.min(lastLevel, Math.max(0, Math.floor(2 * Math.log2((firstEdge * pixelsPerUnit) / leastEdge))));
      return { level, edge: Math.min(mostEdge, edgeOf(level) * pixelsPerUnit) };
    },
    of(level) {
      while (levels.length <= level) build(levels.length);
      return levels[level]!;
    },
  };
}

/** All points once, in an order that has nothing to do with their number and is always the same. */
function steadyOrder(points: number): Uint32Array {
  const keys = Float64Array.from({ length: points }, (_, point) => (Math.imul(point + 1, 0x9e3779b1) >>> 0) * mostPoints + point);
  return Uint32Array.from(keys.sort(), (key) => key % mostPoints);
}
