/**
 * A figure as one page of PDF (ISO 32000-1): pictures as RGB on white, words in Helvetica, which every reader has. Helvetica knows Western letters only; others appear as "?" on the page,
 * while the whole caption stands in the document's information. Written here because it needs six kinds of objects and no library.
 */
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import type { FigureLayout, FigurePicture, FigureStroke, FigureWords } from './figureLayout.ts';
import type { Picture } from './display.ts';

export interface FigurePdf {
  readonly bytes: Uint8Array;
  /** Letters that Helvetica does not have were replaced on the page. */
  readonly replaced: boolean;
}

/** A CSS pixel in points. */
const pixelPoints = 0.75;
/** Readers show no larger pages (ISO 32000-1, annex C). */
const mostPoints = 14_400;
/** Objects with fixed numbers; pictures follow. */
const [catalog, pages, page, content, plainFont, boldFont, information, firstPicture] = [1, 2, 3, 4, 5, 6, 7, 8];

export async function figurePdf({ width, height, items, caption }: FigureLayout, producer: string): Promise<FigurePdf> {
  const point = Math.min(pixelPoints, mostPoints / Math.max(width, height));
  const pictures = items.filter((item) => item.kind === 'picture');
  const words = items.filter((item) => item.kind === 'words');
  const names = pictures.map((_, at) => `/P${at} ${firstPicture! + at} 0 R`).join(' ');
  const drawn = [
    // From here on lengths are CSS pixels from the upper left corner, downwards.
    `${number(point)} 0 0 ${number(-point)} 0 ${number(height * point)} cm`,
    ...pictures.map((picture, at) => place(picture, at)),
    ...items.filter((item) => item.kind === 'stroke').map(stroke),
    ...words.map(write),
  ].join('\n');
  const objects: [number: number, body: Buffer][] = [
    [catalog!, ascii(`<< /Type /Catalog /Pages ${pages} 0 R >>`)],
    [pages!, ascii(`<< /Type /Pages /Kids [${page} 0 R] /Count 1 >>`)],
    [
      page!,
      ascii(`<< /Type /Page /Parent ${pages} 0 R /MediaBox [0 0 ${number(width * point)} ${number(height * point)}] /Contents ${content} 0 R
/Resources << /Font << /F0 ${plainFont} 0 R /F1 ${boldFont} 0 R >> /XObject << ${names} >> >> >>`),
    ],
    [content!, await stream('', Buffer.from(drawn, 'latin1'))],
    [plainFont!, ascii('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>')],
    [boldFont!, ascii('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>')],
    [information!, ascii(`<< /Title ${unicode(words[0]?.text ?? '')} /Subject ${unicode(caption)} /Producer ${unicode(producer)} >>`)],
  ];
  for (const [at, { picture }] of pictures.entries()) {
    const header = `/Type /XObject /Subtype /Image /Width ${picture.width} /Height ${picture.height} /ColorSpace /DeviceRGB /BitsPerComponent 8 `;
    objects.push([firstPicture! + at, await stream(header, onWhite(picture))]);
  }
  return { bytes: assemble(objects), replaced: words.some(({ text }) => [...text].some((letter) => winAnsi(letter) === undefined)) };
}

function place({ left, top, width, height }: FigurePicture, at: number): string {
  // A picture fills the unit square and stands on its feet there, so it is turned over.
  return `q ${width} 0 0 ${-height} ${left} ${top + height} cm /P${at} Do Q`;
}

/** Round ends and corners. */
function stroke({ points, thickness, colour }: FigureStroke): string {
  const shares = [1, 3, 5].map((at) => number(Number.parseInt(colour.slice(at, at + 2), 16) / 255));
  const [first, ...rest] = points.map(([x, y]) => `${number(x)} ${number(y)}`);
  return first === undefined ? '' : `q ${shares.join(' ')} RG ${thickness} w 1 J 1 j ${first} m ${rest.map((point) => `${point} l`).join(' ')} S Q`;
}

