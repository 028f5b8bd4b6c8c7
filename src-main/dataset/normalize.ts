/**
 * Bytes to network input: channel order, `x' = (x * scale - mean) / std`, and planes instead of interleaved pixels (method.md section 6). A byte has 256 values,
 * so each channel's formula is a table, computed in double precision and rounded to float32 once.
 */
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';

/**
 * @param pixels `[N, H, W, 3]` RGB, 0..255, with `[H, W] = preprocessing.crop`
 * @returns `[N, C, H, W]` float32; C = 1 for grey (luma .299 R + .587 G + .114 B, not rounded), else 3 in the order the network receives
 */
export function normalizePixels(pixels: Uint8Array, preprocessing: Pick<Preprocessing, 'order' | 'crop' | 'scale' | 'mean' | 'std'>, images: number): Float32Array {
  const plane = preprocessing.crop[0] * preprocessing.crop[1];
  if (pixels.length !== images * plane * 3) {
    throw new Error(`normalizePixels: ${pixels.length} bytes for ${images} images of ${preprocessing.crop[0]} x ${preprocessing.crop[1]} x 3.`);
  }
  return preprocessing.order === 'grey' ? greyPlanes(pixels, preprocessing, images * plane) : colourPlanes(pixels, preprocessing, images, plane);
}

type Formula = Pick<Preprocessing, 'order' | 'scale' | 'mean' | 'std'>;

function colourPlanes(pixels: Uint8Array, formula: Formula, images: number, plane: number): Float32Array {
  const output = new Float32Array(images * 3 * plane);
  for (let channel = 0; channel < 3; channel++) {
    const table = tableOf(formula, channel);
    const source = formula.order === 'bgr' ? 2 - channel : channel;
    for (let image = 0; image < images; image++) {
      let from = image * plane * 3 + source;
      let to = (image * 3 + channel) * plane;
      for (const end = to + plane; to < end; to++, from += 3) output[to] = table[pixels[from] as number] as number;
    }
  }
  return output;
}

function greyPlanes(pixels: Uint8Array, { scale, mean, std }: Formula, count: number): Float32Array {
  const output = new Float32Array(count);
  const shift = valueOf(mean, 0);
  const divisor = valueOf(std, 0);
  for (let i = 0, from = 0; i < count; i++, from += 3) {
    const red = pixels[from] as number;
    const green = pixels[from + 1] as number;
    const blue = pixels[from + 2] as number;
    // Thousandths keep the sum exact: a grey picture's luma is its own value, not a rounding error beside it.
    const luma = (299 * red + 587 * green + 114 * blue) / 1000;
    output[i] = (luma * scale - shift) / divisor;
  }
  return output;
}

function tableOf({ scale, mean, std }: Formula, channel: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, x) => (x * scale - valueOf(mean, channel)) / valueOf(std, channel));
}

/** A single mean or std counts for all channels. */
function valueOf(values: readonly number[], channel: number): number {
  const value = values.length === 1 ? values[0] : values[channel];
  if (value === undefined) throw new Error(`normalizePixels: no mean or std for channel ${channel}.`);
  return value;
}
