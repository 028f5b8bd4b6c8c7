/**
 * The graph that an index runs: the network cut behind its last wanted layer, with a SpatialMax on each layer, so that only scores and positions
 * leave the engine, never a feature map (method.md section 2).
 */
import { extend } from '../../graph/build.ts';
import type { Graph } from '../../graph/graph.ts';
import { verify } from '../../graph/verify.ts';
import { addVector, type VectorWish } from './featureGraph.ts';
import { truncate } from './truncate.ts';

export interface RankingGraph {
  readonly graph: Graph;
  /** Per wanted layer, in order: the names of its outputs, `[N, C]` each. */
  readonly heads: readonly { readonly score: string; readonly position: string }[];
  /** Per wanted vector, in order: the name of its output. */
  readonly vectors: readonly string[];
}

export function rankingGraph(network: Graph, layers: readonly string[], wishes: readonly VectorWish[] = []): RankingGraph {
  const forward = truncate(network, [...layers, ...wishes.map(({ value }) => value)]);
  const build = extend(forward, `${network.name} ranking`);
  const heads = layers.map((layer) => {
    const [score, position] = build.add('SpatialMax', [layer], {}, { outputs: [build.freeName(`${layer}:score`), build.freeName(`${layer}:position`)] });
    return { score: score!, position: position! };
  });
  const vectors = wishes.map((wish) => addVector(build, wish));
  return { graph: verify(build.finish([...new Set([...heads.flatMap((head) => [head.score, head.position]), ...vectors])])), heads, vectors };
}
