/** A graph of nearest neighbours has edges of one direction; t-SNE and UMAP want one weight for each pair. */
import type { NeighbourGraph } from './neighbours/exactGraph.ts';

/** Row i leads to `columns[starts[i]] .. columns[starts[i + 1] - 1]`, each with a weight; every edge is there in both directions, with one weight. */
export interface SymmetricEdges {
  readonly rows: number;
  readonly starts: Int32Array<ArrayBuffer>;
  readonly columns: Int32Array<ArrayBuffer>;
  readonly weights: Float32Array<ArrayBuffer>;
}

/** `weights [rows, k]`: of the edges as the graph has them. `join(there, back)`: the weight of the pair, symmetric in its two; 0 where an edge is missing. */
export function symmetricEdges({ rows, k, neighbours }: NeighbourGraph, weights: Float32Array, join: (there: number, back: number) => number): SymmetricEdges {
  const { starts: backStarts, sources, slots } = turnedAround(neighbours, rows, k);
  // Whether the edge back to row i was met among the edges of row i, and where.
  const place = new Int32Array(rows).fill(-1);
  const starts = new Int32Array(rows + 1);
  const visit = (onEdge: (row: number, other: number, there: number, back: number) => void): void => {
    for (let row = 0; row < rows; row++) {
      for (let at = backStarts[row]!; at < backStarts[row + 1]!; at++) place[sources[at]!] = slots[at]!;
      for (let at = row * k; at < (row + 1) * k; at++) {
        const other = neighbours[at]!;
        const back = place[other]!;
        onEdge(row, other, weights[at]!, back < 0 ? 0 : weights[back]!);
        place[other] = -1;
      }
      for (let at = backStarts[row]!; at < backStarts[row + 1]!; at++) {
        const other = sources[at]!;
        if (place[other]! >= 0) onEdge(row, other, 0, weights[slots[at]!]!);
        place[other] = -1;
      }
    }
  };
  visit((row) => (starts[row + 1] = starts[row + 1]! + 1));
  for (let row = 0; row < rows; row++) starts[row + 1] = starts[row + 1]! + starts[row]!;
  const columns = new Int32Array(starts[rows]!);
  const joined = new Float32Array(starts[rows]!);
  let end = 0;
  visit((_row, other, there, back) => {
    columns[end] = other;
    joined[end++] = join(there, back);
  });
  return { rows, starts, columns, weights: joined };
}

/** For each row the rows that lead to it, and where their edges stand. */
function turnedAround(neighbours: Int32Array, rows: number, k: number) {
  const starts = new Int32Array(rows + 1);
  for (const other of neighbours) starts[other + 1] = starts[other + 1]! + 1;
  for (let row = 0; row < rows; row++) starts[row + 1] = starts[row + 1]! + starts[row]!;
  const next = starts.slice(0, rows);
  const sources = new Int32Array(rows * k);
  const slots = new Int32Array(rows * k);
  for (let slot = 0; slot < neighbours.length; slot++) {
    const at = next[neighbours[slot]!]!++;
    sources[at] = Math.floor(slot / k);
    slots[at] = slot;
  }
  return { starts, sources, slots };
}
