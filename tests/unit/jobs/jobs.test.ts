/** The life of a job: pure transitions, the speed meter, and the queue with its runners. */
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src-shared/errors.ts';
import { createJobQueue, type JobRow, type JobRunner, type JobStore } from '../../../src-main/jobs/queue.ts';
import { createRateMeter } from '../../../src-main/jobs/rate.ts';
import { jobStates, nextState, type JobEvent } from '../../../src-main/jobs/states.ts';

describe('states', () => {
  const allowed: Readonly<Record<string, string>> = {
    'queued start': 'running', 'queued cancel': 'cancelled', 'queued interrupt': 'interrupted',
    'queued pause': 'paused', 'running pause': 'paused', 'paused resume': 'queued', 'paused cancel': 'cancelled',
    'running finish': 'done', 'running cancel': 'cancelled', 'running fail': 'failed', 'running interrupt': 'interrupted',
    'cancelled resume': 'queued', 'interrupted resume': 'queued', 'failed resume': 'queued',
  };
  const events: readonly JobEvent[] = ['start', 'finish', 'pause', 'cancel', 'fail', 'interrupt', 'resume'];
  it.each(jobStates.flatMap((state) => events.map((event) => `${state} ${event}`)))('%s', (transition) => {
    const [state, event] = transition.split(' ') as [JobRow['state'], JobEvent];
    expect(nextState(state, event)).toBe(allowed[transition]);
  });
});

describe('the speed meter', () => {
  it('knows nothing before two reports', () => {
    const meter = createRateMeter();
    meter.report(5, 1000);
    expect([meter.perSecond(), meter.secondsLeft(5, 10)]).toEqual([0, null]);
  });
  it('divides what was done by the time it took, from where a resumed job began', () => {
    const meter = createRateMeter();
    meter.report(100, 0);
    meter.report(120, 4000);
    expect([meter.perSecond(), meter.secondsLeft(120, 133)]).toEqual([5, 3]);
  });
  it('forgets what is more than ten seconds ago', () => {
    const meter = createRateMeter();
    meter.report(0, 0);
    meter.report(10, 10_000);
    meter.report(110, 20_000);
    expect(meter.perSecond()).toBe(10);
  });
  it('begins anew with the next stage of a job, which counts from its own beginning', () => {
    const meter = createRateMeter();
    meter.report(200, 0);
    meter.report(0, 1000);
    expect([meter.perSecond(), meter.secondsLeft(0, 100)]).toEqual([0, null]);
    meter.report(20, 3000);
    expect([meter.perSecond(), meter.secondsLeft(20, 100)]).toEqual([10, 8]);
  });
});

