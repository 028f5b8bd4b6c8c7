/**
 * Which images two channels disagree about most. Scores of two channels have no common scale, so each is taken less its channel's mean and divided by its standard deviation over the same images
 * (z-scores); the difference of the two says how much more the one channel likes an image than the other does. Images with a score that is not finite are left out.
 */
import { createPauses } from './blocks.ts';

export interface Difference {
  /** Place in both columns. */
  readonly row: number;
  readonly leftScore: number;
  readonly rightScore: number;
  readonly leftDeviations: number;
  readonly rightDeviations: number;
}

export interface Differences {
  /** Images that count. */
  readonly images: number;
  /** Pearson's; null where one of the channels never changes, and there are then no differences. */
  readonly correlation: number | null;
  readonly leftMore: readonly Difference[];
  readonly rightMore: readonly Difference[];
}

/** @param columns float32 `[images]` each, entry i of both is the same image */
export async function largestDifferences(columns: { readonly left: Float32Array; readonly right: Float32Array }, limit: number, signal?: AbortSignal): Promise<Differences> {
  const pause = createPauses(signal);
  const rows: number[] = [];
  columns.left.forEach((score, row) => {
    if (Number.isFinite(score) && Number.isFinite(columns.right[row]!)) rows.push(row);
  });
  const left = momentsOf(columns.left, rows);
  const right = momentsOf(columns.right, rows);
  if (!(left.deviation > 0 && right.deviation > 0)) return { images: rows.length, correlation: null, leftMore: [], rightMore: [] };
  await pause();
  let products = 0;
  const all = rows.map((row): Difference => {
    const [leftScore, rightScore] = [columns.left[row]!, columns.right[row]!];
    const [leftDeviations, rightDeviations] = [(leftScore - left.mean) / left.deviation, (rightScore - right.mean) / right.deviation];
    products += leftDeviations * rightDeviations;
    return { row, leftScore, rightScore, leftDeviations, rightDeviations };
  });
  await pause();
  const most = (sign: 1 | -1) => {
    const gap = (each: Difference) => sign * (each.leftDeviations - each.rightDeviations);
    return all.filter((each) => gap(each) > 0).sort((a, b) => gap(b) - gap(a) || a.row - b.row).slice(0, limit);
  };
  return { images: rows.length, correlation: Math.max(-1, Math.min(1, products / rows.length)), leftMore: most(1), rightMore: most(-1) };
}

/** Mean and standard deviation of all images there are (divided by their number), in float64. */
function momentsOf(column: Float32Array, rows: readonly number[]): { readonly mean: number; readonly deviation: number } {
  // Less the first score, so that a column that always says the same has a deviation of exactly 0.
  const first = column[rows[0] ?? 0] ?? 0;
  const mean = first + rows.reduce((sum, row) => sum + (column[row]! - first), 0) / rows.length;
  const squares = rows.reduce((sum, row) => sum + (column[row]! - mean) ** 2, 0) / rows.length;
  return { mean, deviation: Math.sqrt(squares) };
}
