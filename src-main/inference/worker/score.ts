/**
 * Scores of one batch: the ranking graph, compiled once per layer choice. On the processor through onnxruntime from profiles of rows and columns; where those leave a position open
 * the image is run once more, alone, through the graph that looks into the maps.
 */
import type { Preprocessing } from '../../../src-shared/domain/preprocessing.ts';
import { letGo } from '../../../src-shared/letGo.ts';
import { layersOf } from '../../geometry/layers.ts';
import { withoutWeights, type Graph } from '../../graph/graph.ts';
import { profileGraph } from '../../rewrite/probe/profileGraph.ts';
import type { VectorWish } from '../../rewrite/probe/featureGraph.ts';
import { rankingGraph } from '../../rewrite/probe/rankingGraph.ts';
import { truncate } from '../../rewrite/probe/truncate.ts';
import { withoutConcats } from '../../rewrite/probe/withoutConcats.ts';
import type { Data } from '../engine.ts';
import type { BatchScores, Placement, WorkerCalls } from './protocol.ts';
import { scoresOf, type ProfiledScores } from './scoringProfiles.ts';
import { imageData, type CompiledRanking, type WorkerState } from './state.ts';

type Ranking = Pick<WorkerCalls['score'][0], 'model' | 'layers' | 'preprocessing' | 'placement' | 'vectors' | 'beside'>;
type Way = 'profiles' | 'maps';

export async function score(state: WorkerState, { batch, pixels, ...ranking }: WorkerCalls['score'][0], signal: AbortSignal): Promise<BatchScores> {
  const compiled = await compileRanking(state, ranking, hasProfiles(ranking.placement) ? 'profiles' : 'maps');
  const { model, outputs, session } = compiled;
  const image = imageData(model, ranking.preprocessing, pixels, batch, compiled.fed);
  compiled.fed = image;
  const results = await session.run(new Map([[model.imageInput, image]]), outputs, signal);
  const scores = compiled.heads.map((head) => readHead(head, results));
  await placeOpen(state, ranking, image, batch, scores, signal);
  return { layers: scores.map(({ score, position }) => ({ score, position })), vectors: compiled.vectors.map((name) => results.get(name)!.data as Float32Array) };
}

/** Gives the memory of scores that were sent back at once. */
export function letGoScores({ layers, vectors }: BatchScores): void {
  for (const array of [...layers.flatMap(({ score, position }) => [score, position]), ...vectors]) letGo(array);
}

/** Fills in what ties left open, image by image: such images are few, and each is then placed by the same numbers whatever its company was. */
async function placeOpen(state: WorkerState, ranking: Ranking, image: Data, batch: number, scores: readonly ProfiledScores[], signal: AbortSignal): Promise<void> {
  const imageOf = (layer: number, map: number) => Math.floor((map * batch) / scores[layer]!.position.length);
  const affected = new Set(scores.flatMap(({ open }, layer) => open.map((map) => imageOf(layer, map))));
  if (affected.size === 0) return;
  const layers = ranking.layers.slice(0, prefixWith(scores.findLastIndex(({ open }) => open.length > 0)));
  const { model, heads, outputs, session } = await compileRanking(state, { ...ranking, layers, vectors: [] }, 'maps');
  const values = image.data.length / batch;
  for (const row of affected) {
    const alone: Data = { shape: [1, ...image.shape.slice(1)], data: image.data.slice(row * values, (row + 1) * values) };
    const found = await session.run(new Map([[model.imageInput, alone]]), outputs, signal);
    scores.forEach(({ position, open }, layer) => {
      const theirs = open.filter((map) => imageOf(layer, map) === row);
      if (theirs.length === 0) return;
      const exact = readHead(heads[layer]!, found).position;
      for (const map of theirs) position[map] = exact[map - row * exact.length]!;
    });
  }
}

/** So many layers hold layer `last`: four, or a larger power of four, so that there are few graphs. Ties are mostly in the first layers, which cost little. */
function prefixWith(last: number): number {
  return 4 ** Math.max(1, Math.ceil(Math.log2(last + 1) / 2));
}

