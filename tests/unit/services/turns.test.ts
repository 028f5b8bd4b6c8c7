/** Work in turns: never more at once than allowed, in the order it came, and a failure frees its place. */
import { expect, it } from 'vitest';
import { createTurns } from '../../../src-main/services/turns.ts';

it('runs two at once and the others in order', async () => {
  const inTurn = createTurns(2);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const all = [0, 1, 2, 3].map((number) => inTurn(() => new Promise<number>((resolve) => {
    begun.push(number);
    ends[number] = () => resolve(number);
  })));
  await settled();
  expect(begun).toEqual([0, 1]);
  ends[1]!();
  await settled();
  expect(begun).toEqual([0, 1, 2]);
  ends[0]!();
  ends[2]!();
  await settled();
  ends[3]!();
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
});

it('frees the place of what failed', async () => {
  const inTurn = createTurns(1);
  const failed = inTurn(() => Promise.reject(new Error('broken')));
  const next = inTurn(() => Promise.resolve('next'));
  await expect(failed).rejects.toThrow('broken');
  expect(await next).toBe('next');
  expect(await inTurn(() => Promise.resolve('later'))).toBe('later');
});

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
