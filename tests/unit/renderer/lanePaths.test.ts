/** Lanes of a drawn network as lines that meet from row to row. */
import { expect, test } from 'vitest';
import { laneCell, lanePaths } from '../../../src-renderer/components/lanePaths.ts';

test('a fork and a join meet in the middle of their rows, and the first node hangs on nothing', () => {
  expect(laneCell).toEqual({ width: 7, height: 22 });
  expect(lanePaths(['●', '├─┐', '● │', '├─┘', '●'])).toEqual([
    { path: 'M3.5 11V22', node: 3.5, height: 22 },
    { path: 'M3.5 0V11M3.5 11V22M3.5 11H7M10.5 11H7M10.5 11H14M17.5 11V22M17.5 11H14', node: null, height: 22 },
    { path: 'M3.5 0V11M3.5 11V22M17.5 0V11M17.5 11V22', node: 3.5, height: 22 },
    { path: 'M3.5 0V11M3.5 11V22M3.5 11H7M10.5 11H7M10.5 11H14M17.5 0V11M17.5 11H14', node: null, height: 22 },
    { path: 'M3.5 0V11', node: 3.5, height: 22 },
  ]);
});

test('a lane that ends leaves no line below its last node', () => {
  expect(lanePaths(['● ●', '●'])).toEqual([
    { path: 'M3.5 11V22', node: 17.5, height: 22 },
    { path: 'M3.5 0V11', node: 3.5, height: 22 },
  ]);
});

test('rows of other heights and a narrower cell: a small split between two tall layers', () => {
  expect(lanePaths(['●', '├─┐'], [46, 10], 6)).toEqual([
    { path: 'M3 23V46', node: 3, height: 46 },
    { path: 'M3 0V5M3 5V10M3 5H6M9 5H6M9 5H12M15 5V10M15 5H12', node: null, height: 10 },
  ]);
});
