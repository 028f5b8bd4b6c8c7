/** Tables `lab_results` and `lab_parts`: studies of single pictures, each with its record (plain JSON of the caller) and its pictures and files by name. */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Connections } from './open.ts';

export type LabState = 'running' | 'done' | 'cancelled' | 'interrupted' | 'failed';

export interface StoredLabResult<Record> {
  readonly id: string;
  /** Names everything that the result depends on: the same key is the same result. */
  readonly key: string;
  readonly index: IndexId;
  /** Content of the picture as the network sees it; null without one. */
  readonly pictureHash: string | null;
  readonly state: LabState;
  readonly record: Record;
  readonly createdAt: string;
}

export interface LabPart {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface LabResultsTable {
  create(result: StoredLabResult<unknown>): Promise<void>;
  /** The record and all parts, in one transaction; nothing where the result was deleted meanwhile. */
  finish(id: string, state: LabState, record: unknown, parts: readonly LabPart[]): Promise<void>;
  get<Record>(id: string): Promise<StoredLabResult<Record> | null>;
  /** The newest that is done. */
  findDone<Record>(key: string): Promise<StoredLabResult<Record> | null>;
  /** Newest first. */
  list<Record>(filter: { readonly index?: string; readonly pictureHash?: string; readonly limit: number }): Promise<readonly StoredLabResult<Record>[]>;
  part(id: string, name: string): Promise<Uint8Array | null>;
  delete(id: string): Promise<void>;
  /** Those that a kill left running become `interrupted`. openStore calls it. */
  interruptRunning(): Promise<void>;
}

const select = 'SELECT id, key, index_id AS "index", picture_hash AS pictureHash, state, record, created_at AS createdAt FROM lab_results';

type Row = Omit<StoredLabResult<unknown>, 'record'> & { readonly record: string };

export function labResultsTable({ reader, writer }: Connections): LabResultsTable {
  const parsed = <Record>(row: Row): StoredLabResult<Record> => ({ ...row, record: JSON.parse(row.record) as Record });
  return {
    async create({ id, key, index, pictureHash, state, record, createdAt }) {
      await writer().run('INSERT INTO lab_results (id, key, index_id, picture_hash, state, record, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)', [id, key, index, pictureHash, state, JSON.stringify(record), createdAt]);
    },
    async finish(id, state, record, parts) {
      await writer().transaction(async (statements) => {
        const changed = await statements.run('UPDATE lab_results SET state = ?, record = ? WHERE id = ?', [state, JSON.stringify(record), id]);
        if (changed === 0) return;
        for (const { name, bytes } of parts) await statements.run('INSERT OR REPLACE INTO lab_parts (result, name, bytes) VALUES (?, ?, ?)', [id, name, bytes]);
      });
    },
    async get<Record>(id: string) {
      const row = await reader.get<Row>(`${select} WHERE id = ?`, [id]);
      return row ? parsed<Record>(row) : null;
    },
    async findDone<Record>(key: string) {
      const row = await reader.get<Row>(`${select} WHERE key = ? AND state = 'done' ORDER BY rowid DESC LIMIT 1`, [key]);
      return row ? parsed<Record>(row) : null;
    },
    async list<Record>({ index, pictureHash, limit }: { readonly index?: string; readonly pictureHash?: string; readonly limit: number }) {
      const rows = await reader.all<Row>(`${select} WHERE (?1 IS NULL OR index_id = ?1) AND (?2 IS NULL OR picture_hash = ?2) ORDER BY rowid DESC LIMIT ?3`, [index ?? null, pictureHash ?? null, limit]);
      return rows.map((row) => parsed<Record>(row));
    },
    async part(id, name) {
      return (await reader.get<{ bytes: Uint8Array }>('SELECT bytes FROM lab_parts WHERE result = ? AND name = ?', [id, name]))?.bytes ?? null;
    },
    async delete(id) {
      await writer().run('DELETE FROM lab_results WHERE id = ?', [id]);
    },
    async interruptRunning() {
      await writer().run("UPDATE lab_results SET state = 'interrupted' WHERE state = 'running'");
    },
  };
}
