/** Profiles that are sRGB are told by trying them, and pictures that carry one are decoded as if they did not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { isSrgbProfile } from '../../../src-main/dataset/colourProfiles.ts';
import { decodeImage } from '../../../src-main/dataset/decode.ts';
import { seededRandom } from '../../support/graphs.ts';

const random = seededRandom(3);
const pixels = Uint8Array.from({ length: 40 * 30 * 3 }, () => Math.floor(256 * random()));
const picture = () => sharp(pixels, { raw: { width: 40, height: 30, channels: 3 } }).png();
const profileOf = async (file: Buffer) => (await sharp(file).metadata()).icc!;

it('knows sRGB, and what is not sRGB', async () => {
  expect(await isSrgbProfile(await profileOf(await picture().withIccProfile('srgb').toBuffer()))).toBe(true);
  expect(await isSrgbProfile(await profileOf(await picture().withIccProfile('p3').toBuffer()))).toBe(false);
});

it('counts what is no profile, which the image library passes over, as one that changes nothing', async () => {
  expect(await isSrgbProfile(Buffer.from('not a profile'))).toBe(true);
});

it('decodes a picture with an sRGB profile to the pixels of one without, and converts one of wider colours', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'profiles-'));
  try {
    const decoded = async (file: Buffer) => {
      const path = join(folder, 'picture.png');
      writeFileSync(path, file);
      return [...(await decodeImage(path, { crop: [20, 20], resize: { kind: 'shorterSide', pixels: 24 } })).pixels];
    };
    const plain = await decoded(await picture().toBuffer());
    expect(await decoded(await picture().keepIccProfile().withIccProfile('srgb').toBuffer())).toEqual(plain);
    // The same colours, written in the numbers of a wider space: converted back they differ by rounding, unconverted by far more.
    const wide = await decoded(await picture().withIccProfile('p3').toBuffer());
    expect(Math.max(...wide.map((level, at) => Math.abs(level - plain[at]!)))).toBeLessThanOrEqual(6);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
