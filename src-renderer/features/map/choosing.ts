/** Sets of chosen points, and how points of two maps of the same images answer to one another. */

/** @returns 1 for each chosen point, null where none is left */
export function choosePoints(points: number, before: Uint8Array | null, taken: readonly number[], way: 'replace' | 'add' | 'remove'): Uint8Array | null {
  const next = way === 'replace' || before === null ? new Uint8Array(points) : before.slice();
  for (const point of taken) if (point >= 0 && point < points) next[point] = way === 'remove' ? 0 : 1;
  return next.includes(1) ? next : null;
}

/** @param link the point of the first map that shows the same as each of the second, -1 for none; returns the same from the first to the second */
export function linkBack(points: number, link: Int32Array): Int32Array {
  const back = new Int32Array(points).fill(-1);
  link.forEach((to, from) => {
    if (to >= 0 && to < points) back[to] = from;
  });
  return back;
}

/** The marks of the first map's points, for those of the second that show the same. */
export function linkedMarks(link: Int32Array, marks: Uint8Array | null): Uint8Array | null {
  return marks && Uint8Array.from(link, (to) => (to >= 0 ? marks[to]! : 0));
}

/** What the marked points are; those that are gone are left out. */
export function markedRows(rows: Int32Array, marks: Uint8Array | null): readonly number[] {
  if (marks === null) return [];
  const found: number[] = [];
  rows.forEach((row, point) => {
    if (marks[point] === 1 && row >= 0) found.push(row);
  });
  return found;
}
