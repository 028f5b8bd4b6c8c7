/**
 * One image file to the pixels the network will see, before normalisation (method.md section 6): EXIF orientation, embedded profile to sRGB, alpha on white, grey to
 * three channels, CMYK and 16 bit to 8, first frame; then the resize (bicubic, antialiased: resampleCubic.ts, and the library for what is too large to be held) and the centre crop. A file that
 * already has the wanted size passes unchanged.
 * Shrink-on-load is off there: measured on the photographs it moves pixels by up to 87 of 255, and the library's own switch (fastShrinkOnLoad: false) only halves the factor (up to
 * 30); an extract of the whole picture ahead of the resize really disables it (0 difference to a full decode), and the picture still streams.
 */
import { readFile, stat } from 'node:fs/promises';
import type { Metadata } from 'sharp';
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';
import { AppError, isAbort } from '../../src-shared/errors.ts';
import { letGo } from '../../src-shared/letGo.ts';
import { isSrgbProfile } from './colourProfiles.ts';
import { contentHashOf } from './contentHash.ts';
import { whatIsWrong } from './diagnose.ts';
import { sharp } from './imageLibrary.ts';
import { resampleCubic } from './resampleCubic.ts';

export interface DecodedImage {
  /** `[height, width, 3]` RGB, 0..255. */
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
  /** contentHash.ts. */
  readonly contentHash: string;
}

/** A larger picture is reduced by the library while it streams: by up to 15 levels (in the mean by less than one) otherwise than by resampleCubic.ts, but without being held. */
const wholePixels = 2 ** 22;

/** What one picture may cost; a file beyond it ends with a reason. */
export const decodeLimits = { fileBytes: 512 * 2 ** 20, pixels: 2 ** 28, workingBytes: 2 ** 30, resizedEdge: 100_000, seconds: 30 } as const;

/**
 * @throws AppError UNREADABLE_FILE whose message says what is wrong with this file (without its name, which stands in `data.file`); the signal's reason when aborted
 */
export async function decodeImage(file: string, preprocessing: Geometry, signal?: AbortSignal): Promise<DecodedImage> {
  const { pixels, crop, contentHash } = await decodeArea(file, preprocessing, (plan) => plan.crop, signal);
  return { pixels, height: crop.height, width: crop.width, contentHash };
}

/** The whole picture after the resize, with the place of the crop that `decodeImage` gives: its pixels are the same. Throws as that does. */
export async function decodeWhole(file: string, preprocessing: Geometry, signal?: AbortSignal): Promise<DecodedImage & { readonly crop: ResizePlan['crop'] }> {
  const { pixels, resized, crop, contentHash } = await decodeArea(file, preprocessing, (plan) => ({ left: 0, top: 0, ...plan.resized }), signal);
  return { pixels, height: resized.height, width: resized.width, crop, contentHash };
}

/** Sizes and offsets for a file, from its header; it is not read where its upright size is known. Throws as `decodeImage` does. */
export async function planOfFile(file: string, preprocessing: Geometry, known?: Size): Promise<ResizePlan & { readonly size: Size }> {
  return refusing(file, undefined, async () => {
    const size = known ?? (await readSize(await readWhole(file, undefined)));
    return { size, ...planResize(size, preprocessing) };
  });
}

type Geometry = Pick<Preprocessing, 'crop' | 'resize'>;

function decodeArea(file: string, preprocessing: Geometry, areaOf: (plan: ResizePlan) => ResizePlan['crop'], signal: AbortSignal | undefined) {
  return refusing(file, signal, async () => {
    const bytes = await readWhole(file, signal);
    const contentHash = contentHashOf(bytes);
    const size = await readSize(bytes);
    const plan = planResize(size, preprocessing);
    signal?.throwIfAborted();
    const pixels = await readPixels(bytes, size, plan, areaOf(plan));
    letGo(bytes);
    signal?.throwIfAborted();
    return { ...plan, pixels, contentHash };
  });
}

