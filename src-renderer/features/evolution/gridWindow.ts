/** Which rows and columns of an evenly spaced grid are in sight. Pure arithmetic in CSS pixels. */

export interface Span {
  /** Half-open. */
  readonly first: number;
  readonly end: number;
}

/** The items of `count` that lie within the seen part of one axis, and `overscan` more on either side. `pitch`: from one item to the next; `offset`: before the first. */
export function spanInSight(count: number, pitch: number, offset: number, scrolled: number, seen: number, overscan: number): Span {
  const first = Math.max(0, Math.floor((scrolled - offset) / pitch) - overscan);
  const end = Math.min(count, Math.ceil((scrolled - offset + seen) / pitch) + overscan);
  return { first: Math.min(first, count), end: Math.max(0, end) };
}

/** The scroll position nearest to the present one at which the item is whole in sight; `head` pixels of the seen part are covered by a heading. */
export function scrollToItem(item: number, pitch: number, offset: number, scrolled: number, seen: number, head: number): number {
  const start = offset + item * pitch;
  if (start < scrolled + head) return Math.max(0, start - head);
  return Math.max(scrolled, start + pitch - seen);
}
