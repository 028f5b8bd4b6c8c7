/**
 * Principal components of rows that may be larger than memory: exact, from the covariance, where it is small; beyond, by subspace iteration on random starts
 * (Halko, Martinsson & Tropp 2011, algorithm 4.4), which reads the rows once an iteration and never holds a square matrix. Signs as scikit-learn has
 * them: the entry of a component that is largest in magnitude is positive, so that a map does not flip between two computations.
 */
import { AppError } from '../../src-shared/errors.ts';
import { seededNormals } from '../rewrite/training/seededNumbers.ts';
import { blocksOf, type Matrix, type RowSource } from './matrix.ts';
import { addProducts, mixedRows, orthonormalize, transposed } from './denseRows.ts';
import { productsOfRows } from './products.ts';
import { symmetricEigen } from './symmetricEigen.ts';

export interface PrincipalComponents {
  /** `[count, dimensions]`, unit length, by falling variance. */
  readonly components: Float64Array;
  readonly count: number;
  readonly dimensions: number;
  /** `[dimensions]` */
  readonly mean: Float64Array;
  /** `[count]`, divided by rows - 1. */
  readonly variances: Float64Array;
  /** The sum of the variances of all dimensions. */
  readonly totalVariance: number;
}

export interface ComponentsRequest {
  /** How many are wanted; fewer come back where rows or dimensions have no more. */
  readonly count: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** Rows seen, of all that are going to be. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Up to so many dimensions the covariance is made (8 MB and some seconds at 1,000). */
  readonly exactDimensions?: number;
}

const usualExactDimensions = 768;
/** Directions beyond those wanted, so that the last one wanted converges as quickly as the first. */
const spareDirections = 14;
const mostIterations = 12;
/** The variances stand still: the next iteration would move a component by less than a pixel of a map. */
const settledChange = 1e-7;

/** Rows that are not finite throw UNSUPPORTED with their number. Fewer than two rows, or rows that are all equal, have no directions: the axes come back with variances of 0. */
export async function principalComponents(source: RowSource, request: ComponentsRequest): Promise<PrincipalComponents> {
  const { rows, dimensions } = source;
  const count = Math.min(request.count, dimensions, Math.max(1, rows));
  if (dimensions === 0 || count <= 0) return { components: new Float64Array(0), count: 0, dimensions, mean: new Float64Array(dimensions), variances: new Float64Array(0), totalVariance: 0 };
  const found = dimensions <= (request.exactDimensions ?? usualExactDimensions) ? await fromCovariance(source, count, request) : await bySubspace(source, count, request);
  turnSigns(found.components, count, dimensions);
  return found;
}

/** The rows seen from the components: `[rows, count]` float32. */
export async function projectedRows(source: RowSource, { components, count, dimensions, mean }: PrincipalComponents, { signal, onProgress }: Pick<ComponentsRequest, 'signal' | 'onProgress'> = {}): Promise<Matrix> {
  const data = new Float32Array(source.rows * count);
  const offsets = new Float64Array(count);
  productsOfRows({ data: components, first: 0, count }, { data: mean, first: 0, count: 1 }, dimensions, offsets, 1);
  for await (const { first, matrix } of blocksOf(source, signal)) {
    const products = new Float64Array(matrix.rows * count);
    productsOfRows({ data: matrix.data, first: 0, count: matrix.rows }, { data: components, first: 0, count }, dimensions, products);
    for (let row = 0, at = 0; row < matrix.rows; row++) for (let c = 0; c < count; c++, at++) data[first * count + at] = products[at]! - offsets[c]!;
    onProgress?.(first + matrix.rows, source.rows);
  }
  return { rows: source.rows, dimensions: count, data };
}

async function fromCovariance(source: RowSource, count: number, { signal, onProgress }: ComponentsRequest): Promise<PrincipalComponents> {
  const { rows, dimensions } = source;
  const mean = await meanOf(source, signal, (done) => onProgress?.(done, 2 * rows));
  const covariance = new Float64Array(dimensions * dimensions);
  const part = new Float64Array(dimensions * dimensions);
  for await (const { first, matrix } of blocksOf(source, signal)) {
    const centred = transposedCentred(matrix, mean);
    for (let from = 0; from < dimensions; from += 64) {
      // The half below the diagonal, in bands.
      const band = { data: centred, first: from, count: Math.min(64, dimensions - from) };
      productsOfRows(band, { data: centred, first: 0, count: from + band.count }, matrix.rows, part, dimensions);
      for (let i = 0; i < band.count; i++) for (let j = 0; j <= from + i; j++) covariance[(from + i) * dimensions + j] = covariance[(from + i) * dimensions + j]! + part[i * dimensions + j]!;
    }
    onProgress?.(rows + first + matrix.rows, 2 * rows);
  }
  const freedom = Math.max(1, rows - 1);
  let totalVariance = 0;
  for (let i = 0; i < dimensions; i++) {
    for (let j = 0; j <= i; j++) covariance[j * dimensions + i] = covariance[i * dimensions + j] = covariance[i * dimensions + j]! / freedom;
    totalVariance += covariance[i * dimensions + i]!;
  }
  const { values, vectors } = symmetricEigen(covariance, dimensions);
  return { components: vectors.slice(0, count * dimensions), count, dimensions, mean, variances: values.slice(0, count).map((value) => Math.max(0, value)), totalVariance };
}

