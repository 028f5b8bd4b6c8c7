/**
 * A picture at another size by the cubic kernel of Keys 1981 ("Cubic Convolution Interpolation for Digital Image Processing", a = -1/2), with pixel centres at half coordinates, antialiased where it
 * is reduced. For network input that has to be enlarged, because the image library enlarges off centre: by up to half a source pixel, more the less it enlarges (libvips, vips_resize; up to 119
 * grey levels on a photograph). Rows first, then columns, rounded to 8 bits after each, with weights of 22 bits: so the pixels are those of Pillow's BICUBIC, on which published networks
 * were trained and measured, to the bit. Lines are made as they are needed, so that the memory is that of the result.
 */

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

/**
 * @param pixels `[height, width, 3]`, 0..255, of size `from`
 * @param to size of the whole picture afterwards
 * @param area the part of it that is wanted
 * @returns `[area.height, area.width, 3]`, 0..255
 */
export function resampleCubic(pixels: Uint8Array, from: Size, to: Size, area: Area): Uint8Array {
  if (pixels.length !== from.width * from.height * 3) throw new Error(`resampleCubic: ${pixels.length} bytes for ${from.width} x ${from.height} x 3.`);
  const across = tapsOf(from.width, to.width, area.left, area.width);
  const down = tapsOf(from.height, to.height, area.top, area.height);
  const length = area.width * 3;
  const result = new Uint8Array(area.height * length);
  const sums = new Int32Array(length);
  // Lines at their final width, of as many source rows as an output row can touch: row y stands at y modulo their count.
  const lines = Array.from({ length: down.count }, () => new Uint8Array(length));
  let ready = down.first[0]!;
  for (let row = 0; row < area.height; row++) {
    const first = down.first[row]!;
    const end = first + down.count;
    for (; ready < end; ready++) makeLine(pixels, ready * from.width * 3, across, lines[ready % down.count]!);
    sums.fill(half);
    for (let y = first; y < end; y++) addLine(sums, lines[y % down.count]!, down.weights[row * down.count + y - first]!);
    for (let at = 0; at < length; at++) result[row * length + at] = levelOf(sums[at]!);
  }
  return result;
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
const half = 1 << (weightBits - 1);
/** On either side of the centre, in source pixels, or in output pixels where those are larger. */
const kernelRadius = 2;

function tapsOf(from: number, to: number, start: number, outputs: number): Taps {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const reaches = Array.from({ length: outputs }, (_, at) => {
    const centre = (start + at + 0.5) * scale;
    return { centre, begin: Math.max(0, Math.floor(centre - kernelRadius * stretch + 0.5)), end: Math.min(from, Math.floor(centre + kernelRadius * stretch + 0.5)) };
  });
  const count = Math.max(...reaches.map(({ begin, end }) => end - begin));
  // As many for each, also at the far edge.
  const first = Int32Array.from(reaches, ({ begin }) => Math.min(begin, from - count));
  const weights = new Int32Array(outputs * count);
  for (const [at, { centre, begin, end }] of reaches.entries()) {
    const values = Array.from({ length: end - begin }, (_, tap) => keys((begin + tap - centre + 0.5) / stretch));
    const sum = values.reduce((total, value) => total + value, 0);
    for (const [tap, value] of values.entries()) weights[at * count + begin - first[at]! + tap] = awayFromZero((value / sum) * 2 ** weightBits);
  }
  return { count, first, weights };
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

/** One row of the source at its final width; `offset` is its first byte. */
function makeLine(pixels: Uint8Array, offset: number, { count, first, weights }: Taps, line: Uint8Array): void {
  for (let column = 0; column < first.length; column++) {
    let source = offset + first[column]! * 3;
    let [red, green, blue] = [half, half, half];
    for (let tap = column * count; tap < (column + 1) * count; tap++) {
      const weight = weights[tap]!;
      red += Math.imul(weight, pixels[source]!);
      green += Math.imul(weight, pixels[source + 1]!);
      blue += Math.imul(weight, pixels[source + 2]!);
      source += 3;
    }
    line[column * 3] = levelOf(red);
    line[column * 3 + 1] = levelOf(green);
    line[column * 3 + 2] = levelOf(blue);
  }
}

function addLine(sums: Int32Array, line: Uint8Array, weight: number): void {
  for (let at = 0; at < sums.length; at++) sums[at] = sums[at]! + Math.imul(weight, line[at]!);
}

function levelOf(sum: number): number {
  const level = sum >> weightBits;
  return level < 0 ? 0 : level > 255 ? 255 : level;
}
