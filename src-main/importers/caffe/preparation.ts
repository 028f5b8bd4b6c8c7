/**
 * How Caffe's own data layer prepares a picture: (x - mean) * scale in the order BGR, with the mean per channel (`mean_value`) or as a picture in a
 * .binaryproto, of which the mean per channel is taken. Told only where the prototxt has a transform_param, or a mean file lies beside it.
 */
import type { StatedPreparation } from '../../graph/graph.ts';
import type { Siblings } from '../format.ts';
import type { CaffeImageInput } from './imageInput.ts';
import { emptyMessage, numberOf, numbersOf, textOf } from './textFields.ts';
import { readBlobFile } from './weights.ts';

/** A mean picture of 4096 x 4096 pixels in double values. */
const maximumMeanBytes = 2 ** 29;

/** Undefined where neither the prototxt nor a file beside it says anything. Throws AppError UNREADABLE_FILE for a broken mean file. */
export function preparationOf(input: CaffeImageInput, siblings: Siblings, warn: (sentence: string) => void): StatedPreparation | undefined {
  const parameters = input.dataLayer?.parameters('transform_param') ?? emptyMessage;
  const scale = numberOf(parameters, 'scale', 1);
  const values = numbersOf(parameters, 'mean_value');
  const channels = Number(input.shape[1]);
  const stated = values.length === 0 ? undefined : Array.from({ length: channels }, (_, channel) => values[channel] ?? values[0]!);
  const named = textOf(parameters, 'mean_file');
  const file = stated ? undefined : meanFile(named, siblings);
  if (named !== undefined && file === undefined && !stated) {
    warn(`The prototxt subtracts the mean picture ${named}, which is not beside it. Put the .binaryproto into the same folder, or set the mean by hand.`);
  }
  const mean = stated ?? (file === undefined ? undefined : channelMeans(siblings, file, channels));
  if (!mean && scale === 1) return undefined;
  const source = file ? `the mean file ${file} beside it` : 'its transform_param';
  return {
    order: channels === 1 ? 'grey' : 'bgr',
    scale,
    mean: (mean ?? new Array<number>(channels).fill(0)).map((value) => value * scale),
    std: new Array<number>(channels).fill(1),
    source: `From ${source}; ${channels === 1 ? 'grey values' : 'channels in the order BGR, as Caffe reads pictures'}.`,
  };
}

/** The file that the prototxt names, by its last part, as training machines have other folders; else the only one beside. */
function meanFile(named: string | undefined, siblings: Siblings): string | undefined {
  const files = siblings.list();
  const own = named?.split(/[\\/]/).at(-1);
  if (own !== undefined && files.includes(own)) return own;
  const all = files.filter((file) => /\.binaryproto$/i.test(file));
  return all.length === 1 ? all[0] : undefined;
}

/** Undefined where the mean picture has other channels than the network. */
function channelMeans(siblings: Siblings, file: string, channels: number): number[] | undefined {
  const { shape, data } = readBlobFile(siblings.peek(file, maximumMeanBytes), file);
  if (data.length === 0 || shape.at(-3) !== channels) return undefined;
  const area = data.length / channels;
  return Array.from({ length: channels }, (_, channel) => data.subarray(channel * area, (channel + 1) * area).reduce((sum, value) => sum + value, 0) / area);
}
