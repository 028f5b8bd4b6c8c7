/** The virtual grid: which cells are drawn, where they lie, where keys lead. */
import { describe, expect, test } from 'vitest';
import { cellPosition, fittedEdge, gridGeometry, scrollToCell, stepFrom, tileSize } from '../../../src-renderer/features/atlas/gridGeometry.ts';
import { sheetTile } from '../../../src-renderer/features/unit/sheetTile.ts';

const size = { cellWidth: 100, cellHeight: 90, gap: 10 };
const view = { ...size, width: 430, height: 300, overscan: 1 };

describe('gridGeometry', () => {
  test('4,096 channels draw only the rows in sight and one around them', () => {
    const top = gridGeometry({ ...view, count: 4096, scrollTop: 0 });
    expect(top).toEqual({ columns: 4, rows: 1024, totalHeight: 102_390, first: 0, end: 16 });
    expect(gridGeometry({ ...view, count: 4096, scrollTop: 5000 })).toMatchObject({ first: 196, end: 216 });
  });

  test('a last row that is not full ends with the list', () => {
    expect(gridGeometry({ ...view, count: 10, scrollTop: 0 })).toEqual({ columns: 4, rows: 3, totalHeight: 290, first: 0, end: 10 });
  });

  test('no cells, and an area narrower than one cell', () => {
    expect(gridGeometry({ ...view, count: 0, scrollTop: 0 })).toEqual({ columns: 4, rows: 0, totalHeight: 0, first: 0, end: 0 });
    expect(gridGeometry({ ...view, width: 20, count: 3, scrollTop: 0 }).columns).toBe(1);
  });

  test('a scroll position beyond the end draws nothing instead of failing', () => {
    const beyond = gridGeometry({ ...view, count: 8, scrollTop: 9000 });
    expect(beyond.end).toBeLessThanOrEqual(8);
    expect(beyond.first).toBe(8);
  });
});

test('cellPosition counts rows by columns', () => {
  expect(cellPosition(9, 4, size)).toEqual({ left: 110, top: 200 });
});

test('scrollToCell moves no further than it must', () => {
  const seen = { ...size, height: 300, scrollTop: 100 };
  expect(scrollToCell(4, 4, seen)).toBe(100);
  expect(scrollToCell(0, 4, seen)).toBe(0);
  expect(scrollToCell(16, 4, seen)).toBe(190);
});

test('stepFrom stays inside the list, and goes down to a short last row', () => {
  expect(stepFrom(0, 'ArrowLeft', 4, 10)).toBe(0);
  expect(stepFrom(9, 'ArrowRight', 4, 10)).toBe(9);
  expect(stepFrom(2, 'ArrowUp', 4, 10)).toBe(2);
  expect(stepFrom(5, 'ArrowUp', 4, 10)).toBe(1);
  expect(stepFrom(1, 'ArrowDown', 4, 10)).toBe(5);
  expect(stepFrom(7, 'ArrowDown', 4, 10)).toBe(9);
  expect(stepFrom(8, 'ArrowDown', 4, 10)).toBe(8);
});

test('stepFrom goes by pages of the rows in sight, and to both ends', () => {
  expect(stepFrom(1, 'PageDown', 4, 100, 3)).toBe(13);
  expect(stepFrom(98, 'PageDown', 4, 99, 3)).toBe(98);
  expect(stepFrom(94, 'PageDown', 4, 99, 3)).toBe(98);
  expect(stepFrom(13, 'PageUp', 4, 100, 3)).toBe(1);
  expect(stepFrom(5, 'PageUp', 4, 100, 3)).toBe(1);
  expect(stepFrom(50, 'Home', 4, 100)).toBe(0);
  expect(stepFrom(50, 'End', 4, 100)).toBe(99);
});

test('fittedEdge fills the width with whole columns, near the wanted edge', () => {
  // Three columns of two sheets, 16 wider than their sheets, 10 apart: 3 * (2 * 177 + 16) + 2 * 10 = 1130.
  expect(fittedEdge(150, 1130, 2, 16, 10)).toBe(177);
  expect(fittedEdge(150, 60, 2, 16, 10)).toBe(113);
});

test('tileSize asks for one of a few sizes, sharp enough for the screen', () => {
  expect(tileSize(150, 1)).toBe(64);
  expect(tileSize(144, 1)).toBe(48);
  expect(tileSize(150, 2)).toBe(128);
  expect(tileSize(390, 3)).toBe(256);
});

test('sheetTile shows one tile of a sheet with 1 px gaps', () => {
  // Tiles of 128: the sheet is 386 wide; tile 5 begins at 129, 129.
  expect(sheetTile(1, 128)).toEqual({ width: '301.5625%', left: '0%', top: '0%' });
  expect(sheetTile(5, 128)).toEqual({ width: '301.5625%', left: '-100.78125%', top: '-100.78125%' });
});
