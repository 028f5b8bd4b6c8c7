/**
 * The graph that looks at a picture as a whole: the network forward, with the scores of its classes and the total of every channel of a layer as outputs, so that a sweep of
 * hundreds of occluded pictures moves no feature map (method.md section 9, occlusion).
 */
import { extend } from '../../graph/build.ts';
import { valueOf, type Graph } from '../../graph/graph.ts';
import { verify } from '../../graph/verify.ts';
import { truncate } from './truncate.ts';

export interface LookingGraph {
  readonly graph: Graph;
  readonly logits: string | null;
  /** `[N, C, ...]`, one number for each channel: its sum over all positions. Null where no layer is wanted. */
  readonly totals: string | null;
}

/** At least one of `logits` and `layer` must be given: names of values. */
export function lookingGraph(network: Graph, logits: string | null, layer: string | null): LookingGraph {
  const wanted = [logits, layer].filter((name) => name !== null);
  if (wanted.length === 0) throw new Error('lookingGraph: nothing is wanted');
  const forward = truncate(network, wanted);
  const build = extend(forward, `${network.name} looking`);
  const totals = layer === null ? null : valueOf(forward, layer).shape.length === 4 ? build.add('ReduceSum', [layer], { axes: [2, 3] }, { outputs: [build.freeName(`${layer}:total`)] })[0]! : layer;
  const outputs = [...new Set([logits, totals].filter((name) => name !== null))];
  return { graph: verify(build.finish(outputs)), logits, totals };
}
