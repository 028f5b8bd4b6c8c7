/** The small parts that maps stand on: eigenvectors, Fourier transforms, products, edges in both directions, packed arrays. */
import { describe, expect, it } from 'vitest';
import { sourceOf } from '../../../src-main/features/matrix.ts';
import { packArrays, unpackArrays } from '../../../src-main/features/packedArrays.ts';
import { principalComponents } from '../../../src-main/features/principalComponents.ts';
import { productsOfRows, squaredLengths } from '../../../src-main/features/products.ts';
import { symmetricEdges } from '../../../src-main/features/symmetricEdges.ts';
import { symmetricEigen } from '../../../src-main/features/symmetricEigen.ts';
import { createTransform } from '../../../src-main/features/tsne/fourier.ts';
import { gridFor } from '../../../src-main/features/tsne/repulsion.ts';
import { seededNormals } from '../../../src-main/rewrite/training/seededNumbers.ts';

const normals = (count: number, seed = 1) => Float64Array.from({ length: count }, seededNormals(seed, 'numbers'));

describe('eigenvectors', () => {
  it('of a small matrix are those on paper', () => {
    const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2), 2);
    expect([...values]).toEqual([expect.closeTo(3, 12), expect.closeTo(1, 12)]);
    expect(Array.from(vectors, Math.abs)).toEqual(new Array(4).fill(expect.closeTo(Math.SQRT1_2, 12)));
  });

  it.each([
    ['any', 40, (n: number) => squareOf(normals(n * n), n)],
    ['one with equal values', 12, (n: number) => Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 5 : 0))],
    ['one of rank 2', 20, (n: number) => squareOf(normals(2 * n), n)],
    ['one of rank 19', 60, (n: number) => squareOf(centred(normals(20 * n), n), n)],
    ['one of rank 63', 200, (n: number) => squareOf(centred(normals(64 * n).map((value) => 1e-3 * value), n), n)],
    ['nothing but zeros', 6, (n: number) => new Float64Array(n * n)],
    ['a single number', 1, () => Float64Array.of(-4)],
  ])('of %s solve it, stand at right angles, and come by size', (_, n, make) => {
    const matrix = make(n);
    const { values, vectors } = symmetricEigen(matrix, n);
    const scale = Math.max(1, ...matrix.map(Math.abs));
    let [unsolved, crooked] = [0, 0];
    for (let i = 0; i < n; i++) {
      const vector = vectors.subarray(i * n, (i + 1) * n);
      for (let row = 0; row < n; row++) {
        const product = vector.reduce((sum, value, column) => sum + matrix[row * n + column]! * value, 0);
        unsolved = Math.max(unsolved, Math.abs(product - values[i]! * vector[row]!));
      }
      for (let j = 0; j <= i; j++) crooked = Math.max(crooked, Math.abs(vector.reduce((sum, value, at) => sum + value * vectors[j * n + at]!, 0) - (i === j ? 1 : 0)));
    }
    expect(unsolved).toBeLessThan(1e-11 * scale * n);
    expect(crooked).toBeLessThan(1e-11);
    expect([...values]).toEqual([...values].sort((a, b) => b - a));
  });
});

describe('Fourier transforms', () => {
  it.each([2, 4, 8, 32, 64, 128])('of size %i go there and back', (size) => {
    const { forward, back } = createTransform(size);
    const [real, imaginary] = [normals(size + 3, 2), normals(size + 3, 3)];
    const [x, y] = [real.slice(), imaginary.slice()];
    forward(x, y, 3);
    back(x, y, 3);
    for (let at = 0; at < size + 3; at++) {
      expect(x[at]! / (at < 3 ? 1 : size)).toBeCloseTo(real[at]!, 12);
      expect(y[at]! / (at < 3 ? 1 : size)).toBeCloseTo(imaginary[at]!, 12);
    }
  });

  it.each([8, 16])('of size %i turn products into circular convolutions', (size) => {
    const { forward, back } = createTransform(size);
    const [a, b] = [normals(size, 4), normals(size, 5)];
    const [aReal, aImaginary, bReal, bImaginary] = [a.slice(), new Float64Array(size), b.slice(), new Float64Array(size)];
    forward(aReal, aImaginary, 0);
    forward(bReal, bImaginary, 0);
    const real = aReal.map((value, at) => value * bReal[at]! - aImaginary[at]! * bImaginary[at]!);
    const imaginary = aReal.map((value, at) => value * bImaginary[at]! + aImaginary[at]! * bReal[at]!);
    back(real, imaginary, 0);
    for (let at = 0; at < size; at++) {
      let slow = 0;
      for (let i = 0; i < size; i++) slow += a[i]! * b[(at - i + size) % size]!;
      expect(real[at]! / size).toBeCloseTo(slow, 11);
      expect(imaginary[at]! / size).toBeCloseTo(0, 11);
    }
  });
});

