/**
 * Bytes to network input: channel order, `x' = (x * scale - mean) / std`, and planes instead of interleaved pixels (method.md section 6). A byte has 256 values,
 * so each channel's formula is a table, computed in double precision and rounded to float32 once.
 */
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';

/**
 * @param pixels `[N, H, W, 3]` RGB, 0..255, with `[H, W] = preprocessing.crop`
 * @param into where to write, of the result's length; default: a new array
 * @returns `[N, C, H, W]` float32; C = 1 for grey (luma .299 R + .587 G + .114 B, not rounded), else 3 in the order the network receives
 */
export function normalizePixels(pixels: Uint8Array, preprocessing: Pick<Preprocessing, 'order' | 'crop' | 'scale' | 'mean' | 'std'>, images: number, into?: Float32Array): Float32Array {
  const plane = preprocessing.crop[0] * preprocessing.crop[1];
  if (pixels.length !== images * plane * 3) {
    throw new Error(`normalizePixels: ${pixels.length} bytes for ${images} images of ${preprocessing.crop[0]} x ${preprocessing.crop[1]} x 3.`);
  }
  const isGrey = preprocessing.order === 'grey';
  const output = into ?? new Float32Array(images * plane * (isGrey ? 1 : 3));
  return isGrey ? greyPlanes(pixels, preprocessing, output) : colourPlanes(pixels, preprocessing, images, plane, output);
}

/** Writes the window of a picture that starts at `top`, `left` (both may be negative) into `target` from `at` on, `[C, rows, columns]`; 0 outside the picture. */
export type WindowCutter = (pixels: Uint8Array, top: number, left: number, rows: number, columns: number, target: Float32Array, at: number) => void;

/** The same values as normalizePixels, of a part of one picture: `pixels` is `[H, W, 3]` RGB, 0..255, with `[H, W] = preprocessing.crop`. */
export function createWindowCutter(preprocessing: Pick<Preprocessing, 'order' | 'crop' | 'scale' | 'mean' | 'std'>): WindowCutter {
  const [height, width] = preprocessing.crop;
  const isGrey = preprocessing.order === 'grey';
  const channels = isGrey ? 1 : 3;
  const tables = isGrey ? [] : colourTables(preprocessing);
  return (pixels, top, left, rows, columns, target, at) => {
    const [firstRow, lastRow] = [Math.max(top, 0), Math.min(top + rows, height)];
    const [firstColumn, lastColumn] = [Math.max(left, 0), Math.min(left + columns, width)];
    const isInside = firstRow === top && firstColumn === left && lastRow === top + rows && lastColumn === left + columns;
    if (!isInside) target.fill(0, at, at + channels * rows * columns);
    if (firstColumn >= lastColumn) return;
    for (let row = firstRow; row < lastRow; row++) {
      const from = (row * width + firstColumn) * 3;
      const to = at + (row - top) * columns + firstColumn - left;
      if (isGrey) greyRow(preprocessing, pixels, from, target, to, lastColumn - firstColumn);
      else threeRows(tables, pixels, from, target, to, rows * columns, lastColumn - firstColumn);
    }
  };
}

type Formula = Pick<Preprocessing, 'order' | 'scale' | 'mean' | 'std'>;

interface ColourTable {
  readonly plane: number;
  readonly table: Float32Array;
}

/** By the colour of the pixel: its formula, and where that colour's plane lies among the network's. */
function colourTables(formula: Formula): readonly ColourTable[] {
  return [0, 1, 2].map((colour) => {
    const plane = formula.order === 'bgr' ? 2 - colour : colour;
    return { plane, table: tableOf(formula, plane) };
  });
}

/** A row of pixels into its three planes in one pass: three passes would cost half as much again. */
function threeRows([red, green, blue]: readonly ColourTable[], pixels: Uint8Array, from: number, target: Float32Array, to: number, planeSize: number, count: number): void {
  const [redTable, greenTable, blueTable] = [red!.table, green!.table, blue!.table];
  const [redTo, greenTo, blueTo] = [to + red!.plane * planeSize, to + green!.plane * planeSize, to + blue!.plane * planeSize];
  for (let i = 0, at = from; i < count; i++, at += 3) {
    target[redTo + i] = redTable[pixels[at] as number] as number;
    target[greenTo + i] = greenTable[pixels[at + 1] as number] as number;
    target[blueTo + i] = blueTable[pixels[at + 2] as number] as number;
  }
}

function colourPlanes(pixels: Uint8Array, formula: Formula, images: number, plane: number, output: Float32Array): Float32Array {
  const tables = colourTables(formula);
  for (let image = 0; image < images; image++) threeRows(tables, pixels, image * plane * 3, output, image * plane * 3, plane, plane);
  return output;
}

function greyPlanes(pixels: Uint8Array, formula: Formula, output: Float32Array): Float32Array {
  greyRow(formula, pixels, 0, output, 0, output.length);
  return output;
}

function greyRow(formula: Formula, pixels: Uint8Array, from: number, target: Float32Array, to: number, count: number): void {
  for (let i = 0; i < count; i++) target[to + i] = greyOf(formula, pixels, from + 3 * i);
}

/** Of the pixel that starts at `from`. */
function greyOf({ scale, mean, std }: Formula, pixels: Uint8Array, from: number): number {
  // Thousandths keep the sum exact: a grey picture's luma is its own value, not a rounding error beside it.
  const luma = (299 * (pixels[from] as number) + 587 * (pixels[from + 1] as number) + 114 * (pixels[from + 2] as number)) / 1000;
  return (luma * scale - valueOf(mean, 0)) / valueOf(std, 0);
}

function tableOf({ scale, mean, std }: Formula, channel: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, x) => (x * scale - valueOf(mean, channel)) / valueOf(std, channel));
}

/** A single mean or std counts for all channels. */
function valueOf(values: readonly number[], channel: number): number {
  const value = values.length === 1 ? values[0] : values[channel];
  if (value === undefined) throw new Error(`normalizePixels: no mean or std for channel ${channel}.`);
  return value;
}