/** Whatever is wrong becomes an error about the file. */
async function refusing<T>(file: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  try {
    return await work();
  } catch (thrown) {
    if (signal?.aborted || isAbort(thrown) || (thrown instanceof AppError && thrown.data.file !== undefined)) throw thrown;
    const reason = thrown instanceof Refusal ? thrown.message : `The file cannot be decoded: ${String(thrown)}.`;
    throw new AppError('UNREADABLE_FILE', reason, { file }, thrown);
  }
}

/** A size in pixels. */
interface Size {
  readonly width: number;
  readonly height: number;
}

/** The upright picture. */
interface Readable extends Size {
  /** 8-bit RGB or grey without alpha or rotation, so that its stored values can be used as they are. */
  readonly isPlain: boolean;
  /** Its profile, where it has one, makes no difference (colourProfiles.ts). */
  readonly isSrgb: boolean;
}

export interface ResizePlan {
  /** Size of the whole picture after the resize. */
  readonly resized: Size;
  /** The part of it that the network sees. */
  readonly crop: Size & { readonly left: number; readonly top: number };
}

/**
 * Sizes and offsets of method.md section 6. Where the wanted shorter side is below the crop, the picture is enlarged until it covers the crop.
 * @param size of the upright picture
 */
export function planResize(size: Size, { crop, resize }: Pick<Preprocessing, 'crop' | 'resize'>): ResizePlan {
  const [height, width] = crop;
  const resized = resizedSize(size, { width, height }, resize);
  if (resized.width < width || resized.height < height) {
    throw new Refusal(`The image is ${size.width} x ${size.height} pixels, smaller than the network input of ${width} x ${height}, and resizing is switched off.`);
  }
  if (Math.max(resized.width, resized.height) > decodeLimits.resizedEdge) {
    throw new Refusal(`The image is ${size.width} x ${size.height} pixels: too long and narrow to resize (it would become ${resized.width} x ${resized.height}).`);
  }
  return { resized, crop: { left: Math.floor((resized.width - width) / 2), top: Math.floor((resized.height - height) / 2), width, height } };
}

function resizedSize(size: Size, crop: Size, resize: Preprocessing['resize']): Size {
  if (resize.kind === 'none') return size;
  if (resize.kind === 'exact') return crop;
  const shorter = Math.min(size.width, size.height);
  // The whole-number result of the rule, computed as w * N / h (never as w * (N / h), which rounds twice).
  const scaled = (pixels: number, of: number): Size => ({ width: Math.round((size.width * pixels) / of), height: Math.round((size.height * pixels) / of) });
  const wanted = scaled(resize.pixels, shorter);
  if (wanted.width >= crop.width && wanted.height >= crop.height) return wanted;
  const byHeight = scaled(crop.height, size.height);
  return byHeight.width >= crop.width ? byHeight : scaled(crop.width, size.width);
}

/** A reason why a file has no pixels, on its way to become an AppError. */
class Refusal extends Error {}

async function readWhole(file: string, signal: AbortSignal | undefined): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size === 0) throw new Refusal('The file is empty.');
    if (size > decodeLimits.fileBytes) throw new Refusal(`The file has ${megabytes(size)} MB; the limit is ${megabytes(decodeLimits.fileBytes)} MB.`);
    return await readFile(file, { signal });
  } catch (thrown) {
    if (thrown instanceof Refusal || signal?.aborted) throw thrown;
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown);
    if (code === 'ENOENT') throw new Refusal('The file is no longer there.');
    if (code === 'EACCES' || code === 'EPERM') throw new Refusal('There is no permission to read the file.');
    throw new Refusal(`The file cannot be read from disk (${code}).`);
  }
}

