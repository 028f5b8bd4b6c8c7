/** What a windowed graph is fed for given units, and where its result lies in the image. */
import type { Box } from '../../../src-shared/domain/geometry.ts';
import type { Stretch } from './ranges.ts';
import type { MaskInput, WindowGraph } from './windowGraph.ts';

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

/** Writes the normalised window of a unit's image that starts at `top`, `left` (both may be negative) into `target` from `at` on, `[C, rows, columns]`; 0 outside the image. */
export type Cut<U> = (unit: U, top: number, left: number, rows: number, columns: number, target: Float32Array, at: number) => void;

/** What is known of a windowed graph without its nodes and weights. */
export type WindowFrame = Omit<WindowGraph, 'graph'>;

/** Whole batches of feeds in buffers that are used again and again: what `fill` returns is good until the next call. */
export interface WindowFeeder<U> {
  fill(units: readonly U[]): Map<string, Fed>;
}

/** For batches of at most `batch` units. The image windows and the masks; not the seeds. */
export function createWindowFeeder<U extends Position>({ imageInput, image: [rows, columns], masks }: WindowFrame, [channels]: ImageSize, batch: number, cut: Cut<U>): WindowFeeder<U> {
  const perUnit = channels * rows.size * columns.size;
  const windows = new Float32Array(batch * perUnit);
  const valid = masks.map(({ range }) => new Uint8Array(batch * range[0].size * range[1].size));
  return {
    fill(units) {
      for (const [index, unit] of units.entries()) cut(unit, startOf(rows, unit.y), startOf(columns, unit.x), rows.size, columns.size, windows, index * perUnit);
      const feeds = new Map<string, Fed>([[imageInput, { shape: [units.length, channels, rows.size, columns.size], data: windows.subarray(0, units.length * perUnit) }]]);
      for (const [at, mask] of masks.entries()) feeds.set(mask.name, maskOf(mask, units, valid[at]!));
      return feeds;
    },
  };
}

/**
 * One unit's part of a windowed result `[N, C, rows, columns]`, without what lies outside the image, and its place there. Where nothing lies outside, the part is a
 * view of the result.
 */
export function placeOf({ image: [rows, columns] }: WindowFrame, result: Float32Array, index: number, { y, x }: Position, [channels, height, width]: ImageSize): { readonly box: Box; readonly part: Float32Array } {
  const [top, left] = [startOf(rows, y), startOf(columns, x)];
  const box: Box = [Math.max(top, 0), Math.max(left, 0), Math.min(top + rows.size, height), Math.min(left + columns.size, width)];
  const [partRows, partColumns] = [box[2] - box[0], box[3] - box[1]];
  const perUnit = channels * rows.size * columns.size;
  if (partRows === rows.size && partColumns === columns.size) return { box, part: result.subarray(index * perUnit, (index + 1) * perUnit) };
  const part = new Float32Array(channels * partRows * partColumns);
  let to = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let row = box[0]; row < box[2]; row++) {
      const from = ((index * channels + channel) * rows.size + row - top) * columns.size;
      part.set(result.subarray(from + box[1] - left, from + box[3] - left), to);
      to += partColumns;
    }
  }
  return { box, part };
}

function startOf({ stride, offset }: Stretch, position: number): number {
  return stride * position + offset;
}

function maskOf({ range: [rows, columns], height, width }: MaskInput, units: readonly Position[], data: Uint8Array): Fed {
  const size = rows.size * columns.size;
  for (const [index, { y, x }] of units.entries()) {
    const [top, left] = [startOf(rows, y), startOf(columns, x)];
    const [firstRow, lastRow] = [Math.max(0, -top), Math.min(rows.size, height - top)];
    const [firstColumn, lastColumn] = [Math.max(0, -left), Math.min(columns.size, width - left)];
    const isInside = firstRow === 0 && firstColumn === 0 && lastRow === rows.size && lastColumn === columns.size;
    data.fill(isInside ? 1 : 0, index * size, (index + 1) * size);
    if (isInside || firstColumn >= lastColumn) continue;
    for (let row = firstRow; row < lastRow; row++) data.fill(1, index * size + row * columns.size + firstColumn, index * size + row * columns.size + lastColumn);
  }
  return { shape: [units.length, 1, rows.size, columns.size], data: data.subarray(0, units.length * size) };
}
