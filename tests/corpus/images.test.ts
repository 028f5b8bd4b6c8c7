/** Decoding of the real and odd images: every file ends as pixels or with its reason, and the unusual ones have the right content. */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { decodeImage } from '../../src-main/dataset/decode.ts';
import { sharp } from '../../src-main/dataset/imageLibrary.ts';
import { resampleCubic } from '../../src-main/dataset/resampleCubic.ts';
import { scanImages } from '../../src-main/dataset/scan.ts';
import { AppError } from '../../src-shared/errors.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { dataPath, describeWithData } from '../support/testData.ts';

const small = { crop: [64, 64], resize: { kind: 'shorterSide', pixels: 73 } } as const;

/** Largest and mean difference of two pictures of the same size, in levels of 0..255. */
function difference(a: Uint8Array, b: Uint8Array): { largest: number; mean: number } {
  expect(a.length).toBe(b.length);
  let largest = 0;
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const distance = Math.abs(a[i]! - b[i]!);
    sum += distance;
    largest = Math.max(largest, distance);
  }
  return { largest, mean: sum / a.length };
}

describeWithData('odd images', ['images-odd/MANIFEST.tsv'], () => {
  const rows = readFileSync(dataPath('images-odd/MANIFEST.tsv'), 'utf8').trim().split('\n').slice(1).map((line) => line.split('\t'));
  const decodable = new Map(rows.map((cells) => [cells[0]!, cells.at(-1)!.trim() === 'ok' && !cells.some((cell) => cell.startsWith('ERR'))]));

  it('end as pixels or with a reason in words, each within two seconds and together within 1 GB', async () => {
    const scan = await scanImages(dataPath('images-odd'));
    expect(scan.images.map((image) => image.path).sort()).toEqual([...decodable.keys()].sort());
    for (const image of scan.images) {
      const started = performance.now();
      const result = await decodeImage(join(scan.root, image.file), small).catch((thrown: unknown) => thrown);
      expect(performance.now() - started, image.path).toBeLessThan(2000);
      if (decodable.get(image.path)) {
        expect(result, image.path).toMatchObject({ height: 64, width: 64, pixels: { length: 64 * 64 * 3 } });
      } else {
        expect(result, image.path).toBeInstanceOf(AppError);
        expect((result as AppError).code, image.path).toBe('UNREADABLE_FILE');
        expect((result as AppError).message, image.path).toMatch(/^(The|BMP|ICO) .{10,}\.$/s);
        expect((result as AppError).message, image.path).not.toMatch(/\n|Input (file|buffer)/);
      }
    }
    expect(process.resourceUsage().maxRSS / 1024).toBeLessThan(1024);
  });

  it.each([
    ['libvips/17000x17000.avif', 'The image is 17000 x 17000 pixels (289 megapixels); the limit is 268 megapixels. Make it smaller.'],
    ['libvips/small.bmp', 'BMP images cannot be read: save it as PNG or JPEG.'],
    ['libvips/favicon.ico', 'ICO images cannot be read: save it as PNG or JPEG.'],
    ['libvips/truncated.jpg', 'The JPEG file is truncated: it ends before the image does (VipsJpeg: premature end of JPEG image).'],
    ['sharp/truncated.png', 'The PNG file is truncated: chunk IDAT should have 32768 bytes and 9959 are there.'],
    ['pngsuite/xc9n2c08.png', 'The PNG header is invalid: colour type 9 does not exist.'],
    ['pngsuite/xd3n2c08.png', 'The PNG header is invalid: bit depth 3 does not exist for colour type 2.'],
    ['pngsuite/xcsn0g01.png', 'The PNG file is damaged: the checksum of chunk IDAT at byte 49 is wrong.'],
    ['pngsuite/xdtn0g01.png', 'The PNG file holds no image data (IDAT).'],
    ['pngsuite/xs7n0g01.png', 'The PNG signature is damaged, as after a transfer in text mode: fetch the file again.'],
  ])('%s', async (path, reason) => {
    await expect(decodeImage(dataPath(`images-odd/${path}`), small)).rejects.toMatchObject({ message: reason });
  });

  it.each(['Landscape', 'Portrait'])('all eight EXIF orientations of %s show the same upright picture', async (name) => {
    const upright = (await decodeImage(dataPath(`images-odd/exif-orientation/${name}_1.jpg`), small)).pixels;
    for (let orientation = 2; orientation <= 8; orientation++) {
      const turned = (await decodeImage(dataPath(`images-odd/exif-orientation/${name}_${orientation}.jpg`), small)).pixels;
      // The files were compressed one by one and each shows its own number; a wrong turn differs by 40 levels and more.
      expect(difference(upright, turned).mean, `${name}_${orientation}`).toBeLessThan(4);
    }
  });

  it('reads CMYK with and without a profile as the same colours', async () => {
    const [withProfile, without] = await Promise.all(
      ['', '_no_profile'].map(async (end) => (await decodeImage(dataPath(`images-odd/sharp/Channel_digital_image_CMYK_color${end}.jpg`), small)).pixels),
    );
    expect(difference(withProfile!, without!).mean).toBeLessThan(25);
    expect(new Set(withProfile).size).toBeGreaterThan(100);
  });

  it('reads 16 bit as its 8-bit twin, and grey as three equal channels', async () => {
    const whole = { crop: [32, 32], resize: { kind: 'none' } } as const;
    const flag = await decodeImage(dataPath('images-odd/sharp/Flag_of_the_Netherlands-16bit.png'), small);
    // Red, white and blue from top to bottom.
    const at = (row: number): number[] => [...flag.pixels.subarray(row * 64 * 3, row * 64 * 3 + 3)];
    expect(at(5)[0]).toBeGreaterThan(at(5)[2]! + 80);
    expect(at(32)).toEqual([255, 255, 255]);
    expect(at(60)[2]).toBeGreaterThan(at(60)[0]! + 80);
    const grey = (await decodeImage(dataPath('images-odd/pngsuite/basn0g16.png'), whole)).pixels;
    expect(new Set(grey).size).toBeGreaterThan(16);
    for (let i = 0; i < grey.length; i += 3) expect([grey[i + 1], grey[i + 2]]).toEqual([grey[i], grey[i]]);
  });

  it('shows full transparency as white', async () => {
    const { pixels } = await decodeImage(dataPath('images-odd/sharp/full-transparent.png'), small);
    expect(pixels.every((value) => value === 255)).toBe(true);
  });
});

