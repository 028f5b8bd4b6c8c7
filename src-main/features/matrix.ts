/**
 * The data that maps are made of: one row of numbers for each image (or channel). A small matrix lies in memory; one that may be larger than memory is a
 * source that is read in blocks of rows, as often as a computation needs to see them.
 */

/** `[rows, dimensions]` float32, row after row. */
export interface Matrix {
  readonly rows: number;
  readonly dimensions: number;
  readonly data: Float32Array;
}

/** Rows that are read when needed, any number of times. `read` answers `count` rows from `first` on, `[count, dimensions]` float32, which nobody writes to. */
export interface RowSource {
  readonly rows: number;
  readonly dimensions: number;
  read(first: number, count: number): Float32Array | Promise<Float32Array>;
}

/** `l2`: Euclidean distance. `cosine`: one minus the cosine of the angle between two rows; a row of zeros has distance 1 from every other. */
export type Metric = 'l2' | 'cosine';

/** About 8 MB of floats a block, so that reading is cheap and the event loop breathes in between. */
const blockNumbers = 2 ** 21;

export function sourceOf(matrix: Matrix): RowSource {
  const { rows, dimensions, data } = matrix;
  return { rows, dimensions, read: (first, count) => data.subarray(first * dimensions, (first + count) * dimensions) };
}

/** All rows of a source, block by block, in order. Throws the signal's reason between blocks. */
export async function* blocksOf(source: RowSource, signal?: AbortSignal): AsyncGenerator<{ readonly first: number; readonly matrix: Matrix }> {
  const { rows, dimensions } = source;
  const most = Math.max(1, Math.floor(blockNumbers / Math.max(1, dimensions)));
  for (let first = 0; first < rows; first += most) {
    signal?.throwIfAborted();
    const count = Math.min(most, rows - first);
    yield { first, matrix: { rows: count, dimensions, data: await source.read(first, count) } };
  }
}

/** The whole source in memory. */
export async function gathered(source: RowSource, signal?: AbortSignal): Promise<Matrix> {
  const data = new Float32Array(source.rows * source.dimensions);
  for await (const { first, matrix } of blocksOf(source, signal)) data.set(matrix.data, first * source.dimensions);
  return { rows: source.rows, dimensions: source.dimensions, data };
}

/** The same rows, each divided by its length, so that Euclidean distance orders them as the cosine does; rows of zeros stay. */
export function unitRows(source: RowSource): RowSource {
  const { rows, dimensions } = source;
  return {
    rows,
    dimensions,
    async read(first, count) {
      const block = Float32Array.from(await source.read(first, count));
      for (let row = 0; row < count; row++) {
        const at = block.subarray(row * dimensions, (row + 1) * dimensions);
        const length = lengthOf(at);
        if (length > 0) for (let d = 0; d < dimensions; d++) at[d] = at[d]! / length;
      }
      return block;
    },
  };
}

export function lengthOf(row: Float32Array): number {
  let sum = 0;
  for (let d = 0; d < row.length; d++) sum += row[d]! * row[d]!;
  return Math.sqrt(sum);
}
