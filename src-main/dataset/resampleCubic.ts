/**
 * A picture at another size by the cubic kernel of Keys 1981 ("Cubic Convolution Interpolation for Digital Image Processing", a = -1/2), with pixel centres at half coordinates, antialiased where it
 * is reduced. Rows first, then columns, rounded to 8 bits after each, with weights of 22 bits: so the pixels are those of Pillow's BICUBIC, on which published networks were trained and
 * measured, to the bit. The image library's own are not: reduced ones differ by up to 15 grey levels, and it enlarges off centre, by up to half a source pixel, more the less it enlarges
 * (libvips, vips_resize; up to 119 levels on a photograph). Lines are made as they are needed, so that the memory is that of the result. The sums are resampleCubic.wat, compiled: four at a time,
 * which takes 0.5 ms for a photograph of 500 x 375 pixels.
 */
import { resampleKernel } from './resampleKernel.ts';

/** A part of a picture, in its pixels. */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Bytes that the kernel may touch behind what it is asked for, and by which places in its memory are aligned. */
const slack = 16;
/** More of it is not held between two pictures. */
const largestMemory = 2 ** 24;

/** What resampleCubic.wat exports. */
interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  makeLine(source: number, first: number, weights: number, pairs: number, columns: number, line: number): void;
  addLines(line: number, ring: number, ringEnd: number, pitch: number, weights: number, count: number, length: number, row: number): void;
}

/** Node's own types lack these two. */
const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: { readonly Module: new (bytes: Uint8Array) => object; readonly Instance: new (module: object) => { readonly exports: unknown } } }).WebAssembly;
const kernelModule = new Module(Buffer.from(resampleKernel, 'base64'));
let kept: Kernel | undefined;

/**
 * @param pixels `[height, width, 3]`, 0..255, of size `from`
 * @param to size of the whole picture afterwards
 * @param area the part of it that is wanted
 * @returns `[area.height, area.width, 3]`, 0..255
 */
export function resampleCubic(pixels: Uint8Array, from: Size, to: Size, area: Area): Uint8Array {
  const sourceLength = from.width * 3;
  if (pixels.length !== from.height * sourceLength) throw new Error(`resampleCubic: ${pixels.length} bytes for ${from.width} x ${from.height} x 3.`);
  const across = tapsOf(from.width, to.width, area.left, area.width);
  const down = tapsOf(from.height, to.height, area.top, area.height);
  const length = area.width * 3;
  const pitch = aligned(length);
  const pairs = pairsOf(across);
  const [sourceRows, resultRows] = [rowsAtOnce(sourceLength), rowsAtOnce(length)];
  // One behind the other in the kernel's memory.
  let bytes = 0;
  const place = (size: number): number => {
    const at = bytes;
    bytes += aligned(size);
    return at;
  };
  const [firstAt, pairsAt, downAt] = [place(across.first.byteLength), place(pairs.byteLength), place(down.weights.byteLength)];
  const [sourceAt, ringAt, resultAt] = [place(sourceRows * sourceLength), place(down.count * pitch), place(resultRows * length)];
  const kernel = kernelWith(bytes);
  const memory = new Uint8Array(kernel.memory.buffer);
  new Int32Array(kernel.memory.buffer, firstAt).set(across.first.map((pixel) => pixel * 3));
  new Int16Array(kernel.memory.buffer, pairsAt).set(pairs);
  new Int32Array(kernel.memory.buffer, downAt).set(down.weights);
  const result = new Uint8Array(area.height * length);
  // Lines at their final width, of as many source rows as an output row can touch: row y stands at y modulo their count.
  const lineAt = (y: number) => ringAt + (y % down.count) * pitch;
  let ready = down.first[0]!;
  let [copied, copiedFrom] = [ready, ready];
  for (let row = 0; row < area.height; row++) {
    const first = down.first[row]!;
    for (; ready < first + down.count; ready++) {
      if (ready === copied) {
        [copiedFrom, copied] = [copied, Math.min(copied + sourceRows, from.height)];
        memory.set(pixels.subarray(copiedFrom * sourceLength, copied * sourceLength), sourceAt);
      }
      kernel.makeLine(sourceAt + (ready - copiedFrom) * sourceLength, firstAt, pairsAt, pairsIn(across), area.width, lineAt(ready));
    }
    const at = row % resultRows;
    kernel.addLines(lineAt(first), ringAt, ringAt + down.count * pitch, pitch, downAt + row * down.count * 4, down.count, length, resultAt + at * length);
    if (at === resultRows - 1 || row === area.height - 1) result.set(memory.subarray(resultAt, resultAt + (at + 1) * length), (row - at) * length);
  }
  return result;
}

