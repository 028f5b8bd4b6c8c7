/**
 * Says in words what is wrong with a file that the image library refused. The library's own text ("Input buffer has corrupt header:") names no cause, so the bytes are
 * looked at: which format they begin like, and for PNG which chunk is broken (PNG specification, section 5: signature, then length, type, data, CRC-32 of type and data).
 */
import { crc32 } from 'node:zlib';

/** One sentence for the person. `thrown` is what the library threw; its first line ends the sentence where nothing better is known. */
export function whatIsWrong(bytes: Buffer, thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  if (/timeout/i.test(text)) return 'Decoding the image took too long and was stopped: it is very large or built to be slow.';
  if (/exceeds pixel limit/i.test(text)) return 'The image has too many pixels. Make it smaller.';
  const format = formatOf(bytes);
  if (format.kind === 'other') return format.reason;
  if (format.name === 'PNG') return pngProblem(bytes) ?? `The PNG data is damaged${because(text)}.`;
  if (/premature end|unexpected end|end of file|truncated/i.test(text)) return `The ${format.name} file is truncated: it ends before the image does${because(text)}.`;
  if (/corrupt header/i.test(text)) return `The ${format.name} header is damaged${because(text)}.`;
  return `The ${format.name} data is damaged or of a kind that cannot be read${because(text)}.`;
}

type Format = { readonly kind: 'readable'; readonly name: string } | { readonly kind: 'other'; readonly reason: string };

function formatOf(bytes: Buffer): Format {
  const begin = bytes.toString('latin1', 0, 16);
  const brand = bytes.toString('latin1', 4, 12);
  if (begin.startsWith('\x89PNG')) return { kind: 'readable', name: 'PNG' };
  if (begin.startsWith('\xff\xd8')) return { kind: 'readable', name: 'JPEG' };
  if (begin.startsWith('GIF8')) return { kind: 'readable', name: 'GIF' };
  if (begin.startsWith('RIFF') && begin.slice(8, 12) === 'WEBP') return { kind: 'readable', name: 'WebP' };
  if (begin.startsWith('II*\0') || begin.startsWith('MM\0*') || begin.startsWith('II+\0') || begin.startsWith('MM\0+')) return { kind: 'readable', name: 'TIFF' };
  if (brand === 'ftypavif' || brand === 'ftypavis') return { kind: 'readable', name: 'AVIF' };
  if (brand.startsWith('ftyp')) return unsupported('HEIC');
  if (begin.startsWith('BM')) return unsupported('BMP');
  if (begin.startsWith('\0\0\x01\0')) return unsupported('ICO');
  if (begin.startsWith('\xff\x0a') || begin.startsWith('\0\0\0\x0cJXL ')) return unsupported('JPEG XL');
  if (begin.startsWith('\0\0\0\x0cjP  ') || begin.startsWith('\xff\x4f\xff\x51')) return unsupported('JPEG 2000');
  if (begin.startsWith('%PDF')) return { kind: 'other', reason: 'The file is a PDF document, not an image.' };
  if (begin.startsWith('version https://')) return { kind: 'other', reason: 'The file is a Git LFS pointer, not the image itself: fetch it with git lfs pull.' };
  if (/^\s*<(!doctype html|html)/i.test(bytes.toString('latin1', 0, 256))) return { kind: 'other', reason: 'The file is an HTML page, not an image: the download probably failed.' };
  if (/^\s*<(\?xml|svg|!doctype svg)/i.test(bytes.toString('latin1', 0, 256))) return { kind: 'other', reason: 'The file is an SVG drawing, not a pixel image: save it as PNG.' };
  if (bytes.subarray(1, 8).toString('latin1').includes('PNG')) return { kind: 'other', reason: 'The PNG signature is damaged, as after a transfer in text mode: fetch the file again.' };
  return { kind: 'other', reason: `The content is no image format that can be read (it begins with ${hex(bytes.subarray(0, 8))}).` };
}

function unsupported(name: string): Format {
  return { kind: 'other', reason: `${name} images cannot be read: save it as PNG or JPEG.` };
}

/** The first broken chunk of a PNG file, null when the chunks are whole (the fault is then in the compressed data). */
function pngProblem(bytes: Buffer): string | null {
  if (!bytes.subarray(0, 8).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]))) {
    return 'The PNG signature is damaged, as after a transfer in text mode: fetch the file again.';
  }
  let dataChunks = 0;
  for (let at = 8; ; ) {
    if (at + 12 > bytes.length) return 'The PNG file is truncated: it ends before its last chunk (IEND).';
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const end = at + 12 + length;
    if (!/^[A-Za-z]{4}$/.test(type)) return `The PNG file is damaged: at byte ${at} there should be a chunk.`;
    if (end > bytes.length) return `The PNG file is truncated: chunk ${type} should have ${length} bytes and ${bytes.length - at - 8} are there.`;
    const header = type === 'IHDR' ? headerProblem(bytes.subarray(at + 8, at + 8 + length)) : null;
    if (header !== null) return `The PNG header is invalid: ${header}.`;
    if (crc32(bytes.subarray(at + 4, end - 4)) !== bytes.readUInt32BE(end - 4)) return `The PNG file is damaged: the checksum of chunk ${type} at byte ${at} is wrong.`;
    if (type === 'IDAT') dataChunks++;
    if (type === 'IEND') return dataChunks === 0 ? 'The PNG file holds no image data (IDAT).' : null;
    at = end;
  }
}

function headerProblem(header: Buffer): string | null {
  if (header.length !== 13) return `it has ${header.length} bytes instead of 13`;
  const depth = header.readUInt8(8);
  const colourType = header.readUInt8(9);
  const depths: Readonly<Record<number, readonly number[]>> = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };
  if (depths[colourType] === undefined) return `colour type ${colourType} does not exist`;
  if (!depths[colourType].includes(depth)) return `bit depth ${depth} does not exist for colour type ${colourType}`;
  if (header.readUInt32BE(0) === 0 || header.readUInt32BE(4) === 0) return 'width or height is 0';
  return null;
}

/** The library's own words, first line only, as an addition in brackets. */
function because(text: string): string {
  const line = (text.split('\n')[0] ?? '').replace(/^Input (buffer|file) has corrupt header:\s*/i, '').trim().replace(/\.$/, '');
  return line === '' ? '' : ` (${line.slice(0, 120)})`;
}

function hex(bytes: Buffer): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
