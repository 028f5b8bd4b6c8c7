/**
 * Which channels an image excites. Channels have scales of their own, so that raw scores cannot be compared: the answer is ordered by the share of the other images that score lower (1: none
 * scores as high), then by how many standard deviations the score lies above the channel's mean, which tells the many channels apart that have this image on top.
 */
import { createPauses, type ScoreBlocks } from './blocks.ts';

export interface ExcitedChannel {
  readonly channel: number;
  readonly score: number;
  readonly shareLower: number;
  /** Population standard deviations above the mean of all finite scores; null for a channel that always says the same. */
  readonly deviations: number | null;
}

/**
 * @param scores the image's own row, `[channels]`
 * @returns all channels whose score is a number, most excited first, ties by channel
 */
export async function excitedChannels(blocks: ScoreBlocks, scores: Float32Array, signal?: AbortSignal): Promise<readonly ExcitedChannel[]> {
  const channels = scores.length;
  const lower = new Float64Array(channels);
  const ranked = new Float64Array(channels);
  const finite = new Float64Array(channels);
  // Differences to the image's own score: what they lose of small numbers does not matter beside it.
  const sum = new Float64Array(channels);
  const squares = new Float64Array(channels);
  const pause = createPauses(signal);
  for await (const { rows, scores: block } of blocks) {
    for (let row = 0, at = 0; row < rows; row++) {
      for (let channel = 0; channel < channels; channel++, at++) {
        const score = block[at]!;
        if (Number.isNaN(score)) continue;
        ranked[channel]!++;
        if (score < scores[channel]!) lower[channel]!++;
        const difference = scores[channel]! - score;
        if (!Number.isFinite(difference)) continue;
        finite[channel]!++;
        sum[channel]! += difference;
        squares[channel]! += difference * difference;
      }
    }
    await pause();
  }
  const found: ExcitedChannel[] = [];
  for (let channel = 0; channel < channels; channel++) {
    const score = scores[channel]!;
    if (Number.isNaN(score)) continue;
    const mean = sum[channel]! / finite[channel]!;
    const variance = squares[channel]! / finite[channel]! - mean * mean;
    found.push({ channel, score, shareLower: lower[channel]! / Math.max(1, ranked[channel]! - 1), deviations: variance > 0 ? mean / Math.sqrt(variance) : null });
  }
  return found.sort((a, b) => b.shareLower - a.shareLower || (b.deviations ?? -Infinity) - (a.deviations ?? -Infinity) || a.channel - b.channel);
}
