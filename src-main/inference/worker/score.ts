/** Scores of one batch: the ranking graph, compiled once per layer choice. */
import type { Model } from '../../graph/graph.ts';
import { rankingGraph } from '../../rewrite/probe/rankingGraph.ts';
import type { LayerScores, ModelReference, Placement, WorkerCalls } from './protocol.ts';
import { imageData, type CompiledRanking, type WorkerState } from './state.ts';

export async function score(state: WorkerState, { model: reference, layers, preprocessing, placement, batch, pixels }: WorkerCalls['score'][0], signal: AbortSignal): Promise<readonly LayerScores[]> {
  const model = await state.model(reference, preprocessing.crop);
  const { ranking, session } = await compileRanking(state, model, reference, layers, preprocessing.crop, placement);
  const feeds = new Map([[model.imageInput, imageData(model, preprocessing, pixels, batch)]]);
  const results = await session.run(feeds, ranking.graph.outputs, signal);
  return ranking.heads.map((head) => ({
    score: results.get(head.score)!.data as Float32Array,
    position: Int32Array.from(results.get(head.position)!.data as BigInt64Array, Number),
  }));
}

async function compileRanking(state: WorkerState, model: Model, reference: ModelReference, layers: readonly string[], crop: readonly [number, number], placement: Placement): Promise<CompiledRanking> {
  const key = JSON.stringify([reference.hash, crop, layers, placement]);
  let compiled = state.rankings.get(key);
  if (!compiled) {
    const engine = await state.engines.engineAt(placement);
    const ranking = rankingGraph(model.graph, layers);
    compiled = { ranking, session: await engine.compile(ranking.graph) };
    state.rankings.set(key, compiled);
  }
  return compiled;
}
