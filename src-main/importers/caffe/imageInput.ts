/**
 * Which blob of a Caffe network is the picture, and its shape: declared by `input`, by an Input layer, or fed by a data layer that says at most
 * the crop. The batch is free whatever the file says, and height and width are too if a person gives others.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { Shape } from '../../graph/graph.ts';
import type { OpenOptions } from '../format.ts';
import { dataTypes } from './layerTypes.ts';
import type { CaffeLayer, CaffeNetwork } from './network.ts';
import { integerOf, integersOf, messagesOf } from './textFields.ts';

export interface CaffeImageInput {
  readonly name: string;
  readonly shape: Shape;
  /** The batch written in the file, 0 where there is none. */
  readonly fileBatch: number;
  /** Other blobs that the network is fed with: labels, image sizes. */
  readonly others: readonly string[];
  /** The layer that holds transform_param, where a data layer feeds the network. */
  readonly dataLayer: CaffeLayer | undefined;
}

interface Candidate {
  readonly name: string;
  readonly shape: readonly number[] | undefined;
  readonly layer?: CaffeLayer;
}

/** `channelsWanted`: what the first convolution takes, used where the file leaves it open; without weights nobody knows and it is taken for colour. Throws AppError UNSUPPORTED, or BAD_REQUEST with `data.needs` = 'inputSize'. */
export function imageInputOf(network: CaffeNetwork, fileName: string, options: OpenOptions, channelsWanted: number | undefined): CaffeImageInput {
  const candidates: Candidate[] = [
    ...network.inputs,
    ...network.layers.filter(({ type }) => dataTypes.has(type)).flatMap((layer) => layer.tops.map((name, top) => ({ name, shape: shapeOfTop(layer, top), layer }))),
  ];
  const image = candidates.find(({ shape }) => shape?.length === 4) ?? candidates.find(({ shape }) => shape === undefined) ?? candidates[0];
  if (!image) {
    throw new AppError('UNSUPPORTED', `The network in ${fileName} has no input in its TEST phase: neither "input", nor an Input or data layer. Open its deploy.prototxt.`, { file: fileName });
  }
  const { name, shape = [] } = image;
  if (shape.length !== 0 && shape.length !== 4) {
    throw new AppError('UNSUPPORTED', `The input ${JSON.stringify(name)} of ${fileName} has shape [${shape.join(', ')}]; a picture has four axes: images, channels, height, width. Open a network that takes pictures.`, { file: fileName });
  }
  const [batch = 0, planes = 0, rows = 0, columns = 0] = shape;
  const [height, width] = options.inputSize ?? [rows, columns];
  if (height === 0 || width === 0) {
    throw new AppError('BAD_REQUEST', `The input ${JSON.stringify(name)} of ${fileName} leaves its height and width open. Say which size to use, for example --crop 224.`, { file: fileName, needs: 'inputSize' });
  }
  const channels = planes || channelsWanted || 3;
  return {
    name,
    shape: ['batch', channels, height, width],
    fileBatch: batch,
    others: candidates.filter((each) => each !== image).map((each) => each.name),
    dataLayer: image.layer,
  };
}

/** What a data layer says of its tops' shapes; 0 where it leaves a size open, undefined where it says nothing. */
function shapeOfTop(layer: CaffeLayer, top: number): readonly number[] | undefined {
  const shapesIn = (field: string) => messagesOf(layer.parameters(field), 'shape').map((shape) => integersOf(shape, 'dim'));
  if (layer.type === 'Input') return pick(shapesIn('input_param'), top);
  if (layer.type === 'DummyData') {
    const parameters = layer.parameters('dummy_data_param');
    const old = ['num', 'channels', 'height', 'width'].map((field) => pick(integersOf(parameters, field).map((size) => [size]), top)?.[0] ?? 0);
    return pick(shapesIn('dummy_data_param'), top) ?? (old.every((size) => size > 0) ? old : undefined);
  }
  if (top > 0) return [0];
  const memory = layer.parameters('memory_data_param');
  const crop = integerOf(layer.parameters('transform_param'), 'crop_size', 0) || integerOf(layer.parameters('data_param'), 'crop_size', 0);
  const picture = layer.parameters('image_data_param');
  const size = (own: string, resized: string) => crop || integerOf(memory, own, 0) || integerOf(picture, resized, 0);
  return [0, integerOf(memory, 'channels', 0), size('height', 'new_height'), size('width', 'new_width')];
}

/** One for all tops, or one each. */
function pick<T>(list: readonly T[], top: number): T | undefined {
  return list.length === 1 ? list[0] : list[top];
}
