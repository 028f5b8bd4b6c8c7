/**
 * Between what the network receives and what a picture holds. Studies that move a picture work in grey levels, 0 to 255, in the planes of the network: there a bound, a step and a
 * norm mean the same for every preprocessing (method.md section 6: x' = (x * scale - mean) / std).
 */
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';

type Formula = Pick<Preprocessing, 'order' | 'scale' | 'mean' | 'std'>;

export interface GreyLevels {
  readonly planes: number;
  /** `[C, H, W]` of the network -> grey levels, not rounded. */
  toLevels(values: Float32Array): Float32Array;
  toValues(levels: Float32Array): Float32Array;
  /** A derivative by the network's values -> by grey levels. */
  toLevelGradient(gradient: Float32Array): Float32Array;
  /** Grey levels, rounded and clipped, as `[H, W, 3]` 8-bit RGB. */
  toPixels(levels: Float32Array): Uint8Array;
  /** A colour that stands for none, per plane; of the preprocessing, its mean: where the network receives 0, clipped to what a picture can hold. */
  readonly middle: readonly number[];
}

export function greyLevels(formula: Formula): GreyLevels {
  const planes = formula.order === 'grey' ? 1 : 3;
  const per = Array.from({ length: planes }, (_, plane) => ({ scale: formula.scale / at(formula.std, plane), shift: at(formula.mean, plane) / at(formula.std, plane) }));
  const eachPlane = (source: Float32Array, formulaOf: (plane: number) => (value: number) => number): Float32Array => {
    const result = new Float32Array(source.length);
    const size = source.length / planes;
    for (let plane = 0; plane < planes; plane++) {
      const apply = formulaOf(plane);
      for (let i = plane * size; i < (plane + 1) * size; i++) result[i] = apply(source[i]!);
    }
    return result;
  };
  return {
    planes,
    toLevels: (values) => eachPlane(values, (plane) => (value) => (value + per[plane]!.shift) / per[plane]!.scale),
    toValues: (levels) => eachPlane(levels, (plane) => (level) => level * per[plane]!.scale - per[plane]!.shift),
    toLevelGradient: (gradient) => eachPlane(gradient, (plane) => (value) => value * per[plane]!.scale),
    toPixels(levels) {
      const size = levels.length / planes;
      const pixels = new Uint8ClampedArray(size * 3);
      for (let colour = 0; colour < 3; colour++) {
        const plane = planes === 1 ? 0 : formula.order === 'bgr' ? 2 - colour : colour;
        for (let i = 0; i < size; i++) pixels[i * 3 + colour] = Math.round(levels[plane * size + i]!);
      }
      return new Uint8Array(pixels.buffer);
    },
    middle: per.map(({ scale, shift }) => Math.min(255, Math.max(0, shift / scale))),
  };
}

export type Colour = readonly [red: number, green: number, blue: number];

/** The mean colour of the preprocessing as whole RGB levels. */
export function meanColour(formula: Formula): Colour {
  const { middle, planes } = greyLevels(formula);
  const [first, second, third] = middle.map(Math.round) as [number, number, number];
  if (planes === 1) return [first, first, first];
  return formula.order === 'bgr' ? [third, second, first] : [first, second, third];
}

/**
 * The mean colour by which parts are hidden and pictures filled up: that of the preprocessing, or where nothing is subtracted there (a network may do so itself, and black would be no mean) that of the
 * given pictures, `[H, W, 3]` 8-bit RGB each.
 */
export async function fillColour(preprocessing: Preprocessing, pictures: () => Promise<readonly Uint8Array[]>): Promise<Colour> {
  if (subtractsMean(preprocessing)) return meanColour(preprocessing);
  const sums = [0, 0, 0];
  let places = 0;
  for (const pixels of await pictures()) {
    for (let at = 0; at < pixels.length; at++) sums[at % 3]! += pixels[at]!;
    places += pixels.length / 3;
  }
  return sums.map((sum) => Math.round(sum / places)) as unknown as Colour;
}

export function subtractsMean({ mean }: Preprocessing): boolean {
  return mean.some((value) => value !== 0);
}

/** Distances of two pictures in grey levels. */
export function distances(a: Float32Array, b: Float32Array): { readonly l2: number; readonly linf: number; readonly rms: number } {
  let [sum, linf] = [0, 0];
  for (let at = 0; at < a.length; at++) {
    const difference = a[at]! - b[at]!;
    sum += difference * difference;
    linf = Math.max(linf, Math.abs(difference));
  }
  return { l2: Math.sqrt(sum), linf, rms: Math.sqrt(sum / a.length) };
}

/** One mean or std may count for all planes. */
function at(values: readonly number[], plane: number): number {
  return values.length === 1 ? values[0]! : values[plane]!;
}
