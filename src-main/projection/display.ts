/**
 * From signed values to colours (method.md section 5): zero is the neutral grey, the scale is symmetric, and stored values never change. Pictures are
 * RGBA: what lies outside the network input is a border of its own, a faint grey that belongs neither to image nor projection.
 */
import type { Box } from '../../src-shared/domain/geometry.ts';
import type { ChannelOrder } from '../../src-shared/domain/preprocessing.ts';
import type { Scale } from '../../src-shared/domain/projection.ts';

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** RGBA, 8 bit, row-major. */
  readonly pixels: Uint8Array;
}

const neutral = 128;
const border = [128, 128, 128, 40] as const;

/** The |x| that is shown at full contrast, for each of some projections that are looked at together. Projections of zeros get 1 and have no say in a shared one. */
export function displayLimits(projections: readonly Float32Array[], scale: Scale): readonly number[] {
  if (scale === 'raw') return projections.map(() => 1);
  const limits = projections.map((values) => (scale === 'minmax' ? largestMagnitude(values) : quantileOfMagnitude(values, 0.995)));
  const largest = Math.max(0, ...limits);
  return limits.map((limit) => (scale === 'shared' ? largest : limit) || 1);
}

function largestMagnitude(values: Float32Array): number {
  let largest = 0;
  for (let at = 0; at < values.length; at++) largest = Math.max(largest, Math.abs(values[at]!));
  return largest;
}

/**
 * The q-quantile of |x| by nearest rank over the values of a patch. Falls back to the largest where the quantile is 0 (almost all values zero); 0 where all
 * are. Magnitudes order like their bits, so values are counted by their upper bits and only the decisive bin is sorted: a picture costs one pass.
 */
export function quantileOfMagnitude(values: Float32Array, q: number): number {
  if (values.length === 0) return 0;
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const counts = new Uint32Array(2 ** 15);
  for (let at = 0; at < bits.length; at++) counts[(bits[at]! & 0x7fffffff) >>> 16]!++;
  const rank = Math.max(0, Math.min(values.length, Math.ceil(q * values.length)) - 1);
  let bin = 0;
  let below = 0;
  while (below + counts[bin]! <= rank) below += counts[bin++]!;
  const decisive = new Float32Array(counts[bin]!);
  for (let at = 0, to = 0; at < bits.length; at++) if ((bits[at]! & 0x7fffffff) >>> 16 === bin) decisive[to++] = Math.abs(values[at]!);
  return decisive.sort()[rank - below]! || largestMagnitude(values);
}

/** Draws a window of a projection: `values` is `[C, height, width]` in network channel order, `window` may reach outside the input. */
export function drawProjection(values: Float32Array, height: number, width: number, window: Box, limit: number, order: ChannelOrder): Picture {
  const plane = height * width;
  const channels = order === 'grey' ? [0, 0, 0] : order === 'bgr' ? [2, 1, 0] : [0, 1, 2];
  return draw(height, width, window, (at, pixels, to) => {
    for (let colour = 0; colour < 3; colour++) {
      const level = neutral + (values[channels[colour]! * plane + at]! / limit) * 127;
      pixels[to + colour] = Math.min(255, Math.max(0, Math.round(level)));
    }
  });
}

/** Draws a window of the resized original: `rgb` is `[height, width, 3]` 8-bit, never the normalised tensor. */
export function drawPatch(rgb: Uint8Array, height: number, width: number, window: Box): Picture {
  return draw(height, width, window, (at, pixels, to) => {
    pixels[to] = rgb[at * 3]!;
    pixels[to + 1] = rgb[at * 3 + 1]!;
    pixels[to + 2] = rgb[at * 3 + 2]!;
  });
}

function draw(height: number, width: number, [y0, x0, y1, x1]: Box, paint: (at: number, pixels: Uint8Array, to: number) => void): Picture {
  const pixels = new Uint8Array((y1 - y0) * (x1 - x0) * 4);
  let to = 0;
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++, to += 4) {
      if (y < 0 || y >= height || x < 0 || x >= width) {
        pixels.set(border, to);
        continue;
      }
      paint(y * width + x, pixels, to);
      pixels[to + 3] = 255;
    }
  }
  return { width: x1 - x0, height: y1 - y0, pixels };
}