/** Where poolings are cheap and a search through maps is not; a GPU has its own way of searching (importers/onnx/webgpuPooling.ts). */
export function hasProfiles({ engine, device }: Placement): boolean {
  return engine === 'onnxruntime' && device === 'cpu';
}

/** One layer's outputs, and how they are read. */
export type Head =
  | { readonly kind: 'maps'; readonly score: string; readonly position: string }
  | { readonly kind: 'row'; readonly score: string }
  | { readonly kind: 'map'; readonly rows: string; readonly columns: string; readonly mean: string | null; readonly nonNegative: boolean };

function readHead(head: Head, results: ReadonlyMap<string, Data>): ProfiledScores {
  const floats = (name: string) => results.get(name)!.data as Float32Array;
  switch (head.kind) {
    case 'maps':
      return { score: floats(head.score), position: smallIntegers(results.get(head.position)!.data as BigInt64Array), open: [] };
    case 'row':
      return { score: floats(head.score), position: new Int32Array(floats(head.score).length), open: [] };
    case 'map': {
      const [rows, columns] = [results.get(head.rows)!, results.get(head.columns)!];
      const scores = scoresOf({ rows: rows.data as Float32Array, columns: columns.data as Float32Array, mean: head.mean === null ? null : floats(head.mean), height: rows.shape[2]!, width: columns.shape[3]!, nonNegative: head.nonNegative });
      for (const { data } of [rows, columns]) letGo(data);
      return scores;
    }
  }
}

/** Positions fit into 32 bits: of each 64, the low ones (first on every machine that Node runs on). A conversion number by number took 4 % of a batch. */
function smallIntegers(values: BigInt64Array): Int32Array {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  const low = new Int32Array(values.length);
  for (let at = 0; at < low.length; at++) low[at] = words[2 * at]!;
  return low;
}

async function compileRanking(state: WorkerState, { model: reference, layers, preprocessing, placement, vectors: wishes = [], beside = false }: Ranking, way: Way): Promise<CompiledRanking> {
  const largestInput = largestOf(preprocessing);
  const key = JSON.stringify([reference.hash, preprocessing.crop, layers, placement, way, largestInput, wishes, beside]);
  let compiled = state.rankings.get(key);
  if (!compiled) {
    const engine = await state.engines.engineAt(placement);
    const model = await state.model(reference, preprocessing.crop);
    const hasBoth = hasProfiles(placement);
    // In the same arithmetic, so that a tie is looked up among the values that tied.
    const network = hasBoth ? withoutConcats(truncate(model.graph, [...layers, ...wishes.map(({ value }) => value)])) : model.graph;
    const { graph, heads, vectors } = way === 'maps' ? mapHeads(network, layers, wishes) : profileHeads(network, model, layers, largestInput, wishes);
    compiled = { model: { ...model, graph: { ...withoutWeights(model.graph), nodes: [] } }, outputs: graph.outputs, heads, vectors, session: await engine.compile(graph, { beside, seldom: hasBoth && way === 'maps' }), fed: undefined };
    state.rankings.set(key, compiled);
  }
  return compiled;
}

function mapHeads(network: Graph, layers: readonly string[], wishes: readonly VectorWish[]) {
  const { graph, heads, vectors } = rankingGraph(network, layers, wishes);
  return { graph, vectors, heads: heads.map((head): Head => ({ kind: 'maps', ...head })) };
}

function profileHeads(network: Graph, { graph: whole, imageInput }: CompiledRanking['model'], layers: readonly string[], largestInput: number, wishes: readonly VectorWish[]) {
  const { graph, heads, vectors } = profileGraph(network, layers, largestInput, wishes);
  const nonNegative = new Set(layersOf(whole, imageInput, layers).filter((layer) => layer.nonNegative).map(({ name }) => name));
  return { graph, vectors, heads: heads.map((head, at): Head => (head.kind === 'row' ? head : { ...head, nonNegative: nonNegative.has(layers[at]!) })) };
}

/** The largest value, by size, that this preprocessing makes of a byte. */
function largestOf({ scale, mean, std }: Preprocessing): number {
  return Math.max(...mean.flatMap((shift, channel) => [0, 255].map((x) => Math.abs((x * scale - shift) / (std[channel] ?? std[0]!)))));
}
