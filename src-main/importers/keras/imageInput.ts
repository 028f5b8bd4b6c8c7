/** The picture that a Keras or TensorFlow network takes: `[N, H, W, C]` or `[N, C, H, W]` in the file, always `[batch, C, H, W]` in the graph. */
import { AppError } from '../../../src-shared/errors.ts';
import type { OpenOptions } from '../format.ts';
import { pictureOf, type DataFormat } from './axes.ts';
import type { Json } from './fields.ts';
import type { Feature, Network } from './network.ts';

/** Longest edge that a file may ask for: beyond any picture that fits into memory. */
const longestEdge = 2 ** 15;

/** `shape`: as the file says it, batch included; null or -1 where a size is open. Throws AppError UNSUPPORTED, or BAD_REQUEST with `data.needs` = 'inputSize'. */
export function pictureInput(network: Network, name: string, shape: readonly Json[] | undefined, format: DataFormat, fileName: string, options: OpenOptions): Feature {
  if (!shape) throw new AppError('UNSUPPORTED', `The network in ${fileName} does not say what its input ${JSON.stringify(name)} looks like: it was saved before it was built. Call it once on a picture and save it again.`, { file: fileName });
  const text = `[${shape.map((size) => (isSize(size) ? size : '?')).join(', ')}]`;
  if (shape.length !== 4) {
    throw new AppError('UNSUPPORTED', `The input ${JSON.stringify(name)} of ${fileName} has shape ${text}; a picture has four axes: images, height, width and channels. Open a network that takes pictures.`, { file: fileName });
  }
  const sizes = shape.map((size) => (isSize(size) ? size : undefined));
  const [, first, second, third] = sizes;
  const [channels, rows, columns] = format === 'channels_first' ? [first, second, third] : [third, first, second];
  if (channels === undefined) {
    throw new AppError('UNSUPPORTED', `The input ${JSON.stringify(name)} of ${fileName} does not say how many channels it has (shape ${text}). Save the network with a fixed number of channels.`, { file: fileName });
  }
  const [height, width] = options.inputSize ?? [rows, columns];
  if (height === undefined || width === undefined) {
    throw new AppError('BAD_REQUEST', `The input ${JSON.stringify(name)} of ${fileName} leaves its height and width open (shape ${text}). Say which size to use, for example --crop 224.`, { file: fileName, needs: 'inputSize' });
  }
  if (Math.max(height, width, channels) > longestEdge) throw new AppError('UNSUPPORTED', `The input ${JSON.stringify(name)} of ${fileName} has shape ${text}, which is larger than any picture.`, { file: fileName });
  return pictureOf(network.input(name, ['batch', channels, height, width]), format);
}

function isSize(size: Json | undefined): size is number {
  return typeof size === 'number' && Number.isInteger(size) && size > 0;
}
