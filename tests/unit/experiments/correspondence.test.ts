/** Signs of changes, their distances, and how alike pictures change, against numbers worked out by hand. */
import { expect, it } from 'vitest';
import { changeSigns, consistencyOf, deviation, hammingDistance, hideBox, randomBox } from '../../../src-main/experiments/correspondence.ts';
import { seededRandom } from '../../support/graphs.ts';

it('signs have three values: changes within the tolerance of the largest feature count as none', () => {
  const plain = Float32Array.of(100, 5, 5, 0, -2);
  const hidden = Float32Array.of(100.00005, 6, 4, 0, -2.0002);
  expect([...changeSigns(plain, hidden, 1e-6)]).toEqual([0, -1, 1, 0, 1]);
  expect([...changeSigns(plain, hidden, 1e-5)]).toEqual([0, -1, 1, 0, 0]);
});

it('zero agrees with zero alone', () => {
  expect(hammingDistance(Int8Array.of(0, 1, -1, 0), Int8Array.of(0, -1, -1, 1))).toBe(2);
});

it('Delta is the mean over pairs of the share of features that differ', () => {
  const signs = [Int8Array.of(1, 1, 0, 0), Int8Array.of(1, -1, 0, 0), Int8Array.of(1, 1, 0, 1)];
  // Pairs: 1, 1 and 2 of 4 features differ.
  const { mean, deviation: spread } = consistencyOf(signs);
  expect(mean).toBeCloseTo(1 / 3, 12);
  expect(spread).toBeCloseTo(Math.sqrt(((1 / 4 - 1 / 3) ** 2 * 2 + (1 / 2 - 1 / 3) ** 2) / 2), 12);
  // Over ordered pairs, as the paper sums them: each pair twice, divided by features x n(n-1).
  expect(mean).toBeCloseTo((2 * (1 + 1 + 2)) / (4 * 3 * 2), 12);
});

it('the deviation is that of a sample', () => {
  expect(deviation([1, 2, 3])).toBe(1);
  expect(deviation([4])).toBe(0);
});

it('random boxes have the size of the part, lie within the picture and reach all its borders', () => {
  const random = seededRandom(3);
  const boxes = Array.from({ length: 400 }, () => randomBox([2, 3, 5, 4], 8, 6, random));
  expect(boxes.every(([y0, x0, y1, x1]) => y1 - y0 === 3 && x1 - x0 === 1 && y0 >= 0 && x0 >= 0 && y1 <= 8 && x1 <= 6)).toBe(true);
  expect([Math.min(...boxes.map((box) => box[0])), Math.max(...boxes.map((box) => box[2])), Math.min(...boxes.map((box) => box[1])), Math.max(...boxes.map((box) => box[3]))]).toEqual([0, 8, 0, 6]);
});

it('hides a box and leaves the picture itself alone', () => {
  const pixels = new Uint8Array(3 * 3 * 3).fill(1);
  const hidden = hideBox(pixels, 3, [1, 0, 3, 2], [7, 8, 9]);
  expect(Array.from({ length: 9 }, (_, at) => hidden[at * 3])).toEqual([1, 1, 1, 7, 7, 1, 7, 7, 1]);
  expect([...hidden.subarray(9, 12)]).toEqual([7, 8, 9]);
  expect(pixels.every((value) => value === 1)).toBe(true);
});
