/** Charts and tables of experiments as figure and CSV. */
import { describe, expect, it } from 'vitest';
import { drawFigure } from '../../../src-main/dataset/figurePicture.ts';
import { drawStroke } from '../../../src-main/dataset/stroke.ts';
import { layOutResult } from '../../../src-main/experiments/resultFigure.ts';
import { toCsv, type LineChart, type ShownResult } from '../../../src-main/experiments/shownResult.ts';
import type { FigureItem, FigureWords } from '../../../src-main/projection/figureLayout.ts';
import { figurePdf } from '../../../src-main/projection/figurePdf.ts';
import { figureSvg } from '../../../src-main/projection/figureSvg.ts';

const chart: LineChart = {
  title: 'Scale: conv1',
  across: 'factor',
  up: 'distance',
  lines: [
    { name: 'cat.png', points: [[1, 0], [1.4, 0.31], [1.8, 0.74]], isMain: false },
    { name: 'mean', points: [[1, 0], [1.4, 0.2], [1.8, 0.5]], isMain: true },
  ],
};
const table = { title: 'Error rates', columns: [{ name: 'network' }, { name: 'top-1', digits: 1 }], rows: [['alpha', 32.0359], ['beta, "2"', null]], inFigure: true } as const;
const shown: ShownResult = { charts: [chart], tables: [table] };
const texts = (items: readonly FigureItem[]) => items.filter((item): item is FigureWords => item.kind === 'words').map(({ text }) => text);

describe('the figure', () => {
  const layout = layOutResult(shown, 'A caption.');

  it('has round numbers on its axes, the names of the lines, the cells of the table, and the caption', () => {
    expect(texts(layout.items)).toEqual(['Scale: conv1', '0', '0.2', '0.4', '0.6', '0.8', '1', '1.2', '1.4', '1.6', '1.8', 'factor', 'distance', 'cat.png', 'mean', 'Error rates', 'network', 'top-1', 'alpha', '32.0', 'beta, "2"', '', 'A caption.']);
  });

  it('places points by their numbers: the ends of the line on the axes, 0.4 in the middle of 0 to 0.8', () => {
    const strokes = layout.items.filter((item) => item.kind === 'stroke');
    const axes = strokes.find(({ points }) => points.length === 3 && points[0]![0] === points[1]![0])!;
    const [top, corner, right] = axes.points as [[number, number], [number, number], [number, number]];
    const main = strokes.find(({ thickness, points }) => thickness > 2 && points.length === 3)!;
    expect(main.points[0]).toEqual(corner);
    expect(main.points[2]![0]).toBeCloseTo(right[0], 9);
    expect(main.points[1]![0]).toBeCloseTo((corner[0] + right[0]) / 2, 9);
    expect(main.points[2]![1]).toBeCloseTo(corner[1] + (0.5 / 0.8) * (top[1] - corner[1]), 9);
    expect(layout.items.every((item) => item.kind !== 'stroke' || item.points.every(([x, y]) => x >= 0 && y >= 0 && x <= layout.width && y <= layout.height))).toBe(true);
  });

  it('is the same in all formats', async () => {
    const svg = await figureSvg(layout, () => Promise.reject(new Error('there is no picture')));
    const strokes = layout.items.filter((item) => item.kind === 'stroke').length;
    expect(svg.match(/<polyline /g)).toHaveLength(strokes);
    expect(svg).toContain('stroke="#000000" stroke-width="2.2"');
    expect(svg).toContain('<desc>A caption.</desc>');
    const { bytes, hasWords } = await drawFigure(layout, 1, 'test');
    expect([bytes[1], bytes[2], bytes[3]]).toEqual([...'PNG'].map((letter) => letter.charCodeAt(0)));
    expect(typeof hasWords).toBe('boolean');
    expect(new TextDecoder('latin1').decode((await figurePdf(layout, 'test')).bytes)).toMatch(/^%PDF-1\.4/);
  });

  it('leaves rows beyond the sixtieth to the CSV', () => {
    const rows = Array.from({ length: 62 }, (_, at) => [`network ${at}`, at]);
    expect(texts(layOutResult({ charts: [], tables: [{ ...table, rows }] }, 'c').items).slice(-4)).toEqual(['network 59', '59.0', 'and 2 more', 'c']);
  });

  it('is as wide as its longest title', async () => {
    const long = 'A title that is longer than anything below it, and longer than the least width of a figure, so that it must be what decides how wide the figure is';
    const wide = layOutResult({ charts: [{ ...chart, title: long }], tables: [{ ...table, title: long }] }, 'c');
    expect(wide.width).toBeGreaterThan(800);
    await expect(drawFigure(wide, 1, 'test')).resolves.toMatchObject({ bytes: expect.any(Uint8Array) as Uint8Array });
  });

  it('shows an empty chart where nothing is known, and one name for all charts that share their lines', () => {
    const empty = { ...chart, lines: chart.lines.map((line) => ({ ...line, points: [] })) };
    expect(texts(layOutResult({ charts: [empty], tables: [] }, 'c').items).filter((text) => text === 'mean')).toHaveLength(1);
    expect(texts(layOutResult({ charts: [chart, chart, chart], tables: [] }, 'c').items).filter((text) => text === 'mean')).toHaveLength(1);
    expect(texts(layOutResult({ charts: [chart, { ...chart, lines: [] }], tables: [] }, 'c').items).filter((text) => text === 'mean')).toHaveLength(1);
  });
});

it('a stroke covers the pixels it passes, softly at its edges', () => {
  const { left, top, width, pixels } = drawStroke({ points: [[2, 3.5], [6, 3.5]], thickness: 1, colour: '#ff8000' });
  const at = (x: number, y: number) => [...pixels.subarray(((y - top) * width + x - left) * 4, ((y - top) * width + x - left) * 4 + 4)];
  expect(at(4, 3)).toEqual([255, 128, 0, 255]);
  expect(at(4, 2)[3]).toBe(0);
  const thick = drawStroke({ points: [[2, 3], [6, 3]], thickness: 1.5, colour: '#000000' });
  expect(thick.pixels[((2 - thick.top) * thick.width + 4 - thick.left) * 4 + 3]).toBe(191);
});

it('CSV quotes what must be quoted, and keeps all digits', () => {
  expect(toCsv(shown, 'Two\nlines.')).toBe('# Two lines.\n# Error rates\nnetwork,top-1\nalpha,32.0359\n"beta, ""2""",\n');
  expect(toCsv({ charts: [], tables: [{ ...table, rows: [['=1+1', -2]] }] }, 'c')).toContain("\n'=1+1,-2\n");
});
