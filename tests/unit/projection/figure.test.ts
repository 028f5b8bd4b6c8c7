/** The figure: where its parts stand, and that SVG and PDF say the same in their own words. */
import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Picture } from '../../../src-main/projection/display.ts';
import { layOutFigure, type FigureChannel, type FigureItem } from '../../../src-main/projection/figureLayout.ts';
import { figurePdf } from '../../../src-main/projection/figurePdf.ts';
import { figureSvg } from '../../../src-main/projection/figureSvg.ts';

const picture = (red: number, alpha = 255): Picture => ({ width: 2, height: 1, pixels: Uint8Array.of(red, 10, 20, alpha, red, 10, 20, 0) });
const channel = (number: number, absence: string | null = null): FigureChannel => ({ label: `conv5 ${number}`, absence, projections: picture(number), patches: picture(number + 100) });
const pictures = (items: readonly FigureItem[]) => items.filter((item) => item.kind === 'picture');
const words = (items: readonly FigureItem[]) => items.filter((item) => item.kind === 'words');

describe('the layout', () => {
  it('has projections left, patches right, channels in rows, the caption below', () => {
    const { width, height, items } = layOutFigure([channel(3), channel(4), channel(5)], 'What it shows.', 2);
    expect([width, height]).toEqual([826, 492]);
    expect(pictures(items).map(({ left, top, picture: { pixels } }) => [pixels[0], left, top])).toEqual([
      [3, 16, 32], [103, 213, 32], [4, 420, 32], [104, 617, 32], [5, 16, 255], [105, 213, 255],
    ]);
    expect(words(items).map(({ text, left, baseline, weight }) => [text, left, baseline, weight])).toEqual([
      ['conv5 3', 16, 27, 'bold'], ['conv5 4', 420, 27, 'bold'], ['conv5 5', 16, 250, 'bold'], ['What it shows.', 16, 472, 'plain'],
    ]);
  });
  it('says in words why a channel has no pictures', () => {
    const { items } = layOutFigure([channel(1), channel(2, 'dead: no image excites it')], 'c', 2);
    expect([pictures(items).length, words(items).map(({ text }) => text)]).toEqual([2, ['conv5 1', 'conv5 2', 'dead: no image excites it', 'c']]);
  });
  it('is about square, and never wider than its channels', () => {
    const columns = (count: number) => new Set(pictures(layOutFigure(Array.from({ length: count }, (_, at) => channel(at)), 'c').items).map(({ left }) => left)).size / 2;
    expect([1, 2, 4, 5, 9, 16, 32].map(columns)).toEqual([1, 1, 2, 2, 2, 3, 4]);
    expect(layOutFigure([channel(1)], 'c', 8).width).toBe(layOutFigure([channel(1)], 'c', 1).width);
  });
  it('breaks the caption into lines that fit, long words and wide letters too', () => {
    const caption = `${'word '.repeat(40)}${'f'.repeat(150)} ${'한'.repeat(60)} end`;
    const lines = words(layOutFigure([channel(1)], caption, 1).items).slice(1).map(({ text }) => text);
    expect(lines.join('').replaceAll(' ', '')).toBe(caption.replaceAll(' ', ''));
    // 390 units of width, in which a letter of 10 takes its share of DejaVu Sans, the widest usual face.
    const widths: Readonly<Record<string, number>> = { 한: 1, w: 0.818, o: 0.612, r: 0.411, d: 0.635, f: 0.352, e: 0.615, n: 0.634, ' ': 0.318 };
    const taken = lines.map((line) => [...line].reduce((sum, letter) => sum + widths[letter]!, 0));
    expect(Math.max(...taken)).toBeLessThanOrEqual(39);
    expect(Math.min(...taken.slice(0, 3)), 'and fill them').toBeGreaterThan(0.75 * 39);
  });
});

describe('the SVG', () => {
  it('embeds the pictures and escapes the words', async () => {
    const layout = layOutFigure([channel(7)], 'R&D <nets> "quoted" \u0007bell\uffff\ud800', 1);
    const svg = await figureSvg(layout, async ({ pixels }) => Uint8Array.of(0x89, pixels[0]!));
    expect(svg.split('\n').slice(0, 3)).toEqual([
      '<?xml version="1.0" encoding="UTF-8"?>',
      `<svg xmlns="http://www.w3.org/2000/svg" width="422" height="${layout.height}" viewBox="0 0 422 ${layout.height}" font-family="Helvetica, Arial, sans-serif" fill="#000000">`,
      '<desc>R&amp;D &lt;nets&gt; &quot;quoted&quot; bell</desc>',
    ]);
    expect(svg).toContain('<text x="16" y="27" font-size="11" font-weight="bold">conv5 7</text>');
    expect(svg).toContain('<image x="16" y="32" width="193" height="193" href="data:image/png;base64,iQc="/>');
    expect(svg).toContain('<image x="213" y="32" width="193" height="193" href="data:image/png;base64,iWs="/>');
  });
});

