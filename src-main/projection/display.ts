/**
 * From signed values to colours (method.md section 5): zero is the neutral grey, the scale is symmetric, and stored values never change. Pictures are
 * RGBA: what lies outside the network input is a border of its own, a faint grey that belongs neither to image nor projection.
 */
import type { Box } from '../../src-shared/domain/geometry.ts';
import type { ChannelOrder } from '../../src-shared/domain/preprocessing.ts';
import type { ProjectionRecord, Scale } from '../../src-shared/domain/projection.ts';

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** RGBA, 8 bit, row-major. */
  readonly pixels: Uint8Array;
}

/** Grey levels of a part of a projection: `[C, rows, columns]` of `box`; everything else in the network input is zero. */
export interface Levels {
  /** Null where all is zero. */
  readonly box: Box | null;
  readonly levels: Uint8Array;
}

export const neutral = 128;
/** Grey levels between zero and full contrast. */
const contrast = 127;
/** Share of magnitudes that the default scale shows unclipped. */
const shownShare = 0.995;

/** The |x| that is shown at full contrast, for each of some projections that are looked at together. Projections of zeros get 1 and have no say in a shared one. */
export function displayLimits(projections: readonly Pick<ProjectionRecord, 'quantile' | 'absmax'>[], scale: Scale): readonly number[] {
  if (scale === 'raw') return projections.map(() => 1);
  const limits = projections.map(({ quantile, absmax }) => (scale === 'minmax' ? absmax : quantile));
  const largest = Math.max(0, ...limits);
  return limits.map((limit) => (scale === 'shared' ? largest : limit) || 1);
}

/**
 * The 99.5 % quantile of |x| by nearest rank over the values of a patch, of which `count` there are: `values`, and zeros. Falls back to the largest where the quantile is
 * 0 (almost all values zero); 0 where all are. Magnitudes order like their bits, so values are counted by their upper bits and only the decisive bin is sorted: a picture
 * costs one pass.
 */
export function quantileOfMagnitude(values: Float32Array, count = values.length, share = shownShare): number {
  if (values.length === 0) return 0;
  // From the largest down: the zeros that are not given lie below all of them.
  const rank = count - Math.max(1, Math.min(count, Math.ceil(share * count)));
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const counts = new Uint32Array(2 ** 15);
  let largestBits = 0;
  for (let at = 0; at < bits.length; at++) {
    const magnitude = bits[at]! & 0x7fffffff;
    if (magnitude > largestBits) largestBits = magnitude;
    counts[magnitude >>> 16]!++;
  }
  const largest = new Float32Array(Uint32Array.of(largestBits).buffer)[0]!;
  if (rank >= values.length) return largest;
  let bin = counts.length - 1;
  let above = 0;
  while (above + counts[bin]! <= rank) above += counts[bin--]!;
  const decisive = new Float32Array(counts[bin]!);
  for (let at = 0, to = 0; at < bits.length; at++) if ((bits[at]! & 0x7fffffff) >>> 16 === bin) decisive[to++] = Math.abs(values[at]!);
  return decisive.sort()[decisive.length - 1 - (rank - above)]! || largest;
}

/** Grey level of a value, not rounded, for a limit that is shown at full contrast. */
export function levelOf(value: number, limit: number): number {
  return neutral + (value / limit) * contrast;
}

/** Grey levels of `values`, `[C, rows, columns]` of `box`. */
export function levelsOf(values: Float32Array, box: Box, limit: number): Levels {
  // A clamped array rounds ties to even; half a level is no difference that a person or the kept form could tell.
  const levels = new Uint8ClampedArray(values.length);
  for (let at = 0; at < values.length; at++) levels[at] = levelOf(values[at]!, limit);
  return { box, levels: new Uint8Array(levels.buffer) };
}

/** Draws a window of a projection: `levels` in network channel order; `window` may reach outside the input of `height` x `width`. */
export function drawProjection({ box, levels }: Levels, height: number, width: number, window: Box, order: ChannelOrder): Picture {
  const { picture, colours } = canvas(height, width, window, opaque(neutral, neutral, neutral));
  if (box === null) return picture;
  const columns = box[3] - box[1];
  const plane = (box[2] - box[0]) * columns;
  const [red, green, blue] = order === 'grey' ? [0, 0, 0] : order === 'bgr' ? [2 * plane, plane, 0] : [0, plane, 2 * plane];
  paint(colours, window, box, (y, x) => {
    const at = (y - box[0]) * columns + x - box[1];
    return opaque(levels[red! + at]!, levels[green! + at]!, levels[blue! + at]!);
  });
  return picture;
}

/** Draws a window of the resized original: `rgb` is `[height, width, 3]` 8-bit, never the normalised tensor. */
export function drawPatch(rgb: Uint8Array, height: number, width: number, window: Box): Picture {
  const { picture, colours } = canvas(height, width, window, 0);
  paint(colours, window, [0, 0, height, width], (y, x) => {
    const at = (y * width + x) * 3;
    return opaque(rgb[at]!, rgb[at + 1]!, rgb[at + 2]!);
  });
  return picture;
}

/** Red, green, blue and full alpha as they lie in memory; every machine that Node 24 runs on is little-endian. */
function opaque(red: number, green: number, blue: number): number {
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
}

/** Outside the network input. */
const border = ((40 << 24) | (neutral << 16) | (neutral << 8) | neutral) >>> 0;

/** A picture of the window with its border, the part inside the input filled with one colour. */
function canvas(height: number, width: number, window: Box, inside: number): { readonly picture: Picture; readonly colours: Uint32Array } {
  const [y0, x0, y1, x1] = window;
  const colours = new Uint32Array((y1 - y0) * (x1 - x0));
  const isWithin = y0 >= 0 && x0 >= 0 && y1 <= height && x1 <= width;
  colours.fill(isWithin ? inside : border);
  if (!isWithin) paint(colours, window, [0, 0, height, width], () => inside);
  return { picture: { width: x1 - x0, height: y1 - y0, pixels: new Uint8Array(colours.buffer) }, colours };
}

/** Sets the colours of a window where it overlaps a box. */
function paint(colours: Uint32Array, [y0, x0, y1, x1]: Box, [top, left, bottom, right]: Box, colour: (y: number, x: number) => number): void {
  const [fromX, toX] = [Math.max(x0, left), Math.min(x1, right)];
  for (let y = Math.max(y0, top); y < Math.min(y1, bottom); y++) {
    const row = (y - y0) * (x1 - x0) - x0;
    for (let x = fromX; x < toX; x++) colours[row + x] = colour(y, x);
  }
}
