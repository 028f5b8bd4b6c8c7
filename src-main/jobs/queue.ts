/**
 * The queue of long work of one workspace: one job at a time, in order, each step of its life stored, cancellable, and listed with its speed and the
 * time it has left. What a job does is handed in as a runner.
 */
import { AppError, isAbort, toPlainError, type PlainError } from '../../src-shared/errors.ts';
import { nextState, type JobEvent, type JobState } from './states.ts';
import { createRateMeter } from './rate.ts';

/** A job as it is stored. */
export interface JobRow {
  readonly id: string;
  readonly kind: string;
  readonly indexId: string | null;
  readonly title: string;
  readonly state: JobState;
  readonly done: number;
  readonly total: number;
  readonly request: unknown;
  readonly error: PlainError | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

/** Where jobs are kept. */
export interface JobStore {
  create(job: JobRow): Promise<void>;
  update(id: string, change: Partial<Pick<JobRow, 'state' | 'done' | 'total' | 'error' | 'endedAt' | 'startedAt'>>): Promise<void>;
  get(id: string): Promise<JobRow>;
  list(): Promise<JobRow[]>;
}

export interface StandIn {
  readonly kind: string;
  readonly indexId: string;
}

export interface JobProgress {
  report(done: number, total: number, step: string): void;
  /** From now on the job does what a job of that kind does with that index, or its own work (null): who asks what fills an index is told this job. */
  standFor(work: StandIn | null): void;
}

/** What a runner throws with `data.pauses` set is no failure of the job: it waits, with the message, until a person has seen to the cause. */
export type JobRunner = (job: JobRow, progress: JobProgress, signal: AbortSignal) => Promise<void>;

/** A job with what only a running process knows of it. */
export interface LiveJob extends JobRow {
  readonly perSecond: number;
  readonly secondsLeft: number | null;
  readonly step: string;
}

export interface JobQueue {
  /** Stores the job and queues it. */
  add(job: Pick<JobRow, 'id' | 'kind' | 'indexId' | 'title' | 'total' | 'request'>): Promise<void>;
  cancel(id: string): Promise<void>;
  /** Stops a queued or running job, which then waits for `resume`, across restarts too. */
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  list(): Promise<readonly LiveJob[]>;
  /** The job of this index, of this kind where one is given, that runs or waits. */
  activeFor(indexId: string, kind?: string): string | null;
  /** A job runs or waits. */
  isBusy(): boolean;
  /** Resolves with the state in which the job ended. */
  ended(id: string): Promise<JobRow>;
  /** Interrupts what runs and waits until it has stopped. */
  close(): Promise<void>;
}

interface Live {
  readonly row: JobRow;
  readonly controller: AbortController;
  readonly meter: ReturnType<typeof createRateMeter>;
  done: number;
  total: number;
  step: string;
  standsFor: StandIn | null;
  /** Why the signal was aborted: which event ends the job. */
  stop?: 'cancel' | 'pause' | 'interrupt';
}

/** How often progress goes to the store; the index's own cursor is what counts after a kill. */
const storeEveryMs = 2000;

export function createJobQueue(store: JobStore, runners: Readonly<Record<string, JobRunner>>, changed: () => void): JobQueue {
  const waiting: Live[] = [];
  let current: Live | undefined;
  let finished: Promise<void> = Promise.resolve();
  let closing = false;
  const watchers = new Map<string, ((row: JobRow) => void)[]>();
  const resuming = new Set<string>();
  // A full disk pauses a job and keeps that from being stored; it is true all the same.
  const unsaved = new Map<string, JobRow>();
  const read = async (id: string): Promise<JobRow> => unsaved.get(id) ?? (await store.get(id));

  const live = (): Live[] => (current ? [current, ...waiting] : [...waiting]);

  async function move(row: JobRow, event: JobEvent, change: Parameters<JobStore['update']>[1] = {}): Promise<void> {
    const state = nextState(row.state, event);
    if (!state) throw new AppError('CONFLICT', `The job "${row.title}" is ${row.state}; it cannot ${event}.`, { job: row.id, state: row.state });
    try {
      await store.update(row.id, { state, ...change });
      unsaved.delete(row.id);
    } catch (error) {
      if (state !== 'queued' && state !== 'running') unsaved.set(row.id, { ...row, ...change, state });
      throw error;
    } finally {
      changed();
    }
  }

  function enqueue(row: JobRow): void {
    waiting.push({ row, controller: new AbortController(), meter: createRateMeter(), done: row.done, total: row.total, step: 'waiting', standsFor: null });
    if (!current) finished = work();
  }

  async function work(): Promise<void> {
    while (!closing && (current = waiting.shift())) {
      const { row, done, total } = current;
      await runOne(current);
      // A store that cannot be read must not stop the queue.
      const ended = await read(row.id).catch((error): JobRow => ({ ...row, done, total, state: 'failed', error: toPlainError(error) }));
      current = undefined;
      settle(ended);
      changed();
    }
  }

  function settle(ended: JobRow): void {
    for (const watcher of watchers.get(ended.id) ?? []) watcher(ended);
    watchers.delete(ended.id);
  }

  /** Ends a job that never ran; it has left the waiting list already. */
  async function drop(row: JobRow, event: 'cancel' | 'pause' | 'interrupt'): Promise<void> {
    try {
      await move(row, event, { endedAt: new Date().toISOString() });
    } finally {
      settle(await read(row.id));
    }
  }

  async function runOne(job: Live): Promise<void> {
    const running = { ...job.row, state: 'running' as const };
    let storedAtMs = 0;
    try {
      await move(job.row, 'start', { startedAt: new Date().toISOString(), endedAt: null, error: null });
      const runner = runners[running.kind];
      if (!runner) throw new Error(`no runner for jobs of kind ${running.kind}`);
      const report = (done: number, total: number, step: string) => {
        Object.assign(job, { done, total, step });
        job.meter.report(done, performance.now());
        if (performance.now() - storedAtMs > storeEveryMs) {
          storedAtMs = performance.now();
          void store.update(running.id, { done, total }).catch(() => undefined);
        }
        changed();
      };
      const standFor = (work: StandIn | null) => {
        job.standsFor = work;
        changed();
      };
      await runner(running, { report, standFor }, job.controller.signal);
      await move(running, 'finish', { done: job.done, total: job.total, endedAt: new Date().toISOString() });
    } catch (error) {
      const pauses = error instanceof AppError && error.data['pauses'] === true;
      const event = job.stop ?? (isAbort(error) ? 'cancel' : pauses ? 'pause' : 'fail');
      const told = event === 'fail' || (event === 'pause' && !isAbort(error)) ? toPlainError(error) : null;
      await move(running, event, { done: job.done, total: job.total, endedAt: new Date().toISOString(), error: told }).catch(() => undefined);
    }
  }

  return {
    async add(job) {
      const row: JobRow = { ...job, state: 'queued', done: 0, error: null, startedAt: new Date().toISOString(), endedAt: null };
      await store.create(row);
      enqueue(row);
      changed();
    },
    async cancel(id) {
      if (await stop(id, 'cancel')) return;
      const row = await read(id);
      if (!nextState(row.state, 'cancel')) throw new AppError('CONFLICT', `The job "${row.title}" is not running; it is ${row.state}.`, { job: id });
      await move(row, 'cancel');
    },
    async pause(id) {
      if (await stop(id, 'pause')) return;
      const row = await read(id);
      throw new AppError('CONFLICT', `The job "${row.title}" is not running; it is ${row.state}.`, { job: id });
    },
    async resume(id) {
      if (resuming.has(id)) throw new AppError('CONFLICT', 'The job is being resumed already.', { job: id });
      resuming.add(id);
      try {
        let row = await read(id);
        // Stored as ended, but its last steps are still under way.
        if (current?.row.id === id && nextState(row.state, 'resume')) row = await finishedJob(id);
        await move(row, 'resume');
        enqueue({ ...row, state: 'queued' });
      } finally {
        resuming.delete(id);
      }
    },
    async list() {
      const rows = await store.list();
      const byId = new Map(live().map((job) => [job.row.id, job]));
      return rows.map((row) => {
        const job = byId.get(row.id);
        if (!job) return { ...row, ...unsaved.get(row.id), perSecond: 0, secondsLeft: null, step: '' };
        const running = row.state === 'running';
        return { ...row, done: job.done, total: job.total, step: job.step, perSecond: running ? job.meter.perSecond() : 0, secondsLeft: running ? job.meter.secondsLeft(job.done, job.total) : null };
      });
    },
    activeFor: (indexId, kind) => live().find(({ row, standsFor }) => [row, standsFor].some((work) => work?.indexId === indexId && (kind === undefined || work.kind === kind)))?.row.id ?? null,
    isBusy: () => live().length > 0,
    ended: (id) => finishedJob(id),
    async close() {
      closing = true;
      for (const job of waiting.splice(0)) await drop(job.row, 'interrupt').catch(() => undefined);
      if (current) {
        current.stop = 'interrupt';
        current.controller.abort();
      }
      await finished;
      for (const { id, state, done, total, error, endedAt } of unsaved.values()) await store.update(id, { state, done, total, error, endedAt }).catch(() => undefined);
    },
  };

  /** False where the job neither waits nor runs. */
  async function stop(id: string, how: 'cancel' | 'pause'): Promise<boolean> {
    const queued = waiting.findIndex((job) => job.row.id === id);
    if (queued >= 0) {
      const [job] = waiting.splice(queued, 1);
      await drop(job!.row, how);
      return true;
    }
    if (current?.row.id !== id) return false;
    current.stop = how;
    current.controller.abort();
    await finishedJob(id);
    return true;
  }

  async function finishedJob(id: string): Promise<JobRow> {
    if (!live().some((job) => job.row.id === id)) return read(id);
    return new Promise((resolve) => watchers.set(id, [...(watchers.get(id) ?? []), resolve]));
  }
}
