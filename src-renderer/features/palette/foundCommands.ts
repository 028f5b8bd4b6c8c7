/** What the core's search found, as rows of the palette: each group with the places that its rows lead to. Pure. */
import type { SearchAnswer } from '../../api/records.ts';
import { addressOf, defaultView, imageAddress } from '../../addresses.ts';

export const foundGroups = ['channels', 'layers', 'tags', 'notes', 'classes', 'images'] as const;
export type FoundGroup = (typeof foundGroups)[number];

export interface FoundRow {
  readonly id: string;
  readonly label: string;
  /** More about it, quieter; may be long. */
  readonly detail: string;
  /** Null: nothing shows it (any more). */
  readonly address: string | null;
  /** Words to search for instead of going anywhere. */
  readonly words?: string;
}

interface About {
  readonly modelName: string | null;
  readonly layerTitle: string | null;
  readonly index: string | null;
  readonly layer: number | null;
  readonly channel: number | null;
}

/** Rows of each group, in the core's order. @param ofWorkspace what a note on the workspace itself is called */
export function foundRows(answer: SearchAnswer, workspace: string, ofWorkspace: string): Readonly<Record<FoundGroup, readonly FoundRow[]>> {
  const place = (index: string, layer: number, channel: number | null): string => addressOf({ ...defaultView, workspace, index, layer, channel });
  const addressOfNote = ({ modelName, index, layer, channel }: About): string | null => (modelName === null ? `/w/${workspace}` : index === null || layer === null ? null : place(index, layer, channel));
  const nameOfNote = ({ layerTitle, channel }: About): string => (layerTitle === null ? ofWorkspace : channel === null ? layerTitle : `${layerTitle} ${channel}`);
  return {
    channels: answer.channels.items.map(({ index, layer, channel, title, modelName }) => ({ id: `channel ${index} ${layer} ${channel}`, label: `${title} ${channel}`, detail: modelName, address: place(index, layer, channel) })),
    layers: answer.layers.items.map(({ index, layer, title, modelName }) => ({ id: `layer ${index} ${layer}`, label: title, detail: modelName, address: place(index, layer, null) })),
    tags: answer.tags.items.flatMap(({ tag, places }) => places.map((about) => ({ id: `tag ${tag} ${JSON.stringify(about)}`, label: tag, detail: [nameOfNote(about), about.modelName ?? ''].filter(Boolean).join(' · '), address: addressOfNote(about) }))),
    notes: answer.notes.items.map((note) => ({ id: `note ${JSON.stringify([note.modelName, note.layerTitle, note.channel])}`, label: nameOfNote(note), detail: note.excerpt, address: addressOfNote(note) })),
    classes: answer.classes.items.map(({ index, className, wnid, images }) => ({ id: `class ${index} ${className} ${wnid ?? ''}`, label: className, detail: [wnid === className ? null : wnid, String(images)].filter(Boolean).join(' · '), address: null, words: className })),
    images: answer.images.items.map(({ index, image, imageNumber, className }) => ({ id: `image ${index} ${imageNumber}`, label: image, detail: className ?? '', address: imageAddress(workspace, index, imageNumber) })),
  };
}
