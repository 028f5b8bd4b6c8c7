/** What is read of a model file for its own sake: how it is built, and the numbers in its filters. Nothing of it is kept. */
import { AppError } from '../../../src-shared/errors.ts';
import type { ChannelOrder } from '../../../src-shared/domain/preprocessing.ts';
import { describeArchitecture, type ArchitecturePart } from '../../graph/architecture.ts';
import { weightedLayers, type WeightedLayer } from '../../graph/weightedLayers.ts';
import { openModel } from '../../importers/open.ts';
import { preprocessingOf } from '../../importers/preprocessing.ts';

export interface WeightsCall {
  readonly path: string;
  /** Content hash; a file that no longer has it is refused. */
  readonly hash?: string;
  /** `[height, width]` where the file leaves the input size open. */
  readonly inputSize?: readonly [number, number];
  /** `named`: by value name or title, convolutions only. `convolutions`: so many from the first. */
  readonly which: { readonly kind: 'none' } | { readonly kind: 'all' } | { readonly kind: 'convolutions'; readonly count: number } | { readonly kind: 'named'; readonly layer: string };
}

export interface LayerWeights {
  /** Value name and title. */
  readonly layer: string;
  readonly title: string;
  readonly kind: WeightedLayer['node']['kind'];
  readonly shape: readonly number[];
  /** `[1, 1]` and 1 for a matrix. */
  readonly strides: readonly [number, number];
  readonly group: number;
  readonly data: Float32Array;
  /** It is the first convolution, so it reads the picture. */
  readonly isFirst: boolean;
}

export interface NetworkWeights {
  readonly modelHash: string;
  readonly sizeBytes: number;
  readonly architecture: readonly ArchitecturePart[];
  /** Of the colours that the network receives, as far as the file says or it is guessed. */
  readonly order: ChannelOrder;
  readonly layers: readonly LayerWeights[];
}

export async function readWeights({ path, hash, inputSize, which }: WeightsCall): Promise<NetworkWeights> {
  const opened = await openModel(path, { ...(inputSize ? { inputSize } : {}), ...(which.kind === 'none' ? { withoutWeights: true } : {}) });
  if (hash !== undefined && opened.modelHash !== hash) {
    throw new AppError('CONFLICT', `The model file ${path} was changed since it was first read. Put the old file back, or begin again with the new one.`, { path });
  }
  const { graph } = opened.model;
  const all = weightedLayers(graph);
  const convolutions = all.filter(({ node }) => node.kind !== 'Gemm');
  const chosen = choose(all, convolutions, which);
  return {
    modelHash: opened.modelHash,
    sizeBytes: opened.sizeBytes,
    architecture: describeArchitecture(graph),
    order: preprocessingOf(opened.model).preprocessing.order,
    layers: chosen.map((each) => toAnswer(each, each === convolutions[0])),
  };
}

function choose(all: readonly WeightedLayer[], convolutions: readonly WeightedLayer[], which: WeightsCall['which']): readonly WeightedLayer[] {
  switch (which.kind) {
    case 'none':
      return [];
    case 'all':
      return all;
    case 'convolutions':
      return convolutions.slice(0, which.count);
    case 'named':
      return [convolutionNamed(convolutions, which.layer)];
  }
}

function convolutionNamed(convolutions: readonly WeightedLayer[], wish: string): WeightedLayer {
  const found = convolutions.find(({ layer }) => layer === wish) ?? convolutions.find(({ title }) => title === wish);
  if (found) return found;
  throw new AppError('NOT_FOUND', `The network has no convolution called ${JSON.stringify(wish)}; it has ${convolutions.map(({ title }) => title).join(', ') || 'none'}.`, { layer: wish });
}

function toAnswer({ layer, title, node, weights }: WeightedLayer, isFirst: boolean): LayerWeights {
  const { strides, group } = node.kind === 'Gemm' ? { strides: [1, 1] as const, group: 1 } : node.attributes;
  return { layer, title, kind: node.kind, shape: weights.shape, strides, group, data: weights.data as Float32Array, isFirst };
}
