/** Error rates (Zeiler & Fergus 2013, Table 2; Krizhevsky et al. 2012 for the ten crops): which parts of a picture are looked at, and where the true class stands among the predicted ones. */

export interface WholePicture {
  /** `[height, width, 3]` 8-bit RGB. */
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
  /** The centre crop. */
  readonly crop: { readonly left: number; readonly top: number; readonly height: number; readonly width: number };
}

/** Centre, then the corners from the upper left in reading order, each followed by its mirror image: `[10, H, W, 3]`. */
export function tenCrops({ crop, ...picture }: WholePicture): Uint8Array {
  const { height, width } = crop;
  const [bottom, right] = [picture.height - height, picture.width - width];
  const places = [[crop.top, crop.left], [0, 0], [0, right], [bottom, 0], [bottom, right]] as const;
  const size = height * width * 3;
  const all = new Uint8Array(10 * size);
  places.forEach(([top, left], at) => {
    const plain = cut(picture, top, left, height, width);
    all.set(plain, 2 * at * size);
    all.set(mirrored(plain, height, width), (2 * at + 1) * size);
  });
  return all;
}

/** Softmax of each row of class scores, `[views, classes]`, averaged, in double precision. */
export function meanProbabilities(scores: Float32Array, views: number): Float64Array {
  const classes = scores.length / views;
  const mean = new Float64Array(classes);
  for (let view = 0; view < views; view++) {
    const row = scores.subarray(view * classes, (view + 1) * classes);
    const largest = row.reduce((most, score) => Math.max(most, score), -Infinity);
    const powers = Float64Array.from(row, (score) => Math.exp(score - largest));
    const total = powers.reduce((sum, power) => sum + power, 0);
    for (let at = 0; at < classes; at++) mean[at]! += powers[at]! / total / views;
  }
  return mean;
}

/** Classes that come before this one: those with more, and of equal ones the earlier. NaN comes last. */
export function rankOf(values: ArrayLike<number>, of: number): number {
  const own = values[of]!;
  let before = 0;
  for (let at = 0; at < values.length; at++) if (values[at]! > own || (values[at] === own && at < of) || (Number.isNaN(own) && at !== of)) before++;
  return before;
}

export interface ErrorCount {
  readonly top1Wrong: number;
  readonly top5Wrong: number;
  readonly top1: number;
  readonly top5: number;
}

/** @param ranks one of each image, as of `rankOf` */
export function countErrors(ranks: readonly number[]): ErrorCount {
  const wrong = (k: number) => ranks.filter((rank) => rank >= k).length;
  const [top1Wrong, top5Wrong] = [wrong(1), wrong(5)];
  const share = (count: number) => (ranks.length === 0 ? 0 : count / ranks.length);
  return { top1Wrong, top5Wrong, top1: share(top1Wrong), top5: share(top5Wrong) };
}

function cut({ pixels, width: whole }: Pick<WholePicture, 'pixels' | 'width'>, top: number, left: number, height: number, width: number): Uint8Array {
  const part = new Uint8Array(height * width * 3);
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * whole + left) * 3;
    part.set(pixels.subarray(from, from + width * 3), row * width * 3);
  }
  return part;
}

function mirrored(pixels: Uint8Array, height: number, width: number): Uint8Array {
  const turned = new Uint8Array(pixels.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = (row * width + column) * 3;
      turned.set(pixels.subarray(from, from + 3), (row * width + width - 1 - column) * 3);
    }
  }
  return turned;
}
