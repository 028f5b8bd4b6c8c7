/**
 * Tags and notes of the open workspace (contract area `notes`). A request names an index and a layer number; what is written hangs on the model and the layer's name, so that every index of the
 * model shows it. An import unites: nothing that either side wrote is lost.
 */
import type * as z from 'zod';
import type { channelMark, countedTag, note, notePlace, notesDocument, notesImport } from '../../src-shared/contract/notes.ts';
import { noteLimits } from '../../src-shared/contract/notes.ts';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import { changedMeanwhile, type NoteContents, type NoteSubject, type StoredNote } from '../store/notes.ts';
import type { Store } from '../store/open.ts';
import { layerOf } from './indexing.ts';
import { checkChannel } from './projectionUnits.ts';
import type { WorkspaceService } from './workspaces.ts';

export type Note = z.infer<typeof note>;
export type NotePlace = z.infer<typeof notePlace>;
export type NotesDocument = z.infer<typeof notesDocument>;
export type NotesImport = z.infer<typeof notesImport>;
type Entry = NotesDocument['entries'][number];

export interface NoteRequest {
  readonly place: NotePlace;
  readonly text?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  /** What the change builds on. */
  readonly revision?: number | undefined;
}

export interface NoteService {
  get(place: NotePlace): Promise<Note>;
  /** @throws AppError CONFLICT where `revision` is not the present one */
  set(request: NoteRequest): Promise<Note>;
  ofLayer(index: string, layer: number): Promise<z.infer<typeof channelMark>[]>;
  tags(): Promise<z.infer<typeof countedTag>[]>;
  export(): Promise<NotesDocument>;
  import(document: NotesDocument): Promise<NotesImport>;
}

export function createNoteService(workspaces: WorkspaceService): NoteService {
  return {
    async get(place) {
      const { store } = workspaces.required();
      return asNote(await store.notes.get(await subjectOf(store, place)));
    },
    async set({ place, text, tags, revision }) {
      const { store } = workspaces.required();
      const subject = await subjectOf(store, place);
      const change = (before: StoredNote | null): NoteContents => {
        const present = before?.revision ?? 0;
        if (revision !== undefined && revision !== present) throw changedMeanwhile(present);
        return { text: trimmed(text ?? before?.text ?? ''), tags: united(tags ?? before?.tags ?? []) };
      };
      const [kept] = await store.notes.change([{ subject, change }]);
      return asNote(kept ?? null);
    },
    async ofLayer(index, number) {
      const { store } = workspaces.required();
      const { modelHash, layer } = await subjectOf(store, { kind: 'layer', index, layer: number });
      const kept = await store.notes.list({ modelHash, layer });
      return kept.filter(({ channel }) => channel >= 0).map(({ channel, tags, text }) => ({ channel, tags: [...tags], noted: text !== '' }));
    },
    tags: async () => [...(await workspaces.required().store.notes.tags())],
    async export() {
      const { store } = workspaces.required();
      return { format: 'switchback notes', version: 1, workspace: store.workspace.name, entries: (await store.notes.list()).map(asEntry) };
    },
    async import({ entries }) {
      const { store } = workspaces.required();
      const counts = { added: 0, merged: 0, unchanged: 0, conflicts: 0 };
      await store.notes.change(
        entries.map((entry) => ({
          subject: subjectOfEntry(entry),
          changedAt: entry.changedAt,
          change: (before: StoredNote | null): NoteContents => {
            const { contents, outcome, conflict } = merge(before, entry);
            counts[outcome] += 1;
            counts.conflicts += conflict ? 1 : 0;
            return contents;
          },
        })),
      );
      return counts;
    },
  };
}

/** @throws AppError NOT_FOUND for an index, layer or channel that is not there */
async function subjectOf(store: Store, place: NotePlace): Promise<NoteSubject> {
  if (place.kind === 'workspace') return { modelHash: '', layer: '', channel: -1, modelName: '', layerTitle: '' };
  const index = await store.indexes.get(place.index as IndexId);
  const layer = layerOf(index, place.layer);
  if (place.kind === 'channel') checkChannel(layer, place.channel);
  return { modelHash: index.modelHash, layer: layer.name, channel: place.kind === 'channel' ? place.channel : -1, modelName: index.modelName, layerTitle: layer.title };
}

function asNote(kept: StoredNote | null): Note {
  return kept ? { text: kept.text, tags: kept.tags, revision: kept.revision, changedAt: kept.changedAt } : { text: '', tags: [], revision: 0, changedAt: null };
}

function asEntry({ modelHash, modelName, layer, layerTitle, channel, text, tags, changedAt }: StoredNote): Entry {
  const ofModel = modelHash !== '';
  return { model: ofModel ? { hash: modelHash, name: modelName } : null, layer: ofModel ? { name: layer, title: layerTitle } : null, channel: channel < 0 ? null : channel, text, tags, changedAt };
}

function subjectOfEntry({ model, layer, channel }: Entry): NoteSubject {
  return { modelHash: model?.hash ?? '', layer: layer?.name ?? '', channel: channel ?? -1, modelName: model?.name ?? '', layerTitle: layer?.title ?? '' };
}

interface Merged {
  readonly contents: NoteContents;
  readonly outcome: 'added' | 'merged' | 'unchanged';
  readonly conflict: boolean;
}

/** Between two texts of which neither holds the other. */
const rule = '\n\n---\n\n';

/** @throws AppError UNSUPPORTED where both together are longer than one note may be */
function merge(before: StoredNote | null, entry: Entry): Merged {
  const arriving = { text: trimmed(entry.text), tags: united(entry.tags) };
  if (!before) return { contents: arriving, outcome: arriving.text === '' && arriving.tags.length === 0 ? 'unchanged' : 'added', conflict: false };
  const conflict = !before.text.includes(arriving.text) && !arriving.text.includes(before.text);
  const text = conflict ? before.text + rule + arriving.text : before.text.includes(arriving.text) ? before.text : arriving.text;
  const tags = united([...before.tags, ...arriving.tags]);
  if (text.length > noteLimits.text || tags.length > noteLimits.tags) {
    const where = [before.modelName, before.layerTitle, before.channel < 0 ? '' : `channel ${before.channel}`].filter(Boolean).join(', ') || 'the workspace';
    throw new AppError('UNSUPPORTED', `The notes on ${where} cannot be united: together they would have ${text.length} characters and ${tags.length} tags; a note holds ${noteLimits.text} and ${noteLimits.tags}. Shorten one of them; nothing was imported.`, { place: where });
  }
  const same = text === before.text && tags.length === before.tags.length;
  return { contents: { text, tags }, outcome: same ? 'unchanged' : 'merged', conflict };
}

/** Blank ends are no text. */
function trimmed(text: string): string {
  return text.replaceAll('\r\n', '\n').trimEnd();
}

/** Each tag once, whatever its capitals; the first spelling stays. */
function united(tags: readonly string[]): string[] {
  const byLetters = new Map<string, string>();
  for (const tag of tags.map((each) => each.normalize('NFC').trim())) if (tag !== '' && !byLetters.has(tag.toLowerCase())) byLetters.set(tag.toLowerCase(), tag);
  return [...byLetters.values()];
}
