/**
 * Pixels as a PNG (W3C, second edition), in plain code: an image library packs a little tighter but gives other bytes on other systems, and is not to be had in a thread. Each line is written as
 * what differs from the one above it.
 */
import { zlibSync } from 'fflate';

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] as const;
/** Bytes of length, name and checksum around a chunk's own. */
const chunkFrame = 12;
const filterUp = 2;
const [bitDepth, colourRgb] = [8, 2];

/** @param pixels `[edge, edge, 3]` 8-bit RGB */
export function samplePng(pixels: Uint8Array, edge: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, edge);
  view.setUint32(4, edge);
  header[8] = bitDepth;
  header[9] = colourRgb;
  const parts = [chunk('IHDR', header), chunk('IDAT', zlibSync(filtered(pixels, edge), { level: 3 })), chunk('IEND', new Uint8Array(0))];
  const png = new Uint8Array(signature.length + parts.reduce((sum, part) => sum + part.length, 0));
  png.set(signature);
  let at = signature.length;
  for (const part of parts) {
    png.set(part, at);
    at += part.length;
  }
  return png;
}

function filtered(pixels: Uint8Array, edge: number): Uint8Array {
  const line = edge * 3;
  const lines = new Uint8Array(edge * (line + 1));
  for (let row = 0, to = 0, from = 0; row < edge; row++) {
    lines[to++] = filterUp;
    for (let at = 0; at < line; at++, from++) lines[to++] = pixels[from]! - (row > 0 ? pixels[from - line]! : 0);
  }
  return lines;
}

function chunk(name: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + chunkFrame);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let at = 0; at < 4; at++) bytes[4 + at] = name.charCodeAt(at);
  bytes.set(data, 8);
  view.setUint32(data.length + 8, checksum(bytes.subarray(4, data.length + 8)));
  return bytes;
}

const checksums = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 of PNG, annex D. */
function checksum(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = checksums[(value ^ byte) & 255]! ^ (value >>> 8);
  return ~value >>> 0;
}
