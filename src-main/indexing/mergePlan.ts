/**
 * How parts of one folder's listing fit together: which image rows come from which part, what their numbers become, and which places nobody has. Pure, and the same for any order of the
 * parts. Parts may overlap, since equal rows are equal wherever they come from; each place is taken from one of them.
 */
import type { PlaceRange } from './shards.ts';

export interface MergeSource {
  /** Places of the whole listing that this part has rows for; in order, disjoint. Its image 0 has the first of them. */
  readonly ranges: readonly PlaceRange[];
}

/** Image numbers `from` to `to` (half-open) of a part become the same numbers plus `shift`. */
export interface Piece {
  readonly from: number;
  readonly to: number;
  readonly shift: number;
}

/** What becomes of one part. */
export interface SourcePlan {
  /** All its images; empty where it has none. */
  readonly pieces: readonly Piece[];
  /** Those of them whose rows are taken from it. */
  readonly taken: readonly Piece[];
}

export interface MergePlan {
  /** What the parts cover together; in order, disjoint, not touching. */
  readonly ranges: readonly PlaceRange[];
  readonly missing: readonly PlaceRange[];
  /** Images after the merge. */
  readonly images: number;
  /** In the order of the given parts. */
  readonly sources: readonly SourcePlan[];
  /** All taken pieces in the order of their new numbers, and whose they are. */
  readonly order: readonly { readonly source: number; readonly piece: Piece }[];
}

/** @param images of the whole listing */
export function planMerge(sources: readonly MergeSource[], images: number): MergePlan {
  const ranges = unite(sources.flatMap((source) => source.ranges));
  const local = sources.map(({ ranges: own }) => withStarts(own));
  const merged = withStarts(ranges);
  const pieces = local.map((own) => own.map(({ range, start }) => piece(range, start - range[0], merged)));
  const order = ranges.flatMap((range) => chooseAlong(range, local)).map(({ source, range, start }) => ({ source, piece: piece(range, start, merged) }));
  return {
    ranges,
    missing: gaps(ranges, images),
    images: count(ranges),
    sources: pieces.map((own, source) => ({ pieces: own, taken: order.filter((entry) => entry.source === source).map((entry) => entry.piece) })),
    order,
  };
}

/** True where every row of a part is taken from it, so that what it counted holds as it is. */
export function isWholeTaken({ pieces, taken }: SourcePlan): boolean {
  return countOf(taken) === countOf(pieces);
}

/** Ranges for a person, counted from 1: "1 to 20, 41 to 60". */
export function describePlaces(ranges: readonly PlaceRange[]): string {
  return ranges.map(([from, to]) => (to === from + 1 ? String(to) : `${from + 1} to ${to}`)).join(', ');
}

interface Started {
  readonly range: PlaceRange;
  /** Number of the image at the range's first place. */
  readonly start: number;
}

function withStarts(ranges: readonly PlaceRange[]): readonly Started[] {
  let start = 0;
  return ranges.map((range) => {
    const started = { range, start };
    start += range[1] - range[0];
    return started;
  });
}

/** `offset`: local number minus place. */
function piece([from, to]: PlaceRange, offset: number, merged: readonly Started[]): Piece {
  const { range, start } = merged.find((candidate) => from >= candidate.range[0] && to <= candidate.range[1])!;
  return { from: from + offset, to: to + offset, shift: start - range[0] - offset };
}

/** Walks along a covered range, each time with the part that goes on furthest: fewest cuts, and parts that others contain are left out. */
function chooseAlong([from, to]: PlaceRange, local: readonly (readonly Started[])[]): readonly { readonly source: number; readonly range: PlaceRange; readonly start: number }[] {
  const chosen: { source: number; range: PlaceRange; start: number }[] = [];
  for (let place = from; place < to; ) {
    const candidates = local.flatMap((own, source) => own.filter(({ range }) => range[0] <= place && place < range[1]).map((started) => ({ source, ...started })));
    const best = candidates.reduce((a, b) => (b.range[1] > a.range[1] || (b.range[1] === a.range[1] && b.range[0] > a.range[0]) ? b : a));
    chosen.push({ source: best.source, range: [place, best.range[1]], start: best.start - best.range[0] });
    place = best.range[1];
  }
  return chosen;
}

function unite(ranges: readonly PlaceRange[]): readonly PlaceRange[] {
  const united: [number, number][] = [];
  for (const [from, to] of ranges.filter((range) => range[1] > range[0]).sort((a, b) => a[0] - b[0])) {
    const last = united.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else united.push([from, to]);
  }
  return united;
}

function gaps(ranges: readonly PlaceRange[], images: number): readonly PlaceRange[] {
  const edges = [0, ...ranges.flat(), images];
  return edges.flatMap((from, at) => (at % 2 === 0 && from < edges[at + 1]! ? [[from, edges[at + 1]!] as const] : []));
}

function count(ranges: readonly PlaceRange[]): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from, 0);
}

function countOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { from, to }) => sum + to - from, 0);
}