/** Objects of a PDF, found through its table of offsets as a reader finds them. */
function readPdf(bytes: Uint8Array): ReadonlyMap<number, { readonly dictionary: string; readonly stream: Buffer | null }> {
  const text = Buffer.from(bytes).toString('latin1');
  const table = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(text)![1]);
  const [, size, rows] = /^xref\n0 (\d+)\n((?:\d{10} \d{5} [nf] \n)+)trailer\n<< \/Size \1 \/Root 1 0 R \/Info 7 0 R >>/.exec(text.slice(table))!;
  const offsets = rows!.match(/\d{10}(?= \d{5} n )/g)!.map(Number);
  expect(offsets).toHaveLength(Number(size) - 1);
  return new Map(
    offsets.map((offset, at): [number, { dictionary: string; stream: Buffer | null }] => {
      const [, id, dictionary] = /^(\d+) 0 obj\n(<<[\s\S]*?>>)\n(?:endobj|stream)/.exec(text.slice(offset))!;
      expect(Number(id)).toBe(at + 1);
      const length = /\/Length (\d+)/.exec(dictionary!)?.[1];
      if (length === undefined) return [Number(id), { dictionary: dictionary!, stream: null }];
      const start = text.indexOf('stream\n', offset) + 7;
      expect(text.slice(start + Number(length), start + Number(length) + 10)).toBe('\nendstream');
      return [Number(id), { dictionary: dictionary!, stream: inflateSync(bytes.subarray(start, start + Number(length))) }];
    }),
  );
}

describe('the PDF', () => {
  it('is one page whose objects are where its table says, in points', async () => {
    const layout = layOutFigure([channel(7)], 'Caption', 1);
    const objects = readPdf((await figurePdf(layout, 'Switchback test')).bytes);
    expect([...objects.keys()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(objects.get(3)!.dictionary).toContain(`/MediaBox [0 0 316.5 ${layout.height * 0.75}]`);
    expect(objects.get(4)!.stream!.toString('latin1').split('\n')).toEqual([
      `0.75 0 0 -0.75 0 ${layout.height * 0.75} cm`,
      'q 193 0 0 -193 16 225 cm /P0 Do Q',
      'q 193 0 0 -193 213 225 cm /P1 Do Q',
      'BT /F1 11 Tf 1 0 0 -1 16 27 Tm (conv5 7) Tj ET',
      `BT /F0 10 Tf 1 0 0 -1 16 ${layout.height - 20} Tm (Caption) Tj ET`,
    ]);
  });
  it('holds the pictures on white', async () => {
    const objects = readPdf((await figurePdf(layOutFigure([channel(7)], 'c', 1), 'p')).bytes);
    expect(objects.get(8)!.dictionary).toContain('/Width 2 /Height 1 /ColorSpace /DeviceRGB');
    expect([...objects.get(8)!.stream!]).toEqual([7, 10, 20, 255, 255, 255]);
    expect([...objects.get(9)!.stream!]).toEqual([107, 10, 20, 255, 255, 255]);
  });
  it('shrinks what is larger than readers show', async () => {
    const layout = layOutFigure(Array.from({ length: 100 }, (_, at) => channel(at)), 'Caption', 1);
    expect(layout.height * 0.75).toBeGreaterThan(14_400);
    const objects = readPdf((await figurePdf(layout, 'p')).bytes);
    const [, width, height] = /MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/.exec(objects.get(3)!.dictionary)!.map(Number);
    expect([height, width! / height!]).toEqual([14_400, expect.closeTo(layout.width / layout.height, 5)]);
  });
  it('writes Western letters, says when others were replaced, and keeps them all in its information', async () => {
    const { bytes, replaced } = await figurePdf(layOutFigure([channel(1)], 'Größe (x\\y) – “ok” 한', 1), 'p');
    const objects = readPdf(bytes);
    expect(replaced).toBe(true);
    expect(objects.get(4)!.stream!.toString('latin1')).toContain('(Gr\\366\\337e \\050x\\134y\\051 \\226 \\223ok\\224 ?) Tj');
    expect(objects.get(7)!.dictionary).toContain(`/Subject <FEFF${Buffer.from('Größe (x\\y) – “ok” 한', 'utf16le').swap16().toString('hex').toUpperCase()}>`);
    expect((await figurePdf(layOutFigure([channel(1)], 'Größe', 1), 'p')).replaced).toBe(false);
  });
});
