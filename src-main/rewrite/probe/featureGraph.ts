/**
 * The graph that gives each picture one vector for each wanted layer: the network cut behind them, their maps `[N, C, H, W]` as the mean or the maximum of each channel, or as they are
 * (method.md section 9, Features). Values without positions stay as they are, such as class scores.
 */
import { createGraphBuilder } from '../../graph/build.ts';
import { valueOf, type Graph } from '../../graph/graph.ts';
import { verify } from '../../graph/verify.ts';
import { truncate } from './truncate.ts';

export type Pooling = 'mean' | 'max' | 'flat';

export interface FeatureGraph {
  readonly graph: Graph;
  /** Per wanted value, in order: the name of the output that holds its vectors, one row for each picture. */
  readonly heads: readonly string[];
}

/** @param wanted names of values, each once */
export function featureGraph(network: Graph, wanted: readonly string[], pooling: Pooling): FeatureGraph {
  const forward = truncate(network, wanted);
  const build = createGraphBuilder(`${network.name} features`);
  for (const input of forward.inputs) build.input(input.name, input.dataType, input.shape);
  for (const tensor of forward.tensors.values()) build.tensor(tensor);
  for (const node of forward.nodes) build.copy(node);
  const heads = wanted.map((name) => {
    if (pooling === 'flat' || valueOf(forward, name).shape.length !== 4) return name;
    const pooled = build.freeName(`${name}:${pooling}`);
    if (pooling === 'mean') return build.add('GlobalAveragePool', [name], {}, { outputs: [pooled] })[0]!;
    return build.add('SpatialMax', [name], {}, { outputs: [pooled, build.freeName(`${name}:position`)] })[0]!;
  });
  return { graph: verify(build.finish(heads)), heads };
}
