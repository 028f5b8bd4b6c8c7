/**
 * How much each pair of rows belongs together, for t-SNE (van der Maaten & Hinton 2008, equations 1 and section 3.1): a Gaussian around each row, as wide as makes
 * its entropy that of `perplexity` equal neighbours; the two directions of a pair averaged; all pairs together 1.
 */
import type { NeighbourGraph } from '../neighbours/exactGraph.ts';
import { symmetricEdges, type SymmetricEdges } from '../symmetricEdges.ts';

/** Beyond three times the perplexity a Gaussian of that width is as good as zero. */
export function neighboursForPerplexity(perplexity: number, rows: number): number {
  return Math.max(0, Math.min(rows - 1, Math.floor(3 * perplexity)));
}

const mostSearchSteps = 100;
const entropyTolerance = 1e-5;

/** A perplexity that k neighbours cannot have is lowered to k / 3. */
export function affinities(graph: NeighbourGraph, perplexity: number): SymmetricEdges {
  const { rows, k } = graph;
  const conditional = conditionalAffinities(graph, Math.min(perplexity, k / 3));
  return symmetricEdges(graph, conditional, (there, back) => (there + back) / (2 * rows));
}

/** `[rows, k]`: each row's neighbours, adding up to 1. Rows whose neighbours are all equally far weigh them equally. */
export function conditionalAffinities({ rows, k, distances }: NeighbourGraph, perplexity: number): Float32Array {
  const weights = new Float32Array(rows * k);
  const squares = new Float64Array(k);
  const row = new Float64Array(k);
  const entropy = Math.log(Math.max(1, perplexity));
  for (let first = 0; first < weights.length; first += k) {
    // Only differences matter, and only against their own scale: the search then starts where it will end.
    const nearest = distances[first]! ** 2;
    let scale = 0;
    for (let i = 0; i < k; i++) scale += squares[i] = distances[first + i]! ** 2 - nearest;
    scale /= k;
    if (scale > 0) for (let i = 0; i < k; i++) squares[i] = squares[i]! / scale;
    weighByEntropy(squares, row, entropy);
    weights.set(row, first);
  }
  return weights;
}

/** Bisects the inverse width until the entropy of the weights is the one wished for. */
function weighByEntropy(squares: Float64Array, weights: Float64Array, entropy: number): void {
  let low = 0, high = Infinity, inverseWidth = 1;
  for (let step = 0; step < mostSearchSteps; step++) {
    let sum = 0, weighted = 0;
    for (let i = 0; i < squares.length; i++) {
      const weight = Math.exp(-squares[i]! * inverseWidth);
      weights[i] = weight;
      sum += weight;
      weighted += weight * squares[i]!;
    }
    for (let i = 0; i < squares.length; i++) weights[i] = weights[i]! / sum;
    const excess = Math.log(sum) + (inverseWidth * weighted) / sum - entropy;
    if (Math.abs(excess) <= entropyTolerance || weighted === 0) return;
    if (excess > 0) low = inverseWidth;
    else high = inverseWidth;
    inverseWidth = high === Infinity ? 2 * inverseWidth : (low + high) / 2;
  }
}
