/**
 * Rows of numbers as a linear classifier takes them, made of features: every column brought to mean 0 and deviation 1 over the training rows, and, where there are more columns than training rows,
 * turned into the space that those rows span. A classifier whose weights are kept small by the sum of their squares lies in that space (the representer theorem), so nothing is lost, and ten thousand columns of
 * a flattened layer become as many as there are images.
 */

/** Float32 `[rows, width]`; not every row need be used. */
export interface Features {
  readonly values: Float32Array;
  readonly width: number;
}

/** Float64 `[count, width]`. */
export interface Samples {
  readonly values: Float64Array;
  readonly count: number;
  readonly width: number;
}

export interface PreparedSamples {
  readonly training: Samples;
  readonly test: Samples;
}

/** Columns that vary less than this, against the largest, do not vary. */
const leastVariance = 1e-12;

/** @param training rows of the features whose mean and deviation count @param test rows that are brought into the same numbers */
export function prepareSamples(features: Features, training: ArrayLike<number>, test: ArrayLike<number>): PreparedSamples {
  const scaling = scalingOf(features, training);
  const rows = scaled(features, training, scaling);
  const others = scaled(features, test, scaling);
  return features.width <= training.length ? { training: rows, test: others } : inSpan(rows, others);
}

interface Scaling {
  readonly mean: Float64Array;
  /** 1 / deviation; 0 for a column that is constant. */
  readonly factor: Float64Array;
}

function scalingOf({ values, width }: Features, rows: ArrayLike<number>): Scaling {
  const mean = new Float64Array(width);
  const variance = new Float64Array(width);
  for (let at = 0; at < rows.length; at++) for (let column = 0, from = rows[at]! * width; column < width; column++) mean[column]! += values[from + column]! / rows.length;
  for (let at = 0; at < rows.length; at++) for (let column = 0, from = rows[at]! * width; column < width; column++) variance[column]! += (values[from + column]! - mean[column]!) ** 2 / rows.length;
  return { mean, factor: variance.map((each, column) => (each <= leastVariance * Math.max(1e-30, mean[column]! ** 2) ? 0 : 1 / Math.sqrt(each))) };
}

function scaled({ values, width }: Features, rows: ArrayLike<number>, { mean, factor }: Scaling): Samples {
  const result = new Float64Array(rows.length * width);
  for (let at = 0; at < rows.length; at++) for (let column = 0, from = rows[at]! * width; column < width; column++) result[at * width + column] = (values[from + column]! - mean[column]!) * factor[column]!;
  return { values: result, count: rows.length, width };
}

/**
 * Both in coordinates of the training rows' own space: `training` becomes the L of its matrix of products K = L L' (Cholesky with the largest row next, until nothing is left), a test row what solves L z = its
 * products with the rows that were chosen.
 */
function inSpan(training: Samples, test: Samples): PreparedSamples {
  const { count } = training;
  const rest = Float64Array.from({ length: count }, (_, row) => product(training, row, training, row));
  const enough = 1e-10 * rest.reduce((most, each) => Math.max(most, each), 0);
  const chosen: number[] = [];
  const columns: Float64Array[] = [];
  for (;;) {
    const pivot = rest.reduce((best, each, row) => (each > rest[best]! ? row : best), 0);
    if (chosen.length === count || rest[pivot]! <= enough) break;
    const root = Math.sqrt(rest[pivot]!);
    const column = new Float64Array(count);
    for (let row = 0; row < count; row++) {
      let left = product(training, row, training, pivot);
      for (const before of columns) left -= before[row]! * before[pivot]!;
      column[row] = left / root;
      rest[row]! -= column[row]! ** 2;
    }
    for (const row of [...chosen, pivot]) rest[row] = 0;
    chosen.push(pivot);
    columns.push(column);
  }
  const width = chosen.length;
  const values = new Float64Array(count * width);
  columns.forEach((column, at) => column.forEach((value, row) => (values[row * width + at] = value)));
  const testValues = new Float64Array(test.count * width);
  for (let row = 0; row < test.count; row++) {
    const solved = testValues.subarray(row * width, (row + 1) * width);
    chosen.forEach((pivot, at) => {
      let left = product(test, row, training, pivot);
      for (let before = 0; before < at; before++) left -= columns[before]![pivot]! * solved[before]!;
      solved[at] = left / columns[at]![pivot]!;
    });
  }
  return { training: { values, count, width }, test: { values: testValues, count: test.count, width } };
}

function product(left: Samples, row: number, right: Samples, other: number): number {
  const { width } = left;
  let sum = 0;
  for (let column = 0, a = row * width, b = other * width; column < width; column++) sum += left.values[a + column]! * right.values[b + column]!;
  return sum;
}
