/** Exact counts of a channel's scores in bins of equal width, as many and from where to where as asked. */

export interface Histogram {
  readonly from: number;
  readonly to: number;
  /** Bin b holds scores from `from + b * width` up to the next bin's start; the last one includes `to`. */
  readonly counts: readonly number[];
  readonly below: number;
  readonly above: number;
  readonly nan: number;
}

/** Without a range: from the smallest to the largest finite score; a channel that always says the same fills its first bin. */
export function histogramOfColumn(column: Float32Array, bins: number, range: { readonly from?: number; readonly to?: number } = {}): Histogram {
  const { smallest, largest } = extremes(column);
  const from = range.from ?? Math.min(smallest, range.to ?? Infinity);
  const to = range.to ?? Math.max(largest, from);
  const counts = new Array<number>(bins).fill(0);
  let below = 0;
  let above = 0;
  let nan = 0;
  const edge = (bin: number) => from + ((to - from) * bin) / bins;
  for (const score of column) {
    if (Number.isNaN(score)) nan++;
    else if (score < from) below++;
    else if (score > to) above++;
    else counts[binOf(score)]!++;
  }
  return { from, to, counts, below, above, nan };

  /** The quotient may round into a neighbour; the edges decide. */
  function binOf(score: number): number {
    if (to === from) return 0;
    let bin = Math.min(bins - 1, Math.max(0, Math.floor(((score - from) / (to - from)) * bins)));
    if (score < edge(bin)) bin--;
    else if (bin < bins - 1 && score >= edge(bin + 1)) bin++;
    return bin;
  }
}

function extremes(column: Float32Array): { readonly smallest: number; readonly largest: number } {
  let smallest = Infinity;
  let largest = -Infinity;
  for (const score of column) {
    if (!Number.isFinite(score)) continue;
    if (score < smallest) smallest = score;
    if (score > largest) largest = score;
  }
  return smallest <= largest ? { smallest, largest } : { smallest: 0, largest: 0 };
}
