/** The graph of nearest neighbours that t-SNE and UMAP stand on: exact as long as that takes seconds, by the index beyond. */
import type { Matrix } from '../matrix.ts';
import { exactNeighbourGraph, type NeighbourGraph } from './exactGraph.ts';
import { buildNeighbourIndex, createRowSearcher } from './neighbourIndex.ts';
import { nearestOf } from './nearestRows.ts';

export const mostExactRows = 20_000;

/** Euclidean; for cosine, hand in rows of unit length. `onProgress`: done of total, in rows. */
export function neighbourGraph(matrix: Matrix, k: number, seed: number, onProgress?: (done: number, total: number) => void, mostExact = mostExactRows): NeighbourGraph {
  return matrix.rows <= mostExact ? exactNeighbourGraph(matrix, k, onProgress) : indexedGraph(matrix, k, seed, onProgress);
}

function indexedGraph(matrix: Matrix, wantedK: number, seed: number, onProgress?: (done: number, total: number) => void): NeighbourGraph {
  const { rows, dimensions, data } = matrix;
  const k = Math.max(0, Math.min(wantedK, rows - 1));
  const total = 2 * rows;
  const index = buildNeighbourIndex(matrix, 'l2', seed, (done) => onProgress?.(done, total));
  const nearest = createRowSearcher(index, k);
  const neighbours = new Int32Array(rows * k);
  const distances = new Float32Array(rows * k);
  for (let row = 0; row < rows; row++) {
    let found = nearest(row);
    // A row that the index leaves on an island: rare, and then every row is looked at.
    if (found.rows.length < k) found = nearestOf(matrix, data.subarray(row * dimensions, (row + 1) * dimensions), { k, metric: 'l2', except: row });
    neighbours.set(found.rows, row * k);
    distances.set(found.distances, row * k);
    if (row % 1000 === 999) onProgress?.(rows + row + 1, total);
  }
  onProgress?.(total, total);
  return { rows, k, neighbours, distances };
}
