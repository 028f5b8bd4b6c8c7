/** Cuts, means and splits; and the sample's pictures, which must be the same on every machine. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../../src-main/dataset/decode.ts';
import { centreCut, chanceCut, createMean, edgeFor, writeCut } from '../../../src-main/training/pictures.ts';
import { drawSample, sampleClasses, sampleEdge } from '../../../src-main/training/sample/drawSample.ts';
import { samplePng } from '../../../src-main/training/sample/png.ts';
import { splitImages } from '../../../src-main/training/split.ts';

/** Red counts columns, green rows. */
const ramp = (edge: number) => Uint8Array.from({ length: edge * edge * 3 }, (_, at) => (at % 3 === 0 ? Math.floor(at / 3) % edge : at % 3 === 1 ? Math.floor(at / 3 / edge) : 7));

describe('cuts', () => {
  it('copy a window, mirrored where that is asked for', () => {
    const batch = new Uint8Array(2 * 2 * 2 * 3);
    writeCut(ramp(4), { edge: 4, crop: 2 }, { top: 1, left: 2, mirrored: true }, batch, 1);
    expect([...batch]).toEqual([...new Array<number>(12).fill(0), 3, 1, 7, 2, 1, 7, 3, 2, 7, 2, 2, 7]);
  });

  it('follow from seed, epoch and image, reach every place, and stay at the centre when asked to', () => {
    const size = { edge: 10, crop: 8 };
    const recipe = { randomCrops: true, flips: true, seed: 3 };
    expect(chanceCut(size, recipe, 2, 5)).toEqual(chanceCut(size, recipe, 2, 5));
    const cuts = Array.from({ length: 400 }, (_, image) => chanceCut(size, recipe, 1, image));
    expect(new Set(cuts.map(({ top, left, mirrored }) => `${top} ${left} ${mirrored}`)).size).toBe(18);
    expect(chanceCut(size, { randomCrops: false, flips: false, seed: 3 }, 1, 1)).toEqual(centreCut(size));
    expect([edgeFor(224), edgeFor(96), edgeFor(64), edgeFor(227)]).toEqual([256, 110, 74, 259]);
  });
});

it('the mean is of each pixel of the centre', () => {
  const mean = createMean({ edge: 4, crop: 2 });
  mean.add(ramp(4));
  mean.add(new Uint8Array(48).fill(9));
  const { pixels, colours, deviation } = mean.finish();
  expect([...pixels]).toEqual([5, 5.5, 5, 5.5, 5, 5, 5.5, 5.5, 8, 8, 8, 8]);
  expect([...colours]).toEqual([5.25, 5.25, 8]);
  expect(deviation).toBeGreaterThan(0);
});

describe('splits', () => {
  it('keep the same share of each class, and leave one to train', () => {
    const labels = Array.from({ length: 25 }, (_, image) => (image < 20 ? 0 : image < 24 ? 1 : 2));
    const { training, validation } = splitImages(labels, 0.5, 1);
    expect(validation.filter((image) => labels[image] === 0)).toHaveLength(10);
    expect(validation.filter((image) => labels[image] === 1)).toHaveLength(2);
    expect(validation.filter((image) => labels[image] === 2)).toHaveLength(0);
    expect([...training, ...validation].sort((a, b) => a - b)).toEqual(labels.map((_, image) => image));
    expect(splitImages(labels, 0.5, 2).validation).not.toEqual(validation);
  });
});

describe('the sample', () => {
  const first = sampleClasses.map((name) => drawSample(name, 0, 1));

  it('has at least 16 classes of pictures that differ from each other and from the next of their class', () => {
    expect(sampleClasses.length).toBeGreaterThanOrEqual(16);
    const seconds = sampleClasses.map((name) => drawSample(name, 1, 1));
    const hashes = new Set([...first, ...seconds].map((pixels) => createHash('sha256').update(pixels).digest('hex')));
    expect(hashes.size).toBe(2 * sampleClasses.length);
    for (const pixels of first) {
      expect(pixels).toHaveLength(sampleEdge * sampleEdge * 3);
      const mean = pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
      const deviation = Math.sqrt(pixels.reduce((sum, value) => sum + (value - mean) ** 2, 0) / pixels.length);
      expect(deviation).toBeGreaterThan(8);
    }
  });

  it('is drawn to the same pixels by the same seed', () => {
    expect(drawSample('faces', 0, 1)).toEqual(first[sampleClasses.indexOf('faces')]);
    expect(createHash('sha256').update(Buffer.concat(first)).digest('hex').slice(0, 16)).toBe('e7ff5337621986a4');
  });

  it('is written as the same bytes everywhere, which are its pixels again', async () => {
    const files = first.map((pixels) => samplePng(pixels, sampleEdge));
    expect(createHash('sha256').update(Buffer.concat(files)).digest('hex').slice(0, 16)).toBe('8933b94f188afe41');
    const folder = await mkdtemp(join(tmpdir(), 'sample-png-'));
    try {
      for (const [at, bytes] of files.slice(0, 3).entries()) {
        const file = join(folder, `${at}.png`);
        await writeFile(file, bytes);
        expect(Buffer.compare((await decodeImage(file, { crop: [sampleEdge, sampleEdge], resize: { kind: 'none' } })).pixels, first[at]!)).toBe(0);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
