/**
 * Table `notes`: what a person wrote about a channel, a layer or the workspace, and the tags given to it. Named by the model's content hash, the layer's name and the channel, so that deleting or
 * remaking an index changes nothing here. A place without text and tags has no row.
 */
import { AppError } from '../../src-shared/errors.ts';
import type { Statements } from './driver.ts';
import type { Connections } from './open.ts';

export interface NoteSubject {
  /** Empty: the workspace. */
  readonly modelHash: string;
  /** The value's name; empty: the workspace. */
  readonly layer: string;
  /** -1: the whole layer, or the workspace. */
  readonly channel: number;
  /** What people call model and layer. */
  readonly modelName: string;
  readonly layerTitle: string;
}

export interface NoteContents {
  readonly text: string;
  readonly tags: readonly string[];
}

export interface StoredNote extends NoteSubject, NoteContents {
  readonly revision: number;
  /** ISO 8601. */
  readonly changedAt: string;
}

/** What there is before a change, null where nothing is kept; returns what is to be kept instead. */
export type NoteChange = (before: StoredNote | null) => NoteContents;

export interface NotesTable {
  get(subject: Pick<NoteSubject, 'modelHash' | 'layer' | 'channel'>): Promise<StoredNote | null>;
  /** All of them; of one layer, its channels by number. */
  list(of?: Pick<NoteSubject, 'modelHash' | 'layer'>): Promise<readonly StoredNote[]>;
  /** Each tag with how many places have it, most often first, then as its letters go. */
  tags(): Promise<readonly { readonly tag: string; readonly count: number }[]>;
  /** Those whose text holds all words, whatever their capitals; newest first. */
  find(words: readonly string[], limit: number): Promise<readonly StoredNote[]>;
  /**
   * Changes several places in one transaction, or none where a change throws. A place whose text and tags stay the same keeps its revision and time. `changedAt` is for a place that had nothing; what is there already is changed now.
   * @returns what is kept afterwards, in the same order; null where nothing is
   */
  change(changes: readonly { readonly subject: NoteSubject; readonly change: NoteChange; readonly changedAt?: string }[]): Promise<readonly (StoredNote | null)[]>;
}

interface NoteRow extends Omit<StoredNote, 'tags'> {
  readonly tags: string;
}

const select = 'SELECT model_hash AS modelHash, layer, channel, text, tags, revision, changed_at AS changedAt, model_name AS modelName, layer_title AS layerTitle FROM notes';

export function notesTable({ reader, writer }: Connections): NotesTable {
  return {
    get: (subject) => read(reader, subject),
    async list(of) {
      const rows = of ? await reader.all<NoteRow>(`${select} WHERE model_hash = ? AND layer = ? ORDER BY channel`, [of.modelHash, of.layer]) : await reader.all<NoteRow>(`${select} ORDER BY model_hash, layer, channel`);
      return rows.map(fromRow);
    },
    tags: () => reader.all('SELECT value AS tag, count(*) AS count FROM notes, json_each(notes.tags) GROUP BY value ORDER BY count DESC, value'),
    async find(words, limit) {
      const rows = await reader.all<NoteRow>(`${select} WHERE text <> '' ORDER BY changed_at DESC, model_hash, layer, channel`);
      // SQLite lowers only ASCII letters, and knows nothing of letters that are written in two ways: both are compared here.
      const plain = (letters: string): string => letters.normalize('NFC').toLowerCase();
      return rows.map(fromRow).filter(({ text }) => words.every((word) => plain(text).includes(plain(word)))).slice(0, limit);
    },
    async change(changes) {
      return writer().transaction(async (statements) => {
        const kept: (StoredNote | null)[] = [];
        for (const { subject, change, changedAt } of changes) {
          const before = await read(statements, subject);
          kept.push(await write(statements, subject, before, change(before), (before ? undefined : changedAt) ?? new Date().toISOString()));
        }
        return kept;
      });
    },
  };
}

async function write(statements: Statements, subject: NoteSubject, before: StoredNote | null, { text, tags }: NoteContents, changedAt: string): Promise<StoredNote | null> {
  const key = [subject.modelHash, subject.layer, subject.channel];
  if (before && before.text === text && JSON.stringify(before.tags) === JSON.stringify(tags)) return before;
  if (text === '' && tags.length === 0) {
    await statements.run('DELETE FROM notes WHERE model_hash = ? AND layer = ? AND channel = ?', key);
    return null;
  }
  const after: StoredNote = { ...subject, text, tags, revision: (before?.revision ?? 0) + 1, changedAt };
  await statements.run(
    `INSERT INTO notes (model_hash, layer, channel, text, tags, revision, changed_at, model_name, layer_title) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET text = excluded.text, tags = excluded.tags, revision = excluded.revision, changed_at = excluded.changed_at, model_name = excluded.model_name, layer_title = excluded.layer_title`,
    [...key, text, JSON.stringify(tags), after.revision, changedAt, subject.modelName, subject.layerTitle],
  );
  return after;
}

async function read(statements: Statements, { modelHash, layer, channel }: Pick<NoteSubject, 'modelHash' | 'layer' | 'channel'>): Promise<StoredNote | null> {
  const row = await statements.get<NoteRow>(`${select} WHERE model_hash = ? AND layer = ? AND channel = ?`, [modelHash, layer, channel]);
  return row ? fromRow(row) : null;
}

function fromRow({ modelHash, layer, channel, text, tags, revision, changedAt, modelName, layerTitle }: NoteRow): StoredNote {
  return { modelHash, layer, channel, text, tags: JSON.parse(tags) as string[], revision, changedAt, modelName, layerTitle };
}

/** For a change that builds on a revision which is not the present one. */
export function changedMeanwhile(revision: number): AppError {
  return new AppError('CONFLICT', 'This note was changed elsewhere meanwhile, in another window perhaps. Take over what is there now, or write yours over it.', { revision });
}
