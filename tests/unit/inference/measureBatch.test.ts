/** Which batch size is taken, by how long batches took. */
import { expect, it } from 'vitest';
import { chooseBatch } from '../../../src-main/inference/worker/measureBatch.ts';

const sizes = [1, 4, 16, 32, 64];

it.each([
  ['the largest of the short ones where none is faster', { 1: 6, 4: 24, 16: 95, 32: 260 }, 16],
  ['a short one that is a little slower', { 1: 6, 4: 25, 16: 104, 32: 260 }, 16],
  ['no short one that is much slower', { 1: 6, 4: 30, 16: 140, 32: 260 }, 1],
  ['no more than are enough where they gain nothing', { 1: 0.5, 4: 1.9, 16: 7.6, 32: 16, 64: 32 }, 16],
  ['more than are enough where they gain', { 1: 2, 4: 3, 16: 6, 32: 9, 64: 17 }, 64],
  ['the fastest of long ones', { 1: 200, 4: 400, 16: 800, 32: 1200, 64: 1700 }, 64],
  ['no long one that gains too little', { 1: 200, 4: 770 }, 1],
  ['none behind one that took too long', { 1: 900, 4: 1600 }, 4],
])('takes %s, and tries no more than it must', async (_title, took, expected) => {
  const tried: number[] = [];
  const chosen = await chooseBatch(sizes, (size) => {
    tried.push(size);
    return Promise.resolve(took[size as keyof typeof took]);
  });
  expect(chosen).toBe(expected);
  expect(tried).toEqual(Object.keys(took).map(Number));
});

it('takes what fits where memory does not suffice for more', async () => {
  expect(await chooseBatch(sizes, (size) => Promise.resolve(size > 4 ? undefined : 1))).toBe(4);
});