/** Each pass over the rows: directions V -> (X'X) V, made orthogonal again, with the variances along them. */
async function bySubspace(source: RowSource, count: number, { seed, signal, onProgress }: ComponentsRequest): Promise<PrincipalComponents> {
  const { rows, dimensions } = source;
  const width = Math.min(dimensions, Math.max(1, rows), count + spareDirections);
  const passes = mostIterations + 1;
  const mean = await meanOf(source, signal, (done) => onProgress?.(done, passes * rows));
  const freedom = Math.max(1, rows - 1);
  const normal = seededNormals(seed, 'directions');
  let directions: Float64Array = Float64Array.from({ length: width * dimensions }, normal);
  orthonormalize(directions, width, dimensions);
  let variances = new Float64Array(width);
  let totalVariance = 0;
  for (let iteration = 0; iteration < mostIterations; iteration++) {
    const image = new Float64Array(width * dimensions);
    const gram = new Float64Array(width * width);
    totalVariance = 0;
    for await (const { first, matrix } of blocksOf(source, signal)) {
      const centred = centredRows(matrix, mean);
      for (let at = 0; at < centred.length; at++) totalVariance += centred[at]! * centred[at]!;
      const along = new Float64Array(width * matrix.rows);
      productsOfRows({ data: directions, first: 0, count: width }, { data: centred, first: 0, count: matrix.rows }, dimensions, along);
      addProducts(image, { data: along, first: 0, count: width }, { data: transposed(centred, matrix.rows, dimensions), first: 0, count: dimensions }, matrix.rows);
      addProducts(gram, { data: along, first: 0, count: width }, { data: along, first: 0, count: width }, matrix.rows);
      onProgress?.((iteration + 1) * rows + first + matrix.rows, passes * rows);
    }
    totalVariance /= freedom;
    // Within the span, the directions of the variance; then one step of the power method, which turns the span itself.
    const { values, vectors } = symmetricEigen(gram.map((value) => value / freedom), width);
    const change = values.subarray(0, count).reduce((most, value, at) => Math.max(most, Math.abs(value - variances[at]!)), 0);
    variances = values.map((value) => Math.max(0, value));
    const settled = iteration > 0 && change <= settledChange * Math.max(values[0]!, Number.MIN_VALUE);
    const last = settled || iteration === mostIterations - 1;
    directions = mixedRows(vectors, last ? directions : image, width, dimensions);
    if (last) break;
    orthonormalize(directions, width, dimensions);
  }
  onProgress?.(passes * rows, passes * rows);
  return { components: directions.slice(0, count * dimensions), count, dimensions, mean, variances: variances.slice(0, count), totalVariance };
}

async function meanOf(source: RowSource, signal: AbortSignal | undefined, onRows: (done: number) => void): Promise<Float64Array> {
  const { rows, dimensions } = source;
  const mean = new Float64Array(dimensions);
  for await (const { first, matrix } of blocksOf(source, signal)) {
    for (let row = 0, at = 0; row < matrix.rows; row++) {
      let sum = 0;
      for (let d = 0; d < dimensions; d++, at++) {
        mean[d] = mean[d]! + matrix.data[at]!;
        sum += matrix.data[at]!;
      }
      if (!Number.isFinite(sum)) throw new AppError('UNSUPPORTED', `Row ${first + row} of the features holds NaN or infinity, and no distance to it is known: leave that image out, or look at what the layer makes of it.`, { row: first + row });
    }
    onRows(first + matrix.rows);
  }
  return mean.map((sum) => sum / Math.max(1, rows));
}

function centredRows({ rows, dimensions, data }: Matrix, mean: Float64Array): Float64Array {
  const centred = new Float64Array(rows * dimensions);
  for (let row = 0, at = 0; row < rows; row++) for (let d = 0; d < dimensions; d++, at++) centred[at] = data[at]! - mean[d]!;
  return centred;
}

function transposedCentred({ rows, dimensions, data }: Matrix, mean: Float64Array): Float64Array {
  const turned = new Float64Array(rows * dimensions);
  for (let row = 0, at = 0; row < rows; row++) for (let d = 0; d < dimensions; d++, at++) turned[d * rows + row] = data[at]! - mean[d]!;
  return turned;
}

function turnSigns(components: Float64Array, count: number, dimensions: number): void {
  for (let c = 0; c < count; c++) {
    const row = components.subarray(c * dimensions, (c + 1) * dimensions);
    let largest = 0;
    for (const value of row) if (Math.abs(value) > Math.abs(largest)) largest = value;
    if (largest < 0) for (let d = 0; d < dimensions; d++) row[d] = -row[d]!;
  }
}
