/**
 * How near two points of a UMAP are for a distance in the map: 1 / (1 + a d^2b), the smooth curve next to the one that is 1 up to the least distance wanted and falls
 * off exponentially beyond (McInnes et al. 2018, section 3.2 and definition 11), fitted by least squares.
 */

export interface Curve {
  readonly a: number;
  readonly b: number;
}

const samples = 300;
const mostSteps = 100;

/** `minDistance`: 0..1, in the unit in which neighbours of neighbours are 1 to 3 apart (`spread` 1). */
export function curveFor(minDistance: number): Curve {
  const distances = Array.from({ length: samples }, (_, i) => (3 * i) / (samples - 1));
  const wanted = distances.map((d) => (d < minDistance ? 1 : Math.exp(-(d - minDistance))));
  let [a, b, damping] = [1, 1, 1e-3];
  let error = errorOf(a, b, distances, wanted);
  // Levenberg and Marquardt with two unknowns.
  for (let step = 0; step < mostSteps; step++) {
    let aa = 0, ab = 0, bb = 0, ra = 0, rb = 0;
    distances.forEach((d, i) => {
      if (d === 0) return;
      const power = d ** (2 * b);
      const value = 1 / (1 + a * power);
      const byA = -power * value * value;
      const byB = -2 * a * Math.log(d) * power * value * value;
      const rest = wanted[i]! - value;
      aa += byA * byA; ab += byA * byB; bb += byB * byB;
      ra += byA * rest; rb += byB * rest;
    });
    const [left, right] = [aa * (1 + damping), bb * (1 + damping)];
    const determinant = left * right - ab * ab;
    const [nextA, nextB] = [a + (right * ra - ab * rb) / determinant, b + (left * rb - ab * ra) / determinant];
    const nextError = nextA > 0 && nextB > 0 ? errorOf(nextA, nextB, distances, wanted) : Infinity;
    if (nextError < error) {
      const settled = error - nextError < 1e-14;
      [a, b, error, damping] = [nextA, nextB, nextError, damping / 10];
      if (settled) break;
    } else {
      damping *= 10;
    }
  }
  return { a, b };
}

function errorOf(a: number, b: number, distances: readonly number[], wanted: readonly number[]): number {
  return distances.reduce((sum, d, i) => sum + (wanted[i]! - 1 / (1 + a * d ** (2 * b))) ** 2, 0);
}
