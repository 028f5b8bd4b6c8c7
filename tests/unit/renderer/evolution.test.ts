/** The pure parts of the evolution view: what is in sight, and what a series' record says. */
import { describe, expect, test } from 'vitest';
import type { EvolutionCell, EvolutionSeries } from '../../../src-renderer/api/records.ts';
import { scrollToItem, spanInSight } from '../../../src-renderer/features/evolution/gridWindow.ts';
import { firstShown, shareDone, suddenEpochs, versionOf } from '../../../src-renderer/features/evolution/seriesFacts.ts';

describe('spanInSight', () => {
  test('only what is seen and one more on either side', () => {
    expect(spanInSight(4096, 100, 30, 0, 500, 1)).toEqual({ first: 0, end: 6 });
    expect(spanInSight(4096, 100, 30, 1030, 500, 1)).toEqual({ first: 9, end: 16 });
  });

  test('never beyond the ends', () => {
    expect(spanInSight(3, 100, 30, 0, 900, 1)).toEqual({ first: 0, end: 3 });
    expect(spanInSight(0, 100, 30, 0, 900, 1)).toEqual({ first: 0, end: 0 });
    expect(spanInSight(3, 100, 0, 5000, 900, 1)).toEqual({ first: 3, end: 3 });
  });
});

test('scrollToItem moves as little as shows the whole item below the heading', () => {
  expect(scrollToItem(5, 100, 30, 400, 500, 30)).toBe(400);
  expect(scrollToItem(2, 100, 30, 400, 500, 30)).toBe(200);
  expect(scrollToItem(9, 100, 30, 400, 500, 30)).toBe(530);
});

const checkpoint = (epoch: number, state: 'empty' | 'partial' | 'complete', indexed: number, index: string | null = 'a') => ({ epoch, index, state, indexed, images: 100, numbering: 1 });
const series = (...checkpoints: ReturnType<typeof checkpoint>[]): EvolutionSeries => ({ checkpoints }) as unknown as EvolutionSeries;

test('a series is done by the images of all its checkpoints', () => {
  expect(shareDone(series(checkpoint(1, 'partial', 50), checkpoint(2, 'complete', 98), checkpoint(3, 'empty', 0, null), checkpoint(4, 'empty', 0)))).toBe(0.375);
});

test('the version changes with any checkpoint', () => {
  const before = versionOf(series(checkpoint(1, 'partial', 50), checkpoint(2, 'empty', 0)));
  expect(versionOf(series(checkpoint(1, 'partial', 51), checkpoint(2, 'empty', 0)))).not.toBe(before);
  expect(versionOf(series(checkpoint(1, 'partial', 50), checkpoint(2, 'empty', 0)))).toBe(before);
});

test('first shown is the last epoch that has something to show', () => {
  expect(firstShown(series(checkpoint(1, 'complete', 100), checkpoint(2, 'partial', 3), checkpoint(3, 'empty', 0)).checkpoints)?.epoch).toBe(2);
  expect(firstShown(series(checkpoint(1, 'empty', 0, null), checkpoint(2, 'empty', 0, null)).checkpoints)?.epoch).toBe(2);
});

test('sudden epochs', () => {
  const cell = (epoch: number, change: string): EvolutionCell => ({ kind: 'hit', epoch, change }) as unknown as EvolutionCell;
  expect(suddenEpochs([cell(1, 'first'), cell(2, 'sudden'), { kind: 'missing', epoch: 3, reason: 'waiting' }, cell(4, 'other'), cell(5, 'sudden')])).toEqual([2, 5]);
});
