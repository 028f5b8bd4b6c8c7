/** Memory given back at once: what spans its buffer is gone, and a view of a part of something larger is not touched. */
import { expect, it } from 'vitest';
import { letGo } from '../../src-shared/letGo.ts';

it('lets all of a buffer go', () => {
  const pixels = new Uint8Array(12);
  const rows = new Float32Array(3);
  letGo(pixels);
  letGo(rows);
  expect([pixels.length, pixels.buffer.detached]).toEqual([0, true]);
  expect([rows.length, rows.buffer.detached]).toEqual([0, true]);
});

it('leaves a view of a part alone, and what others hold of it', () => {
  const whole = Uint8Array.of(1, 2, 3, 4);
  letGo(whole.subarray(1, 3));
  expect([...whole]).toEqual([1, 2, 3, 4]);
});

it('does nothing where they are gone already', () => {
  const bytes = new Uint8Array(8);
  letGo(bytes);
  letGo(bytes);
  expect(bytes.buffer.detached).toBe(true);
});
