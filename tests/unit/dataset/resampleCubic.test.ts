/** The cubic resampler against numbers that Pillow 9.4 gave (BICUBIC) and against a slow twin: equal, not near. Then the same through decoding. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeImage, decodeWhole } from '../../../src-main/dataset/decode.ts';
import { sharp } from '../../../src-main/dataset/imageLibrary.ts';
import { resampleCubic } from '../../../src-main/dataset/resampleCubic.ts';
import { compiledKernel, keptKernel } from '../../support/compileKernel.ts';
import { randomData, seededRandom } from '../../support/graphs.ts';

/** Twenty greys. */
const line = [11, 48, 159, 88, 91, 168, 63, 32, 75, 192, 127, 136, 219, 120, 95, 144, 11, 208, 223, 56];
/** The line at other lengths. */
const lines: readonly (readonly [times: number, levels: readonly number[]])[] = [
  [0.1, [99, 133]],
  [0.35, [68, 118, 73, 142, 155, 103, 154]],
  [0.65, [20, 121, 94, 138, 47, 86, 160, 153, 166, 111, 69, 197, 120]],
  [0.95, [12, 58, 154, 83, 111, 146, 44, 40, 133, 167, 122, 195, 158, 94, 140, 25, 182, 226, 63]],
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

/** Every output pixel on its own, from the definition: weights of 22 bits, rows first, eight bits after each. */
function slowTwin(pixels: Uint8Array, from: { width: number; height: number }, to: { width: number; height: number }, area: { left: number; top: number; width: number; height: number }): number[] {
  const keys = (x: number) => (x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0);
  const along = (source: number, target: number, at: number, read: (pixel: number) => number): number => {
    const stretch = Math.max(1, source / target);
    const centre = (at + 0.5) * (source / target);
    const near = Array.from({ length: source }, (_, pixel) => pixel).filter((pixel) => pixel >= Math.floor(centre - 2 * stretch + 0.5) && pixel < Math.floor(centre + 2 * stretch + 0.5));
    const weights = near.map((pixel) => keys(Math.abs((pixel - centre + 0.5) / stretch)));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const whole = weights.map((weight) => Math.sign(weight) * Math.floor((Math.abs(weight) / Math.abs(total)) * 2 ** 22 + 0.5));
    const sum = near.reduce((all, pixel, tap) => all + BigInt(whole[tap]! * read(pixel)), 2n ** 21n);
    return Number(sum < 0n ? 0n : sum >> 22n > 255n ? 255n : sum >> 22n);
  };
  const lines = Array.from({ length: from.height }, (_, y) => Array.from({ length: area.width * 3 }, (_, at) => along(from.width, to.width, area.left + Math.floor(at / 3), (x) => pixels[(y * from.width + x) * 3 + (at % 3)]!)));
  return Array.from({ length: area.height * area.width * 3 }, (_, at) => along(from.height, to.height, area.top + Math.floor(at / (area.width * 3)), (y) => lines[y]![at % (area.width * 3)]!));
}

describe('the cubic resampler', () => {
  it.each(lines)('gives a line at %f times its length as Pillow does, across and down', (_, levels) => {
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

  it('equals its slow twin at any sizes and for any part', () => {
    const ascending = (a: number, b: number) => a - b;
    const side = fc.integer({ min: 1, max: 40 });
    const part = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(side, side, side, side, part, part, fc.integer(), (width, height, toWidth, toHeight, across, down, seed) => {
        const pixels = Uint8Array.from(randomData(seededRandom(seed), [width * height * 3]).data as Float32Array, (value) => 128 + 200 * value);
        const [left, right, top, bottom] = [...across.toSorted(ascending).map((at) => Math.floor(at * (toWidth - 1))), ...down.toSorted(ascending).map((at) => Math.floor(at * (toHeight - 1)))] as [number, number, number, number];
        const area = { left, top, width: right - left + 1, height: bottom - top + 1 };
        const found = resampleCubic(pixels, { width, height }, { width: toWidth, height: toHeight }, area);
        expect([...found]).toEqual(slowTwin(pixels, { width, height }, { width: toWidth, height: toHeight }, area));
      }),
      { seed: 3, numRuns: 400 },
    );
  });

  it('takes pictures of any length, one behind the other', () => {
    const greys = (count: number) => new Uint8Array(count * 3).fill(77);
    for (const width of [20, 600_000, 30]) {
      const found = resampleCubic(greys(width * 2), { width, height: 2 }, { width: 4, height: 3 }, whole(4, 3));
      expect([...new Set(found)], String(width)).toEqual([77]);
    }
  });

  it('runs what its source is compiled to', async () => {
    expect(keptKernel(), 'node tests/support/compileKernel.ts').toBe(await compiledKernel());
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
    expect(channel(grey.pixels, 0).slice(0, 26)).toEqual(lines.find(([times]) => times === 1.3)![1]);
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
