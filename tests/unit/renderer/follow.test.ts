// @vitest-environment happy-dom
/** A stream that breaks is opened again; one that ends is left alone. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { follow } from '../../../src-renderer/api/follow.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function* messages(list: readonly number[], breaks: boolean): AsyncGenerator<number> {
  yield* list;
  if (breaks) throw new TypeError('network');
}

test('goes on after a break, and stops at the stream’s own end', async () => {
  const received: number[] = [];
  const ended = vi.fn();
  let openings = 0;
  follow({ open: async () => messages(openings++ === 0 ? [1, 2] : [3], openings === 1), receive: (message) => received.push(message), ended });
  await vi.advanceTimersByTimeAsync(400);
  expect(received).toEqual([1, 2]);
  expect(ended).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(2000);
  expect(received).toEqual([1, 2, 3]);
  expect(ended).toHaveBeenCalledOnce();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(openings).toBe(2);
});

test('waits longer after each failure', async () => {
  const times: number[] = [];
  const stop = follow({
    open: async () => {
      times.push(Date.now());
      throw new TypeError('network');
    },
    receive: () => undefined,
  });
  await vi.advanceTimersByTimeAsync(40_000);
  stop();
  expect(times.slice(1).map((time, at) => time - times[at]!)).toEqual([1000, 2000, 4000, 8000, 15_000]);
});

test('an error that cannot be mended ends it', async () => {
  const refused = vi.fn();
  let openings = 0;
  follow({
    open: async () => {
      openings += 1;
      throw Object.assign(new Error('no such index'), { code: 'NOT_FOUND', data: {} });
    },
    receive: () => undefined,
    refused,
  });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(openings).toBe(1);
  expect(refused.mock.calls).toEqual([[{ code: 'NOT_FOUND', message: 'no such index', data: {} }]]);
});

test('stopping calls the open stream off', async () => {
  const signals: AbortSignal[] = [];
  const stop = follow({
    open: async (signal) => {
      signals.push(signal);
      return messages([], false);
    },
    receive: () => undefined,
  });
  await vi.advanceTimersByTimeAsync(0);
  stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(signals).toHaveLength(1);
});
