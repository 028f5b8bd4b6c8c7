/** Which parts of a picture the error rates look at, and how they count. */
import { describe, expect, it } from 'vitest';
import { countErrors, meanProbabilities, rankOf, tenCrops } from '../../../src-main/experiments/errorRates.ts';

/** Each pixel is its row and column: red and green. */
const picture = (height: number, width: number) => Uint8Array.from({ length: height * width * 3 }, (_, at) => (at % 3 === 0 ? Math.floor(at / 3 / width) : at % 3 === 1 ? Math.floor(at / 3) % width : 0));
const whole = { pixels: picture(4, 6), height: 4, width: 6, crop: { top: 1, left: 2, height: 2, width: 2 } };
/** Row and column of each pixel. */
const placesIn = (pixels: Uint8Array) => Array.from({ length: pixels.length / 3 }, (_, at) => `${pixels[at * 3]}${pixels[at * 3 + 1]}`).join(' ');

describe('crops', () => {
  it('cuts the centre and the corners of the whole picture, each followed by its mirror image', () => {
    const crops = tenCrops(whole);
    expect(Array.from({ length: 10 }, (_, at) => placesIn(crops.subarray(at * 12, (at + 1) * 12)))).toEqual([
      '12 13 22 23', '13 12 23 22',
      '00 01 10 11', '01 00 11 10',
      '04 05 14 15', '05 04 15 14',
      '20 21 30 31', '21 20 31 30',
      '24 25 34 35', '25 24 35 34',
    ]);
  });
});

describe('ranks', () => {
  it('counts the classes before the true one; of equal ones the earlier comes first', () => {
    expect([rankOf([0.1, 0.5, 0.4], 1), rankOf([0.1, 0.5, 0.4], 2), rankOf([0.3, 0.3, 0.4], 1), rankOf([0.3, 0.3, 0.4], 0)]).toEqual([0, 1, 2, 1]);
  });

  it('puts a class without a number last', () => {
    expect(rankOf([Number.NaN, 0.5, 0.4], 0)).toBe(2);
  });

  it('counts an image as wrong where its class is not among the first k', () => {
    expect(countErrors([0, 1, 4, 5])).toEqual({ top1Wrong: 3, top5Wrong: 1, top1: 0.75, top5: 0.25 });
    expect(countErrors([])).toEqual({ top1Wrong: 0, top5Wrong: 0, top1: 0, top5: 0 });
  });
});

it('averages probabilities, not scores: one sure crop does not outvote two others', () => {
  const mean = meanProbabilities(Float32Array.of(0, 20, 1, 0, 1, 0), 3);
  const unsure = Math.E / (1 + Math.E);
  expect(mean[0]).toBeCloseTo((2 * unsure) / 3, 6);
  expect(mean[0]! + mean[1]!).toBeCloseTo(1, 12);
  expect([...meanProbabilities(Float32Array.of(1000, 1000), 1)]).toEqual([0.5, 0.5]);
});
