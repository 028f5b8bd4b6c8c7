/**
 * Screenshots that are kept beside the tests and compared: at half their size and as WebP, so that all of them stay small, and with a tolerance, so that the last bits of a projection or
 * the smoothing of a letter's edge on another machine are no difference, while a moved panel, a lost picture or another colour is one.
 */
import sharp from 'sharp';

/** Kept pictures are this much smaller than the window. */
const shrink = 2;
/** Of WebP, 0-100. */
const quality = 80;
/** Largest difference of a channel, 0-255, that is none: WebP alone makes up to about a dozen. */
const allowedDifference = 24;
/** Edge of the squares, in kept pixels, that are compared by their mean, so that a letter drawn half a pixel further is the same. */
const square = 4;

/** @param png a screenshot; returns the WebP that is kept. */
export async function keptPicture(png: Buffer): Promise<Buffer> {
  const { width = 0, height = 0 } = await sharp(png).metadata();
  return sharp(png).resize(Math.round(width / shrink), Math.round(height / shrink), { kernel: 'lanczos3' }).webp({ quality, effort: 4 }).toBuffer();
}

export interface PictureDifference {
  /** Share of squares that differ, 0..1; 1 where the sizes do. */
  readonly share: number;
  /** The first picture with the differing squares in red, as PNG. */
  readonly marked: Buffer;
}

/** Compares two kept pictures. */
export async function compareKept(before: Buffer, now: Buffer): Promise<PictureDifference> {
  const [a, b] = await Promise.all([pixels(before), pixels(now)]);
  if (a.width !== b.width || a.height !== b.height) return { share: 1, marked: before };
  const marked = Buffer.from(a.data);
  const [across, down] = [Math.floor(a.width / square), Math.floor(a.height / square)];
  let different = 0;
  for (let top = 0; top < down; top++) {
    for (let left = 0; left < across; left++) {
      if (meanDifference(a, b, left * square, top * square) <= allowedDifference) continue;
      different += 1;
      paintRed(marked, a.width, left * square, top * square);
    }
  }
  return { share: different / (across * down), marked: await sharp(marked, { raw: { width: a.width, height: a.height, channels: 3 } }).png().toBuffer() };
}

interface Pixels {
  /** `[height, width, 3]`, 0-255. */
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
}

async function pixels(kept: Buffer): Promise<Pixels> {
  const { data, info } = await sharp(kept).removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** Of the means of one square, in the channel where it is largest. */
function meanDifference(a: Pixels, b: Pixels, x: number, y: number): number {
  const sums = [0, 0, 0];
  for (let row = y; row < y + square; row++) {
    for (let column = x; column < x + square; column++) {
      for (let channel = 0; channel < 3; channel++) {
        const at = (row * a.width + column) * 3 + channel;
        sums[channel]! += a.data[at]! - b.data[at]!;
      }
    }
  }
  return Math.max(...sums.map(Math.abs)) / square ** 2;
}

function paintRed(data: Buffer, width: number, x: number, y: number): void {
  for (let row = y; row < y + square; row++) for (let column = x; column < x + square; column++) data.set([255, 0, 0], (row * width + column) * 3);
}
