/** One search over everything in the open workspace that has a name: layers, channels, tags, notes, classes, image files. */
import * as z from 'zod';
import { channelNumber, imageNumber, indexId, layerNumber, procedure } from './common.ts';

const inIndex = { index: indexId, modelName: z.string() };
const found = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item).readonly(), /** There are more than the limit. */ more: z.boolean() });

/** What a note or a tag is about. `index` is the newest index of its model; null where the workspace has none (any more), and of the workspace itself. */
const about = z.object({ modelName: z.string().nullable(), layerTitle: z.string().nullable(), index: indexId.nullable(), layer: layerNumber.nullable(), channel: channelNumber.nullable() });

export const searchAnswer = z.object({
  layers: found(z.object({ ...inIndex, layer: layerNumber, title: z.string(), name: z.string(), channels: z.int() })),
  /** "conv5 17". */
  channels: found(z.object({ ...inIndex, layer: layerNumber, title: z.string(), channel: channelNumber })),
  tags: found(z.object({ tag: z.string(), count: z.int(), places: z.array(about).readonly() })),
  /** `excerpt`: the line that holds the words, cut around them. */
  notes: found(about.extend({ excerpt: z.string(), tags: z.array(z.string()).readonly() })),
  classes: found(z.object({ ...inIndex, className: z.string(), wnid: z.string().nullable(), images: z.int() })),
  /** Image files by path or by class. `className`: null where the index knows none. */
  images: found(z.object({ ...inIndex, image: z.string(), imageNumber, className: z.string().nullable() })),
});

export const search = {
  /** Every word must be found, whatever its capitals. Things of `index` come first; the same layer or file of another index of the same model or folder is listed once. */
  find: procedure.input(z.object({ query: z.string().trim().min(1).max(200), index: indexId.optional(), limit: z.int().min(1).max(200).default(6) })).output(searchAnswer),
};
