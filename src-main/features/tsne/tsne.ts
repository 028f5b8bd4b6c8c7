/**
 * t-SNE as a state that is taken on step by step (van der Maaten & Hinton 2008; van der Maaten 2014): neighbours pull, all points push, with momentum, gains of
 * its own for each coordinate, and neighbours that pull twelve times as hard in the first quarter, so that groups find their places before they spread.
 * The learning rate grows with the number of points (Belkina et al. 2019). Nothing is left to chance: the start is the principal components.
 */
import type { SymmetricEdges } from '../symmetricEdges.ts';
import { createRepulsion, type Repulsion } from './repulsion.ts';

export interface TsneState {
  iteration: number;
  /** `[rows, 2]` each */
  readonly positions: Float64Array<ArrayBuffer>;
  readonly speeds: Float64Array<ArrayBuffer>;
  readonly gains: Float64Array<ArrayBuffer>;
}

const exaggeration = 12;
/** The share of the iterations in which neighbours are exaggerated, and the momentum is the lower one: 250 of 1,000. */
const exaggeratedShare = 0.25;
const [earlyMomentum, lateMomentum] = [0.5, 0.8];
const leastGain = 0.01;
/** So near together points begin that at first only the pull of neighbours orders them. */
const startDeviation = 1e-4;

/** `start [rows, 2]`: where points begin, at any scale. */
export function startTsne(start: Float32Array): TsneState {
  return { iteration: 0, positions: scaledTo(start, startDeviation), speeds: new Float64Array(start.length), gains: new Float64Array(start.length).fill(1) };
}

/** Takes the state on, in place, by so many of `total` iterations; after the last it stays. Same state, same steps, same coordinates. */
export function createTsneSteps(edges: SymmetricEdges, total: number): (state: TsneState, iterations: number) => void {
  const repulsion = createRepulsion(edges.rows);
  const gradient = new Float64Array(2 * edges.rows);
  const rate = Math.max(50, edges.rows / exaggeration / 4);
  return (state, iterations) => {
    const end = Math.min(total, state.iteration + iterations);
    for (; state.iteration < end; state.iteration++) {
      const isEarly = state.iteration < exaggeratedShare * total;
      tsneGradient(edges, state.positions, isEarly ? exaggeration : 1, repulsion, gradient);
      move(state, gradient, rate, isEarly ? earlyMomentum : lateMomentum);
    }
  };
}

/** `4 sum_j (exaggeration p_ij - q_ij) (y_i - y_j) / (1 + |y_i - y_j|^2)` into `gradient [rows, 2]` (equation 5 of the paper). */
export function tsneGradient({ rows, starts, columns, weights }: SymmetricEdges, positions: Float64Array, exaggerated: number, repulsion: Repulsion, gradient: Float64Array): void {
  const allPairs = repulsion.compute(positions, gradient);
  for (let row = 0; row < rows; row++) {
    const x = positions[2 * row]!, y = positions[2 * row + 1]!;
    let pullX = 0, pullY = 0;
    for (let at = starts[row]!, end = starts[row + 1]!; at < end; at++) {
      const other = 2 * columns[at]!;
      const dx = x - positions[other]!, dy = y - positions[other + 1]!;
      const pull = weights[at]! / (1 + dx * dx + dy * dy);
      pullX += pull * dx;
      pullY += pull * dy;
    }
    gradient[2 * row] = 4 * (exaggerated * pullX - gradient[2 * row]! / allPairs);
    gradient[2 * row + 1] = 4 * (exaggerated * pullY - gradient[2 * row + 1]! / allPairs);
  }
}

function move({ positions, speeds, gains }: TsneState, gradient: Float64Array, rate: number, momentum: number): void {
  let [meanX, meanY] = [0, 0];
  for (let i = 0; i < positions.length; i++) {
    const turns = gradient[i]! * speeds[i]! < 0;
    const gain = Math.max(leastGain, turns ? gains[i]! + 0.2 : gains[i]! * 0.8);
    gains[i] = gain;
    speeds[i] = momentum * speeds[i]! - rate * gain * gradient[i]!;
    positions[i] = positions[i]! + speeds[i]!;
    if (i % 2 === 0) meanX += positions[i]!;
    else meanY += positions[i]!;
  }
  const points = positions.length / 2;
  for (let i = 0; i < positions.length; i += 2) {
    positions[i] = positions[i]! - meanX / points;
    positions[i + 1] = positions[i + 1]! - meanY / points;
  }
}

/** The first coordinate with this standard deviation around 0, the second at the same scale; points that all lie in one place stay there. */
export function scaledTo(start: Float32Array, deviation: number): Float64Array<ArrayBuffer> {
  const points = start.length / 2;
  let sum = 0, squares = 0;
  for (let i = 0; i < start.length; i += 2) sum += start[i]!;
  for (let i = 0; i < start.length; i += 2) squares += (start[i]! - sum / points) ** 2;
  const spread = Math.sqrt(squares / Math.max(1, points));
  return Float64Array.from(start, (value) => (spread > 0 ? (value / spread) * deviation : 0));
}
