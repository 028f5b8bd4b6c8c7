/** Table `jobs`: long work, so that it is still listed, and can go on, after a restart. What happens between the states is decided in src-main/jobs; here they are only kept. */
import type { IndexId, JobId } from '../../src-shared/domain/ids.ts';
import { AppError, type PlainError } from '../../src-shared/errors.ts';
import type { Connections } from './open.ts';

export type JobState = 'queued' | 'running' | 'paused' | 'cancelled' | 'interrupted' | 'failed' | 'done';

export interface StoredJob {
  readonly id: JobId;
  readonly kind: string;
  readonly indexId: IndexId | null;
  readonly title: string;
  readonly state: JobState;
  readonly done: number;
  readonly total: number;
  /** What the job needs to start again; plain JSON. */
  readonly request: unknown;
  readonly error: PlainError | null;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string | null;
}

export type JobChange = Partial<Pick<StoredJob, 'indexId' | 'title' | 'state' | 'done' | 'total' | 'error' | 'startedAt' | 'endedAt'>>;

export interface JobsTable {
  create(job: StoredJob): Promise<void>;
  /** @throws AppError NOT_FOUND */
  update(id: JobId, change: JobChange): Promise<void>;
  /** @throws AppError NOT_FOUND */
  get(id: JobId): Promise<StoredJob>;
  /** Newest first. */
  list(limit?: number): Promise<StoredJob[]>;
  /** Jobs that a kill left queued or running become `interrupted`; paused ones stay so. openStore calls it. */
  interruptRunning(): Promise<void>;
}

export function jobsTable({ reader, writer }: Connections): JobsTable {
  return {
    async create(job) {
      await writer().run(
        'INSERT INTO jobs (id, kind, index_id, title, state, done, total, request, error, started_at, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        [job.id, job.kind, job.indexId, job.title, job.state, job.done, job.total, JSON.stringify(job.request ?? null), errorText(job.error), job.startedAt, job.endedAt],
      );
    },
    async update(id, change) {
      const assigned = Object.entries(change).filter(([, value]) => value !== undefined);
      if (assigned.length === 0) return;
      const values = assigned.map(([name, value]) => (name === 'error' ? errorText(value as PlainError | null) : (value as string | number | null)));
      const changed = await writer().run(`UPDATE jobs SET ${assigned.map(([name]) => `${columns[name as keyof JobChange]} = ?`).join(', ')} WHERE id = ?`, [...values, id]);
      if (changed === 0) throw noJob(id);
    },
    async get(id) {
      const row = await reader.get<JobRow>(`${select} WHERE id = ?`, [id]);
      if (!row) throw noJob(id);
      return fromRow(row);
    },
    async list(limit = 200) {
      return (await reader.all<JobRow>(`${select} ORDER BY number DESC LIMIT ?`, [limit])).map(fromRow);
    },
    async interruptRunning() {
      await writer().run("UPDATE jobs SET state = 'interrupted', ended_at = ? WHERE state IN ('queued', 'running')", [new Date().toISOString()]);
    },
  };
}

const columns = {
  indexId: 'index_id',
  title: 'title',
  state: 'state',
  done: 'done',
  total: 'total',
  error: 'error',
  startedAt: 'started_at',
  endedAt: 'ended_at',
} satisfies Record<keyof JobChange, string>;

interface JobRow extends Omit<StoredJob, 'request' | 'error'> {
  readonly request: string;
  readonly error: string | null;
}

const select = 'SELECT id, kind, index_id AS indexId, title, state, done, total, request, error, started_at AS startedAt, ended_at AS endedAt FROM jobs';

function fromRow(row: JobRow): StoredJob {
  return { ...row, request: JSON.parse(row.request) as unknown, error: row.error === null ? null : (JSON.parse(row.error) as PlainError) };
}

function errorText(error: PlainError | null): string | null {
  return error === null ? null : JSON.stringify(error);
}

function noJob(id: string): AppError {
  return new AppError('NOT_FOUND', `There is no job "${id}" in this workspace.`, { job: id });
}
