/**
 * Pictures on their way into a batch: cut out at random or at the centre, mirrored or not (Krizhevsky et al. 2012, section 4.1, which Zeiler & Fergus follow),
 * and the mean that is subtracted. All on 8-bit pixels `[H, W, 3]`, before the network sees a number.
 */
import { seededNumbers } from '../rewrite/training/seededNumbers.ts';

/** Square pictures of one size, to be cut to another. */
export interface PictureSize {
  readonly edge: number;
  readonly crop: number;
}

export interface Cut {
  readonly top: number;
  readonly left: number;
  readonly mirrored: boolean;
}

/** The shorter side that pictures are brought to before a crop of this size is cut: 256 for 224. The rest is even, so that a cut at the centre of the square is one at the centre of the picture. */
export function edgeFor(crop: number): number {
  return crop + 2 * Math.round((crop * (256 - 224)) / 224 / 2);
}

export function centreCut({ edge, crop }: PictureSize): Cut {
  const offset = Math.floor((edge - crop) / 2);
  return { top: offset, left: offset, mirrored: false };
}

/** What happens to an image in an epoch: it follows from seed, epoch and image alone. */
export function chanceCut({ edge, crop }: PictureSize, { randomCrops, flips, seed }: { readonly randomCrops: boolean; readonly flips: boolean; readonly seed: number }, epoch: number, image: number): Cut {
  const random = seededNumbers(seed, `cut ${epoch} ${image}`);
  const [down, across, side] = [random(), random(), random()];
  const centre = centreCut({ edge, crop });
  return {
    top: randomCrops ? Math.floor(down * (edge - crop + 1)) : centre.top,
    left: randomCrops ? Math.floor(across * (edge - crop + 1)) : centre.left,
    mirrored: flips && side < 0.5,
  };
}

/** Writes the cut of a picture into row `row` of `batch`, `[N, crop, crop, 3]`. */
export function writeCut(picture: Uint8Array, { edge, crop }: PictureSize, { top, left, mirrored }: Cut, batch: Uint8Array, row: number): void {
  const line = crop * 3;
  for (let y = 0; y < crop; y++) {
    const from = ((top + y) * edge + left) * 3;
    const to = (row * crop + y) * line;
    if (!mirrored) {
      batch.set(picture.subarray(from, from + line), to);
      continue;
    }
    for (let x = 0; x < crop; x++) {
      const [source, target] = [from + (crop - 1 - x) * 3, to + x * 3];
      batch[target] = picture[source]!;
      batch[target + 1] = picture[source + 1]!;
      batch[target + 2] = picture[source + 2]!;
    }
  }
}

export interface MeanPicture {
  /** `[3, crop, crop]` RGB, 0..255: of the centre cuts. */
  readonly pixels: Float32Array;
  /** `[3]`. */
  readonly colours: Float32Array;
  /** Of all values about the colours' means, in 0..255. */
  readonly deviation: number;
}

/** Adds pictures up one by one; `finish` throws where there was none. */
export function createMean(size: PictureSize): { add(picture: Uint8Array): void; finish(): MeanPicture } {
  const { crop } = size;
  const plane = crop * crop;
  const sums = new Float64Array(3 * plane);
  const cut = new Uint8Array(3 * plane);
  let [count, squares] = [0, 0];
  return {
    add(picture) {
      writeCut(picture, size, centreCut(size), cut, 0);
      for (let at = 0; at < cut.length; at++) {
        const value = cut[at]!;
        sums[(at % 3) * plane + Math.floor(at / 3)]! += value;
        squares += value * value;
      }
      count++;
    },
    finish() {
      if (count === 0) throw new Error('no picture to take the mean of');
      const pixels = Float32Array.from(sums, (sum) => sum / count);
      const colours = Float32Array.from({ length: 3 }, (_, channel) => sums.subarray(channel * plane, (channel + 1) * plane).reduce((sum, value) => sum + value, 0) / (count * plane));
      const variance = squares / (count * 3 * plane) - colours.reduce((sum, mean) => sum + mean * mean, 0) / 3;
      return { pixels, colours, deviation: Math.sqrt(Math.max(0, variance)) };
    },
  };
}
