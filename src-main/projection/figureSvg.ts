/** A figure as SVG: pictures embedded as PNG, words as text of the reader's sans-serif face, the caption as description too. */
import type { FigureItem, FigureLayout, FigurePicture, FigureStroke, FigureWords } from './figureLayout.ts';
import type { Picture } from './display.ts';

/** @param encodePng handed in, because pictures are encoded elsewhere */
export async function figureSvg({ width, height, items, caption }: FigureLayout, encodePng: (picture: Picture) => Promise<Uint8Array>): Promise<string> {
  const elements = await Promise.all(items.map((item) => drawn(item, encodePng)));
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Helvetica, Arial, sans-serif" fill="#000000">`,
    `<desc>${escaped(caption)}</desc>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...elements,
    '</svg>',
    '',
  ].join('\n');
}

async function drawn(item: FigureItem, encodePng: (picture: Picture) => Promise<Uint8Array>): Promise<string> {
  if (item.kind === 'words') return words(item);
  return item.kind === 'stroke' ? stroke(item) : image(item, encodePng);
}

function stroke({ points, thickness, colour }: FigureStroke): string {
  return `<polyline points="${points.map(([x, y]) => `${rounded(x)},${rounded(y)}`).join(' ')}" fill="none" stroke="${colour}" stroke-width="${thickness}" stroke-linejoin="round" stroke-linecap="round"/>`;
}

function rounded(length: number): number {
  return Math.round(length * 100) / 100;
}

function words({ left, anchor, baseline, size, weight, text }: FigureWords): string {
  return `<text x="${rounded(left)}" y="${rounded(baseline)}" font-size="${size}"${weight === 'bold' ? ' font-weight="bold"' : ''}${anchor ? ` text-anchor="${anchor}"` : ''}>${escaped(text)}</text>`;
}

async function image({ left, top, width, height, picture }: FigurePicture, encodePng: (picture: Picture) => Promise<Uint8Array>): Promise<string> {
  const png = Buffer.from(await encodePng(picture)).toString('base64');
  return `<image x="${left}" y="${top}" width="${width}" height="${height}" href="data:image/png;base64,${png}"/>`;
}

/** XML forbids most control characters, halves of letters and two more, however they are written. */
function escaped(text: string): string {
  const allowed = [...text].filter((letter) => letter >= ' ' && !/^[\ud800-\udfff\ufffe\uffff]$/.test(letter)).join('');
  return allowed.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
