/**
 * The rows that an index of neighbours measures its distances on: for Euclidean distance the rows themselves; for cosine distance rows of length 1, of which half the squared distance is the
 * cosine distance. A row of zeros then stands at a right angle to all others, in a dimension of its own.
 */
import { blocksOf, lengthOf, type Matrix, type Metric, type RowSource } from '../matrix.ts';

export function measuredRows(matrix: Matrix, metric: Metric): Matrix {
  if (metric === 'l2') return matrix;
  const { rows, dimensions, data } = matrix;
  const unit = new Float32Array(rows * (dimensions + 1));
  for (let row = 0; row < rows; row++) {
    const from = data.subarray(row * dimensions, (row + 1) * dimensions);
    const length = lengthOf(from);
    const to = row * (dimensions + 1);
    // A length that is no number makes the row none, so that it is never near.
    for (let d = 0; d < dimensions; d++) unit[to + d] = length === 0 ? 0 : from[d]! / length;
    unit[to + dimensions] = length === 0 ? 1 : 0;
  }
  return { rows, dimensions: dimensions + 1, data: unit };
}

/** The whole source in memory, once. `onProgress`: rows read. */
export async function gatherMeasured(source: RowSource, metric: Metric, onProgress: (done: number, total: number) => void = () => undefined): Promise<Matrix> {
  const { rows } = source;
  const dimensions = measuredDimensions(source.dimensions, metric);
  const data = new Float32Array(rows * dimensions);
  for await (const { first, matrix } of blocksOf(source)) {
    data.set(measuredRows(matrix, metric).data, first * dimensions);
    onProgress(first + matrix.rows, rows);
  }
  return { rows, dimensions, data };
}

export function measuredDimensions(dimensions: number, metric: Metric): number {
  return metric === 'l2' ? dimensions : dimensions + 1;
}