function write({ left, anchor, baseline, size, weight, text }: FigureWords): string {
  const begin = left - (anchor === 'end' ? 1 : anchor === 'middle' ? 0.5 : 0) * size * helveticaWidth(text);
  return `BT /F${weight === 'bold' ? 1 : 0} ${size} Tf 1 0 0 -1 ${number(begin)} ${number(baseline)} Tm (${literal(text)}) Tj ET`;
}

/** As a share of the size: exact for numbers, which are what is aligned to the right; about right for words. */
function helveticaWidth(text: string): number {
  return [...text].reduce((sum, letter) => sum + ('.,: iljt'.includes(letter) ? 0.278 : '-()r'.includes(letter) ? 0.333 : letter === '±' || letter === '+' ? 0.584 : letter === '%' || letter === 'm' ? 0.86 : 0.556), 0);
}

function literal(text: string): string {
  const bytes = [...text].map((letter) => winAnsi(letter) ?? 0x3f);
  return bytes.map((byte) => (byte < 0x20 || byte > 0x7e || byte === 0x28 || byte === 0x29 || byte === 0x5c ? `\\${byte.toString(8).padStart(3, '0')}` : String.fromCharCode(byte))).join('');
}

/** Windows-1252, where it differs from Latin-1. */
const windowsLetters = new Map([...'€‚ƒ„…†‡ˆ‰Š‹Œ'].map((letter, at) => [letter, [0x80, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c][at]!] as const));
for (const [at, letter] of [...'‘’“”•–—˜™š›œ'].entries()) windowsLetters.set(letter, 0x91 + at);

function winAnsi(letter: string): number | undefined {
  const code = letter.codePointAt(0)!;
  return (code >= 0x20 && code < 0x7f) || (code >= 0xa0 && code < 0x100) ? code : windowsLetters.get(letter);
}

/** A text string of any letters: UTF-16, big-endian, with its mark, in hexadecimal. */
function unicode(text: string): string {
  const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at).toString(16).padStart(4, '0'));
  return `<FEFF${units.join('').toUpperCase()}>`;
}

function onWhite({ pixels, width, height }: Picture): Buffer {
  const rgb = Buffer.alloc(width * height * 3);
  for (let at = 0; at < width * height; at++) {
    const alpha = pixels[at * 4 + 3]! / 255;
    for (let colour = 0; colour < 3; colour++) rgb[at * 3 + colour] = Math.round(255 + (pixels[at * 4 + colour]! - 255) * alpha);
  }
  return rgb;
}

async function stream(entries: string, data: Buffer): Promise<Buffer> {
  const packed = await promisify(deflate)(data);
  return Buffer.concat([ascii(`<< ${entries}/Filter /FlateDecode /Length ${packed.length} >>\nstream\n`), packed, ascii('\nendstream')]);
}

/** Header, objects in order of their numbers, the table of their offsets, and the trailer. */
function assemble(objects: readonly (readonly [number, Buffer])[]): Uint8Array {
  // The second line tells programs that guess by content that the file is binary.
  const parts: Buffer[] = [Buffer.from('%PDF-1.4\n%\xe2\xe3\xcf\xd3\n', 'latin1')];
  let offset = parts[0]!.length;
  const table = ['0000000000 65535 f \n'];
  for (const [id, body] of objects) {
    const part = Buffer.concat([ascii(`${id} 0 obj\n`), body, ascii('\nendobj\n')]);
    table.push(`${String(offset).padStart(10, '0')} 00000 n \n`);
    parts.push(part);
    offset += part.length;
  }
  parts.push(ascii(`xref\n0 ${table.length}\n${table.join('')}trailer\n<< /Size ${table.length} /Root ${catalog} 0 R /Info ${information} 0 R >>\nstartxref\n${offset}\n%%EOF\n`));
  return Buffer.concat(parts);
}

function ascii(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function number(value: number): string {
  return String(Math.round(value * 1e5) / 1e5);
}
