/** What a map is drawn and searched by: cameras, the index of points, which points show their picture, steps by arrows, layouts from columns. */
import { describe, expect, test } from 'vitest';
import { choosePoints, linkBack, linkedMarks, markedRows } from '../../../src-renderer/features/map/choosing.ts';
import { panned, pixelsPerUnit, toMap, toWindow, wholeMap, zoomedAt } from '../../../src-renderer/features/map/mapCamera.ts';
import { layoutOf, mosaicOf } from '../../../src-renderer/features/map/mapColumns.ts';
import { pictureLevels } from '../../../src-renderer/features/map/pictureLevels.ts';
import { indexPoints } from '../../../src-renderer/features/map/pointIndex.ts';
import { nextPoint } from '../../../src-renderer/features/map/pointSteps.ts';
import { shownPictures } from '../../../src-renderer/features/map/shownPictures.ts';

const view = { width: 800, height: 600 };
const square = { width: 1, height: 1 };

/** Points that are scattered the same in every run. */
function scattered(points: number): Float32Array {
  let state = 7;
  const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  return Float32Array.from({ length: 2 * points }, next);
}

describe('the camera', () => {
  test('fits the whole map into the window', () => {
    expect(pixelsPerUnit(wholeMap, view, square)).toBeCloseTo(552);
    expect(pixelsPerUnit(wholeMap, view, { width: 1, height: 0.5 })).toBeCloseTo(736);
    expect(toWindow(wholeMap, view, 552, { x: 0.5, y: 0.5 })).toEqual({ x: 400, y: 300 });
  });

  test('keeps what is under the pointer while it zooms', () => {
    const spot = { x: 650, y: 120 };
    const before = toMap(wholeMap, view, pixelsPerUnit(wholeMap, view, square), spot);
    const near = zoomedAt(wholeMap, 8, view, square, spot);
    expect(near.zoom).toBe(8);
    const after = toMap(near, view, pixelsPerUnit(near, view, square), spot);
    expect(after.x).toBeCloseTo(before.x, 6);
    expect(after.y).toBeCloseTo(before.y, 6);
  });

  test('cannot be moved off the map', () => {
    expect(panned(wholeMap, 1e6, -1e6, 552)).toEqual({ x: 0, y: 1, zoom: 1 });
  });
});

describe('the index of points', () => {
  const positions = Float32Array.of(0.1, 0.1, 0.9, 0.9, 0.12, 0.1, Number.NaN, Number.NaN);
  const index = indexPoints(positions);

  test('finds the nearest within reach', () => {
    expect(index.nearest({ x: 0.13, y: 0.1 }, 0.05)).toBe(2);
    expect(index.nearest({ x: 0.5, y: 0.5 }, 0.05)).toBeNull();
  });

  test('finds what is in a box and counts up to a limit', () => {
    const box = { left: 0, top: 0, right: 0.5, bottom: 0.5 };
    expect(index.inBox(box)).toEqual([0, 2]);
    expect(index.countInBox(box, 1)).toBe(1);
  });

  test('finds what a line encloses, also where it is hollow', () => {
    const hollow = [{ x: 0, y: 0 }, { x: 0.5, y: 0 }, { x: 0.5, y: 0.5 }, { x: 0.11, y: 0.01 }, { x: 0, y: 0.5 }];
    expect(index.inPolygon(hollow)).toEqual([]);
    expect(index.inPolygon([{ x: 0, y: 0 }, { x: 0.5, y: 0 }, { x: 0, y: 0.5 }])).toEqual([0, 2]);
    expect(index.inPolygon([{ x: 0, y: 0 }, { x: 1, y: 1 }])).toEqual([]);
  });

  test('agrees with looking at every point', () => {
    const many = scattered(3000);
    const quick = indexPoints(many);
    for (const [x, y] of [[0.5, 0.5], [0.01, 0.99], [0.7, 0.2]] as const) {
      const distances = Array.from({ length: 3000 }, (_, point) => Math.hypot(many[2 * point]! - x, many[2 * point + 1]! - y));
      expect(quick.nearest({ x, y }, 0.3)).toBe(distances.indexOf(Math.min(...distances)));
    }
  });

  test('is empty where there are no points', () => {
    expect(indexPoints(new Float32Array(0)).nearest({ x: 0.5, y: 0.5 }, 2)).toBeNull();
  });
});

