/** The cubic resampler against numbers that Pillow 9.4 gave (BICUBIC): equal, not near. Then the same through decoding, where it enlarges and nothing else does. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeImage, decodeWhole } from '../../../src-main/dataset/decode.ts';
import { sharp } from '../../../src-main/dataset/imageLibrary.ts';
import { resampleCubic } from '../../../src-main/dataset/resampleCubic.ts';

/** Twenty greys. */
const line = [11, 48, 159, 88, 91, 168, 63, 32, 75, 192, 127, 136, 219, 120, 95, 144, 11, 208, 223, 56];
/** The line at 1.05, 1.3, 2 and 3.7 times its length. */
const lines: readonly (readonly [times: number, levels: readonly number[]])[] = [
  [1.05, [11, 43, 154, 98, 84, 159, 96, 35, 49, 147, 166, 122, 173, 194, 104, 107, 122, 27, 219, 216, 54]],
  [1.3, [9, 28, 99, 156, 90, 83, 136, 151, 60, 32, 48, 117, 192, 132, 125, 175, 210, 123, 94, 126, 113, 13, 177, 239, 168, 48]],
  [2, [8, 16, 32, 75, 142, 152, 105, 82, 83, 109, 160, 153, 88, 48, 33, 36, 57, 103, 174, 187, 142, 122, 127, 156, 209, 205, 144, 107, 94, 106, 143, 116, 25, 41, 164, 229, 236, 187, 88, 41]],
  [3.7, [
    7, 9, 14, 20, 30, 47, 76, 114, 147, 159, 146, 119, 94, 84, 80, 82, 89, 107, 136, 161, 167, 146, 111, 76, 55, 42, 34, 32, 35, 43, 57, 76, 108, 148, 181, 193, 179, 153, 131, 123, 122, 126, 135, 157, 187, 213, 217, 196,
    162, 130, 112, 101, 95, 95, 105, 126, 144, 142, 105, 53, 15, 21, 73, 142, 199, 226, 238, 237, 222, 180, 124, 76, 49, 38,
  ]],
];

/** 5 x 4: red by a rule, green a chessboard, blue an edge. */
const size = { width: 5, height: 4 };
const picture = Uint8Array.from({ length: 5 * 4 }, (_, at) => at).reduce<number[]>((pixels, at) => {
  const [x, y] = [at % 5, Math.floor(at / 5)];
  return [...pixels, (x * 97 + y * 53) % 256, 255 * ((x + y) % 2), x < 2 ? 200 : 10];
}, []);
const channel = (pixels: Uint8Array, colour: number): number[] => [...pixels].filter((_, at) => at % 3 === colour);
const whole = (width: number, height: number) => ({ left: 0, top: 0, width, height });

