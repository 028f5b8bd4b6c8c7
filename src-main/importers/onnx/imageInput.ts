/**
 * Which input of an ONNX graph is the picture, and its shape `[batch, C, H, W]`. The batch is free whatever the file says; height and width must
 * be fixed, by the file or by the person; channels may also come from the first convolution.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { Shape } from '../../graph/graph.ts';
import type { OpenOptions } from '../format.ts';
import { dataTypeName, graphDataType } from './constants.ts';
import type { OnnxDimension, OnnxGraph, OnnxValueInfo } from './messages.ts';

/** A last axis of 1 or 3 behind two at least this long is taken for channels. */
const smallestPicture = 8;

/** Beyond any picture: a hostile file must not ask for all memory. */
const largestEdge = 2 ** 16;

export interface ImageInput {
  readonly name: string;
  readonly shape: Shape;
  /** The batch written in the file, 0 where it is symbolic or missing. */
  readonly fileBatch: number;
  /** The file has `[N, H, W, C]`; `shape` is channels first all the same. */
  readonly channelsLast: boolean;
}

/** Inputs that must be fed: older files list their initializers among the inputs, too. */
export function fedInputs(graph: OnnxGraph): readonly OnnxValueInfo[] {
  const initialized = new Set(graph.initializers.map((tensor) => tensor.name));
  return graph.inputs.filter((input) => !initialized.has(input.name));
}

/** Throws AppError UNSUPPORTED (no picture among the inputs), or BAD_REQUEST with `data.needs` = 'inputSize'. */
export function imageInputOf(graph: OnnxGraph, fileName: string, options: OpenOptions): ImageInput {
  const inputs = fedInputs(graph);
  const [input, second] = inputs;
  if (!input) throw new AppError('UNSUPPORTED', `The network in ${fileName} has no input to put a picture into.`, { file: fileName });
  if (second) {
    const names = inputs.map((each) => JSON.stringify(each.name)).join(', ');
    throw new AppError('UNSUPPORTED', `The network in ${fileName} has ${inputs.length} inputs (${names}); Switchback feeds one picture. Export it with the picture as its only input.`, { file: fileName });
  }
  const name = input.name ?? '';
  if (name === '') throw new AppError('UNREADABLE_FILE', `The input of ${fileName} has no name. Export the network again.`, { file: fileName });
  const type = input.type?.tensorType;
  if (type?.elementType !== undefined && type.elementType !== 0 && graphDataType(type.elementType) !== 'float32') {
    throw new AppError('UNSUPPORTED', `The input ${JSON.stringify(name)} of ${fileName} takes ${dataTypeName(type.elementType)} values; Switchback feeds float pictures. Export the network with a float input.`, { file: fileName });
  }
  const dimensions: readonly OnnxDimension[] = type?.shape?.dimensions ?? [{}, {}, {}, {}];
  if (dimensions.length !== 4) {
    const wanted = 'a picture has four axes: images, channels, height, width';
    throw new AppError('UNSUPPORTED', `The input ${JSON.stringify(name)} of ${fileName} has shape ${text(dimensions)}; ${wanted}. Open a network that takes pictures.`, { file: fileName });
  }
  const sizes = dimensions.map(({ value }) => (value !== undefined && value > 0 ? value : undefined));
  const channelsLast = hasChannelsLast(graph, name, sizes);
  const [batch, planes, rows, columns] = channelsLast ? [sizes[0], sizes[3], sizes[1], sizes[2]] : sizes;
  const channels = planes ?? (channelsLast ? undefined : channelsOfFirstConv(graph, name));
  if (channels === undefined) {
    throw new AppError('UNSUPPORTED', `The input ${JSON.stringify(name)} of ${fileName} does not say how many channels it has (shape ${text(dimensions)}). Export the network with a fixed number of channels.`, { file: fileName });
  }
  const [height, width] = options.inputSize ?? [rows, columns];
  if (height === undefined || width === undefined) {
    throw new AppError('BAD_REQUEST', `The input ${JSON.stringify(name)} of ${fileName} leaves its height and width open (shape ${text(dimensions)}). Say which size to use, for example --crop 224.`, { file: fileName, needs: 'inputSize' });
  }
  const largest = Math.max(channels, height, width);
  if (largest > largestEdge) {
    throw new AppError('UNSUPPORTED', `The input ${JSON.stringify(name)} of ${fileName} has shape ${text(dimensions)}; edges up to ${largestEdge} are supported.`, { file: fileName });
  }
  return { name, shape: ['batch', channels, height, width], fileBatch: batch ?? 0, channelsLast };
}

/** By its sizes: a last axis of 1 or 3 where the second is none of them and no convolution reads the input as it is. */
function hasChannelsLast(graph: OnnxGraph, name: string, [, second, third, last]: readonly (number | undefined)[]): boolean {
  if (last !== 1 && last !== 3) return false;
  if (second === undefined || third === undefined) return second !== 1 && second !== 3 && channelsOfFirstConv(graph, name) === undefined;
  return Math.min(second, third) >= smallestPicture;
}

function channelsOfFirstConv(graph: OnnxGraph, name: string): number | undefined {
  const conv = graph.nodes.find((node) => node.opType === 'Conv' && node.inputs[0] === name);
  const weights = graph.initializers.find((tensor) => tensor.name === conv?.inputs[1]);
  const groups = conv?.attributes.find((attribute) => attribute.name === 'group')?.i ?? 1;
  return weights ? weights.dims[1]! * groups : undefined;
}

function text(dimensions: readonly OnnxDimension[]): string {
  return `[${dimensions.map(({ value, parameter }) => (value !== undefined && value > 0 ? value : parameter || '?')).join(', ')}]`;
}
