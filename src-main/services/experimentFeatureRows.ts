/**
 * Features of a layer for chosen images of an index, computed as the index computes: its engine, device, batch size and preprocessing. Maps become the mean or the maximum of each channel, or stay as they are
 * as far as they can be held and learned from.
 */
import { AppError } from '../../src-shared/errors.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { Features } from '../classifiers/samples.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { Pooling } from '../inference/worker/features.ts';
import type { LabNetwork } from '../inference/worker/labCalls.ts';
import type { StoredImage } from '../store/images.ts';
import type { StoredIndex } from '../store/indexes.ts';
import { sharedFeatures } from './classifierThreads.ts';
import { openImageSource } from './imageSource.ts';
import { wayOf } from './scoringFor.ts';

export interface FeatureChoice {
  readonly pooling: Pooling;
  /** Numbers of one image. */
  readonly dimension: number;
  /** For captions: what the numbers are. */
  readonly words: string;
  /** Why it is not the pooling that was asked for. */
  readonly note: string | null;
}

const poolingWords: Readonly<Record<Pooling, string>> = {
  mean: "each channel's mean over its map",
  max: "each channel's largest value",
  flat: 'all values of the maps',
};

/** Flat features beyond this are not held. */
const largestBytes = 512 * 2 ** 20;
/** Products of all pairs of images over all numbers: beyond this, learning from flat features takes minutes for each fold. */
const mostProducts = 4e10;

/** How a layer becomes vectors: as asked for, or by its mean where flat ones would be too large. */
export function featureChoice({ title, channels, height, width }: Layer, pooling: Pooling, images: number): FeatureChoice {
  const size = channels * height * width;
  if (height * width === 1) return { pooling, dimension: channels, words: 'all units', note: null };
  if (pooling !== 'flat') return { pooling, dimension: channels, words: poolingWords[pooling], note: null };
  if (images * size * 4 <= largestBytes && images * images * size <= mostProducts) return { pooling, dimension: size, words: poolingWords.flat, note: null };
  return { pooling: 'mean', dimension: channels, words: poolingWords.mean, note: `${title} has ${size} numbers for each of ${images} images, too many to learn from; each channel's mean stands for them.` };
}

export interface WantedFeatures {
  readonly layer: Layer;
  readonly choice: FeatureChoice;
}

export interface FeatureRequest {
  readonly inference: Pick<InferenceClient, 'call'>;
  readonly index: StoredIndex;
  /** Of the index. */
  readonly network: LabNetwork;
  readonly images: readonly StoredImage[];
  readonly signal: AbortSignal;
}

/** So many layers at a time as can be held. */
export function heldTogether(wanted: readonly WantedFeatures[], images: number): readonly (readonly WantedFeatures[])[] {
  const groups: WantedFeatures[][] = [];
  let bytes = Infinity;
  for (const each of wanted) {
    const own = 4 * images * each.choice.dimension;
    if (bytes + own > largestBytes) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)!.push(each);
    bytes += own;
  }
  return groups;
}

/** Features of all these layers, by their names, in one pass over the images (two where poolings differ). @throws AppError NOT_FOUND where the image folder is gone (which pauses a job) */
export async function readFeatures({ inference, index, network, images, signal }: FeatureRequest, wanted: readonly WantedFeatures[], onProgress: (images: number) => void): Promise<ReadonlyMap<string, Features>> {
  const source = await openImageSource(index);
  const { batchSize } = wayOf(index);
  const [height, width] = index.preprocessing.crop;
  const features = new Map(wanted.map(({ layer, choice: { dimension } }) => [layer.name, { values: sharedFeatures(images.length, dimension), width: dimension }]));
  const poolings = [...new Set(wanted.map(({ choice }) => choice.pooling))];
  for (let start = 0; start < images.length; start += batchSize) {
    signal.throwIfAborted();
    const group = images.slice(start, start + batchSize);
    const pixels = new Uint8Array(batchSize * height * width * 3);
    const pictures = await Promise.all(group.map((image) => source.decode(image, signal)));
    pictures.forEach((picture, row) => pixels.set(picture.pixels, row * height * width * 3));
    for (const pooling of poolings) {
      const layers = wanted.filter(({ choice }) => choice.pooling === pooling).map(({ layer }) => layer);
      const found = await inference.call('features', { ...network, values: layers.map(({ name }) => name), pooling, batch: batchSize, pixels }, signal);
      layers.forEach((layer, at) => {
        const { values, width: dimension } = features.get(layer.name)!;
        if (found[at]!.length !== batchSize * dimension) throw new Error(`${layer.name} gave ${found[at]!.length / batchSize} numbers for an image, not ${dimension}`);
        const rows = found[at]!.subarray(0, group.length * dimension);
        const broken = rows.findIndex((value) => !Number.isFinite(value));
        if (broken >= 0) throw new AppError('UNSUPPORTED', `${layer.title} gives a value that is not finite for ${group[Math.floor(broken / dimension)]!.path}. Leave the image or the layer out.`, { layer: layer.name });
        values.set(rows, start * dimension);
      });
    }
    onProgress(start + group.length);
  }
  return features;
}