describeWithData('reference images', ['reference/images-224'], () => {
  it('pass unchanged where the size already fits', async () => {
    const names = readdirSync(dataPath('reference/images-224')).filter((name) => name.endsWith('.png'));
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) {
      const file = dataPath(`reference/images-224/${name}`);
      // Some of them still carry the camera's profile; the reference was computed from the stored values.
      const plain = await sharp(file, { ignoreIcc: true }).raw().toBuffer();
      for (const resize of [{ kind: 'exact' }, { kind: 'shorterSide', pixels: 224 }, { kind: 'none' }] as const) {
        const { pixels } = await decodeImage(file, { crop: [224, 224], resize });
        expect(Buffer.compare(plain, pixels), `${name} ${resize.kind}`).toBe(0);
      }
    }
  });
});

describeWithData('photographs', ['photos/imagenet-samples'], () => {
  const names = readdirSync(dataPath('photos/imagenet-samples')).sort();
  const at = (name: string) => dataPath(`photos/imagenet-samples/${name}`);

  it('have Pillow\'s pixels, reduced or enlarged', async () => {
    // SHA-256 of what Pillow 9.4 makes of the first sixty without a profile (BICUBIC, shorter side 256, centre 224), one behind the other.
    const hash = createHash('sha256');
    let without = 0;
    for (const name of names) {
      if (without === 60) break;
      if ((await sharp(at(name)).metadata()).icc) continue;
      hash.update((await decodeImage(at(name), { crop: [224, 224], resize: { kind: 'shorterSide', pixels: 256 } })).pixels);
      without++;
    }
    expect([without, hash.digest('hex')]).toEqual([60, 'a8576501f50eaa2e0cae9b59d3d5e2a9cc815563e8c3591ebd01f082c75d1cba']);
  });

  it('are decoded in full where they are so large that they stream: equal to a full decode followed by the resize, and near to what smaller ones go through', async () => {
    const folder = temporaryFolder('large');
    try {
      for (const name of names.filter((_, i) => i % 80 === 0)) {
        const large = join(folder, name);
        await sharp(at(name)).resize(2400, 1800, { fit: 'fill' }).toColourspace('srgb').jpeg().toFile(large);
        const whole = await sharp(large).raw().toBuffer({ resolveWithObject: true });
        const expected = await sharp(whole.data, { raw: whole.info }).resize(85, 64, { fit: 'fill', kernel: 'cubic' }).extract({ left: 18, top: 8, width: 48, height: 48 }).raw().toBuffer();
        const { pixels } = await decodeImage(large, { crop: [48, 48], resize: { kind: 'shorterSide', pixels: 64 } });
        expect(difference(pixels, expected).largest, name).toBeLessThanOrEqual(1);
        const resampled = resampleCubic(whole.data, whole.info, { width: 85, height: 64 }, { left: 18, top: 8, width: 48, height: 48 });
        const apart = difference(pixels, resampled);
        expect(apart.largest, name).toBeLessThanOrEqual(15);
        expect(apart.mean, name).toBeLessThan(1);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
