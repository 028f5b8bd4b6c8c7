/** The batch size for an index: a few are timed, as far as they fit into the memory budget, and the fastest per image is taken. */
import { AppError } from '../../../src-shared/errors.ts';
import type { Graph } from '../../graph/graph.ts';
import { rankingGraph } from '../../rewrite/probe/rankingGraph.ts';
import { memoryBudgetBytes, sessionBytes } from './memory.ts';
import { speaksOfMemory } from './outOfMemory.ts';
import type { WorkerCalls } from './protocol.ts';
import { score } from './score.ts';
import type { WorkerState } from './state.ts';

const sizes = [1, 4, 16, 32, 64] as const;
/** A larger batch must pay: it makes looking wait longer. */
const worthwhile = 0.95;
const longestBatchMs = 1500;
const warmUps = 2;
/** One size that gains nothing may be chance. */
const mostWithoutGain = 2;

export async function measureBatch(state: WorkerState, parameters: WorkerCalls['measureBatch'][0], signal: AbortSignal): Promise<WorkerCalls['measureBatch'][1]> {
  const { model: reference, layers, placement, preprocessing, images } = parameters;
  const engine = await state.engines.engineAt(placement);
  const model = await state.model(reference, preprocessing.crop);
  const fitting = fittingSizes(rankingGraph(model.graph, layers).graph, memoryBudgetBytes()).filter((size) => size === 1 || size <= images);
  let best = { batchSize: 1, perImageMs: Infinity };
  let sizesWithoutGain = 0;
  for (const batchSize of fitting) {
    const batchMs = await timed(batchSize);
    if (batchMs === undefined) break;
    if (batchMs / batchSize < best.perImageMs * worthwhile) {
      best = { batchSize, perImageMs: batchMs / batchSize };
      sizesWithoutGain = 0;
    } else if (++sizesWithoutGain === mostWithoutGain) break;
    if (batchMs > longestBatchMs) break;
  }
  return { batchSize: best.batchSize, description: engine.description };

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

/** Those whose session stays within the budget; always at least one image at a time. */
export function fittingSizes(graph: Graph, budgetBytes: number): readonly number[] {
  return sizes.filter((size) => size === 1 || sessionBytes(graph, size) <= budgetBytes);
}

/** Bytes without any order, as a photograph has none: what repeats itself ties, and takes longer to place (scoringProfiles.ts). */
export function noise(bytes: number): Uint8Array {
  let state = 1;
  return new Uint8Array(bytes).map(() => (state = (Math.imul(state, 1664525) + 1013904223) | 0) >>> 24);
}
