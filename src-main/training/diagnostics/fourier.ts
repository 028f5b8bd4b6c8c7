/** The energies of a small plane at chosen frequencies, |H(v, u)|^2: rows first, then columns. Which frequencies is told by the waves. */

/** Along one axis. */
export interface Waves {
  readonly places: number;
  readonly frequencies: number;
  /** `[frequencies, places]`. */
  readonly cosine: Float64Array;
  readonly sine: Float64Array;
}

/** `angle` in radians, of a frequency's number at a place. */
export function waves(places: number, frequencies: number, angle: (frequency: number, place: number) => number): Waves {
  const angles = Float64Array.from({ length: frequencies * places }, (_, at) => angle(Math.floor(at / places), at % places));
  return { places, frequencies, cosine: angles.map(Math.cos), sine: angles.map(Math.sin) };
}

/** Adds the energies of `plane`, `[down.places, across.places]`, each divided by `divisor`, to `energies`, `[down.frequencies, across.frequencies]`. */
export function addEnergies(energies: Float64Array, plane: Float32Array, down: Waves, across: Waves, divisor: number): void {
  const [height, width] = [down.places, across.places];
  const real = new Float64Array(height * across.frequencies);
  const imaginary = new Float64Array(height * across.frequencies);
  for (let y = 0; y < height; y++) {
    for (let u = 0; u < across.frequencies; u++) {
      let [re, im] = [0, 0];
      for (let x = 0; x < width; x++) {
        const weight = plane[y * width + x]!;
        re += weight * across.cosine[u * width + x]!;
        im -= weight * across.sine[u * width + x]!;
      }
      real[y * across.frequencies + u] = re;
      imaginary[y * across.frequencies + u] = im;
    }
  }
  for (let v = 0; v < down.frequencies; v++) {
    for (let u = 0; u < across.frequencies; u++) {
      let [re, im] = [0, 0];
      for (let y = 0; y < height; y++) {
        const [a, b] = [real[y * across.frequencies + u]!, imaginary[y * across.frequencies + u]!];
        const [cosine, sine] = [down.cosine[v * height + y]!, down.sine[v * height + y]!];
        re += a * cosine + b * sine;
        im += b * cosine - a * sine;
      }
      energies[v * across.frequencies + u]! += (re * re + im * im) / divisor;
    }
  }
}
