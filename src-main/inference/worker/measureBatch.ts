/** The batch size for an index: a few are timed, as far as they fit into the memory budget, and the fastest per image is taken; among the short ones the largest that is no slower. */
import { AppError } from '../../../src-shared/errors.ts';
import type { Graph } from '../../graph/graph.ts';
import { rankingGraph } from '../../rewrite/probe/rankingGraph.ts';
import { memoryBudgetBytes, sessionBytes } from './memory.ts';
import { speaksOfMemory } from './outOfMemory.ts';
import type { WorkerCalls } from './protocol.ts';
import { score } from './score.ts';
import type { WorkerState } from './state.ts';

const sizes = [1, 4, 16, 32, 64] as const;
/** A larger batch must pay: it makes looking wait longer, and takes its memory for good. */
const worthwhile = 0.95;
/** Up to here it need not, where nobody feels the wait: each batch costs the core some milliseconds whatever its size, which is more than what a busy machine's clock makes of the engine's time. */
const [enough, shortMs, asGood] = [16, 250, 1.1];
const longestBatchMs = 1500;
const warmUps = 2;

export async function measureBatch(state: WorkerState, parameters: WorkerCalls['measureBatch'][0], signal: AbortSignal): Promise<WorkerCalls['measureBatch'][1]> {
  const { model: reference, layers, placement, preprocessing, images } = parameters;
  const engine = await state.engines.engineAt(placement);
  const model = await state.model(reference, preprocessing.crop);
  // More than enough of them gains nothing on a processor, and trying would hold the memory.
  const largest = Math.min(images, placement.device === 'cpu' ? enough : Infinity);
  const fitting = fittingSizes(rankingGraph(model.graph, layers).graph, memoryBudgetBytes()).filter((size) => size === 1 || size <= largest);
  const batchSize = await chooseBatch(fitting, timed);
  return { batchSize, description: engine.description };

  /** Milliseconds of a batch once its memory is there; undefined where memory does not suffice. */
  async function timed(batch: number): Promise<number | undefined> {
    const [height, width] = preprocessing.crop;
    const pixels = noise(batch * height * width * 3);
    let shortestMs = Infinity;
    const startMs = performance.now();
    try {
      for (let run = 1; run <= 2 * warmUps && performance.now() - startMs < warmUps * longestBatchMs; run++) {
        const runMs = performance.now();
        await score(state, { ...parameters, batch, pixels }, signal);
        // The first runs compile and fetch memory; where one run takes that long, it must do.
        if (run > warmUps || performance.now() - startMs > longestBatchMs) shortestMs = Math.min(shortestMs, performance.now() - runMs);
      }
      return shortestMs;
    } catch (error) {
      const isMemory = (error instanceof AppError && error.code === 'OUT_OF_MEMORY') || (error instanceof Error && speaksOfMemory(error.message));
      if (isMemory && batch > 1) return undefined;
      throw error;
    }
  }
}

/**
 * The size to take.
 * @param sizes ascending
 * @param timed milliseconds of a batch of that size; undefined where it does not fit
 */
export async function chooseBatch(sizes: readonly number[], timed: (size: number) => Promise<number | undefined>): Promise<number> {
  let chosen = sizes[0]!;
  let fastestMs = Infinity;
  for (const size of sizes) {
    const batchMs = await timed(size);
    if (batchMs === undefined) break;
    const perImageMs = batchMs / size;
    const gains = perImageMs < fastestMs * worthwhile;
    if (gains || (size <= enough && batchMs < shortMs && perImageMs < fastestMs * asGood)) chosen = size;
    fastestMs = Math.min(fastestMs, perImageMs);
    // A short one that gains nothing may be chance.
    if (batchMs > (gains ? longestBatchMs : shortMs)) break;
  }
  return chosen;
}

/** Those whose session stays within the budget; always at least one image at a time. */
export function fittingSizes(graph: Graph, budgetBytes: number): readonly number[] {
  return sizes.filter((size) => size === 1 || sessionBytes(graph, size) <= budgetBytes);
}

/** Bytes without any order, as a photograph has none: what repeats itself ties, and takes longer to place (scoringProfiles.ts). */
export function noise(bytes: number): Uint8Array {
  let state = 1;
  return new Uint8Array(bytes).map(() => (state = (Math.imul(state, 1664525) + 1013904223) | 0) >>> 24);
}
