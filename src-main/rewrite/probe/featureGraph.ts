/**
 * The graph that gives each picture one vector for each wanted layer: the network cut behind them, their maps `[N, C, H, W]` as the mean or the maximum of each channel, or as they are
 * (method.md section 9, Features). Values without positions stay as they are, such as class scores.
 */
import { extend, type GraphBuilder } from '../../graph/build.ts';
import type { Graph } from '../../graph/graph.ts';
import { verify } from '../../graph/verify.ts';
import { truncate } from './truncate.ts';

export type Pooling = 'mean' | 'max' | 'flat';

/** One vector for each picture: of a value, its maps pooled or as they are. */
export interface VectorWish {
  /** Its name. */
  readonly value: string;
  readonly pooling: Pooling;
}

export interface FeatureGraph {
  readonly graph: Graph;
  /** Per wanted value, in order: the name of the output that holds its vectors, one row for each picture. */
  readonly heads: readonly string[];
}

/** @param wanted names of values, each once */
export function featureGraph(network: Graph, wanted: readonly string[], pooling: Pooling): FeatureGraph {
  const forward = truncate(network, wanted);
  const build = extend(forward, `${network.name} features`);
  const heads = wanted.map((value) => addVector(build, { value, pooling }));
  return { graph: verify(build.finish(heads)), heads };
}

/** Adds what makes a vector of a value that the graph holds: the name of the output, which is the value itself where nothing is pooled. */
export function addVector(build: GraphBuilder, { value, pooling }: VectorWish): string {
  if (pooling === 'flat' || build.valueOf(value).shape.length !== 4) return value;
  const pooled = build.freeName(`${value}:${pooling}`);
  if (pooling === 'mean') return build.add('GlobalAveragePool', [value], {}, { outputs: [pooled] })[0]!;
  return build.add('SpatialMax', [value], {}, { outputs: [pooled, build.freeName(`${value}:position`)] })[0]!;
}
