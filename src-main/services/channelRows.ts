/**
 * The channels of a layer as rows of a map: each channel's scores over the images, less their mean and divided by their length, so that the square of the distance of two rows is two minus twice
 * the correlation of their channels.
 */
import type { Matrix } from '../features/matrix.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import { layerOf } from './indexing.ts';
import { createScoreRows } from './scoreRows.ts';

/** Numbers that are held at once: 256 MB. Of more images every n-th stands for all. */
const mostNumbers = 64 * 2 ** 20;

export async function channelRows(store: Store, index: StoredIndex, layerNumber: number, signal?: AbortSignal): Promise<{ readonly matrix: Matrix; readonly notes: readonly string[] }> {
  const layer = layerOf(index, layerNumber);
  return createScoreRows().layer(
    store,
    index,
    layer,
    async ({ rows, channels, blocks }) => {
      const stride = Math.max(1, Math.ceil((rows * channels) / mostNumbers));
      const data = new Float32Array(channels * Math.ceil(rows / stride));
      const width = Math.ceil(rows / stride);
      let images = 0;
      let left = 0;
      for await (const { firstRow, rows: count, scores } of blocks()) {
        for (let row = 0; row < count; row++) {
          if ((firstRow + row) % stride !== 0) continue;
          const at = row * channels;
          if (!isFinite(scores, at, channels)) {
            left++;
            continue;
          }
          for (let channel = 0; channel < channels; channel++) data[channel * width + images] = scores[at + channel]!;
          images++;
        }
      }
      const silent = normalize(data, channels, width, images);
      return {
        // Places of images that were left out are zeros, which change no distance.
        matrix: { rows: channels, dimensions: width, data },
        notes: [
          ...(stride > 1 ? [`Correlations are over every ${stride}th image, ${images} of ${rows}.`] : []),
          ...(left > 0 ? [`${left} images have a score that is no finite number in this layer and were left out.`] : []),
          ...(silent > 0 ? [`${silent} ${silent === 1 ? 'channel always says' : 'channels always say'} the same and ${silent === 1 ? 'correlates' : 'correlate'} with none; ${silent === 1 ? 'its place means' : 'their places mean'} nothing.`] : []),
        ],
      };
    },
    signal,
  );
}

function isFinite(scores: Float32Array, at: number, channels: number): boolean {
  // Zero times anything finite is zero, times the rest NaN.
  let sum = 0;
  for (let channel = 0; channel < channels; channel++) sum += scores[at + channel]! * 0;
  return sum === 0;
}

/** In place; how many channels have no variance. */
function normalize(data: Float32Array, channels: number, width: number, images: number): number {
  let silent = 0;
  for (let channel = 0; channel < channels; channel++) {
    const row = data.subarray(channel * width, channel * width + images);
    let sum = 0;
    for (const value of row) sum += value;
    const mean = sum / Math.max(1, images);
    let squares = 0;
    for (let at = 0; at < images; at++) squares += (row[at]! - mean) ** 2;
    const length = Math.sqrt(squares);
    if (length === 0) silent++;
    for (let at = 0; at < images; at++) row[at] = length === 0 ? 0 : (row[at]! - mean) / length;
  }
  return silent;
}
