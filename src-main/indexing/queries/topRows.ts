/**
 * The strongest or weakest rows of a channel for any k, in the order of method.md section 2: by score, ties by row (rows are in path order). NaN never ranks; the strongest of a layer that is
 * non-negative by construction need a score above 0, the weakest do not.
 */

export interface RankedRow {
  readonly row: number;
  readonly score: number;
}

export interface TopRowsOptions {
  readonly k: number;
  readonly lowest: boolean;
  readonly nonNegative: boolean;
}

/** Grows with the rows it is given, in memory of about two k. */
export interface TopRows {
  /** Rows in rising order. */
  offer(row: number, score: number): void;
  /** Best first, at most k. */
  ranked(): readonly RankedRow[];
}

export function createTopRows({ k, lowest, nonNegative }: TopRowsOptions): TopRows {
  // Twice k before a sort: sorting is then paid for by k offers that passed the bound.
  const room = 2 * k;
  let kept: RankedRow[] = [];
  let bound = lowest ? Infinity : -Infinity;
  let full = false;
  const order = lowest ? (a: RankedRow, b: RankedRow) => ascending(a.score, b.score) || a.row - b.row : (a: RankedRow, b: RankedRow) => ascending(b.score, a.score) || a.row - b.row;
  const cut = () => {
    kept.sort(order);
    if (kept.length < k) return;
    kept = kept.slice(0, k);
    bound = kept[k - 1]!.score;
    full = true;
  };
  return {
    offer(row, score) {
      if (Number.isNaN(score) || (nonNegative && !lowest && !(score > 0))) return;
      // A later row with the bound's own score comes behind it.
      if (full && (lowest ? score >= bound : score <= bound)) return;
      kept.push({ row, score });
      if (kept.length >= room) cut();
    },
    ranked() {
      cut();
      return kept;
    },
  };
}

/** @param among rows to look at, in rising order; all if absent */
export function topOfColumn(column: Float32Array, options: TopRowsOptions, among?: Int32Array): readonly RankedRow[] {
  const top = createTopRows(options);
  if (among) for (const row of among) top.offer(row, column[row]!);
  else for (let row = 0; row < column.length; row++) top.offer(row, column[row]!);
  return top.ranked();
}

/** Infinities are equal to themselves, which a difference would not show. */
function ascending(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
