/**
 * The weights of UMAP's graph (McInnes et al. 2018, section 3.1 and algorithms 2 and 3): each row's distances are counted from its nearest neighbour on and scaled so
 * that the weights of its neighbours add up to log2(neighbours); of the two directions of a pair, the probability that at least one of them holds.
 */
import type { NeighbourGraph } from '../neighbours/exactGraph.ts';
import { symmetricEdges, type SymmetricEdges } from '../symmetricEdges.ts';

const mostSearchSteps = 64;
const sumTolerance = 1e-5;
/** A scale is at least this share of the mean distance, so that equal rows do not divide by nothing. */
const leastScale = 1e-3;

/** The graph holds `neighbours - 1` others for each row: a row counts as the first neighbour of itself. */
export function fuzzyGraph(graph: NeighbourGraph): SymmetricEdges {
  return symmetricEdges(graph, directedWeights(graph), (there, back) => there + back - there * back);
}

/** `[rows, k]`, 0-1. */
export function directedWeights({ rows, k, distances }: NeighbourGraph): Float32Array {
  const weights = new Float32Array(rows * k);
  const target = Math.log2(k + 1);
  const overallMean = meanOf(distances, 0, distances.length);
  for (let first = 0; first < weights.length; first += k) {
    const end = first + k;
    let nearest = 0;
    for (let at = first; at < end && nearest === 0; at++) nearest = distances[at]!;
    const mean = nearest > 0 ? meanOf(distances, first, end) : overallMean;
    const scale = Math.max(scaleFor(distances, first, end, nearest, target), leastScale * mean);
    for (let at = first; at < end; at++) {
      const beyond = distances[at]! - nearest;
      weights[at] = beyond <= 0 || scale === 0 ? 1 : Math.exp(-beyond / scale);
    }
  }
  return weights;
}

function scaleFor(distances: Float32Array, first: number, end: number, nearest: number, target: number): number {
  let low = 0, high = Infinity, scale = 1;
  for (let step = 0; step < mostSearchSteps; step++) {
    let sum = 0;
    for (let at = first; at < end; at++) {
      const beyond = distances[at]! - nearest;
      sum += beyond > 0 ? Math.exp(-beyond / scale) : 1;
    }
    if (Math.abs(sum - target) < sumTolerance) break;
    if (sum > target) high = scale;
    else low = scale;
    scale = high === Infinity ? 2 * scale : (low + high) / 2;
  }
  return scale;
}

function meanOf(values: Float32Array, first: number, end: number): number {
  let sum = 0;
  for (let at = first; at < end; at++) sum += values[at]!;
  return end > first ? sum / (end - first) : 0;
}
