/** What the weights of an indexed model say of a channel: which channels feed it. They are read from the model file, which must still be there. */
import * as z from 'zod';
import { channelNumber, indexId, layerNumber, procedure } from './common.ts';

export const feedingChannel = z.object({
  /** Channel of the value that the filter reads; of the picture, 0 to 2 in the network's own order. */
  input: channelNumber,
  /** Euclidean norm of the filter's slice for this channel, and the sum of its weights, whose sign says whether the channel mostly excites or inhibits. */
  norm: z.number(),
  sum: z.number(),
  /** The slice, row-major `[height, width]`, for a filter of at most 15 x 15; empty for larger ones. */
  weights: z.array(z.number()).readonly(),
  /** The channel of an indexed layer that comes in here, perhaps pooled or normalised on the way; null where the index does not have it. */
  source: z.object({ layer: layerNumber, channel: channelNumber }).nullable(),
});

export const feedingChannels = z.object({
  /** `weighted`: by the filters of a convolution or the rows of a matrix. `none`: the layer has no weights of its own (an addition, a pool). */
  kind: z.enum(['weighted', 'none']),
  /** The filter reads the picture itself. */
  readsPicture: z.boolean(),
  /** Rows and columns of one slice. */
  kernel: z.tuple([z.int(), z.int()]).readonly(),
  /** Channels that feed it in all, and the norm of the whole filter. */
  inputs: z.int(),
  norm: z.number(),
  /** Largest weight by size in the listed slices: one scale for their pictures. */
  absmax: z.number(),
  /** By norm, largest first. */
  channels: z.array(feedingChannel).readonly(),
});

export const weights = {
  /** The channels that feed a channel, by the weight that its filter gives them. Normalisation behind the filter scales all slices alike and is left out. */
  feeding: procedure.input(z.object({ index: indexId, layer: layerNumber, channel: channelNumber, limit: z.int().min(1).max(4096).default(12) })).output(feedingChannels),
};
