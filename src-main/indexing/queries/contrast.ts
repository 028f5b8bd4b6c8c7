/**
 * Which channels some images excite more than all others do: the difference of the mean scores in standard deviations of all, which makes channels of any scale comparable in one look at the
 * matrix; and for the first of them the area under the ROC curve, the share of pairs (chosen, other) where the chosen image scores higher, ties counted half. Scores that are not finite are left out.
 */
import { createPauses, type ScoreBlocks } from './blocks.ts';

export interface Contrast {
  readonly channel: number;
  readonly inside: number;
  readonly outside: number;
  readonly deviations: number;
  readonly auc: number;
}

/**
 * @param blocks gives the matrix anew at each call
 * @param chosen 1 for each row of a chosen image
 * @returns at most `limit`, most excited first; none where all images are chosen, or none
 */
export async function contrastingChannels(blocks: () => ScoreBlocks, channels: number, chosen: Uint8Array, limit: number, signal?: AbortSignal): Promise<readonly Contrast[]> {
  const measured = await measureAll(blocks(), channels, chosen, signal);
  const best = measured.sort((a, b) => b.deviations - a.deviations || a.channel - b.channel).slice(0, limit);
  const columns = await readColumns(blocks(), chosen.length, channels, best.map(({ channel }) => channel));
  return best.map((each, at) => ({ ...each, auc: areaOf(columns[at]!, chosen) }));
}

async function measureAll(blocks: ScoreBlocks, channels: number, chosen: Uint8Array, signal: AbortSignal | undefined): Promise<Omit<Contrast, 'auc'>[]> {
  const count = [new Float64Array(channels), new Float64Array(channels)];
  const sum = [new Float64Array(channels), new Float64Array(channels)];
  const squares = new Float64Array(channels);
  // Sums of differences to the first row, so that large means do not eat small variances.
  let shift: Float32Array | undefined;
  const pause = createPauses(signal);
  for await (const { firstRow, rows, scores } of blocks) {
    shift ??= scores.slice(0, channels).map((score) => (Number.isFinite(score) ? score : 0));
    for (let row = 0, at = 0; row < rows; row++) {
      const side = chosen[firstRow + row]!;
      for (let channel = 0; channel < channels; channel++, at++) {
        const value = scores[at]! - shift[channel]!;
        if (!Number.isFinite(value)) continue;
        count[side]![channel]!++;
        sum[side]![channel]! += value;
        squares[channel]! += value * value;
      }
    }
    await pause();
  }
  const found: Omit<Contrast, 'auc'>[] = [];
  for (let channel = 0; channel < channels; channel++) {
    const [others, ours] = [count[0]![channel]!, count[1]![channel]!];
    if (others === 0 || ours === 0) continue;
    const [outside, inside] = [sum[0]![channel]! / others, sum[1]![channel]! / ours];
    const mean = (sum[0]![channel]! + sum[1]![channel]!) / (others + ours);
    const variance = squares[channel]! / (others + ours) - mean * mean;
    if (!(variance > 0)) continue;
    found.push({ channel, inside: inside + shift![channel]!, outside: outside + shift![channel]!, deviations: (inside - outside) / Math.sqrt(variance) });
  }
  return found;
}

/** Several columns in one look, float32 `[rows]` each. */
async function readColumns(blocks: ScoreBlocks, rows: number, channels: number, wanted: readonly number[]): Promise<readonly Float32Array[]> {
  const columns = wanted.map(() => new Float32Array(rows));
  if (wanted.length === 0) return columns;
  for await (const { firstRow, rows: count, scores } of blocks) {
    for (let row = 0; row < count; row++) for (let at = 0; at < wanted.length; at++) columns[at]![firstRow + row] = scores[row * channels + wanted[at]!]!;
  }
  return columns;
}

/** Mann and Whitney's: both sides sorted, walked through together. */
function areaOf(column: Float32Array, chosen: Uint8Array): number {
  const [others, ours] = [0, 1].map((side) => column.filter((score, row) => chosen[row] === side && Number.isFinite(score)).sort()) as [Float32Array, Float32Array];
  let below = 0;
  let upTo = 0;
  let pairs = 0;
  for (const score of ours) {
    while (below < others.length && others[below]! < score) below++;
    upTo = Math.max(upTo, below);
    while (upTo < others.length && others[upTo]! <= score) upTo++;
    pairs += below + (upTo - below) / 2;
  }
  return ours.length === 0 || others.length === 0 ? 0.5 : pairs / (ours.length * others.length);
}
