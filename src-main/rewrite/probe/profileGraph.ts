/**
 * The ranking graph for processors: per layer the largest value of every row and of every column, by two poolings that keep the engine's own layout, in the place of a search through
 * the whole map, which has to be rearranged for it. A seventh less processor time for squeezenet1.1, nothing that stands out of the noise for zfnet. The largest of a channel is the largest of its rows, and its place follows
 * (inference/worker/scoringProfiles.ts); a NaN, which poolings pass over, shows in the mean.
 */
import { extend, type GraphBuilder } from '../../graph/build.ts';
import type { Graph } from '../../graph/graph.ts';
import { verify } from '../../graph/verify.ts';
import { boundedValues } from './boundedValues.ts';
import { addVector, type VectorWish } from './featureGraph.ts';
import { truncate } from './truncate.ts';
import { withWholeBlocks } from './withWholeBlocks.ts';

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

/** Down a tall map in one go, every step leaves a page of memory behind: bands of so many rows first took two thirds of the time for 111 rows, and no less for 55. */
const [tall, band] = [64, 8];

/** @param largestInput of all values that are ever fed, by size; undefined where nothing is known */
export function profileGraph(network: Graph, layers: readonly string[], largestInput?: number, wishes: readonly VectorWish[] = []): ProfileGraph {
  const vectorValues = wishes.map(({ value }) => value);
  const forward = withWholeBlocks(truncate(network, [...layers, ...vectorValues]), vectorValues);
  const bounded = largestInput === undefined ? new Set<string>() : boundedValues(forward, largestInput);
  const build = extend(forward, `${network.name} ranking`);
  const heads = layers.map((layer) => headOf(build, layer, network.values.get(layer)!.shape[1] as number, bounded.has(layer)));
  const outputs = heads.flatMap((head) => (head.kind === 'row' ? [head.score] : [head.rows, head.columns, ...(head.mean === null ? [] : [head.mean])]));
  const vectors = wishes.map((wish) => addVector(build, wish));
  return { graph: verify(build.finish([...new Set([...outputs, ...vectors])])), heads, vectors };
}

/** @param channels of the layer, which may have been filled up with others (withWholeBlocks.ts) */
function headOf(build: GraphBuilder, layer: string, channels: number, isNumber: boolean): ProfileHead {
  const [, computed, height, width] = build.valueOf(layer).shape as readonly number[];
  const nameOf = (what: string) => ({ outputs: [build.freeName(`${layer}:${what}`)] });
  if (height === undefined || width === undefined) return { kind: 'row', score: build.add('Identity', [layer], {}, nameOf('score'))[0]! };
  const ofChannels = ([pooled]: readonly string[]) => (computed === channels ? pooled! : build.add('Slice', [pooled!], { axis: 1, start: 0, end: channels })[0]!);
  const bands = Math.ceil(height / band);
  const [from, rows] = height < tall ? [layer, height] : [build.add('MaxPool', [layer], pooling([band, 1], [band, 1], bands * band - height))[0]!, bands];
  return {
    kind: 'map',
    rows: ofChannels(build.add('MaxPool', [layer], pooling([1, width]), nameOf('rows'))),
    columns: ofChannels(build.add('MaxPool', [from], pooling([rows, 1]), nameOf('columns'))),
    mean: isNumber ? null : ofChannels(build.add('GlobalAveragePool', [layer], {}, nameOf('mean'))),
  };
}

/** @param below padding behind the last row, which never wins */
function pooling(kernel: readonly [number, number], strides: readonly [number, number] = [1, 1], below = 0) {
  return { kernel, strides, dilations: [1, 1], pads: [0, 0, below, 0] } as const;
}
