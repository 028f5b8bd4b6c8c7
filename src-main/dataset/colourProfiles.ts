/**
 * Embedded colour profiles that are sRGB under another name. Converting from one of them moves a value by a level at most, by rounding, and costs more than decoding the picture; 51 of
 * the 334 photographs of the test data carry one. What a profile is is not read from its name but tried, once per profile: a cube of colours goes through the same conversion as
 * a picture would.
 */
import { createHash } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';
import { sharp } from './imageLibrary.ts';

/** Edge of the colour cube: every eighth level, and the last. */
const edge = 33;
const levelStep = 8;
/** What rounding may do. */
const mostLevels = 1;
/** A camera or a program has one profile; folders hold a handful. */
const mostKept = 256;

const known = new Map<string, Promise<boolean>>();
/** The colours and their picture, made when the first profile comes. */
let cube: Promise<{ readonly colours: Uint8Array; readonly png: Buffer }> | undefined;

/** @param profile ICC bytes of an 8-bit RGB picture. Whether leaving it out changes no value of the cube by more than one level of 255. */
export function isSrgbProfile(profile: Uint8Array): Promise<boolean> {
  const name = createHash('sha256').update(profile).digest('base64');
  let found = known.get(name);
  if (!found) {
    if (known.size >= mostKept) known.clear();
    // A profile that the library cannot use is left to it.
    known.set(name, (found = changesNothing(profile).catch(() => false)));
  }
  return found;
}

async function changesNothing(profile: Uint8Array): Promise<boolean> {
  const { colours, png } = await (cube ??= colourCube());
  const { data, info } = await sharp(withProfile(png, profile)).toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  return info.channels === 3 && colours.every((level, at) => Math.abs(level - data[at]!) <= mostLevels);
}

/** `colours`: `[edge * edge * edge, 3]`. */
async function colourCube(): Promise<{ readonly colours: Uint8Array; readonly png: Buffer }> {
  const levels = Array.from({ length: edge }, (_, index) => Math.min(255, index * levelStep));
  const colours = Uint8Array.from(levels.flatMap((red) => levels.flatMap((green) => levels.flatMap((blue) => [red, green, blue]))));
  return { colours, png: await sharp(colours, { raw: { width: edge * edge, height: edge, channels: 3 } }).png({ compressionLevel: 0 }).toBuffer() };
}

/** Signature and header of a PNG; the profile's chunk stands behind them (PNG specification, 11.3.2.3). */
const headBytes = 33;

function withProfile(png: Buffer, profile: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from('iCCPprofile\0\0', 'latin1'), deflateSync(profile)]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length - 'iCCP'.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([png.subarray(0, headBytes), length, body, check, png.subarray(headBytes)]);
}
