/**
 * Tags and notes on a channel, a layer or the workspace. They are kept under the model's content hash, the layer's name and the channel, not under an index: an index that is made anew shows them
 * again, and so does every other index of the same model. They travel in packs, and as a JSON document of their own.
 */
import * as z from 'zod';
import { channelNumber, indexId, layerNumber, procedure } from './common.ts';

/** What a note is about. Index and layer number only name the model and the layer: all indexes of one model share its notes. */
export const notePlace = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('workspace') }),
  z.object({ kind: z.literal('layer'), index: indexId, layer: layerNumber }),
  z.object({ kind: z.literal('channel'), index: indexId, layer: layerNumber, channel: channelNumber }),
]);

/** Longest note in UTF-16 units, most tags of one place, longest tag. */
export const noteLimits = { text: 100_000, tags: 64, tag: 60 } as const;

/** One line without commas, so that a list of tags can be typed. Blanks around it are cut off, capitals are kept. */
export const tag = z.string().trim().min(1).max(noteLimits.tag).regex(/^[^,\p{Cc}]+$/u, 'a tag is one line without commas');

const text = z.string().max(noteLimits.text);
const tags = z.array(tag).max(noteLimits.tags).readonly();

export const note = z.object({
  /** Markdown as it was typed; empty where nothing is written. */
  text: z.string(),
  /** In the order in which they were given. */
  tags: z.array(z.string()).readonly(),
  /** Rises with every change; 0 where neither note nor tags are kept. */
  revision: z.int(),
  /** ISO 8601; null where nothing is kept. */
  changedAt: z.string().nullable(),
});

/** A channel of a layer that has tags or a note. */
export const channelMark = z.object({ channel: channelNumber, tags: z.array(z.string()).readonly(), noted: z.boolean() });

export const countedTag = z.object({ tag: z.string(), count: z.int() });

const documentEntry = z.object({
  /** Null: about the workspace. */
  model: z.object({ hash: z.string().min(1).max(200), name: z.string().max(4096) }).nullable(),
  /** The layer's name in the model, and what people call it; null: about the workspace. */
  layer: z.object({ name: z.string().min(1).max(4096), title: z.string().max(4096) }).nullable(),
  /** Null: about the whole layer, or the workspace. */
  channel: channelNumber.nullable(),
  text,
  tags,
  changedAt: z.iso.datetime({ offset: true }),
});

/** What is exported and imported. */
export const notesDocument = z.object({
  format: z.literal('switchback notes'),
  version: z.literal(1),
  /** Name of the workspace it comes from. */
  workspace: z.string().max(400),
  entries: z.array(documentEntry.refine((entry) => (entry.model === null) === (entry.layer === null) && (entry.channel === null || entry.layer !== null), 'a channel needs a layer, and a layer its model')).max(200_000).readonly(),
});

export const notesImport = z.object({
  /** Places that had nothing before, that got more tags or text, that had it all already. */
  added: z.int(),
  merged: z.int(),
  unchanged: z.int(),
  /** Of the merged ones: both had a text of their own; both are kept, one below the other. */
  conflicts: z.int(),
});

export const notes = {
  get: procedure.input(z.object({ place: notePlace })).output(note),
  /**
   * Writes what is given and leaves the rest. With `revision` only where nobody has changed it since: otherwise CONFLICT, with the present revision in its data.
   * A place without text and tags is forgotten.
   */
  set: procedure.input(z.object({ place: notePlace, text: text.optional(), tags: tags.optional(), revision: z.int().min(0).optional() })).output(note),
  /** All channels of a layer that have tags or a note, by number. */
  ofLayer: procedure.input(z.object({ index: indexId, layer: layerNumber })).output(z.array(channelMark)),
  /** Every tag of the workspace with how often it is given, most often first. */
  tags: procedure.output(z.array(countedTag)),
  export: procedure.output(notesDocument),
  /** Merges without loss: tags are united; of two texts that differ both are kept. The same document again changes nothing. */
  import: procedure.input(z.object({ document: notesDocument })).output(notesImport),
};
