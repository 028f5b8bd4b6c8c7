/** The binary columns of a map, one entry for each of its rows. */
import { contactingFetch } from '../../api/contact.ts';
import type { Extent } from './mapCamera.ts';
import type { PlainError } from '../../../src-shared/errors.ts';

/** Where the points of a map lie: in a unit square, the longer side filling it, x to the right and y down. */
export interface MapLayout extends Extent {
  /** `[points, 2]`; NaN where a point has no place. */
  readonly positions: Float32Array;
}

export async function fetchFloats(address: string, signal: AbortSignal): Promise<Float32Array> {
  return new Float32Array(await fetchColumn(address, signal));
}

export async function fetchIntegers(address: string, signal: AbortSignal): Promise<Int32Array> {
  return new Int32Array(await fetchColumn(address, signal));
}

/** @param coordinates `[points, 2]`, y up, in the units of the method; points that are not finite have no place */
export function layoutOf(coordinates: Float32Array): MapLayout {
  let [left, right, bottom, top] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let at = 0; at < coordinates.length; at += 2) {
    const [x, y] = [coordinates[at]!, coordinates[at + 1]!];
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    [left, right, bottom, top] = [Math.min(left, x), Math.max(right, x), Math.min(bottom, y), Math.max(top, y)];
  }
  const span = Math.max(right - left, top - bottom);
  const positions = new Float32Array(coordinates.length);
  // A map whose points all lie on one another is a point in the middle.
  if (!(span > 0)) return { positions: positions.map((_, at) => (Number.isFinite(coordinates[at]!) ? 0.5 : Number.NaN)), width: 1, height: 1 };
  const [width, height] = [(right - left) / span, (top - bottom) / span];
  const [marginX, marginY] = [(1 - width) / 2, (1 - height) / 2];
  for (let at = 0; at < coordinates.length; at += 2) {
    const [x, y] = [coordinates[at]!, coordinates[at + 1]!];
    const isPlaced = Number.isFinite(x) && Number.isFinite(y);
    positions[at] = isPlaced ? (x - left) / span + marginX : Number.NaN;
    positions[at + 1] = isPlaced ? (top - y) / span + marginY : Number.NaN;
  }
  return { positions, width: Math.max(width, 0.05), height: Math.max(height, 0.05) };
}

/** @param cells of each point, row-major from the top left; below 0: none */
export function mosaicOf(cells: Int32Array, { columns, rows }: { readonly columns: number; readonly rows: number }): MapLayout {
  const span = Math.max(1, columns, rows);
  const [marginX, marginY] = [(span - columns) / 2, (span - rows) / 2];
  const positions = new Float32Array(2 * cells.length);
  cells.forEach((cell, point) => {
    positions[2 * point] = cell < 0 ? Number.NaN : ((cell % columns) + 0.5 + marginX) / span;
    positions[2 * point + 1] = cell < 0 ? Number.NaN : (Math.floor(cell / columns) + 0.5 + marginY) / span;
  });
  return { positions, width: columns / span, height: rows / span };
}

async function fetchColumn(address: string, signal: AbortSignal): Promise<ArrayBuffer> {
  const response = await contactingFetch(address, { signal });
  if (!response.ok) throw await refusal(response);
  return response.arrayBuffer();
}

async function refusal(response: Response): Promise<PlainError> {
  try {
    return (await response.json()) as PlainError;
  } catch {
    return { code: 'INTERNAL', message: `A part of the map could not be read: the core answered ${response.status}.`, data: { status: response.status } };
  }
}
