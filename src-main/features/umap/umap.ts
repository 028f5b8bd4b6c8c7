/**
 * UMAP's layout as a state that is taken on epoch by epoch (McInnes et al. 2018, algorithm 5): each edge pulls its two points together as often as it weighs, and
 * each time its first point is pushed away from five points drawn by lot. Every epoch draws its lots from the seed and its own number, so that a
 * layout that was interrupted goes on as if it had not been.
 */
import { seededNumbers } from '../../rewrite/training/seededNumbers.ts';
import type { SymmetricEdges } from '../symmetricEdges.ts';
import { curveFor } from './curve.ts';

export interface UmapState {
  epoch: number;
  /** `[rows, 2]` */
  readonly positions: Float64Array<ArrayBuffer>;
}

export interface UmapOptions {
  readonly minDistance: number;
  readonly epochs: number;
  readonly seed: number;
}

const pushesForPull = 5;
/** No step is longer than this in either direction. */
const longestStep = 4;
/** The start fills a square of this half width. */
const startReach = 10;
/** Points that lie in one place are told apart by so much. */
const startNoise = 1e-4;

/** `start [rows, 2]`: where points begin, at any scale. */
export function startUmap(start: Float32Array, seed: number): UmapState {
  const random = seededNumbers(seed, 'start');
  const largest = start.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return { epoch: 0, positions: Float64Array.from(start, (value) => (largest > 0 ? (value / largest) * startReach : 0) + startNoise * (random() - 0.5)) };
}

/** Takes the state on, in place, by so many epochs; after the last of `options.epochs` it stays. */
export function createUmapSteps(edges: SymmetricEdges, options: UmapOptions): (state: UmapState, epochs: number) => void {
  const { a, b } = curveFor(options.minDistance);
  const pulls = timetable(edges, options.epochs);
  return (state, epochs) => {
    const end = Math.min(options.epochs, state.epoch + epochs);
    for (; state.epoch < end; state.epoch++) {
      const rate = 1 - state.epoch / options.epochs;
      oneEpoch(edges, pulls, state, rate, a, b, seededNumbers(options.seed, state.epoch));
    }
  };
}

/** For each edge the epochs between two of its pulls: the heaviest pulls in every epoch. Infinity where it would not pull once in all of them. */
function timetable({ weights }: SymmetricEdges, epochs: number): Float32Array {
  const heaviest = weights.reduce((most, weight) => Math.max(most, weight), 0);
  return weights.map((weight) => (weight * epochs >= heaviest && weight > 0 ? heaviest / weight : Infinity));
}

function oneEpoch({ rows, starts, columns }: SymmetricEdges, pulls: Float32Array, { epoch, positions }: UmapState, rate: number, a: number, b: number, random: () => number): void {
  for (let row = 0; row < rows; row++) {
    for (let edge = starts[row]!, end = starts[row + 1]!; edge < end; edge++) {
      // Pulls number 1, 2, 3 ... are due at once, twice, three times the time between two.
      const between = pulls[edge]!;
      if (Math.floor((epoch + 1) / between) === Math.floor(epoch / between)) continue;
      const at = 2 * row, other = 2 * columns[edge]!;
      let x = positions[at]!, y = positions[at + 1]!;
      const dx = x - positions[other]!, dy = y - positions[other + 1]!;
      const square = dx * dx + dy * dy;
      if (square > 0) {
        const power = square ** (b - 1);
        const pull = (-2 * a * b * power) / (1 + a * power * square);
        const stepX = rate * bounded(pull * dx), stepY = rate * bounded(pull * dy);
        x += stepX;
        y += stepY;
        positions[other] = positions[other]! - stepX;
        positions[other + 1] = positions[other + 1]! - stepY;
      }
      for (let push = 0; push < pushesForPull; push++) {
        const far = Math.floor(random() * rows);
        if (far === row) continue;
        const fromX = x - positions[2 * far]!, fromY = y - positions[2 * far + 1]!;
        const gap = fromX * fromX + fromY * fromY;
        if (gap === 0) continue;
        const force = (2 * b) / ((0.001 + gap) * (1 + a * gap ** b));
        x += rate * bounded(force * fromX);
        y += rate * bounded(force * fromY);
      }
      positions[at] = x;
      positions[at + 1] = y;
    }
  }
}

function bounded(step: number): number {
  return step > longestStep ? longestStep : step < -longestStep ? -longestStep : step;
}