describe('the queue', () => {
  it('runs jobs one at a time, in order, and stores each step', async () => {
    const { queue, store, log } = setUp({ quick: async (job) => void log.push(`run ${job.id}`) });
    await queue.add(job('a', 'quick'));
    await queue.add(job('b', 'quick'));
    expect((await queue.ended('a')).state).toBe('done');
    expect((await queue.ended('b')).state).toBe('done');
    expect(log.filter((entry) => !entry.endsWith('queued'))).toEqual(['a running', 'run a', 'a done', 'b running', 'run b', 'b done']);
    expect(log.filter((entry) => entry.endsWith('queued'))).toEqual(['a queued', 'b queued']);
    expect(store.rows.get('a')).toMatchObject({ state: 'done', error: null });
    expect(store.rows.get('a')!.endedAt).toMatch(/^\d{4}-/);
  });

  it('shows progress, speed and step of what runs', async () => {
    const gate = barrier();
    const { queue } = setUp({
      slow: async (_, progress) => {
        progress.report(2, 8, 'first');
        await new Promise((resolve) => setTimeout(resolve, 20));
        progress.report(4, 8, 'second');
        await gate.reached;
      },
    });
    await queue.add(job('a', 'slow', 8));
    await expect.poll(async () => (await queue.list())[0]!.step).toBe('second');
    const [live] = await queue.list();
    expect(live).toMatchObject({ state: 'running', done: 4, total: 8 });
    expect(live!.perSecond).toBeGreaterThan(0);
    expect(live!.secondsLeft).toBeGreaterThan(0);
    expect([queue.activeFor('index of a'), queue.isBusy()]).toEqual(['a', true]);
    gate.open();
    expect(await queue.ended('a')).toMatchObject({ state: 'done', done: 4, total: 8 });
    expect((await queue.list())[0]).toMatchObject({ perSecond: 0, secondsLeft: null, step: '' });
    expect([queue.activeFor('index of a'), queue.isBusy()]).toEqual([null, false]);
  });

  it('cancels a running job: the runner stops, the state is cancelled, no error', async () => {
    const { queue } = setUp({ endless });
    await queue.add(job('a', 'endless'));
    await expect.poll(async () => (await queue.list())[0]!.state).toBe('running');
    await queue.cancel('a');
    expect((await queue.list())[0]).toMatchObject({ state: 'cancelled', error: null });
  });

  it('cancels a queued job: it never runs, and who waits for its end is told', async () => {
    const { queue, log } = setUp({ endless, quick: async (row) => void log.push(`run ${row.id}`) });
    await queue.add(job('a', 'endless'));
    await queue.add(job('b', 'quick'));
    const ended = queue.ended('b');
    await queue.cancel('b');
    expect((await ended).state).toBe('cancelled');
    await queue.cancel('a');
    expect(log).not.toContain('run b');
  });

  it('pauses what runs and what waits, goes on when told to, and cancels what is paused', async () => {
    const { queue, store } = setUp({ endless, quick: async () => {} });
    await queue.add(job('a', 'endless'));
    await queue.add(job('b', 'quick'));
    await expect.poll(() => store.rows.get('a')!.state).toBe('running');
    await queue.pause('b');
    await queue.pause('a');
    expect([store.rows.get('a'), store.rows.get('b')]).toMatchObject([{ state: 'paused', error: null }, { state: 'paused', error: null }]);
    await expect(queue.pause('a')).rejects.toThrow('The job "job a" is not running; it is paused.');
    await queue.resume('b');
    expect((await queue.ended('b')).state).toBe('done');
    await queue.cancel('a');
    expect((await queue.list())[0]).toMatchObject({ state: 'cancelled' });
  });

  it('pauses a job whose runner says so, with the reason, even where that cannot be stored', async () => {
    let isFull = true;
    const { queue, store } = setUp({ full: async () => { if (isFull) throw new AppError('WORKSPACE', 'The disk is full.', { pauses: true }); } });
    const { update } = store;
    store.update = async (id, change) => {
      if (isFull && change.state !== 'running') throw new AppError('WORKSPACE', 'The disk is full.');
      return update(id, change);
    };
    await queue.add(job('a', 'full'));
    expect(await queue.ended('a')).toMatchObject({ state: 'paused', error: { message: 'The disk is full.' } });
    expect((await queue.list())[0]).toMatchObject({ state: 'paused', error: { message: 'The disk is full.' } });
    expect(store.rows.get('a')!.state).toBe('running');
    isFull = false;
    await queue.resume('a');
    expect(await queue.ended('a')).toMatchObject({ state: 'done', error: null });
    expect(store.rows.get('a')!.state).toBe('done');
  });

  it('refuses to cancel what has ended', async () => {
    const { queue } = setUp({ quick: async () => {} });
    await queue.add(job('a', 'quick'));
    await queue.ended('a');
    await expect(queue.cancel('a')).rejects.toThrow('The job "job a" is not running; it is done.');
  });

  it('keeps the reason of a failure, and can go on after it', async () => {
    let attempts = 0;
    const { queue } = setUp({
      flaky: async () => {
        if (++attempts === 1) throw new AppError('UNAVAILABLE', 'The engine is gone; start it again.', { engine: 'x' });
      },
    });
    await queue.add(job('a', 'flaky'));
    expect(await queue.ended('a')).toMatchObject({ state: 'failed', error: { code: 'UNAVAILABLE', message: 'The engine is gone; start it again.', data: { engine: 'x' } } });
    await queue.resume('a');
    expect(await queue.ended('a')).toMatchObject({ state: 'done', error: null });
  });

  it('goes on with the next job after a failure', async () => {
    const { queue } = setUp({ broken: async () => { throw new Error('bug'); }, quick: async () => {} });
    await queue.add(job('a', 'broken'));
    await queue.add(job('b', 'quick'));
    expect((await queue.ended('b')).state).toBe('done');
    expect((await queue.ended('a')).error).toEqual({ code: 'INTERNAL', message: 'bug', data: {} });
  });

  it('fails a job of a kind that nobody runs', async () => {
    const { queue } = setUp({});
    await queue.add(job('a', 'unknown'));
    expect(await queue.ended('a')).toMatchObject({ state: 'failed', error: { message: 'no runner for jobs of kind unknown' } });
  });

  it('resumes a cancelled job, but neither a running nor a done one', async () => {
    const { queue } = setUp({ endless, quick: async () => {} });
    await queue.add(job('a', 'endless'));
    await expect.poll(async () => (await queue.list())[0]!.state).toBe('running');
    await expect(queue.resume('a')).rejects.toThrow('The job "job a" is running; it cannot resume.');
    await queue.cancel('a');
    await queue.resume('a');
    await expect.poll(async () => (await queue.list())[0]!.state).toBe('running');
    await queue.cancel('a');
    await queue.add(job('b', 'quick'));
    await queue.ended('b');
    await expect(queue.resume('b')).rejects.toThrow('The job "job b" is done; it cannot resume.');
  });

  it('runs a job once when two resume it at the same time', async () => {
    let runs = 0;
    const { queue } = setUp({ counted: async () => { if (++runs === 1) throw new Error('first'); } });
    await queue.add(job('a', 'counted'));
    await queue.ended('a');
    const both = await Promise.allSettled([queue.resume('a'), queue.resume('a')]);
    expect(both.map((one) => one.status)).toEqual(['fulfilled', 'rejected']);
    await queue.ended('a');
    await queue.close();
    expect(runs).toBe(2);
  });

  it('resumes a job that is just ending, and runs it from its end on', async () => {
    let runs = 0;
    const { queue, store } = setUp({ counted: async () => { if (++runs === 1) throw new Error('first'); } });
    await queue.add(job('a', 'counted'));
    while (store.rows.get('a')!.state !== 'failed') await Promise.resolve();
    await queue.resume('a');
    expect((await queue.ended('a')).state).toBe('done');
    expect(runs).toBe(2);
  });

  it('interrupts what runs and what waits when it closes, and tells who waits', async () => {
    const { queue, store } = setUp({ endless });
    await queue.add(job('a', 'endless'));
    await queue.add(job('b', 'endless'));
    await expect.poll(() => store.rows.get('a')!.state).toBe('running');
    const ends = Promise.all([queue.ended('a'), queue.ended('b')]);
    await queue.close();
    expect([store.rows.get('a')!.state, store.rows.get('b')!.state]).toEqual(['interrupted', 'interrupted']);
    expect((await ends).map((row) => row.state)).toEqual(['interrupted', 'interrupted']);
    expect(store.rows.get('a')!.error).toBeNull();
  });
});

const endless: JobRunner = (_, __, signal) =>
  new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason));
  });

function barrier() {
  let open = () => {};
  const reached = new Promise<void>((resolve) => (open = resolve));
  return { reached, open: () => open() };
}

const job = (id: string, kind: string, total = 10) => ({ id, kind, indexId: `index of ${id}`, title: `job ${id}`, total, request: {} });

function setUp(runners: Readonly<Record<string, JobRunner>>) {
  const log: string[] = [];
  const rows = new Map<string, JobRow>();
  const store: JobStore & { readonly rows: typeof rows } = {
    rows,
    async create(row) {
      rows.set(row.id, row);
      log.push(`${row.id} ${row.state}`);
    },
    async update(id, change) {
      rows.set(id, { ...rows.get(id)!, ...change });
      if (change.state) log.push(`${id} ${change.state}`);
    },
    get: async (id) => rows.get(id)!,
    list: async () => [...rows.values()],
  };
  return { queue: createJobQueue(store, runners, () => {}), store, log };
}
