/** What a windowed graph is fed for given units, and where its result lies in the image. */
import type { Box } from '../../../src-shared/domain/geometry.ts';
import type { MaskInput, WindowGraph } from './windowGraph.ts';
import type { Stretch } from './ranges.ts';

/** A unit's position in its layer. */
export interface Position {
  readonly y: number;
  readonly x: number;
}

/** Row-major values for an engine: the same shape as its Data. */
export interface Fed {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array;
}

/** `[channels, height, width]` of the network input. */
export type ImageSize = readonly [channels: number, height: number, width: number];

/** The image windows (zero outside the image) and the masks of a batch of units. `image`: normalised `[C, H, W]`. */
export function feedWindows(window: WindowGraph, units: readonly (Position & { readonly image: Float32Array })[], [channels, height, width]: ImageSize): Map<string, Fed> {
  const [rows, columns] = window.image;
  const data = new Float32Array(units.length * channels * rows.size * columns.size);
  units.forEach(({ y, x, image }, index) => {
    const top = startOf(rows, y);
    const left = startOf(columns, x);
    const from = Math.max(left, 0);
    const to = Math.min(left + columns.size, width);
    if (from >= to) return;
    for (let channel = 0; channel < channels; channel++) {
      for (let row = Math.max(top, 0); row < Math.min(top + rows.size, height); row++) {
        const source = (channel * height + row) * width;
        data.set(image.subarray(source + from, source + to), ((index * channels + channel) * rows.size + row - top) * columns.size + from - left);
      }
    }
  });
  const feeds = new Map<string, Fed>([[window.graph.inputs[0]!.name, { shape: [units.length, channels, rows.size, columns.size], data }]]);
  for (const mask of window.masks) feeds.set(mask.name, maskOf(mask, units));
  return feeds;
}

/** One unit's part of a windowed result `[N, C, rows, columns]`, without what lies outside the image, and its place there. */
export function placeOf(window: WindowGraph, result: Float32Array, index: number, { y, x }: Position, [channels, height, width]: ImageSize): { readonly box: Box; readonly part: Float32Array } {
  const [rows, columns] = window.image;
  const [top, left] = [startOf(rows, y), startOf(columns, x)];
  const box: Box = [Math.max(top, 0), Math.max(left, 0), Math.min(top + rows.size, height), Math.min(left + columns.size, width)];
  const part = new Float32Array(channels * (box[2] - box[0]) * (box[3] - box[1]));
  let to = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let row = box[0]; row < box[2]; row++) {
      const from = ((index * channels + channel) * rows.size + row - top) * columns.size;
      part.set(result.subarray(from + box[1] - left, from + box[3] - left), to);
      to += box[3] - box[1];
    }
  }
  return { box, part };
}

function startOf({ stride, offset }: Stretch, position: number): number {
  return stride * position + offset;
}

function maskOf({ range: [rows, columns], height, width }: MaskInput, units: readonly Position[]): Fed {
  const size = rows.size * columns.size;
  const data = new Uint8Array(units.length * size);
  units.forEach(({ y, x }, index) => {
    const [top, left] = [startOf(rows, y), startOf(columns, x)];
    for (let row = Math.max(0, -top); row < Math.min(rows.size, height - top); row++) {
      for (let column = Math.max(0, -left); column < Math.min(columns.size, width - left); column++) data[index * size + row * columns.size + column] = 1;
    }
  });
  return { shape: [units.length, 1, rows.size, columns.size], data };
}
