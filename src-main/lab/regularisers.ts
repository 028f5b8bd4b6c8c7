/** What keeps ascended pictures from turning into noise (Yosinski et al. 2015): blur, pixels that say little, and shifting round. Pictures are `[planes, height, width]`. */
import type { GreyLevels } from './greyLevels.ts';

/** Gaussian blur of a deviation in pixels; beyond the border the border goes on. */
export function blurred(picture: Float32Array, planes: number, height: number, width: number, deviation: number): Float32Array {
  const reach = Math.ceil(3 * deviation);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, at) => Math.exp(-((at - reach) ** 2) / (2 * deviation * deviation)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const along = (source: Float32Array, length: number, step: number, lines: (line: number) => number, count: number) => {
    const result = new Float32Array(source.length);
    for (let line = 0; line < count; line++) {
      const first = lines(line);
      for (let at = 0; at < length; at++) {
        let sum = 0;
        for (let tap = -reach; tap <= reach; tap++) sum += weights[tap + reach]! * source[first + Math.min(length - 1, Math.max(0, at + tap)) * step]!;
        result[first + at * step] = sum / total;
      }
    }
    return result;
  };
  const rows = along(picture, width, 1, (line) => line * width, planes * height);
  return along(rows, height, width, (line) => Math.floor(line / width) * height * width + (line % width), planes * width);
}

/** Shifted down and right, what leaves on one side coming in on the other. */
export function shifted(picture: Float32Array, planes: number, height: number, width: number, down: number, right: number): Float32Array {
  if (down === 0 && right === 0) return picture;
  const result = new Float32Array(picture.length);
  for (let plane = 0; plane < planes; plane++) {
    for (let y = 0; y < height; y++) {
      const to = (plane * height + ((((y + down) % height) + height) % height)) * width;
      const from = (plane * height + y) * width;
      for (let x = 0; x < width; x++) result[to + ((((x + right) % width) + width) % width)] = picture[from + x]!;
    }
  }
  return result;
}

/** Pixels whose weight (the norm of `weights` over the planes) lies below a quantile of all weights become the mean colour. */
export function withoutSmallest(picture: Float32Array, weights: Float32Array, quantile: number, { planes, middle }: Pick<GreyLevels, 'planes' | 'middle'>): Float32Array {
  const size = picture.length / planes;
  const norms = new Float32Array(size);
  for (let at = 0; at < weights.length; at++) norms[at % size]! += weights[at]! * weights[at]!;
  const limit = norms.toSorted()[Math.min(size - 1, Math.floor(quantile * size))]!;
  return picture.map((value, at) => (norms[at % size]! < limit ? middle[Math.floor(at / size)]! : value));
}
