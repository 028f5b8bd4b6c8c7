/** Where a layer's map lies over the picture: each of its positions around the middle of what the unit sees. Pure. */
import type { LabLayer } from '../../api/records.ts';

/** Shares of the picture's edges; may reach beyond it. */
export interface MapBox {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** @param crop `[height, width]` of the picture */
export function mapBox({ height, width, receptiveField: { size, stride, offset } }: Pick<LabLayer, 'height' | 'width' | 'receptiveField'>, crop: readonly [number, number]): MapBox {
  const side = (axis: 0 | 1, positions: number): readonly [number, number] => {
    // One position sees all of the picture, and so does every one behind a layer that mixes all positions.
    if (positions === 1 || stride[axis] === 0) return [0, 1];
    return [(offset[axis] + size[axis] / 2 - stride[axis] / 2) / crop[axis], (positions * stride[axis]) / crop[axis]];
  };
  const [[top, tall], [left, wide]] = [side(0, height), side(1, width)];
  return { top, left, height: tall, width: wide };
}

/** The unit under a place given in shares of the picture's edges; the nearest one outside the map. */
export function unitAt({ height, width }: Pick<LabLayer, 'height' | 'width'>, box: MapBox, at: { readonly y: number; readonly x: number }): { readonly y: number; readonly x: number } {
  const along = (place: number, from: number, extent: number, positions: number): number => Math.min(positions - 1, Math.max(0, Math.floor(((place - from) / extent) * positions)));
  return { y: along(at.y, box.top, box.height, height), x: along(at.x, box.left, box.width, width) };
}

/** Whole tiles of a sheet beside each other, with a gap of one pixel. */
export function sheetColumns(width: number, size: number, channels: number, gap = 1): number {
  return Math.max(1, Math.min(channels, mostColumns, Math.floor((width + gap) / (size + gap))));
}

const mostColumns = 256;
