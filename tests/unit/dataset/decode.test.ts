/** Decoding of pictures made for the test: what must come out is known exactly. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeImage } from '../../../src-main/dataset/decode.ts';
import { sharp } from '../../../src-main/dataset/imageLibrary.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchback-decode-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const asIs = { crop: [2, 2], resize: { kind: 'none' } } as const;
const file = (name: string, bytes: Uint8Array | string): string => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};
const raw = (values: number[], width: number, height: number, channels: 1 | 2 | 3 | 4): ReturnType<typeof sharp> => sharp(Uint8Array.from(values), { raw: { width, height, channels } });

it('composes alpha on white', async () => {
  const path = file('alpha.png', await raw([10, 20, 30, 255, 10, 20, 30, 0, 0, 0, 0, 51, 100, 100, 100, 255], 2, 2, 4).png().toBuffer());
  expect([...(await decodeImage(path, asIs)).pixels]).toEqual([10, 20, 30, 255, 255, 255, 204, 204, 204, 100, 100, 100]);
});

it('makes three equal channels of grey, and eight bits of sixteen', async () => {
  const grey = file('grey.png', await raw([0, 85, 170, 255], 2, 2, 1).toColourspace('b-w').png().toBuffer());
  expect([...(await decodeImage(grey, asIs)).pixels]).toEqual([0, 0, 0, 85, 85, 85, 170, 170, 170, 255, 255, 255]);
  const deep = file('deep.png', await sharp(Uint16Array.of(0, 0, 0, 257, 257, 257, 25700, 25700, 25700, 65535, 65535, 65535), { raw: { width: 2, height: 2, channels: 3 } }).toColourspace('rgb16').png().toBuffer());
  expect((await sharp(deep).metadata()).depth).toBe('ushort');
  expect([...(await decodeImage(deep, asIs)).pixels]).toEqual([0, 0, 0, 1, 1, 1, 100, 100, 100, 255, 255, 255]);
});

it('converts an embedded profile to sRGB, except in a picture that already is the network input', async () => {
  const wide = file('p3.png', await sharp({ create: { width: 4, height: 4, channels: 3, background: '#ff0000' } }).withIccProfile('p3').png().toBuffer());
  const [stored] = await sharp(wide, { ignoreIcc: true }).raw().toBuffer();
  expect(stored).toBeLessThan(240);
  const converted = (await decodeImage(wide, asIs)).pixels;
  expect(converted[0]).toBeGreaterThan(252);
  expect(converted[1]).toBeLessThan(4);
  expect((await decodeImage(wide, { crop: [4, 4], resize: { kind: 'none' } })).pixels[0]).toBe(stored);
});

it('takes the middle, rounding the offset down', async () => {
  const values = Array.from({ length: 5 * 4 }, (_, i) => [i, i, i]).flat();
  const path = file('middle.png', await raw(values, 5, 4, 3).png().toBuffer());
  const { pixels, width, height } = await decodeImage(path, asIs);
  expect([height, width, [...pixels].filter((_, i) => i % 3 === 0)]).toEqual([2, 2, [6, 7, 11, 12]]);
});

it('hashes the content, not the name', async () => {
  const bytes = await raw([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 2, 2, 3).png().toBuffer();
  const [a, b] = [await decodeImage(file('one.png', bytes), asIs), await decodeImage(file('two.png', bytes), asIs)];
  expect(a.contentHash).toMatch(/^[0-9a-f]{32}$/);
  expect(b.contentHash).toBe(a.contentHash);
});

it.each([
  ['empty.png', '', 'The file is empty.'],
  ['page.jpg', '<!DOCTYPE html><html></html>', 'The file is an HTML page, not an image: the download probably failed.'],
  ['pointer.jpg', 'version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n', 'The file is a Git LFS pointer, not the image itself: fetch it with git lfs pull.'],
  ['drawing.png', '<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"/>', 'The file is an SVG drawing, not a pixel image: save it as PNG.'],
  ['photo.jxl', Uint8Array.of(0xff, 0x0a, 1, 2), 'JPEG XL images cannot be read: save it as PNG or JPEG.'],
  ['phone.heic', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'), 'HEIC images cannot be read: save it as PNG or JPEG.'],
  ['text.png', 'hello world', 'The content is no image format that can be read (it begins with 68 65 6c 6c 6f 20 77 6f).'],
])('refuses %s with its reason', async (name, bytes, reason) => {
  const path = file(name, bytes);
  await expect(decodeImage(path, asIs)).rejects.toMatchObject({ code: 'UNREADABLE_FILE', message: reason, data: { file: path } });
});

it('says when the file has gone, is too small, or the work was cancelled', async () => {
  await expect(decodeImage(join(folder, 'gone.png'), asIs)).rejects.toMatchObject({ code: 'UNREADABLE_FILE', message: 'The file is no longer there.' });
  const path = file('small.png', await raw([1, 2, 3], 1, 1, 3).png().toBuffer());
  await expect(decodeImage(path, asIs)).rejects.toMatchObject({ code: 'UNREADABLE_FILE', message: 'The image is 1 x 1 pixels, smaller than the network input of 2 x 2, and resizing is switched off.' });
  expect([...(await decodeImage(path, { crop: [2, 2], resize: { kind: 'shorterSide', pixels: 2 } })).pixels]).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
  await expect(decodeImage(path, asIs, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
});
