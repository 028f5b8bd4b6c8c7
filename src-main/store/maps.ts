/**
 * Table `maps`: layouts of images or channels in two dimensions. What they are drawn from lies in `maps/<id>/`, readable by NumPy where it is numbers; a file is there whole or not at all.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import { inWords } from './filePieces.ts';
import type { Connections } from './open.ts';

export interface StoredMap<Record> {
  readonly id: string;
  /** Names everything that the map depends on: the same key is the same map. */
  readonly key: string;
  /** May be gone. */
  readonly index: IndexId;
  /** The caller's own JSON. */
  readonly record: Record;
  readonly createdAt: string;
}

export interface MapsTable {
  create(key: string, index: IndexId, record: unknown): Promise<string>;
  update(id: string, record: unknown): Promise<void>;
  /** @throws AppError NOT_FOUND */
  get<Record>(id: string): Promise<StoredMap<Record>>;
  findByKey<Record>(key: string): Promise<StoredMap<Record> | null>;
  /** Newest first. */
  list<Record>(index?: string): Promise<readonly StoredMap<Record>[]>;
  /** With its files. */
  delete(id: string): Promise<void>;
  /** Null where there is none of that name. */
  file(id: string, name: string): Promise<Uint8Array<ArrayBuffer> | null>;
  setFile(id: string, name: string, bytes: Uint8Array): Promise<void>;
  removeFile(id: string, name: string): Promise<void>;
  /** Bytes of its files. */
  size(id: string): Promise<number>;
}

const select = 'SELECT id, key, index_id AS "index", record, created_at AS createdAt FROM maps';

type Row = Omit<StoredMap<unknown>, 'record'> & { readonly record: string };

/** @param root absolute path of `maps/` */
export function mapsTable({ reader, writer }: Connections, root: string): MapsTable {
  const parsed = <Record>(row: Row): StoredMap<Record> => ({ ...row, record: JSON.parse(row.record) as Record });
  const folderOf = (id: string) => join(root, id);
  return {
    async create(key, index, record) {
      const id = randomBytes(6).toString('hex');
      await writer().run('INSERT INTO maps (id, key, index_id, record, created_at) VALUES (?, ?, ?, ?, ?)', [id, key, index, JSON.stringify(record), new Date().toISOString()]);
      return id;
    },
    async update(id, record) {
      const changed = await writer().run('UPDATE maps SET record = ? WHERE id = ?', [JSON.stringify(record), id]);
      if (changed === 0) throw noMap(id);
    },
    async get<Record>(id: string) {
      const row = await reader.get<Row>(`${select} WHERE id = ?`, [id]);
      if (!row) throw noMap(id);
      return parsed<Record>(row);
    },
    async findByKey<Record>(key: string) {
      const row = await reader.get<Row>(`${select} WHERE key = ?`, [key]);
      return row ? parsed<Record>(row) : null;
    },
    list: async <Record>(index?: string) => (await reader.all<Row>(`${select} WHERE ?1 IS NULL OR index_id = ?1 ORDER BY number DESC`, [index ?? null])).map((row) => parsed<Record>(row)),
    async delete(id) {
      await writer().run('DELETE FROM maps WHERE id = ?', [id]);
      await rm(folderOf(id), { recursive: true, force: true });
    },
    async file(id, name) {
      const bytes = await readFile(join(folderOf(id), name)).catch(() => null);
      // A buffer of its own, so that it is aligned.
      return bytes && new Uint8Array(bytes);
    },
    async setFile(id, name, bytes) {
      const folder = folderOf(id);
      await inWords(folder, async () => {
        await mkdir(folder, { recursive: true });
        const handle = await open(join(folder, `${name}.tmp`), 'w');
        try {
          await handle.writeFile(bytes);
          await handle.datasync();
        } finally {
          await handle.close();
        }
        await rename(join(folder, `${name}.tmp`), join(folder, name));
      });
    },
    removeFile: (id, name) => rm(join(folderOf(id), name), { force: true }),
    async size(id) {
      const names = await readdir(folderOf(id)).catch((): string[] => []);
      const sizes = await Promise.all(names.map((name) => stat(join(folderOf(id), name)).then(({ size }) => size, () => 0)));
      return sizes.reduce((sum, size) => sum + size, 0);
    },
  };
}

function noMap(id: string): AppError {
  return new AppError('NOT_FOUND', `There is no map "${id}" in this workspace.`, { map: id });
}
