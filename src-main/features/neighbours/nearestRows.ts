/** The rows nearest to one vector: exact, by looking at every row, in blocks between which the event loop turns. */
import { blocksOf, lengthOf, type Matrix, type Metric, type RowSource } from '../matrix.ts';

/** Nearest first, equal distances by row number. Both of the same length, at most k. */
export interface Neighbours {
  readonly rows: Int32Array;
  readonly distances: Float32Array;
}

export interface NearestRequest {
  readonly k: number;
  readonly metric: Metric;
  /** A row that is not to be found, such as the one that is asked for. */
  readonly except?: number;
}

/** Fewer than k rows give fewer neighbours; a row with NaN is never near. */
export async function nearestRows(source: RowSource, query: Float32Array, request: NearestRequest & { readonly signal?: AbortSignal }): Promise<Neighbours> {
  const nearest = createNearest(request);
  for await (const { first, matrix } of blocksOf(source, request.signal)) offerRows(nearest, matrix, first, query, request.metric);
  return nearest.sorted();
}

/** The same in memory and at once. */
export function nearestOf(matrix: Matrix, query: Float32Array, request: NearestRequest): Neighbours {
  const nearest = createNearest(request);
  offerRows(nearest, matrix, 0, query, request.metric);
  return nearest.sorted();
}

type Nearest = ReturnType<typeof createNearest>;

function offerRows(nearest: Nearest, matrix: Matrix, first: number, query: Float32Array, metric: Metric): void {
  const offer = (row: number, distance: number) => nearest.offer(first + row, distance);
  if (metric === 'l2') measureSquares(matrix, query, offer);
  else measureAngles(matrix, query, lengthOf(query), offer);
}

type Offer = (row: number, distance: number) => void;

function measureSquares({ rows, dimensions, data }: Matrix, query: Float32Array, offer: Offer): void {
  for (let row = 0, at = 0; row < rows; row++) {
    let sum = 0;
    for (let d = 0; d < dimensions; d++, at++) {
      const difference = data[at]! - query[d]!;
      sum += difference * difference;
    }
    offer(row, sum);
  }
}

function measureAngles({ rows, dimensions, data }: Matrix, query: Float32Array, length: number, offer: Offer): void {
  for (let row = 0, at = 0; row < rows; row++) {
    let product = 0;
    let squares = 0;
    for (let d = 0; d < dimensions; d++, at++) {
      const value = data[at]!;
      product += value * query[d]!;
      squares += value * value;
    }
    const lengths = length * Math.sqrt(squares);
    offer(row, lengths === 0 ? 1 : Math.max(0, 1 - product / lengths));
  }
}

/** Keeps the k smallest of what it is offered, as a sorted list: k is small against the number of rows, so that insertions are rare. */
function createNearest({ k, metric, except = -1 }: NearestRequest) {
  const rows: number[] = [];
  const distances: number[] = [];
  return {
    offer(row: number, distance: number): void {
      if (row === except || Number.isNaN(distance) || k <= 0) return;
      if (rows.length === k && distance >= distances[k - 1]!) return;
      let at = rows.length === k ? k - 1 : rows.length;
      while (at > 0 && distances[at - 1]! > distance) {
        distances[at] = distances[at - 1]!;
        rows[at] = rows[at - 1]!;
        at--;
      }
      distances[at] = distance;
      rows[at] = row;
    },
    sorted: (): Neighbours => ({ rows: Int32Array.from(rows), distances: Float32Array.from(distances, (distance) => (metric === 'l2' ? Math.sqrt(distance) : distance)) }),
  };
}
