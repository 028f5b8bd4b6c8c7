/** Lanes of a drawn network as lines that meet from row to row. */
import { expect, test } from 'vitest';
import { laneCell, lanePaths } from '../../../src-renderer/features/report/lanePaths.ts';

test('a fork and a join meet in the middle of their rows, and the first node hangs on nothing', () => {
  expect(laneCell).toEqual({ width: 7, height: 22 });
  expect(lanePaths(['●', '├─┐', '● │', '├─┘', '●'])).toEqual([
    { path: 'M3.5 11V22', node: 3.5 },
    { path: 'M3.5 0V11M3.5 11V22M3.5 11H7M10.5 11H7M10.5 11H14M17.5 11V22M17.5 11H14', node: null },
    { path: 'M3.5 0V11M3.5 11V22M17.5 0V11M17.5 11V22', node: 3.5 },
    { path: 'M3.5 0V11M3.5 11V22M3.5 11H7M10.5 11H7M10.5 11H14M17.5 0V11M17.5 11H14', node: null },
    { path: 'M3.5 0V11', node: 3.5 },
  ]);
});

test('a lane that ends leaves no line below its last node', () => {
  expect(lanePaths(['● ●', '●'])).toEqual([
    { path: 'M3.5 11V22', node: 17.5 },
    { path: 'M3.5 0V11', node: 3.5 },
  ]);
});
