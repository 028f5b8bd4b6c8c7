/**
 * The ranking graph for processors: per layer the largest value of every row and of every column, by two poolings that keep the engine's own layout, in the place of a search through
 * the whole map, which has to be rearranged for it. A seventh less processor time for squeezenet1.1, nothing that stands out of the noise for zfnet. The largest of a channel is the largest of its rows, and its place follows
 * (inference/worker/scoringProfiles.ts); a NaN, which poolings pass over, shows in the mean.
 */
import { createGraphBuilder, type GraphBuilder } from '../../graph/build.ts';
import type { Graph } from '../../graph/graph.ts';
import { verify } from '../../graph/verify.ts';
import { boundedValues } from './boundedValues.ts';
import { addVector, type VectorWish } from './featureGraph.ts';
import { truncate } from './truncate.ts';

/** The names of a layer's outputs. */
export type ProfileHead =
  /** `[N, C, H, 1]`, `[N, C, 1, W]` and `[N, C, 1, 1]`; null where no value of the layer can be NaN. */
  | { readonly kind: 'map'; readonly rows: string; readonly columns: string; readonly mean: string | null }
  /** `[N, C]`: a layer without positions. */
  | { readonly kind: 'row'; readonly score: string };

export interface ProfileGraph {
  readonly graph: Graph;
  /** Per wanted layer, in order. */
  readonly heads: readonly ProfileHead[];
  /** Per wanted vector, in order: the name of its output. */
  readonly vectors: readonly string[];
}

/** @param largestInput of all values that are ever fed, by size; undefined where nothing is known */
export function profileGraph(network: Graph, layers: readonly string[], largestInput?: number, wishes: readonly VectorWish[] = []): ProfileGraph {
  const forward = truncate(network, [...layers, ...wishes.map(({ value }) => value)]);
  const bounded = largestInput === undefined ? new Set<string>() : boundedValues(forward, largestInput);
  const build = createGraphBuilder(`${network.name} ranking`);
  for (const input of forward.inputs) build.input(input.name, input.dataType, input.shape);
  for (const tensor of forward.tensors.values()) build.tensor(tensor);
  for (const node of forward.nodes) build.copy(node);
  const heads = layers.map((layer) => headOf(build, layer, bounded.has(layer)));
  const outputs = heads.flatMap((head) => (head.kind === 'row' ? [head.score] : [head.rows, head.columns, ...(head.mean === null ? [] : [head.mean])]));
  const vectors = wishes.map((wish) => addVector(build, wish));
  return { graph: verify(build.finish([...new Set([...outputs, ...vectors])])), heads, vectors };
}

function headOf(build: GraphBuilder, layer: string, isNumber: boolean): ProfileHead {
  const [, , height, width] = build.valueOf(layer).shape as readonly number[];
  const named = (what: string) => ({ outputs: [build.freeName(`${layer}:${what}`)] });
  if (height === undefined || width === undefined) return { kind: 'row', score: build.add('Identity', [layer], {}, named('score'))[0]! };
  const largest = (what: string, kernel: readonly [number, number]) => build.add('MaxPool', [layer], { kernel, strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] }, named(what))[0]!;
  return {
    kind: 'map',
    rows: largest('rows', [1, width]),
    columns: largest('columns', [height, 1]),
    mean: isNumber ? null : build.add('GlobalAveragePool', [layer], {}, named('mean'))[0]!,
  };
}
