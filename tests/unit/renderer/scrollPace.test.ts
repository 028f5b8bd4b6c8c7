import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { effectScope } from 'vue';
import { useScrollPace } from '../../../src-renderer/composables/useScrollPace.ts';

const screen = 800;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Scrolls so many pixels a frame for a while; whether it was hurried after each frame. */
function scroll({ scrolled, hurried }: ReturnType<typeof useScrollPace>, pixelsPerFrame: number, frames: number): boolean[] {
  return Array.from({ length: frames }, (_, frame) => {
    scrolled(frame * pixelsPerFrame, screen);
    vi.advanceTimersByTime(16);
    return hurried.value;
  });
}

test('is hurried while it goes faster than a screen and a quarter a second, and rests soon after', () => {
  const scope = effectScope();
  const pace = scope.run(useScrollPace)!;
  // 16 ms a frame: 750 and 1,250 pixels a second; the limit is 1,000.
  expect(scroll(pace, 12, 30)).not.toContain(true);
  vi.advanceTimersByTime(120);
  expect(scroll(pace, 20, 30).slice(8)).not.toContain(false);
  vi.advanceTimersByTime(119 - 16);
  expect(pace.hurried.value).toBe(true);
  vi.advanceTimersByTime(1);
  expect(pace.hurried.value).toBe(false);
  scope.stop();
});

test('a jump to another place is no hurry', () => {
  const scope = effectScope();
  const pace = scope.run(useScrollPace)!;
  pace.scrolled(0, screen);
  vi.advanceTimersByTime(5000);
  pace.scrolled(90_000, screen);
  expect(pace.hurried.value).toBe(false);
  scope.stop();
});
