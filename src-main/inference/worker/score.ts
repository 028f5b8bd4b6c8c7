/** Scores of one batch: the ranking graph, compiled once per layer choice. */
import { withoutWeights } from '../../graph/graph.ts';
import { rankingGraph } from '../../rewrite/probe/rankingGraph.ts';
import type { LayerScores, WorkerCalls } from './protocol.ts';
import { imageData, type CompiledRanking, type WorkerState } from './state.ts';

type Ranking = Pick<WorkerCalls['score'][0], 'model' | 'layers' | 'preprocessing' | 'placement'>;

export async function score(state: WorkerState, { batch, pixels, ...ranking }: WorkerCalls['score'][0], signal: AbortSignal): Promise<readonly LayerScores[]> {
  const compiled = await compileRanking(state, ranking);
  const { model, outputs, heads, session } = compiled;
  compiled.fed = imageData(model, ranking.preprocessing, pixels, batch, compiled.fed);
  const results = await session.run(new Map([[model.imageInput, compiled.fed]]), outputs, signal);
  return heads.map((head) => ({
    score: results.get(head.score)!.data as Float32Array,
    position: smallIntegers(results.get(head.position)!.data as BigInt64Array),
  }));
}

/** Positions fit into 32 bits: of each 64, the low ones (first on every machine that Node runs on). A conversion number by number took 4 % of a batch. */
function smallIntegers(values: BigInt64Array): Int32Array {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  const low = new Int32Array(values.length);
  for (let at = 0; at < low.length; at++) low[at] = words[2 * at]!;
  return low;
}

async function compileRanking(state: WorkerState, { model: reference, layers, preprocessing, placement }: Ranking): Promise<CompiledRanking> {
  const key = JSON.stringify([reference.hash, preprocessing.crop, layers, placement]);
  let compiled = state.rankings.get(key);
  if (!compiled) {
    const engine = await state.engines.engineAt(placement);
    const model = await state.model(reference, preprocessing.crop);
    const { graph, heads } = rankingGraph(model.graph, layers);
    compiled = { model: { ...model, graph: { ...withoutWeights(model.graph), nodes: [] } }, outputs: graph.outputs, heads, session: await engine.compile(graph), fed: undefined };
    state.rankings.set(key, compiled);
  }
  return compiled;
}
