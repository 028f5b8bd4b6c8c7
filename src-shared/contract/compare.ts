/**
 * Two layers side by side, of one index or of two, over the images that both have (same path and content): which channels say the same, and which images tell two channels apart.
 * All numbers come from the score matrices; an image with a score that is not finite in either layer is left out.
 */
import * as z from 'zod';
import { channelNumber, imageNumber, indexId, layerNumber, procedure } from './common.ts';

const side = z.object({ index: indexId, layer: layerNumber });
const sideName = z.enum(['left', 'right']);
const bothSides = { left: side, right: side };

/** The channel of the other side whose scores go along best with this one's; both null for a channel whose scores never change. */
export const bestPartner = z.object({
  channel: channelNumber,
  partner: channelNumber.nullable(),
  /** Pearson's, -1 to 1. */
  correlation: z.number().nullable(),
  /** Each is the other's best. */
  mutual: z.boolean(),
});

export const comparison = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('compared'), images: z.int(), left: z.array(bestPartner).readonly(), right: z.array(bestPartner).readonly() }),
  z.object({
    kind: z.literal('impossible'),
    /** No score matrix; fewer than two images in common; too many channels for a table of all pairs. */
    reason: z.enum(['noScores', 'noImagesInCommon', 'tooManyChannels']),
    /** Which side it is about, null where both. */
    side: sideName.nullable(),
    /** For a person. */
    message: z.string(),
  }),
]);

const correlated = z.object({ channel: channelNumber, correlation: z.number() });

export const partnersAnswer = z.object({ images: z.int(), similar: z.array(correlated).readonly(), opposite: z.array(correlated).readonly() });

/** One image in both channels. Positions in units of each channel's own standard deviation over the images in common. */
export const imageDifference = z.object({
  image: z.string(),
  className: z.string().nullable(),
  leftImage: imageNumber,
  rightImage: imageNumber,
  leftScore: z.number(),
  rightScore: z.number(),
  leftDeviations: z.number(),
  rightDeviations: z.number(),
});

export const differencesAnswer = z.object({
  images: z.int(),
  /** Null where one of the channels never changes. */
  correlation: z.number().nullable(),
  /** Largest difference of deviations first: images that the left channel likes more, and the right one. */
  leftMore: z.array(imageDifference).readonly(),
  rightMore: z.array(imageDifference).readonly(),
});

export const compare = {
  /** Best partners of all channels, both ways. Takes a while for wide layers and many images, can be called off, and is kept in memory for the questions below. */
  channels: procedure.input(z.object(bothSides)).output(comparison),
  /** The channels of the other side that go along best with one channel, and those that go against it. Fails with NOT_FOUND where `channels` is impossible. */
  partners: procedure.input(z.object({ ...bothSides, side: sideName, channel: channelNumber, limit: z.int().min(1).max(1000).default(12) })).output(partnersAnswer),
  /** The images whose scores in two channels differ most, each score taken less its channel's mean and divided by its standard deviation. */
  differences: procedure
    .input(z.object({ left: side.extend({ channel: channelNumber }), right: side.extend({ channel: channelNumber }), limit: z.int().min(1).max(1000).default(18) }))
    .output(differencesAnswer),
};
