/** Known copies are found and different photographs are kept apart; the distances that the threshold rests on are measured on real photographs. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeImage } from '../../../src-main/dataset/decode.ts';
import { isDuplicate, nearDistance, repeatedPlaces } from '../../../src-main/dataset/duplicates.ts';
import { sharp } from '../../../src-main/dataset/imageLibrary.ts';
import { hashDistance, perceptualHash } from '../../../src-main/dataset/perceptualHash.ts';
import { photographs } from '../../support/photographs.ts';
import { dataPath, describeWithData } from '../../support/testData.ts';

/** A picture of `height x width` whose grey is given by place. */
function grey(height: number, width: number, at: (y: number, x: number) => number): Uint8Array {
  return Uint8Array.from({ length: height * width * 3 }, (_, i) => at(Math.floor(i / 3 / width), Math.floor(i / 3) % width));
}

describe('the perceptual hash', () => {
  it('has a bit for each cell that is brighter than its right neighbour, then than its lower one', () => {
    expect(perceptualHash(grey(72, 72, (_, x) => 255 - x), 72, 72)).toBe('ffffffffffffffff0000000000000000');
    expect(perceptualHash(grey(72, 72, (y) => 255 - y), 72, 72)).toBe('0000000000000000ffffffffffffffff');
    // Only the first cell of the grid is bright: it is brighter than its right and its lower neighbour.
    expect(perceptualHash(grey(72, 72, (y, x) => (y < 8 && x < 8 ? 200 : 0)), 72, 72)).toBe('80000000000000008000000000000000');
  });
  it('does not change with brightness or contrast', () => {
    const wave = (gain: number, offset: number) => perceptualHash(grey(90, 120, (y, x) => offset + gain * (100 + 50 * Math.sin(y / 7) + 50 * Math.cos(x / 9))), 90, 120);
    expect(wave(0.5, 60)).toBe(wave(1, 0));
  });
  it('is defined for pictures smaller than its grid', () => {
    expect(perceptualHash(grey(2, 3, (_, x) => 200 - 50 * x), 2, 3)).toHaveLength(32);
  });
  it('counts the bits in which two hashes differ', () => {
    expect(hashDistance('ffffffff00000000ffffffff00000000', 'ffffffff00000000ffffffff00000000')).toBe(0);
    expect(hashDistance('ffffffff00000000ffffffff00000000', '0000000000000000ffffffff00000001')).toBe(33);
  });
});

describe('duplicates', () => {
  const near = (bits: number) => ({ contentHash: null, perceptualHash: ((1n << BigInt(bits)) - 1n).toString(16).padStart(32, '0') });
  it('are images of the same bytes, or whose hashes differ by at most the threshold', () => {
    expect(isDuplicate({ contentHash: 'a', perceptualHash: null }, { contentHash: 'a', perceptualHash: null })).toBe(true);
    expect(isDuplicate({ contentHash: null, perceptualHash: null }, { contentHash: null, perceptualHash: null })).toBe(false);
    expect(isDuplicate(near(0), near(nearDistance))).toBe(true);
    expect(isDuplicate(near(0), near(nearDistance + 1))).toBe(false);
  });
  it('point to the first of their kind; likeness is not handed on', () => {
    // 12 is like 0, 24 is like 12 but not like 0; 30 is like 24.
    expect(repeatedPlaces([near(0), near(12), near(24), near(30), near(0)])).toEqual([null, 0, null, 2, 0]);
  });
});

describeWithData('on real photographs', [photographs], () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchback-duplicates-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const preprocessing = { crop: [224, 224], resize: { kind: 'shorterSide', pixels: 256 } } as const;
  const hashOf = async (file: string) => perceptualHash((await decodeImage(file, preprocessing)).pixels, 224, 224);
  const all = readdirSync(dataPath(photographs)).filter((name) => name.endsWith('.JPEG')).sort().map((name) => dataPath(`${photographs}/${name}`));

  it('no two of the photographs count as the same', async () => {
    const hashes: string[] = [];
    for (const file of all.filter((_, at) => at % 2 === 0)) hashes.push(await hashOf(file));
    const distances = hashes.flatMap((a, at) => hashes.slice(0, at).map((b) => hashDistance(a, b)));
    expect(Math.min(...distances)).toBeGreaterThan(nearDistance + 8);
  });

  const copies: Readonly<Record<string, (file: string, width: number) => Promise<Buffer>>> = {
    'compressed anew': (file) => sharp(file).jpeg({ quality: 30 }).toBuffer(),
    halved: (file, width) => sharp(file).resize(Math.max(80, Math.round(width / 2))).jpeg().toBuffer(),
    darkened: (file) => sharp(file).linear(0.7, 0).jpeg().toBuffer(),
    grey: (file) => sharp(file).grayscale().jpeg().toBuffer(),
  };
  it.each(Object.entries(copies))('a copy that is %s is found for at least 29 of 30 photographs', async (_, copy) => {
    let found = 0;
    const tried = all.filter((_, at) => at % 11 === 0).slice(0, 30);
    for (const file of tried) {
      writeFileSync(join(folder, 'copy.jpg'), await copy(file, (await sharp(file).metadata()).width));
      if (hashDistance(await hashOf(file), await hashOf(join(folder, 'copy.jpg'))) <= nearDistance) found++;
    }
    expect([tried.length, found >= 29]).toEqual([30, true]);
  });
});