it('products of rows are the sums that they should be, whatever is left of four', () => {
  const [a, b] = [normals(7 * 5, 6), Float32Array.from(normals(6 * 5, 7))];
  const out = new Float64Array(6 * 9).fill(-1);
  productsOfRows({ data: a, first: 1, count: 6 }, { data: b, first: 1, count: 5 }, 5, out, 9);
  for (let i = 0; i < 6; i++) {
    for (let j = 0; j < 9; j++) {
      let slow = 0;
      for (let d = 0; d < 5; d++) slow += a[(i + 1) * 5 + d]! * (b[(j + 1) * 5 + d] ?? 0);
      expect(out[i * 9 + j]).toBe(j < 5 ? slow : -1);
    }
  }
  expect(squaredLengths(b, 6, 5)[2]).toBe(b.subarray(10, 15).reduce((sum, value) => sum + value * value, 0));
});

it('edges of either direction become one for both', () => {
  // 0 -> 1, 2; 1 -> 0, 2; 2 -> 1, 0 is missing one way: 2 -> 1, 3; 3 -> 2, 1.
  const graph = { rows: 4, k: 2, neighbours: Int32Array.of(1, 2, 0, 2, 1, 3, 2, 1), distances: new Float32Array(8) };
  const { starts, columns, weights } = symmetricEdges(graph, Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), (there, back) => there + back);
  const lines = [0, 1, 2, 3].map((row) => Object.fromEntries([...columns.subarray(starts[row], starts[row + 1])].map((other, at) => [other, weights[starts[row]! + at]])));
  expect(lines).toEqual([{ 1: 4, 2: 2 }, { 0: 4, 2: 9, 3: 8 }, { 0: 2, 1: 9, 3: 13 }, { 1: 8, 2: 13 }]);
});

it.each([1e-12, 0.5, 20, 20.1, 84, 169.5, 5000])('the grid for a map %d wide holds it with room at the edges', (span) => {
  const { side, spacing } = gridFor(span);
  expect([64, 128, 256, 512]).toContain(side);
  expect(span).toBeLessThanOrEqual((side - 4) * spacing * (1 + 1e-12));
});

describe('packed arrays', () => {
  const bytes = packArrays('this', [Int32Array.of(1, -2, 3), Float64Array.of(0.1, NaN), new Float32Array(0), Uint8Array.of(7)]);

  it('come back as they were, from anywhere in memory', () => {
    const elsewhere = new Uint8Array(bytes.length + 3);
    elsewhere.set(bytes, 3);
    expect(unpackArrays(elsewhere.subarray(3), 'this', 'It')).toEqual([Int32Array.of(1, -2, 3), Float64Array.of(0.1, NaN), new Float32Array(0), Uint8Array.of(7)]);
  });

  it('say what is wrong with them', () => {
    expect(() => unpackArrays(bytes, 'that', 'The index')).toThrow('The index belongs to other data or other settings (this) than asked for (that): delete it and start anew.');
    expect(() => unpackArrays(bytes.subarray(0, bytes.length - 1), 'this', 'The index')).toThrow(`The index ends at byte ${bytes.length - 1}, but ${bytes.length} bytes or more were written`);
    expect(() => unpackArrays(new Uint8Array(0), 'this', 'The index')).toThrow('The index does not begin with a line that says what it holds');
  });
});

it('rows without any direction have components without variance', async () => {
  const found = await principalComponents(sourceOf({ rows: 5, dimensions: 3, data: new Float32Array(15).fill(2) }), { count: 3, seed: 1 });
  expect(found).toMatchObject({ count: 3, totalVariance: 0, variances: new Float64Array(3) });
  expect(await principalComponents(sourceOf({ rows: 0, dimensions: 3, data: new Float32Array(0) }), { count: 3, seed: 1 })).toMatchObject({ count: 1 });
  expect(await principalComponents(sourceOf({ rows: 4, dimensions: 0, data: new Float32Array(0) }), { count: 3, seed: 1 })).toMatchObject({ count: 0 });
});

function centred(rows: Float64Array, n: number): Float64Array {
  const mean = new Float64Array(n);
  rows.forEach((value, at) => (mean[at % n] = mean[at % n]! + (value * n) / rows.length));
  return rows.map((value, at) => value - mean[at % n]!);
}

/** `rows' rows`, n by n, for any number of rows of n. */
function squareOf(rows: Float64Array, n: number): Float64Array {
  const square = new Float64Array(n * n);
  for (let first = 0; first < rows.length; first += n) for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) square[i * n + j] = square[i * n + j]! + rows[first + i]! * rows[first + j]!;
  return square;
}
