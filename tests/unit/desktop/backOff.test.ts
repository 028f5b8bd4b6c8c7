/** Pauses grow, too many deaths end it, and who lived long enough begins anew. */
import { expect, it } from 'vitest';
import { createBackOff, growingPause } from '../../../src-main/desktop/backOff.ts';

it('pauses longer each time and gives up at the last attempt', () => {
  const backOff = createBackOff({ attempts: 4, pauseMs: growingPause, steadyMs: 1000, now: () => 0 });
  expect([backOff.next(), backOff.next(), backOff.next(), backOff.next(), backOff.next()]).toEqual([250, 500, 1000, undefined, undefined]);
  backOff.forget();
  expect(backOff.next()).toBe(250);
});

it('forgets deaths of who lived for long', () => {
  let time = 0;
  const backOff = createBackOff({ attempts: 2, pauseMs: () => 100, steadyMs: 1000, now: () => time });
  expect(backOff.next()).toBe(100);
  time = 100 + 999;
  expect(backOff.next()).toBeUndefined();
  time = 5000;
  expect(backOff.next()).toBe(100);
});

it('never pauses longer than eight seconds', () => expect([0, 1, 5, 6, 50].map(growingPause)).toEqual([250, 500, 8000, 8000, 8000]));
