/** Puts a row into the index (Malkov & Yashunin 2018, algorithms 1 and 4): linked, on each of its layers, with a choice of what is around, and that with it. */
import { baseLinks, links, linksAt, squaredDistance, type NeighbourIndex, type Search } from './layerSearch.ts';

/** `search`: of the same index, as broad as candidates are to be looked at. */
export function linkRow(index: NeighbourIndex, row: number, search: Search): void {
  const { levels, matrix, entry } = index;
  search.aimAt(matrix.data, row * matrix.dimensions);
  search.descend(levels[row]!);
  for (let level = Math.min(levels[row]!, levels[entry]!); level >= 0; level--) {
    search.spread(level);
    const chosen = chooseDiverse(index, search.rows, search.distances, search.count(), links);
    const at = linksAt(index, row, level);
    const list = level === 0 ? index.base : index.upper;
    list[at] = chosen.length;
    chosen.forEach((other, i) => (list[at + 1 + i] = other));
    for (const other of chosen) linkBack(index, other, row, level);
  }
}

function linkBack(index: NeighbourIndex, row: number, to: number, level: number): void {
  const list = level === 0 ? index.base : index.upper;
  const most = level === 0 ? baseLinks : links;
  const at = linksAt(index, row, level);
  const count = list[at]!;
  if (count < most) {
    list[at] = count + 1;
    list[at + 1 + count] = to;
    return;
  }
  const { data, dimensions } = index.matrix;
  const others = [...list.subarray(at + 1, at + 1 + count), to].map((other) => ({ other, distance: squaredDistance(data, row * dimensions, data, other * dimensions, dimensions) }));
  others.sort((a, b) => a.distance - b.distance || a.other - b.other);
  const chosen = chooseDiverse(index, Int32Array.from(others, ({ other }) => other), Float64Array.from(others, ({ distance }) => distance), others.length, most);
  list[at] = chosen.length;
  chosen.forEach((other, i) => (list[at + 1 + i] = other));
}

/** Of the nearest, those that are nearer to the row than to one already chosen, so that links lead in all directions; then the nearest of the rest. */
function chooseDiverse({ matrix: { data, dimensions } }: NeighbourIndex, rows: Int32Array, distances: Float64Array, count: number, most: number): number[] {
  const chosen: number[] = [];
  const passedOver: number[] = [];
  for (let at = 0; at < count && chosen.length < most; at++) {
    const row = rows[at]!;
    const isDiverse = chosen.every((other) => squaredDistance(data, row * dimensions, data, other * dimensions, dimensions) > distances[at]!);
    (isDiverse ? chosen : passedOver).push(row);
  }
  return [...chosen, ...passedOver.slice(0, most - chosen.length)];
}
