/**
 * Pictures that are shifted, scaled and rotated (Zeiler & Fergus 2013, section 4.1 and Figure 5): bilinear between pixels, one colour beyond the border, rounded to 8 bits. An identity gives the very
 * same pixels, so that its distance is 0 and not what resampling makes of it.
 */
import type { TransformKind } from '../../src-shared/domain/experiments.ts';

export interface Raster {
  /** `[height, width, 3]` 8-bit RGB. */
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
}

export interface Transform {
  readonly kind: TransformKind;
  /** Pixels downwards; a factor; degrees counterclockwise. */
  readonly value: number;
}

export function isIdentity({ kind, value }: Transform): boolean {
  return kind === 'scale' ? value === 1 : kind === 'shift' ? value === 0 : value % 360 === 0;
}

/** @returns `[height, width, 3]` as before; the given array itself for an identity */
export function movePicture({ pixels, height, width }: Raster, transform: Transform, fill: readonly [number, number, number]): Uint8Array {
  if (isIdentity(transform)) return pixels;
  const sourceOf = inverseOf(transform, (height - 1) / 2, (width - 1) / 2);
  const moved = new Uint8Array(pixels.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [fromY, fromX] = sourceOf(y, x);
      const [top, left] = [Math.floor(fromY), Math.floor(fromX)];
      const [down, right] = [fromY - top, fromX - left];
      for (let colour = 0; colour < 3; colour++) {
        const at = (row: number, column: number) => (row < 0 || row >= height || column < 0 || column >= width ? fill[colour]! : pixels[(row * width + column) * 3 + colour]!);
        const upper = at(top, left) * (1 - right) + at(top, left + 1) * right;
        const lower = at(top + 1, left) * (1 - right) + at(top + 1, left + 1) * right;
        moved[(y * width + x) * 3 + colour] = Math.round(upper * (1 - down) + lower * down);
      }
    }
  }
  return moved;
}

/** The values of a range in order, both ends included where the steps meet the end; without the noise of repeated addition. */
export function valuesOf({ from, to, step }: { readonly from: number; readonly to: number; readonly step: number }): readonly number[] {
  const count = Math.floor((to - from) / step + 1e-9) + 1;
  return Array.from({ length: Math.max(0, count) }, (_, at) => Number((from + at * step).toFixed(9)));
}

/** Where in the old picture a place of the new one comes from. */
function inverseOf({ kind, value }: Transform, middleY: number, middleX: number): (y: number, x: number) => readonly [number, number] {
  if (kind === 'shift') return (y, x) => [y - value, x];
  if (kind === 'scale') return (y, x) => [middleY + (y - middleY) / value, middleX + (x - middleX) / value];
  // Quarter turns exactly: their cosines are not quite 0 in floating point, which would mix neighbours.
  const [cosine, sine] = [Math.cos, Math.sin].map((of) => (value % 90 === 0 ? Math.round(of((value * Math.PI) / 180)) : of((value * Math.PI) / 180))) as [number, number];
  return (y, x) => [middleY + (x - middleX) * sine + (y - middleY) * cosine, middleX + (x - middleX) * cosine - (y - middleY) * sine];
}

/** Euclidean distance of two feature vectors, and that divided by the norm of the first; null where that is 0. */
export function featureDistance(plain: Float32Array, other: Float32Array): { readonly distance: number; readonly relative: number | null } {
  let [difference, norm] = [0, 0];
  for (let at = 0; at < plain.length; at++) {
    const apart = plain[at]! - other[at]!;
    difference += apart * apart;
    norm += plain[at]! * plain[at]!;
  }
  return { distance: Math.sqrt(difference), relative: norm === 0 ? null : Math.sqrt(difference / norm) };
}