/** As many as are copied into the kernel's memory, or out of it, at a time. */
function rowsAtOnce(rowBytes: number): number {
  return Math.max(1, Math.floor(2 ** 16 / rowBytes));
}

function aligned(bytes: number): number {
  return Math.ceil((bytes + slack) / slack) * slack;
}

/** The kernel with at least so much memory. */
function kernelWith(bytes: number): Kernel {
  const kernel = kept ?? (new Instance(kernelModule).exports as Kernel);
  const missing = bytes - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / 2 ** 16));
  kept = bytes > largestMemory ? undefined : kernel;
  return kernel;
}

/** Which source pixels make each output pixel along one direction. */
interface Taps {
  /** Source pixels per output pixel; some may have weight 0. */
  readonly count: number;
  readonly first: Int32Array;
  /** `[outputs, count]`, in units of 2^-22; those of an output pixel add up to 1, but for rounding. */
  readonly weights: Int32Array;
}

const weightBits = 22;
const lowerBits = 11;
/** On either side of the centre, in source pixels, or in output pixels where those are larger. */
const kernelRadius = 2;

function tapsOf(from: number, to: number, start: number, outputs: number): Taps {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const centreOf = (at: number) => (start + at + 0.5) * scale;
  const beginOf = (at: number) => Math.max(0, Math.floor(centreOf(at) - kernelRadius * stretch + 0.5));
  const endOf = (at: number) => Math.min(from, Math.floor(centreOf(at) + kernelRadius * stretch + 0.5));
  let count = 0;
  for (let at = 0; at < outputs; at++) count = Math.max(count, endOf(at) - beginOf(at));
  const first = new Int32Array(outputs);
  const weights = new Int32Array(outputs * count);
  const values = new Float64Array(count);
  for (let at = 0; at < outputs; at++) {
    const [begin, end, centre] = [beginOf(at), endOf(at), centreOf(at)];
    let sum = 0;
    for (let pixel = begin; pixel < end; pixel++) sum += values[pixel - begin] = keys((pixel - centre + 0.5) / stretch);
    // As many for each, also at the far edge.
    first[at] = Math.min(begin, from - count);
    for (let pixel = begin; pixel < end; pixel++) weights[at * count + pixel - first[at]!] = awayFromZero((values[pixel - begin]! / sum) * 2 ** weightBits);
  }
  return { count, first, weights };
}

/** Of source pixels, for each output pixel. */
const pairsIn = ({ count }: Taps) => Math.ceil(count / 2);

/** As makeLine takes them (resampleCubic.wat). The second of an odd last pair has weight 0. */
function pairsOf(taps: Taps): Int16Array {
  const { count, first, weights } = taps;
  const length = pairsIn(taps) * 4;
  const pairs = new Int16Array(first.length * length);
  for (let at = 0; at < first.length; at++) {
    for (let tap = 0; tap < count; tap++) {
      const weight = weights[at * count + tap]!;
      const place = at * length + (tap >> 1) * 4 + (tap & 1);
      pairs[place] = weight >> lowerBits;
      pairs[place + 2] = weight & ((1 << lowerBits) - 1);
    }
  }
  return pairs;
}

/** Keys 1981, equation 15. */
function keys(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/** Halves go away from zero. */
function awayFromZero(value: number): number {
  return value < 0 ? -Math.floor(0.5 - value) : Math.floor(value + 0.5);
}