/** Size of the upright picture, after the EXIF orientation. */
async function readSize(bytes: Buffer): Promise<Readable> {
  // The header tells the size without decoding, however large: the limit is checked here, with numbers for the person.
  const metadata = await sharp(bytes, { limitInputPixels: false, failOn: 'none' })
    .metadata()
    .catch((cause: unknown) => {
      throw new Refusal(whatIsWrong(bytes, cause));
    });
  const { width, height } = metadata.autoOrient;
  const pixels = width * height;
  if (pixels > decodeLimits.pixels) {
    throw new Refusal(`The image is ${width} x ${height} pixels (${Math.round(pixels / 1e6)} megapixels); the limit is ${Math.floor(decodeLimits.pixels / 1e6)} megapixels. Make it smaller.`);
  }
  const working = workingBytes(metadata, pixels);
  if (working > decodeLimits.workingBytes) {
    throw new Refusal(`Decoding this ${width} x ${height} ${metadata.format} image needs about ${megabytes(working)} MB of memory; the limit is ${megabytes(decodeLimits.workingBytes)} MB. Make it smaller.`);
  }
  const isPlain = metadata.depth === 'uchar' && !metadata.hasAlpha && (metadata.space === 'srgb' || metadata.space === 'b-w') && (metadata.orientation ?? 1) === 1;
  const isSrgb = metadata.depth === 'uchar' && metadata.space === 'srgb' && (metadata.icc === undefined || (await isSrgbProfile(metadata.icc)));
  return { width, height, isPlain, isSrgb };
}

function sameSize(a: Size, b: Size): boolean {
  return a.width === b.width && a.height === b.height;
}

/** Memory for formats that cannot stream: interlaced and progressive files, turned pictures, and codecs that give the whole picture at once. */
function workingBytes(metadata: Metadata, pixels: number): number {
  const turned = (metadata.orientation ?? 1) > 1;
  const sampleBytes = metadata.depth === 'ushort' || (metadata.isProgressive && metadata.format === 'jpeg') ? 2 : metadata.depth === 'uchar' ? 1 : 4;
  const streams = !metadata.isProgressive && !turned && (metadata.format === 'jpeg' || metadata.format === 'png' || metadata.format === 'tiff');
  return streams ? 0 : pixels * metadata.channels * sampleBytes;
}

/** @param area of the resized picture */
async function readPixels(bytes: Buffer, { isPlain, isSrgb, ...size }: Readable, { resized, crop }: ResizePlan, area: ResizePlan['crop']): Promise<Uint8Array> {
  // A plain 8-bit picture that already is the network input was prepared for it: its stored values are the input, and a profile left in the file by an
  // earlier step must not change them. Every other picture is converted to sRGB.
  const isPrepared = isPlain && sameSize(size, resized) && sameSize(resized, crop);
  let picture = sharp(bytes, { limitInputPixels: decodeLimits.pixels, failOn: 'warning', pages: 1, ignoreIcc: isPrepared || isSrgb }).autoOrient();
  const isEnlarged = resized.width > size.width || resized.height > size.height;
  // Comes from the library as it is, all of it.
  const isWhole = !sameSize(resized, size) && (isEnlarged || size.width * size.height <= wholePixels);
  const [sized, part] = isWhole ? [size, { left: 0, top: 0, ...size }] : [resized, area];
  if (!sameSize(sized, size)) {
    picture = picture
      .extract({ left: 0, top: 0, width: size.width, height: size.height })
      .resize(sized.width, sized.height, { fit: 'fill', kernel: 'cubic', fastShrinkOnLoad: false });
  }
  if (!sameSize(part, sized)) picture = picture.extract(part);
  const { data, info } = await picture
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .timeout({ seconds: decodeLimits.seconds })
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => {
      throw new Refusal(whatIsWrong(bytes, cause));
    });
  if (info.channels !== 3 || info.width !== part.width || info.height !== part.height) {
    throw new Error(`decodeImage: asked for ${part.width} x ${part.height} x 3, got ${info.width} x ${info.height} x ${info.channels}.`);
  }
  if (!isWhole) return data;
  const result = resampleCubic(data, size, resized, area);
  letGo(data);
  return result;
}

function megabytes(size: number): number {
  return Math.ceil(size / 2 ** 20);
}
