/** From point to point by the arrow keys: the next one lies in the quarter that the arrow points into, near and not far aside. */
import type { PointIndex } from './pointIndex.ts';

export const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] } as const satisfies Record<string, readonly [number, number]>;
export type Direction = keyof typeof directions;

/** What lies aside counts so much more than what lies ahead. */
const asideWeight = 2;
/** The square is wider than any map. */
const farthest = 2;

/** @param reach where the search begins, in units of the layout; null where nothing lies in that direction */
export function nextPoint(positions: Float32Array, index: PointIndex, from: number, direction: Direction, reach: number): number | null {
  const [x, y] = [positions[2 * from]!, positions[2 * from + 1]!];
  const [right, down] = directions[direction];
  for (let far = Math.max(reach, 1e-5); far < farthest; far *= 2) {
    let best: number | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const point of index.inBox({ left: x - far, top: y - far, right: x + far, bottom: y + far })) {
      const [byX, byY] = [positions[2 * point]! - x, positions[2 * point + 1]! - y];
      const [ahead, aside] = [byX * right + byY * down, Math.abs(byX * down) + Math.abs(byY * right)];
      if (point === from || ahead <= 0 || aside > ahead) continue;
      const cost = ahead + asideWeight * aside;
      if (cost >= least) continue;
      best = point;
      least = cost;
    }
    // Beyond the square something might be nearer by this measure only if the found one lies outside of half of it.
    if (best !== null && least <= far) return best;
    if (best !== null && far * 2 >= farthest) return best;
  }
  return null;
}
