/** The network that a training starts from: an architecture by name or a file's, for these classes, taking pixels from 0 to 255, with first weights. */
import type { ChannelOrder } from '../../src-shared/domain/preprocessing.ts';
import type { Graph } from '../graph/graph.ts';
import { lastLayerWeights, weightsOf } from '../rewrite/training/trainable.ts';
import { withClasses, withoutPixelInput, withPixelInput } from './adapt.ts';
import { architectures, pictureInput } from './architectures.ts';
import { initialised } from './initialise.ts';
import type { MeanPicture } from './pictures.ts';
import type { TrainingRecipe } from './trainNetwork.ts';

/** A model file, opened. */
export interface FoundNetwork {
  readonly graph: Graph;
  readonly image: string;
  readonly order: ChannelOrder;
  /** How the file's own pictures were prepared: x' = (x * scale - mean) / std. */
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

export type Architecture = { readonly kind: 'zfnet' | 'alexnet'; readonly width: number; readonly input: number; readonly units?: number | undefined } | { readonly kind: 'file'; readonly found: FoundNetwork };

export interface StartingNetwork {
  readonly graph: Graph;
  readonly image: string;
  readonly order: ChannelOrder;
  /** Names of the weights that train. */
  readonly trained: readonly string[];
}

/** The network before it has first weights and its pixels' mean: what is too small or cannot be trained shows here. Throws AppError BAD_REQUEST (too small an input) or UNSUPPORTED (no last layer to replace). */
export function emptyNetwork(architecture: Architecture, recipe: Pick<TrainingRecipe, 'finetune'>, classes: number): StartingNetwork {
  if (architecture.kind !== 'file') return finished(architectures[architecture.kind]({ ...architecture, classes }), pictureInput, 'rgb');
  const { graph, image, order } = architecture.found;
  const resized = withClasses(graph, classes);
  if (recipe.finetune) return { ...finished(resized, image, order), trained: lastLayerWeights(resized).map((weight) => weight.name) };
  // A network that was trained here brings the mean of other pictures with it; from scratch it gets that of its own.
  return finished(withoutPixelInput(resized, image), image, order);
}

/** With first weights; those of a file that is fine-tuned stay, but for its last layer. Throws as emptyNetwork. */
export function buildNetwork(architecture: Architecture, recipe: TrainingRecipe, classes: number, mean: MeanPicture): StartingNetwork {
  const empty = emptyNetwork(architecture, recipe, classes);
  const { graph, image, order } = empty;
  if (architecture.kind !== 'file' || !recipe.finetune) return { ...empty, graph: withPixelInput(firstWeights(graph, recipe), image, ownPixels(mean, recipe, order)) };
  const fresh = initialised(graph, { initialisation: 'paper', seed: recipe.seed }, lastLayerWeights(graph));
  return { ...empty, graph: withPixelInput(fresh, image, filePixels(architecture.found)) };
}

function finished(graph: Graph, image: string, order: ChannelOrder): StartingNetwork {
  return { graph, image, order, trained: weightsOf(graph).map((weight) => weight.name) };
}

/** He's weights expect values of deviation 1; the first layer gets larger ones and starts with as much smaller weights: else its filters stay close to the noise that they began as. */
function firstWeights(graph: Graph, recipe: TrainingRecipe): Graph {
  const fresh = initialised(graph, recipe);
  const first = weightsOf(fresh).find(({ role }) => role === 'filter');
  if (recipe.initialisation !== 'he' || !first) return fresh;
  const tensor = fresh.tensors.get(first.name)!;
  const smaller = { ...tensor, data: Float32Array.from(tensor.data as Float32Array, (value) => value / recipe.inputDeviation) };
  return { ...fresh, tensors: new Map(fresh.tensors).set(first.name, smaller) };
}

/** The mean of the training pictures; where weights are He's, values are brought to a known deviation. */
function ownPixels(mean: MeanPicture, { mean: kind, initialisation, inputDeviation }: TrainingRecipe, order: ChannelOrder) {
  const channels = order === 'grey' ? 1 : 3;
  const planes = kind === 'pixel' ? mean.pixels : mean.colours;
  const edge = Math.sqrt(planes.length / 3);
  return {
    ...(kind === 'none' ? {} : { mean: { shape: [channels, edge, edge], data: ordered(planes, order) } }),
    ...(initialisation === 'he' ? { factor: new Array<number>(channels).fill(inputDeviation / Math.max(1, mean.deviation)) } : {}),
  };
}

/** RGB planes as the network takes them. */
function ordered(planes: Float32Array, order: ChannelOrder): Float32Array {
  const plane = planes.length / 3;
  const part = (channel: number) => planes.subarray(channel * plane, (channel + 1) * plane);
  if (order === 'grey') return Float32Array.from({ length: plane }, (_, at) => 0.299 * part(0)[at]! + 0.587 * part(1)[at]! + 0.114 * part(2)[at]!);
  const result = new Float32Array(planes.length);
  [0, 1, 2].forEach((channel) => result.set(part(order === 'bgr' ? 2 - channel : channel), channel * plane));
  return result;
}

/** (x * scale - mean) / std = (x - mean / scale) * (scale / std). */
function filePixels({ scale, mean, std }: FoundNetwork) {
  const isShifted = mean.some((value) => value !== 0);
  const factor = std.map((value) => scale / value);
  return {
    ...(isShifted ? { mean: { shape: [mean.length, 1, 1], data: Float32Array.from(mean, (value) => value / scale) } } : {}),
    ...(factor.some((value) => value !== 1) ? { factor } : {}),
  };
}
