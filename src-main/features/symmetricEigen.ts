/**
 * Eigenvalues and eigenvectors of a symmetric matrix: Householder reflections to three diagonals, then implicit QL steps with Wilkinson's shift (Golub & Van
 * Loan, Matrix Computations, section 8.3). Exact to rounding and O(n^3): for a thousand dimensions some seconds.
 */

export interface Eigen {
  /** Largest first. */
  readonly values: Float64Array;
  /** `[n, n]`: row i is the unit eigenvector of value i. */
  readonly vectors: Float64Array;
}

/** Two or three rounds for one eigenvalue are usual. */
const mostRounds = 60;

/** `matrix`: `[n, n]`, symmetric, finite; it is not written to. */
export function symmetricEigen(matrix: Float64Array, n: number): Eigen {
  const { diagonal, beside, basis } = threeDiagonals(Float64Array.from(matrix), n);
  diagonalize(diagonal, beside, basis, n);
  const order = Array.from(diagonal.keys()).sort((a, b) => diagonal[b]! - diagonal[a]! || a - b);
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => vectors.set(basis.subarray(from * n, (from + 1) * n), to * n));
  return { values: Float64Array.from(order, (at) => diagonal[at]!), vectors };
}

/** `A = Q T Q'`; `basis` holds Q transposed, so that its rows turn into the eigenvectors. `beside[i]` lies between i and i + 1. */
function threeDiagonals(a: Float64Array, n: number) {
  const basis = new Float64Array(n * n);
  for (let i = 0; i < n; i++) basis[i * n + i] = 1;
  const v = new Float64Array(n);
  const p = new Float64Array(n);
  for (let column = 0; column < n - 2; column++) {
    // The reflection that clears everything below the second diagonal of this column: I - beta v v'.
    let below = 0;
    for (let i = column + 2; i < n; i++) below += a[i * n + column]! ** 2;
    if (below === 0) continue;
    const head = a[(column + 1) * n + column]!;
    const length = Math.sqrt(head * head + below);
    const target = head > 0 ? -length : length;
    v.fill(0, 0, column + 1);
    v[column + 1] = head - target;
    for (let i = column + 2; i < n; i++) v[i] = a[i * n + column]!;
    const beta = 2 / (v[column + 1]! ** 2 + below);
    // A := A - v w' - w v' with w = beta A v - (beta^2 v'Av / 2) v, on the part that is left.
    let inner = 0;
    for (let i = column + 1; i < n; i++) {
      let sum = 0;
      const row = i * n;
      for (let j = column + 1; j < n; j++) sum += a[row + j]! * v[j]!;
      p[i] = beta * sum;
      inner += p[i]! * v[i]!;
    }
    const half = (beta * inner) / 2;
    for (let i = column + 1; i < n; i++) p[i] = p[i]! - half * v[i]!;
    for (let i = column + 1; i < n; i++) {
      const row = i * n;
      const vi = v[i]!, pi = p[i]!;
      for (let j = column + 1; j < n; j++) a[row + j] = a[row + j]! - vi * p[j]! - pi * v[j]!;
    }
    a[(column + 1) * n + column] = target;
    a[column * n + column + 1] = target;
    for (let i = column + 2; i < n; i++) a[i * n + column] = a[column * n + i] = 0;
    reflectRows(basis, v, beta, column + 1, n);
  }
  const diagonal = Float64Array.from({ length: n }, (_, i) => a[i * n + i]!);
  const beside = Float64Array.from({ length: n }, (_, i) => (i + 1 < n ? a[i * n + i + 1]! : 0));
  return { diagonal, beside, basis };
}

/** basis := (I - beta v v') basis, for v that is zero before `from`. */
function reflectRows(basis: Float64Array, v: Float64Array, beta: number, from: number, n: number): void {
  const sums = new Float64Array(n);
  for (let i = from; i < n; i++) {
    const vi = v[i]!, row = i * n;
    for (let j = 0; j < n; j++) sums[j] = sums[j]! + vi * basis[row + j]!;
  }
  for (let i = from; i < n; i++) {
    const scale = beta * v[i]!, row = i * n;
    for (let j = 0; j < n; j++) basis[row + j] = basis[row + j]! - scale * sums[j]!;
  }
}

/** Chases the second diagonal to zero, from the top, turning pairs of basis rows along. */
function diagonalize(d: Float64Array, e: Float64Array, basis: Float64Array, n: number): void {
  // Against the whole matrix, not against its neighbours on the diagonal: where a matrix is of lower rank these are rounding too, and noise never gets small against noise.
  const nothing = Number.EPSILON * d.reduce((most, value, at) => Math.max(most, Math.abs(value) + Math.abs(e[at]!)), 0);
  for (let top = 0; top < n; top++) {
    for (let round = 0; ; round++) {
      let end = top;
      while (end + 1 < n && Math.abs(e[end]!) > nothing) end++;
      if (end === top) break;
      if (round === mostRounds) throw new Error(`Eigenvalue ${top} of ${n} was not found in ${mostRounds} rounds, where three are usual.`);
      // Wilkinson's shift from the two by two block at the top.
      const spread = (d[top + 1]! - d[top]!) / (2 * e[top]!);
      const root = Math.hypot(spread, 1);
      let g = d[end]! - d[top]! + e[top]! / (spread + (spread < 0 ? -root : root));
      let sine = 1, cosine = 1, carried = 0;
      let at = end - 1;
      for (; at >= top; at--) {
        const f = sine * e[at]!;
        const b = cosine * e[at]!;
        const r = Math.hypot(f, g);
        e[at + 1] = r;
        if (r === 0) {
          d[at + 1] = d[at + 1]! - carried;
          e[end] = 0;
          break;
        }
        sine = f / r;
        cosine = g / r;
        g = d[at + 1]! - carried;
        const turned = (d[at]! - g) * sine + 2 * cosine * b;
        carried = sine * turned;
        d[at + 1] = g + carried;
        g = cosine * turned - b;
        turnRows(basis, at, sine, cosine, n);
      }
      if (at >= top) continue;
      d[top] = d[top]! - carried;
      e[top] = g;
      e[end] = 0;
    }
  }
}

function turnRows(basis: Float64Array, at: number, sine: number, cosine: number, n: number): void {
  const upper = at * n, lower = upper + n;
  for (let j = 0; j < n; j++) {
    const x = basis[upper + j]!, y = basis[lower + j]!;
    basis[lower + j] = sine * x + cosine * y;
    basis[upper + j] = cosine * x - sine * y;
  }
}
