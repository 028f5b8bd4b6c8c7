/** From signed values to colours (method.md section 5): grey at 0, the scales, what lies outside the image, the sheet of nine. */
import { describe, expect, it } from 'vitest';
import { displayLimits, drawPatch, drawProjection, levelsOf, quantileOfMagnitude, type Picture } from '../../../src-main/projection/display.ts';
import { composeSheet, sheetGap } from '../../../src-main/projection/sheet.ts';

const pixel = ({ width, pixels }: Picture, y: number, x: number) => [...pixels.subarray((y * width + x) * 4, (y * width + x) * 4 + 4)];
const outside = [128, 128, 128, 40];

describe('a projection', () => {
  it('is the neutral grey at 0, full at the limit, symmetric, and clipped beyond', () => {
    const values = Float32Array.of(0, 2, -2, 1, 9, -9);
    const picture = drawProjection(levelsOf(values, [0, 0, 1, 6], 2), 1, 6, [0, 0, 1, 6], 'grey');
    expect(Array.from({ length: 6 }, (_, x) => pixel(picture, 0, x))).toEqual([
      [128, 128, 128, 255], [255, 255, 255, 255], [1, 1, 1, 255], [192, 192, 192, 255], [255, 255, 255, 255], [0, 0, 0, 255],
    ]);
    expect([...values], 'stored values stay').toEqual([0, 2, -2, 1, 9, -9]);
  });
  it('shows the network\'s channels in the order of the screen', () => {
    const values = Float32Array.of(1, 0, -1);
    expect(pixel(drawProjection(levelsOf(values, [0, 0, 1, 1], 1), 1, 1, [0, 0, 1, 1], 'rgb'), 0, 0)).toEqual([255, 128, 1, 255]);
    expect(pixel(drawProjection(levelsOf(values, [0, 0, 1, 1], 1), 1, 1, [0, 0, 1, 1], 'bgr'), 0, 0)).toEqual([1, 128, 255, 255]);
  });
  it('has a border of its own on each side that lies outside the input', () => {
    const picture = drawProjection({ box: null, levels: new Uint8Array(0) }, 2, 2, [-1, -2, 3, 4], 'rgb');
    expect([picture.width, picture.height]).toEqual([6, 4]);
    for (let y = 0; y < 4; y++) {
      for (let x = 0; x < 6; x++) expect(pixel(picture, y, x), `${y}, ${x}`).toEqual(y >= 1 && y < 3 && x >= 2 && x < 4 ? [128, 128, 128, 255] : outside);
    }
  });
});

describe('a patch', () => {
  it('is the original\'s own pixels, aligned with the projection of the same window', () => {
    const rgb = Uint8Array.from({ length: 2 * 3 * 3 }, (_, at) => at + 1);
    const picture = drawPatch(rgb, 2, 3, [-1, 1, 2, 4]);
    expect([picture.width, picture.height]).toEqual([3, 3]);
    expect([pixel(picture, 0, 0), pixel(picture, 1, 0), pixel(picture, 2, 1), pixel(picture, 1, 2)]).toEqual([outside, [4, 5, 6, 255], [16, 17, 18, 255], outside]);
  });
});

describe('the part of a projection that is not zero', () => {
  it('stands at its place among grey, cut where the window ends', () => {
    const levels = levelsOf(Float32Array.of(1, -1, 0.5, 0.25), [1, 1, 3, 3], 1);
    const picture = drawProjection(levels, 4, 4, [-1, 0, 2, 3], 'grey');
    expect([0, 1, 2].map((y) => [0, 1, 2].map((x) => pixel(picture, y, x)[0]))).toEqual([[128, 128, 128], [128, 128, 128], [128, 255, 1]]);
    expect([pixel(picture, 0, 0), pixel(picture, 1, 0)]).toEqual([outside, [128, 128, 128, 255]]);
  });
});

describe('the scale', () => {
  const ramp = Float32Array.from({ length: 1000 }, (_, at) => (at + 1) * (at % 2 ? -1 : 1));
  const of = (quantile: number, absmax: number) => ({ quantile, absmax });
  it('is the 99.5 % quantile of the magnitudes by default: the five largest of a thousand are clipped', () => {
    expect(quantileOfMagnitude(ramp)).toBe(995);
    expect(quantileOfMagnitude(Float32Array.of(-4, 1, 2, 3), 4, 0.5)).toBe(2);
    expect(displayLimits([of(995, 1000)], 'quantile')).toEqual([995]);
  });
  it('counts the zeros around the values that are given', () => {
    const withZeros = new Float32Array(4000);
    withZeros.set(ramp, 1500);
    expect(quantileOfMagnitude(ramp, 4000)).toBe(quantileOfMagnitude(withZeros));
    expect(quantileOfMagnitude(ramp, 4000)).toBe(980);
  });
  it('falls back to the largest where almost all is zero', () => {
    const lonely = new Float32Array(1000);
    lonely[7] = -3;
    expect(quantileOfMagnitude(lonely)).toBe(3);
    expect(quantileOfMagnitude(Float32Array.of(-3), 1000)).toBe(3);
    expect(quantileOfMagnitude(new Float32Array(4))).toBe(0);
  });
  it('is the largest magnitude for minmax, 1 for raw', () => {
    expect(displayLimits([of(995, 1000), of(0.4, 0.5)], 'minmax')).toEqual([1000, 0.5]);
    expect(displayLimits([of(995, 1000), of(0.4, 0.5)], 'raw')).toEqual([1, 1]);
  });
  it('is the largest of the nine when shared, in which projections of zeros have no say', () => {
    expect(displayLimits([of(0.25, 1), of(0.5, 2), of(0, 0)], 'shared')).toEqual([0.5, 0.5, 0.5]);
    expect(displayLimits([of(0, 0)], 'shared')).toEqual([1]);
  });
  it('leaves a projection of zeros grey under every scale', () => {
    for (const scale of ['quantile', 'minmax', 'shared', 'raw'] as const) expect(displayLimits([of(0, 0)], scale)).toEqual([1]);
    expect(displayLimits([], 'shared')).toEqual([]);
  });
});

describe('the sheet', () => {
  const tile = (level: number, size = 2): Picture => ({ width: size, height: size, pixels: new Uint8Array(size * size * 4).fill(level) });
  it('lays tiles left to right, top to bottom, with a transparent gap', () => {
    const sheet = composeSheet([tile(10), tile(20), tile(30), tile(40)], 2);
    expect([sheet.width, sheet.height]).toEqual([3 * 2 + 2 * sheetGap, 2 * 2 + sheetGap]);
    expect([pixel(sheet, 0, 0)[0], pixel(sheet, 1, 3)[0], pixel(sheet, 0, 7)[0], pixel(sheet, 3, 0)[0]]).toEqual([10, 20, 30, 40]);
    expect(pixel(sheet, 0, 2), 'gap').toEqual([0, 0, 0, 0]);
    expect(pixel(sheet, 3, 3), 'no tile').toEqual([0, 0, 0, 0]);
  });
  it('keeps an empty place and centres a smaller tile', () => {
    const sheet = composeSheet([undefined, tile(9, 1)], 3, 2);
    expect(pixel(sheet, 1, 1)).toEqual([0, 0, 0, 0]);
    expect([pixel(sheet, 1, 5)[0], pixel(sheet, 0, 4)[0]]).toEqual([9, 0]);
  });
});
