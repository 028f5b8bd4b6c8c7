/**
 * A projection as the workspace keeps it: one byte a value and less, from which every scale of method.md section 5 draws the same picture as the exact values do, to one grey
 * level. Magnitudes up to the default scale's limit, the 99.5 % quantile, become 126 steps to each side of zero, an error of at most half a level at any limit that is not
 * smaller; the few values beyond are listed as float32, unchanged. The scale `raw` has the limit 1 whatever the values: up to a quantile of 1.98 its error stays within a level,
 * beyond that more values are listed, and where they are not few, all are kept as they are. About 0.6 bytes a value remain after deflation on trained networks. Exact values are
 * computed again when they are asked for.
 */
import { promisify } from 'node:util';
import { constants, deflate, inflate } from 'node:zlib';
import type { Box } from '../../src-shared/domain/geometry.ts';
import { levelOf, levelsOf, type Levels } from './display.ts';

/** `[C, rows, columns]` of the projection's support; everything else is zero. */
export type AtlasPicture =
  | { readonly kind: 'steps'; /** What one step is worth. */ readonly step: number; readonly codes: Int8Array; /** Values whose code is `beyond`, in order. */ readonly listed: Float32Array }
  | { readonly kind: 'exact'; readonly values: Float32Array };

/** Codes of values up to the limit. */
const mostSteps = 126;
/** Half a step is then a grey level of the scale `raw`. */
const largestLimit = (2 * mostSteps) / 127.5;
/** The code of a value that is listed. */
const beyond = 127;
const leastStep = 1e-36;
/** Above this share of listed values the list costs more than it saves. */
const mostListed = 1 / 8;
/** Below this, deflation takes longer than it saves. */
const leastDeflatedBytes = 2048;

/** `values`: float32 `[C, rows, columns]` of the support. `quantile`: of the projection's record. */
export function toAtlasPicture(values: Float32Array, quantile: number): AtlasPicture {
  const limit = Math.min(quantile, largestLimit);
  const step = Math.fround(limit / mostSteps);
  // Steps too small for a float32 to tell apart.
  if (step < leastStep) return { kind: 'exact', values };
  const codes = new Int8Array(values.length);
  const listed = new Float32Array(Math.floor(values.length * mostListed) + 1);
  let count = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    if (value <= limit && value >= -limit) {
      codes[at] = Math.round(value / step);
      continue;
    }
    if (count === listed.length) return { kind: 'exact', values };
    codes[at] = beyond;
    listed[count++] = value;
  }
  return { kind: 'steps', step, codes, listed: listed.slice(0, count) };
}

/** Grey levels for drawing. `support`: of the projection's record. */
export function atlasLevels(picture: AtlasPicture, support: Box | null, limit: number): Levels {
  if (support === null) return { box: null, levels: new Uint8Array(0) };
  if (picture.kind === 'exact') return levelsOf(picture.values, support, limit);
  const { codes, listed, step } = picture;
  const table = new Uint8ClampedArray(256);
  for (let code = -mostSteps; code <= mostSteps; code++) table[code & 255] = levelOf(code * step, limit);
  const levels = new Uint8ClampedArray(codes.length);
  for (let at = 0, next = 0; at < codes.length; at++) {
    const code = codes[at]!;
    levels[at] = code === beyond ? levelOf(listed[next++]!, limit) : table[code & 255]!;
  }
  return { box: support, levels: new Uint8Array(levels.buffer) };
}

const forms = ['steps', 'exact'] as const;
/** Form, whether deflated, two bytes of nothing; then the number of listed values and the step. */
const headerBytes = 12;

/** Bytes for the store: header, then the body (deflated where that pays): listed values and codes, or all values, little-endian. */
export async function packAtlasPicture(picture: AtlasPicture): Promise<Uint8Array> {
  const body = picture.kind === 'steps' ? Buffer.concat([bytesOf(picture.listed), bytesOf(picture.codes)]) : bytesOf(picture.values);
  const isDeflated = body.byteLength >= leastDeflatedBytes;
  const header = Buffer.alloc(headerBytes);
  header[0] = forms.indexOf(picture.kind);
  header[1] = isDeflated ? 1 : 0;
  header.writeUInt32LE(picture.kind === 'steps' ? picture.listed.length : 0, 4);
  header.writeFloatLE(picture.kind === 'steps' ? picture.step : 0, 8);
  return Buffer.concat([header, isDeflated ? await promisify(deflate)(body, { level: constants.Z_BEST_SPEED }) : body]);
}

export async function unpackAtlasPicture(bytes: Uint8Array): Promise<AtlasPicture> {
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, headerBytes);
  const stored = bytes.subarray(headerBytes);
  // Copied in any case: a float array cannot begin anywhere in the store's bytes.
  const body = Uint8Array.from(header[1] === 1 ? await promisify(inflate)(stored) : stored);
  const kind = forms[header[0]!];
  if (kind === 'exact') return { kind, values: new Float32Array(body.buffer) };
  if (kind === undefined) throw new Error(`unpackAtlasPicture: form ${header[0]} is not known.`);
  const listed = header.readUInt32LE(4);
  return { kind, step: header.readFloatLE(8), listed: new Float32Array(body.buffer, 0, listed), codes: new Int8Array(body.buffer, listed * 4) };
}

function bytesOf(array: Float32Array | Int8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
