/** Places in pictures: the middle of a unit's field, the pixels below a loupe, the filters on a sheet. */
import { expect, test } from 'vitest';
import { filterAt, tilePlaces } from '../../../src-renderer/components/filterSheet.ts';
import { fieldMiddle } from '../../../src-renderer/composables/fieldMiddle.ts';
import { loupeSource, pixelBelow, steppedPixel } from '../../../src-renderer/features/unit/loupeSource.ts';

test('fieldMiddle: offset, stride and half the field; never outside the input', () => {
  const layer = { height: 55, width: 55, receptiveField: { size: [11, 11], stride: [4, 4], offset: [-2, 0] } } as const;
  expect(fieldMiddle(layer, { y: 0, x: 10 }, [227, 227])).toEqual({ y: 3.5, x: 45.5 });
  expect(fieldMiddle(layer, { y: 80, x: 0 }, [227, 227])).toEqual({ y: 227, x: 5.5 });
});

test('fieldMiddle of units that all see everything goes by their place in the map', () => {
  const layer = { height: 4, width: 2, receptiveField: { size: [100, 80], stride: [0, 0], offset: [0, 0] } } as const;
  expect(fieldMiddle(layer, { y: 1, x: 1 }, [100, 80])).toEqual({ y: 37.5, x: 60 });
});

test('loupeSource cuts a square of input pixels out of a picture of any size', () => {
  expect(loupeSource({ y: 10, x: 20 }, 17, [224, 224], { naturalWidth: 224, naturalHeight: 224 })).toEqual({ sx: 12, sy: 2, size: { width: 17, height: 17 } });
  expect(loupeSource({ y: 0, x: 0 }, 17, [100, 200], { naturalWidth: 400, naturalHeight: 200 })).toEqual({ sx: -16, sy: -16, size: { width: 34, height: 34 } });
});

test('pixelBelow and steppedPixel stay inside the input', () => {
  expect(pixelBelow({ y: 150, x: 299.9 }, { width: 300, height: 300 }, [224, 224])).toEqual({ y: 112, x: 223 });
  expect(pixelBelow({ y: -1, x: 5 }, { width: 300, height: 300 }, [224, 224])).toBeNull();
  expect(steppedPixel({ y: 3, x: 220 }, { y: -10, x: 10 }, [224, 224])).toEqual({ y: 0, x: 223 });
});

test('tilePlaces: tiles in rows, or one filter per row of tiles', () => {
  const sheet = { from: 10, count: 3, kind: 'grey', tile: [40, 40], columns: 2, gap: 1, width: 81, height: 81 } as const;
  expect(tilePlaces(sheet)[2]).toEqual({ filter: 12, left: '0%', top: `${(100 * 41) / 81}%`, width: `${(100 * 40) / 81}%`, height: `${(100 * 40) / 81}%` });
  expect(tilePlaces({ ...sheet, kind: 'rows', columns: 64, width: 2623 })[1]).toEqual({ filter: 11, left: '0%', top: `${(100 * 41) / 81}%`, width: '100%', height: `${(100 * 40) / 81}%` });
});

test('filterAt: the filter at a point, none behind the last one or beside the sheet', () => {
  const sheet = { from: 10, count: 3, kind: 'grey', tile: [40, 40], columns: 2, gap: 1, width: 81, height: 81 } as const;
  expect([[0, 0], [0.9, 0.1], [0.1, 0.9], [0.9, 0.9], [1.1, 0.1], [-0.1, 0.9]].map(([x, y]) => filterAt(sheet, { x: x!, y: y! }))).toEqual([0, 1, 2, null, null, null]);
  expect(filterAt({ ...sheet, kind: 'rows', columns: 64, width: 2623 }, { x: 0.9, y: 0.6 })).toBe(1);
});
