/** Maps of numbers as pictures: each number a pixel of a colour map, sheets of many maps, labels as colours, and differences magnified around grey. */
import { colourAt, labelColour, type ColourMap } from '../../src-shared/domain/colourMaps.ts';
import type { Picture } from '../projection/display.ts';
import { sheetGap } from '../projection/sheet.ts';

/** A colour map between two values. */
export interface MapScale {
  readonly map: ColourMap;
  readonly from: number;
  readonly to: number;
}

/** Where a number is missing the picture is transparent. `values`: `[height, width]`. */
export function drawMap(values: ArrayLike<number | null>, height: number, width: number, scale: MapScale): Picture {
  const pixels = new Uint8Array(height * width * 4);
  const table = tableOf(scale.map);
  const range = scale.to - scale.from || 1;
  for (let at = 0; at < height * width; at++) {
    const value = values[at];
    if (value === null || value === undefined) continue;
    paint(pixels, at, table, (value - scale.from) / range);
  }
  return { width, height, pixels };
}

/** Each number a colour of its own: neighbouring numbers differ much. */
export function drawLabels(labels: ArrayLike<number | null>, height: number, width: number): Picture {
  const pixels = new Uint8Array(height * width * 4);
  for (let at = 0; at < height * width; at++) {
    const label = labels[at];
    if (label !== null && label !== undefined) pixels.set([...labelColour(label), 255], at * 4);
  }
  return { width, height, pixels };
}

export interface SheetOrder {
  /** `[C, height, width]`. */
  readonly maps: Float32Array;
  readonly height: number;
  readonly width: number;
  /** Which channels, in the order of the tiles. */
  readonly channels: readonly number[];
  /** Edge of a tile in pixels; the longer side of a map fills it. */
  readonly size: number;
  readonly columns: number;
  /** Full contrast of a channel. */
  limitOf(channel: number): number;
  readonly signed: boolean;
}

/** All channels as one picture, tiles left to right, top to bottom, with a transparent gap. Large maps are averaged down, small ones keep hard pixels. */
export function drawActivationSheet({ maps, height, width, channels, size, columns, limitOf, signed }: SheetOrder): Picture {
  const rows = Math.ceil(channels.length / columns);
  const [sheetWidth, sheetHeight] = [columns * size + (columns - 1) * sheetGap, rows * size + (rows - 1) * sheetGap];
  const pixels = new Uint8Array(sheetWidth * sheetHeight * 4);
  const table = tableOf(signed ? 'signed' : 'grey');
  const longer = Math.max(height, width);
  const [tileHeight, tileWidth] = [Math.max(1, Math.round((height * size) / longer)), Math.max(1, Math.round((width * size) / longer))];
  channels.forEach((channel, place) => {
    const limit = limitOf(channel) || 1;
    const map = maps.subarray(channel * height * width, (channel + 1) * height * width);
    const left = (place % columns) * (size + sheetGap) + Math.floor((size - tileWidth) / 2);
    const top = Math.floor(place / columns) * (size + sheetGap) + Math.floor((size - tileHeight) / 2);
    for (let y = 0; y < tileHeight; y++) {
      const [y0, y1] = sourceOf(y, tileHeight, height);
      for (let x = 0; x < tileWidth; x++) {
        const [x0, x1] = sourceOf(x, tileWidth, width);
        const value = mean(map, width, y0, x0, y1, x1) / limit;
        paint(pixels, (top + y) * sheetWidth + left + x, table, signed ? (value + 1) / 2 : value);
      }
    }
  });
  return { width: sheetWidth, height: sheetHeight, pixels };
}

/** Grey where nothing changed, `factor` grey levels for each level of change; both `[H, W, 3]`. */
export function drawDifference(before: Uint8Array, after: Uint8Array, factor: number): Uint8Array {
  return Uint8Array.from(before, (level, at) => Math.min(255, Math.max(0, Math.round(128 + factor * (after[at]! - level)))));
}

/** The rounded factor that makes the largest change as strong as grey allows. */
export function differenceFactor(before: Uint8Array, after: Uint8Array): number {
  let largest = 0;
  for (let at = 0; at < before.length; at++) largest = Math.max(largest, Math.abs(after[at]! - before[at]!));
  return largest === 0 ? 1 : Math.max(1, Math.floor(127 / largest));
}

function sourceOf(at: number, of: number, size: number): readonly [number, number] {
  const from = Math.floor((at * size) / of);
  return [from, Math.max(from + 1, Math.floor(((at + 1) * size) / of))];
}

function mean(map: Float32Array, width: number, y0: number, x0: number, y1: number, x1: number): number {
  if (y1 - y0 === 1 && x1 - x0 === 1) return map[y0 * width + x0]!;
  let sum = 0;
  for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) sum += map[y * width + x]!;
  return sum / ((y1 - y0) * (x1 - x0));
}

/** Even, so that the middle of a signed map is exactly its middle colour. */
const steps = 254;

function tableOf(map: ColourMap): Uint8Array {
  const table = new Uint8Array((steps + 1) * 4);
  for (let at = 0; at <= steps; at++) table.set([...colourAt(map, at / steps), 255], at * 4);
  return table;
}

function paint(pixels: Uint8Array, at: number, table: Uint8Array, share: number): void {
  const from = Math.round(Math.min(1, Math.max(0, share)) * steps) * 4;
  for (let part = 0; part < 4; part++) pixels[at * 4 + part] = table[from + part]!;
}