describe('pictures', () => {
  const positions = scattered(400);
  const index = indexPoints(positions);
  const levels = pictureLevels(positions, index);

  test('never overlap, and only ever appear while one comes closer', () => {
    let before: readonly number[] = [];
    for (let level = 0; level < 8; level++) {
      const { points } = levels.of(level);
      const edge = 0.05 * 2 ** (-level / 2);
      const apart = points.flatMap((a, at) => points.slice(at + 1).map((b) => Math.max(Math.abs(positions[2 * a]! - positions[2 * b]!), Math.abs(positions[2 * a + 1]! - positions[2 * b + 1]!))));
      expect(Math.min(...apart)).toBeGreaterThanOrEqual(edge);
      expect(before.every((point) => points.includes(point))).toBe(true);
      before = points;
    }
    expect(levels.of(26).points.length).toBe(400);
  });

  test('are at most 128 pixels large, and at least 36 but on the smallest map', () => {
    expect(levels.at(552).edge).toBeCloseTo(27.6);
    for (const scale of [800, 1500, 9000, 70_000]) {
      const { edge } = levels.at(scale);
      expect(edge).toBeGreaterThanOrEqual(36);
      expect(edge).toBeLessThanOrEqual(36 * Math.SQRT2 + 0.01);
    }
    expect(levels.at(1e9).edge).toBe(128);
  });

  test('stand only where few points lie under them', () => {
    const crowd = Float32Array.from({ length: 60 }, (_, at) => (at < 58 ? 0.5 + 0.0001 * (at % 2) : 0.1));
    const there = indexPoints(crowd);
    const shown = shownPictures({ layout: { positions: crowd, ...square }, index: there, columns: null }, pictureLevels(crowd, there), 800, { left: 0, top: 0, right: 1, bottom: 1 });
    expect(shown.points).toEqual([29]);
  });

  test('of a mosaic are its cells in sight, where those are large enough', () => {
    const layout = mosaicOf(Int32Array.of(3, 0, 1, -1), { columns: 2, rows: 2 });
    expect([...layout.positions].slice(0, 6)).toEqual([0.75, 0.75, 0.25, 0.25, 0.75, 0.25]);
    const placed = { layout, index: indexPoints(layout.positions), columns: 2 };
    const of = pictureLevels(layout.positions, placed.index);
    expect(shownPictures(placed, of, 100, { left: 0, top: 0, right: 1, bottom: 0.5 })).toEqual({ points: [1, 2], edge: 50 });
    expect(shownPictures(placed, of, 11, { left: 0, top: 0, right: 1, bottom: 1 })).toEqual({ points: [], edge: 0 });
  });
});

describe('steps by arrows', () => {
  // 0 in the middle, 1 right of it, 2 farther right, 3 above, 4 to the right but far aside.
  const positions = Float32Array.of(0.5, 0.5, 0.6, 0.52, 0.9, 0.5, 0.5, 0.1, 0.55, 0.8);
  const index = indexPoints(positions);

  test('go to the near one in that direction', () => {
    expect(nextPoint(positions, index, 0, 'ArrowRight', 0.01)).toBe(1);
    expect(nextPoint(positions, index, 1, 'ArrowRight', 0.01)).toBe(2);
    expect(nextPoint(positions, index, 0, 'ArrowUp', 0.01)).toBe(3);
    expect(nextPoint(positions, index, 0, 'ArrowDown', 0.01)).toBe(4);
    expect(nextPoint(positions, index, 0, 'ArrowLeft', 0.01)).toBeNull();
  });
});

describe('layouts', () => {
  test('fill a unit square with y down', () => {
    const { positions, width, height } = layoutOf(Float32Array.of(-10, 0, 10, 10, Number.NaN, 3));
    expect([...positions]).toEqual([0, 0.75, 1, 0.25, Number.NaN, Number.NaN]);
    expect([width, height]).toEqual([1, 0.5]);
  });

  test('of one point, or of points that are all the same, are the middle', () => {
    expect(layoutOf(Float32Array.of(3, 4))).toEqual({ positions: Float32Array.of(0.5, 0.5), width: 1, height: 1 });
    expect([...layoutOf(Float32Array.of(3, 4, 3, 4)).positions]).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect(layoutOf(new Float32Array(0)).positions.length).toBe(0);
  });
});

describe('choosing', () => {
  test('replaces, adds, takes away, and knows when nothing is left', () => {
    const first = choosePoints(4, null, [1, 2], 'replace');
    expect(first).toEqual(Uint8Array.of(0, 1, 1, 0));
    const second = choosePoints(4, first, [3, 99, -1], 'add');
    expect(second).toEqual(Uint8Array.of(0, 1, 1, 1));
    expect(choosePoints(4, second, [1], 'remove')).toEqual(Uint8Array.of(0, 0, 1, 1));
    expect(choosePoints(4, second, [1, 2, 3], 'remove')).toBeNull();
    expect(choosePoints(4, second, [], 'replace')).toBeNull();
    expect(markedRows(Int32Array.of(10, 11, -1, 13), second)).toEqual([11, 13]);
  });

  test('is handed on to another map of the same images', () => {
    const link = Int32Array.of(2, -1, 0);
    expect([...linkBack(4, link)]).toEqual([2, -1, 0, -1]);
    expect(linkedMarks(link, Uint8Array.of(1, 1, 0, 0))).toEqual(Uint8Array.of(0, 0, 1));
    expect(linkedMarks(link, null)).toBeNull();
  });
});
