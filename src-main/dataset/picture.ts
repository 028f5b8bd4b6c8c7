/** Raw pixels to PNG, and raw pixels to another size, for what is shown to a person (never for network input: decode.ts does that). */
import { sharp } from './imageLibrary.ts';

/** 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. */
export type Channels = 1 | 2 | 3 | 4;

export interface RawPicture {
  /** `[height, width, channels]`, 0..255. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: Channels;
}

/** Lossless; pixels come back as they went in. `haste`: a little larger, in a third of the time, for what somebody waits for. */
export async function encodePng(pixels: Uint8Array, width: number, height: number, channels: Channels, haste = false): Promise<Uint8Array> {
  const options = haste ? { compressionLevel: 2 } : { compressionLevel: 6, adaptiveFiltering: channels > 2 };
  return open({ pixels, width, height, channels }).png(options).toBuffer();
}

/** `cubic` is smooth (photographs, small patches); `nearest` keeps hard pixel edges. Alpha is respected: transparent pixels lend no colour. */
export async function resizePixels(picture: RawPicture, width: number, height: number, kernel: 'cubic' | 'nearest' = 'cubic'): Promise<RawPicture> {
  if (width === picture.width && height === picture.height) return picture;
  const { data, info } = await open(picture).resize(width, height, { fit: 'fill', kernel }).raw().toBuffer({ resolveWithObject: true });
  return { pixels: data, width: info.width, height: info.height, channels: info.channels as Channels };
}

/** A crop for keeping: `pixels` is `[height, width, 3]` RGB. WebP without loss at its least effort: a seventh smaller than PNG and no slower. */
export async function encodeCrop(pixels: Uint8Array, width: number, height: number): Promise<Uint8Array> {
  return open({ pixels, width, height, channels: 3 }).webp({ lossless: true, effort: 0 }).toBuffer();
}

/** Network inputs are not larger, whatever a pack from elsewhere holds. */
const largestCropPixels = 4096 * 4096;

/** The pixels of encodeCrop, `[height, width, 3]` RGB. */
export async function decodeCrop(picture: Uint8Array): Promise<Uint8Array> {
  return sharp(picture, { limitInputPixels: largestCropPixels }).raw().toBuffer();
}

/** A PNG of ours, as RGBA. */
export async function decodePicture(png: Uint8Array): Promise<RawPicture> {
  const { data, info } = await sharp(png, { limitInputPixels: largestCropPixels }).toColourspace('srgb').ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return { pixels: data, width: info.width, height: info.height, channels: 4 };
}

/** Of the upright picture, from its header alone. */
export async function sizeOfPicture(bytes: Uint8Array): Promise<{ readonly width: number; readonly height: number }> {
  const { width, height } = (await sharp(bytes, { limitInputPixels: false, failOn: 'none' }).metadata()).autoOrient;
  return { width, height };
}

function open({ pixels, width, height, channels }: RawPicture): ReturnType<typeof sharp> {
  if (pixels.length !== width * height * channels) throw new Error(`picture: ${pixels.length} bytes for ${width} x ${height} x ${channels}.`);
  const picture = sharp(pixels, { raw: { width, height, channels } });
  // Without this a grey picture comes out as RGB.
  return channels < 3 ? picture.toColourspace('b-w') : picture;
}
