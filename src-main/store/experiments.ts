/** Tables `experiments` and `experiment_rows`: the paper's experiments with their numbers, and the pieces that a job has finished. Spec, subject, numbers and rows are plain JSON of the caller. */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { Connections } from './open.ts';

export interface NewExperiment {
  readonly id: string;
  /** Names everything that the numbers depend on: the same key gives the same numbers. */
  readonly key: string;
  readonly kind: string;
  readonly index: IndexId | null;
  readonly jobId: string;
  readonly spec: unknown;
  readonly subject: unknown;
}

export interface StoredExperiment extends NewExperiment {
  /** So far; whole where there is a caption. */
  readonly numbers: unknown;
  readonly caption: string | null;
  readonly notes: readonly string[];
  readonly createdAt: string;
}

export interface ExperimentsTable {
  create(experiment: NewExperiment): Promise<void>;
  /** @throws AppError NOT_FOUND */
  get(id: string): Promise<StoredExperiment>;
  /** The newest with this key. */
  find(key: string): Promise<StoredExperiment | null>;
  /** Newest first, without numbers. */
  list(filter: { readonly kind?: string | undefined; readonly index?: string | undefined; readonly limit: number }): Promise<readonly StoredExperiment[]>;
  setJob(id: string, jobId: string): Promise<void>;
  setNumbers(id: string, numbers: unknown): Promise<void>;
  /** The whole numbers; the rows are no longer needed. */
  finish(id: string, outcome: { readonly numbers: unknown; readonly caption: string; readonly notes: readonly string[] }): Promise<void>;
  /** Finished pieces by key. */
  rows(id: string): Promise<ReadonlyMap<string, unknown>>;
  /** Nothing where the experiment was deleted meanwhile. */
  putRow(id: string, key: string, value: unknown): Promise<void>;
  delete(id: string): Promise<void>;
}

type Row = { readonly [K in keyof StoredExperiment]: StoredExperiment[K] extends string | null ? StoredExperiment[K] : string } & { readonly index: IndexId | null; readonly numbers: string | null };

const columns = 'id, key, kind, index_id AS "index", job_id AS jobId, spec, subject, caption, notes, created_at AS createdAt';

export function experimentsTable({ reader, writer }: Connections): ExperimentsTable {
  return {
    async create({ id, key, kind, index, jobId, spec, subject }) {
      await writer().run('INSERT INTO experiments (id, key, kind, index_id, job_id, spec, subject, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)', [id, key, kind, index, jobId, JSON.stringify(spec), JSON.stringify(subject), new Date().toISOString()]);
    },
    async get(id) {
      const row = await reader.get<Row>(`SELECT ${columns}, numbers FROM experiments WHERE id = ?`, [id]);
      if (!row) throw new AppError('NOT_FOUND', `There is no experiment "${id}" in this workspace. It may have been deleted, by itself or with its index.`, { experiment: id });
      return fromRow(row);
    },
    async find(key) {
      const row = await reader.get<Row>(`SELECT ${columns}, numbers FROM experiments WHERE key = ? ORDER BY number DESC LIMIT 1`, [key]);
      return row ? fromRow(row) : null;
    },
    async list({ kind, index, limit }) {
      const rows = await reader.all<Row>(`SELECT ${columns}, NULL AS numbers FROM experiments WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR index_id = ?2) ORDER BY number DESC LIMIT ?3`, [kind ?? null, index ?? null, limit]);
      return rows.map(fromRow);
    },
    async setJob(id, jobId) {
      await writer().run('UPDATE experiments SET job_id = ? WHERE id = ?', [jobId, id]);
    },
    async setNumbers(id, numbers) {
      await writer().run('UPDATE experiments SET numbers = ? WHERE id = ?', [JSON.stringify(numbers), id]);
    },
    async finish(id, { numbers, caption, notes }) {
      await writer().transaction(async (statements) => {
        await statements.run('UPDATE experiments SET numbers = ?, caption = ?, notes = ? WHERE id = ?', [JSON.stringify(numbers), caption, JSON.stringify(notes), id]);
        await statements.run('DELETE FROM experiment_rows WHERE experiment = ?', [id]);
      });
    },
    async rows(id) {
      const rows = await reader.all<{ key: string; value: string }>('SELECT key, value FROM experiment_rows WHERE experiment = ?', [id]);
      return new Map(rows.map(({ key, value }) => [key, JSON.parse(value) as unknown]));
    },
    async putRow(id, key, value) {
      await writer().run('INSERT OR REPLACE INTO experiment_rows (experiment, key, value) SELECT id, ?2, ?3 FROM experiments WHERE id = ?1', [id, key, JSON.stringify(value)]);
    },
    async delete(id) {
      await writer().run('DELETE FROM experiments WHERE id = ?', [id]);
    },
  };
}

function fromRow({ spec, subject, numbers, notes, ...row }: Row): StoredExperiment {
  return { ...row, spec: JSON.parse(spec) as unknown, subject: JSON.parse(subject) as unknown, numbers: numbers === null ? null : (JSON.parse(numbers) as unknown), notes: JSON.parse(notes) as readonly string[] };
}
