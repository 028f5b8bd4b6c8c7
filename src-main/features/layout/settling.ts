/** t-SNE and UMAP as one thing that settles: taken on iteration by iteration, looked at, packed and taken up again. */
import { AppError } from '../../../src-shared/errors.ts';
import type { Matrix } from '../matrix.ts';
import type { NeighbourGraph } from '../neighbours/exactGraph.ts';
import { affinities, neighboursForPerplexity } from '../tsne/affinities.ts';
import { createTsneSteps, startTsne, type TsneState } from '../tsne/tsne.ts';
import { fuzzyGraph } from '../umap/fuzzyGraph.ts';
import { createUmapSteps, startUmap, type UmapState } from '../umap/umap.ts';
import type { LayoutMethod } from './request.ts';

export type SettlingMethod = Exclude<LayoutMethod, { kind: 'pca' }>;

export interface Settling {
  readonly total: number;
  iteration(): number;
  step(iterations: number): void;
  /** `[rows, 2]`, a copy. */
  positions(): Float32Array<ArrayBuffer>;
  /** What `resume` takes: all that the next iteration depends on. */
  state(): readonly Float64Array<ArrayBuffer>[];
}

export interface SettlingResume {
  readonly iteration: number;
  readonly arrays: readonly Float64Array<ArrayBuffer>[];
}

/** How many other rows the graph needs for each row. */
export function neighboursFor(method: SettlingMethod, rows: number): number {
  switch (method.kind) {
    case 'tsne':
      return neighboursForPerplexity(method.perplexity, rows);
    case 'umap':
      return Math.max(0, Math.min(rows, method.neighbours) - 1);
  }
}

/** `reduced`: by principal components, whose first two are where points begin. */
export function startSettling(method: SettlingMethod, reduced: Matrix, graph: NeighbourGraph, seed: number, resume: SettlingResume | null): Settling {
  const start = firstTwo(reduced);
  if (resume !== null && resume.arrays.some((array) => array.length !== start.length))
    throw new AppError('UNREADABLE_FILE', `The kept state of this map holds ${resume.arrays[0]?.length} coordinates, but it has ${start.length}: delete it and start anew.`);
  switch (method.kind) {
    case 'tsne': {
      const [positions, speeds, gains] = resume?.arrays ?? [];
      const state: TsneState = resume && positions && speeds && gains ? { iteration: resume.iteration, positions, speeds, gains } : startTsne(start);
      const step = createTsneSteps(affinities(graph, method.perplexity), method.iterations);
      return settlingOf(method.iterations, () => state.iteration, (iterations) => step(state, iterations), state.positions, () => [state.positions, state.speeds, state.gains]);
    }
    case 'umap': {
      const [positions] = resume?.arrays ?? [];
      const state: UmapState = resume && positions ? { epoch: resume.iteration, positions } : startUmap(start, seed);
      const step = createUmapSteps(fuzzyGraph(graph), { minDistance: method.minDistance, epochs: method.epochs, seed });
      return settlingOf(method.epochs, () => state.epoch, (epochs) => step(state, epochs), state.positions, () => [state.positions]);
    }
  }
}

/** `[rows, 2]`; rows of one dimension lie on a line. */
export function firstTwo({ rows, dimensions, data }: Matrix): Float32Array<ArrayBuffer> {
  const two = new Float32Array(2 * rows);
  for (let row = 0; row < rows; row++) for (let d = 0; d < Math.min(2, dimensions); d++) two[2 * row + d] = data[row * dimensions + d]!;
  return two;
}

function settlingOf(total: number, iteration: () => number, step: (iterations: number) => void, positions: Float64Array, state: () => readonly Float64Array<ArrayBuffer>[]): Settling {
  return { total, iteration, step, positions: () => Float32Array.from(positions), state };
}