describe('the cubic resampler', () => {
  it.each(lines)('enlarges %f times as Pillow does, across and down', (_, levels) => {
    const pixels = Uint8Array.from(line.flatMap((level) => [level, level, level]));
    const across = resampleCubic(pixels, { width: 20, height: 1 }, { width: levels.length, height: 1 }, whole(levels.length, 1));
    const down = resampleCubic(pixels, { width: 1, height: 20 }, { width: 1, height: levels.length }, whole(1, levels.length));
    expect(channel(across, 0)).toEqual(levels);
    expect(down).toEqual(across);
  });

  it('enlarges both ways, with values beyond black and white cut off between', () => {
    const larger = resampleCubic(Uint8Array.from(picture), size, { width: 7, height: 5 }, whole(7, 5));
    expect(channel(larger, 0)).toEqual([0, 46, 130, 192, 67, 65, 136, 30, 81, 171, 247, 108, 100, 172, 72, 146, 190, 146, 112, 162, 234, 123, 146, 123, 44, 127, 178, 187, 171, 59, 2, 99, 188, 127, 17]);
    expect(channel(larger, 1)).toEqual([0, 163, 211, 0, 211, 163, 0, 202, 109, 83, 202, 83, 109, 202, 128, 128, 128, 128, 128, 128, 128, 53, 146, 172, 53, 172, 146, 53, 255, 92, 44, 255, 44, 92, 255]);
    expect(channel(larger, 2).slice(0, 7)).toEqual([200, 213, 154, 10, 4, 10, 10]);
  });

  it('enlarges one way and reduces the other, antialiased', () => {
    const higher = resampleCubic(Uint8Array.from(picture), size, { width: 3, height: 9 }, whole(3, 9));
    expect(channel(higher, 0)).toEqual([37, 135, 85, 47, 147, 95, 71, 179, 119, 98, 191, 146, 129, 149, 178, 148, 101, 197, 128, 91, 165, 95, 96, 118, 81, 97, 99]);
    const wider = resampleCubic(Uint8Array.from(picture), size, { width: 9, height: 2 }, whole(9, 2));
    expect(channel(wider, 0)).toEqual([26, 58, 126, 181, 204, 122, 69, 139, 181, 129, 123, 110, 93, 87, 130, 165, 151, 141]);
    expect(channel(wider, 1)).toEqual([107, 120, 146, 131, 107, 131, 146, 120, 107, 148, 135, 109, 124, 148, 124, 109, 135, 148]);
  });

  it('gives for a part what the whole has there', () => {
    const to = { width: 19, height: 15 };
    const all = resampleCubic(Uint8Array.from(picture), size, to, whole(19, 15));
    const part = resampleCubic(Uint8Array.from(picture), size, to, { left: 11, top: 6, width: 8, height: 7 });
    const cut = Array.from({ length: 7 }, (_, row) => [...all.subarray(((row + 6) * 19 + 11) * 3, ((row + 6) * 19 + 19) * 3)]).flat();
    expect([...part]).toEqual(cut);
    expect(channel(part, 0).slice(0, 8)).toEqual([149, 112, 101, 123, 159, 191, 207, 214]);
  });

  it('refuses pixels that are not of the size', () => {
    expect(() => resampleCubic(new Uint8Array(59), size, size, whole(5, 4))).toThrow('resampleCubic: 59 bytes for 5 x 4 x 3.');
  });
});

describe('decoding a picture that is too small', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'switchback-enlarge-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const save = async (name: string, pixels: readonly number[], width: number, height: number, channels: 1 | 3 | 4): Promise<string> => {
    const raw = sharp(Uint8Array.from(pixels), { raw: { width, height, channels } });
    writeFileSync(join(folder, name), await (channels === 1 ? raw.toColourspace('b-w') : raw).png().toBuffer());
    return join(folder, name);
  };

  it('enlarges it like the reference', async () => {
    const { pixels } = await decodeImage(await save('plain.png', picture, 5, 4, 3), { crop: [9, 3], resize: { kind: 'exact' } });
    expect(channel(pixels, 0)).toEqual([37, 135, 85, 47, 147, 95, 71, 179, 119, 98, 191, 146, 129, 149, 178, 148, 101, 197, 128, 91, 165, 95, 96, 118, 81, 97, 99]);
  });

  it('composes on white first, and makes three channels of grey', async () => {
    // White shows where the 20 greys are transparent: the same as the line of composed levels.
    const seen = line.map((level, at) => (at % 2 === 0 ? level : 255));
    const alpha = line.flatMap((level, at) => [level, level, level, at % 2 === 0 ? 255 : 0]);
    const larger = { crop: [4, 26], resize: { kind: 'exact' } } as const;
    const composed = await decodeImage(await save('alpha.png', alpha, 20, 1, 4), larger);
    expect(composed.pixels).toEqual((await decodeImage(await save('composed.png', seen.flatMap((level) => [level, level, level]), 20, 1, 3), larger)).pixels);
    const grey = await decodeImage(await save('grey.png', line, 20, 1, 1), larger);
    expect(channel(grey.pixels, 0).slice(0, 26)).toEqual(lines[1]![1]);
    expect(channel(grey.pixels, 2)).toEqual(channel(grey.pixels, 0));
  });

  it('cuts the crop out of the same whole', async () => {
    const geometry = { crop: [6, 6], resize: { kind: 'shorterSide', pixels: 7 } } as const;
    const file = await save('whole.png', picture, 5, 4, 3);
    const { pixels, ...all } = await decodeWhole(file, geometry);
    expect([all.height, all.width, all.crop]).toEqual([7, 9, { left: 1, top: 0, width: 6, height: 6 }]);
    const cut = Array.from({ length: 6 }, (_, row) => [...pixels.subarray((row * 9 + 1) * 3, (row * 9 + 7) * 3)]).flat();
    expect([...(await decodeImage(file, geometry)).pixels]).toEqual(cut);
  });
});
