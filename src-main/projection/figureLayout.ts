/**
 * Where everything stands on a figure like the paper's Figure 2: one cell per channel with its nine projections beside its nine patches, and the caption below. The writers (SVG, PNG, PDF)
 * place the same items, so that all formats show the same figure. Lengths are CSS pixels.
 */
import type { Picture } from './display.ts';

export interface FigureChannel {
  /** Above the cell, e.g. "conv5 17". */
  readonly label: string;
  /** In place of the sheets, where the channel has no hits. */
  readonly absence: string | null;
  readonly projections: Picture;
  readonly patches: Picture;
}

export interface FigurePicture {
  readonly kind: 'picture';
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly picture: Picture;
}

export interface FigureWords {
  readonly kind: 'words';
  readonly left: number;
  /** What of the words stands at `left`; absent: where they begin. */
  readonly anchor?: 'middle' | 'end';
  /** Of the letters' feet. */
  readonly baseline: number;
  readonly size: number;
  readonly weight: 'plain' | 'bold';
  readonly text: string;
}

/** A line through points, `#rrggbb`. */
export interface FigureStroke {
  readonly kind: 'stroke';
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly thickness: number;
  readonly colour: string;
}

export type FigureItem = FigurePicture | FigureWords | FigureStroke;

export interface FigureLayout {
  readonly width: number;
  readonly height: number;
  readonly items: readonly FigureItem[];
  readonly caption: string;
}

/** Picture pixels per CSS pixel: sharp on paper. */
export const figureDensity = 2;
/** Edge of one of the nine tiles. */
export const figureTile = 64;

const sheetEdge = 3 * figureTile + 1;
/** Around everything. */
export const figureMargin = 16;
const margin = figureMargin;
const betweenSheets = 4;
const betweenCells = 14;
/** Of headings and labels. */
export const labelSize = 11;
const labelHeight = 16;
const cellWidth = 2 * sheetEdge + betweenSheets;
const cellHeight = labelHeight + sheetEdge;
const captionSize = 10;
const captionLine = 14;
/** Shares of the size that letters take in the widest of the usual sans-serif faces (DejaVu Sans), so that a line fits whatever the face is. */
const letterWidths: readonly (readonly [letters: string, width: number])[] = [
  ['ijl|\'', 0.28],
  [' .,:;fI!/\\()[]-', 0.39],
  ['rst*"', 0.53],
  ['mMW%@', 0.99],
  ['wOQGN+=<>~', 0.84],
];
/** Of the rest: most small letters, capitals and all digits. */
const [smallLetter, capital, wideLetter] = [0.64, 0.76, 1];

/** `columns`: cells beside each other; chosen so that the figure is about as wide as high where absent. */
export function layOutFigure(channels: readonly FigureChannel[], caption: string, columns = squareColumns(channels.length)): FigureLayout {
  const across = Math.min(columns, channels.length);
  const width = 2 * margin + across * cellWidth + (across - 1) * betweenCells;
  const items = channels.flatMap((channel, at) => {
    const left = margin + (at % across) * (cellWidth + betweenCells);
    const top = margin + Math.floor(at / across) * (cellHeight + betweenCells);
    return cell(channel, left, top);
  });
  const rows = Math.ceil(channels.length / across);
  const captionTop = margin + rows * (cellHeight + betweenCells);
  const words = captionWords(caption, captionTop, width);
  return { width, height: words.bottom + margin, items: [...items, ...words.items], caption };
}

/** A caption in lines below what stands above `top`, within the margins of a figure of this width. */
export function captionWords(caption: string, top: number, width: number): { readonly items: readonly FigureWords[]; readonly bottom: number } {
  const lines = wrap(caption, (width - 2 * margin) / captionSize);
  return {
    items: lines.map((text, at) => ({ kind: 'words', left: margin, baseline: top + at * captionLine + captionSize, size: captionSize, weight: 'plain', text })),
    bottom: top + lines.length * captionLine,
  };
}

function cell({ label, absence, projections, patches }: FigureChannel, left: number, top: number): (FigurePicture | FigureWords)[] {
  const heading: FigureWords = { kind: 'words', left, baseline: top + labelSize, size: labelSize, weight: 'bold', text: label };
  const sheetTop = top + labelHeight;
  if (absence !== null) return [heading, { kind: 'words', left, baseline: sheetTop + labelSize, size: labelSize, weight: 'plain', text: absence }];
  const size = { width: sheetEdge, height: sheetEdge };
  return [
    heading,
    { kind: 'picture', left, top: sheetTop, ...size, picture: projections },
    { kind: 'picture', left: left + sheetEdge + betweenSheets, top: sheetTop, ...size, picture: patches },
  ];
}

/** As many as bring the ratio of width and height nearest to one: twice as wide counts like twice as high. */
function squareColumns(count: number): number {
  let columns = 1;
  while (columns * (columns + 1) < (count * cellHeight) / cellWidth) columns++;
  return columns;
}

/** Lines of at most `width` times the letters' size; a word longer than a line is cut. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).flatMap((each) => pieces(each, width))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (widthOf(longer) <= width) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return line === '' ? lines : [...lines, line];
}

function pieces(word: string, width: number): readonly string[] {
  const result: string[] = [];
  let piece = '';
  for (const letter of word) {
    if (widthOf(piece + letter) > width) {
      result.push(piece);
      piece = '';
    }
    piece += letter;
  }
  return piece === '' ? result : [...result, piece];
}

/** A name of at most so many letters. */
export function shortened(name: string, letters: number): string {
  return name.length > letters ? `${name.slice(0, letters - 1)}…` : name;
}

/** In the widest of the usual faces, as a share of the letters' size. */
export function widthOf(text: string): number {
  let width = 0;
  for (const letter of text) width += letterWidth(letter);
  return width;
}

function letterWidth(letter: string): number {
  const listed = letterWidths.find(([letters]) => letters.includes(letter));
  if (listed) return listed[1];
  if (letter.codePointAt(0)! >= 0x1100) return wideLetter;
  return letter >= 'A' && letter <= 'Z' ? capital : smallLetter;
}
