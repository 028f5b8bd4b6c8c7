/** Tables `lab_uploads`, pictures that a person gave to look at, by content; and `class_names`, what the classes of a network are called, by the model's content. */
import type { Connections } from './open.ts';

export interface LabUpload {
  readonly name: string;
  /** The file as it was given. */
  readonly bytes: Uint8Array;
}

export interface NamedClass {
  readonly name: string | null;
  readonly wnid: string | null;
}

export interface LabUploadsTable {
  /** Nothing where the same content is there. */
  put(hash: string, upload: LabUpload): Promise<void>;
  get(hash: string): Promise<LabUpload | null>;
  /** Forgets the oldest until no more than so many bytes are kept. */
  prune(mostBytes: number): Promise<void>;
  /** By place, null where none were given. */
  classNames(modelHash: string): Promise<readonly NamedClass[] | null>;
  nameClasses(modelHash: string, names: readonly NamedClass[]): Promise<void>;
}

export function labUploadsTable({ reader, writer }: Connections): LabUploadsTable {
  return {
    async put(hash, { name, bytes }) {
      await writer().run('INSERT INTO lab_uploads (hash, name, bytes, added_at) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET added_at = excluded.added_at', [hash, name, bytes, new Date().toISOString()]);
    },
    async get(hash) {
      return (await reader.get<LabUpload>('SELECT name, bytes FROM lab_uploads WHERE hash = ?', [hash])) ?? null;
    },
    async prune(mostBytes) {
      await writer().run(
        'DELETE FROM lab_uploads WHERE hash IN (SELECT hash FROM (SELECT hash, sum(length(bytes)) OVER (ORDER BY added_at DESC, hash) AS held FROM lab_uploads) WHERE held > ?)',
        [mostBytes],
      );
    },
    async classNames(modelHash) {
      const row = await reader.get<{ names: string }>('SELECT names FROM class_names WHERE model_hash = ?', [modelHash]);
      return row ? (JSON.parse(row.names) as readonly NamedClass[]) : null;
    },
    async nameClasses(modelHash, names) {
      await writer().run('INSERT INTO class_names (model_hash, names) VALUES (?, ?) ON CONFLICT DO UPDATE SET names = excluded.names', [modelHash, JSON.stringify(names)]);
    },
  };
}
