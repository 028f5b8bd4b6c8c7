/** Which part of a picture a loupe shows. Pure. */

export interface LoupeSource {
  /** Top left corner and extent, in the picture's own pixels; parts outside the picture are left empty. */
  readonly sx: number;
  readonly sy: number;
  readonly size: { readonly width: number; readonly height: number };
}

/**
 * The square of `pixels` x `pixels` input pixels around a position, whose pixel lies in the middle.
 * @param crop `[height, width]` of the input that the picture shows, whatever size the picture itself has
 */
export function loupeSource(at: { readonly y: number; readonly x: number }, pixels: number, crop: readonly [number, number], picture: { readonly naturalWidth: number; readonly naturalHeight: number }): LoupeSource {
  const scale = { y: picture.naturalHeight / crop[0], x: picture.naturalWidth / crop[1] };
  const half = (pixels - 1) / 2;
  return { sx: (at.x - half) * scale.x, sy: (at.y - half) * scale.y, size: { width: pixels * scale.x, height: pixels * scale.y } };
}

/** The input pixel below a point of an element that shows the whole input; null outside. `y`, `x`, and the element's extent in CSS pixels. */
export function pixelBelow(point: { readonly y: number; readonly x: number }, extent: { readonly width: number; readonly height: number }, crop: readonly [number, number]): { readonly y: number; readonly x: number } | null {
  const y = Math.floor((point.y / extent.height) * crop[0]);
  const x = Math.floor((point.x / extent.width) * crop[1]);
  return y >= 0 && x >= 0 && y < crop[0] && x < crop[1] ? { y, x } : null;
}

/** A step of the loupe that stays inside the input. */
export function steppedPixel(at: { readonly y: number; readonly x: number }, by: { readonly y: number; readonly x: number }, crop: readonly [number, number]): { readonly y: number; readonly x: number } {
  return { y: Math.min(crop[0] - 1, Math.max(0, at.y + by.y)), x: Math.min(crop[1] - 1, Math.max(0, at.x + by.x)) };
}
