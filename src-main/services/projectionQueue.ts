/**
 * Units that wait for their projection. One unit that several ask for is computed once; units of one layer that wait together are computed together, as many as take about a quarter of a
 * second at the speed of the calls before; what a person looks at goes before what is computed ahead; and what nobody waits for any more is never computed.
 */
import { AppError } from '../../src-shared/errors.ts';

/** `look`: somebody waits. `ahead`: the atlas job. */
export type Urgency = 'look' | 'ahead';

export interface Wanted<Unit> {
  /** Equal for equal results. */
  readonly key: string;
  readonly unit: Unit;
}

/** Units that one call can compute together: `id` is equal where everything but the units is. */
export interface UnitGroup<Unit, Result> {
  readonly id: string;
  compute(units: readonly Unit[], signal: AbortSignal, urgency: Urgency): Promise<readonly Result[]>;
}

export interface ProjectionQueue<Unit, Result> {
  /** In the order of `wanted`. @throws AppError CANCELLED when the signal aborts, at once, whatever is being computed */
  ask(group: UnitGroup<Unit, Result>, wanted: readonly Wanted<Unit>[], urgency: Urgency, signal?: AbortSignal): Promise<readonly Result[]>;
  /** How many units of a group take about so long, by the calls so far. */
  unitsIn(groupId: string, milliseconds: number): number;
}

interface Entry<Unit, Result> {
  readonly key: string;
  readonly unit: Unit;
  readonly group: UnitGroup<Unit, Result>;
  urgency: Urgency;
  /** Askers that have not gone away. */
  waiters: number;
  batch?: { readonly controller: AbortController; wanted: number };
  readonly result: Promise<Result>;
  readonly settle: { resolve(result: Result): void; reject(error: unknown): void };
}

/** Two: the next one waits at the worker while the results of one are on their way. What is looked at does not count what is computed ahead, and goes before it there. */
const callsAtOnce = 2;
const lookMs = 250;
/** Before anything was timed: a channel. */
const firstUnits = 9;
const mostUnits = 4096;

export function createProjectionQueue<Unit, Result>(): ProjectionQueue<Unit, Result> {
  const entries = new Map<string, Entry<Unit, Result>>();
  let waiting: Entry<Unit, Result>[] = [];
  const running: Record<Urgency, number> = { look: 0, ahead: 0 };
  const unitMs = new Map<string, number>();

  const unitsIn = (groupId: string, milliseconds: number): number => {
    const each = unitMs.get(groupId);
    return each === undefined ? firstUnits : Math.max(1, Math.min(mostUnits, Math.floor(milliseconds / each)));
  };

  function start(): void {
    while (waiting.length > 0) {
      const first = waiting.find((entry) => entry.urgency === 'look') ?? waiting[0]!;
      if (running.look + (first.urgency === 'look' ? 0 : running.ahead) >= callsAtOnce) return;
      const alike = waiting.filter((entry) => entry.group.id === first.group.id && entry.urgency === first.urgency);
      // The atlas job chooses its own portions.
      const chosen = new Set(first.urgency === 'ahead' ? alike : alike.slice(0, Math.max(firstUnits, unitsIn(first.group.id, lookMs))));
      waiting = waiting.filter((entry) => !chosen.has(entry));
      void run(first.group, [...chosen], first.urgency);
    }
  }

  async function run(group: UnitGroup<Unit, Result>, members: readonly Entry<Unit, Result>[], urgency: Urgency): Promise<void> {
    running[urgency] += 1;
    const batch = { controller: new AbortController(), wanted: members.length };
    for (const member of members) member.batch = batch;
    const startMs = performance.now();
    try {
      const results = await group.compute(members.map(({ unit }) => unit), batch.controller.signal, urgency);
      const each = (performance.now() - startMs) / members.length;
      const before = unitMs.get(group.id);
      // The first call compiles; two calls that overlap take turns.
      unitMs.set(group.id, before === undefined ? each : Math.min(before * 1.5, (before + each) / 2));
      members.forEach((member, at) => member.settle.resolve(results[at]!));
    } catch (error) {
      for (const member of members) member.settle.reject(error);
    } finally {
      running[urgency] -= 1;
      for (const member of members) forget(member);
      start();
    }
  }

  function forget(entry: Entry<Unit, Result>): void {
    if (entries.get(entry.key) === entry) entries.delete(entry.key);
  }

  function join(group: UnitGroup<Unit, Result>, { key, unit }: Wanted<Unit>, urgency: Urgency): Entry<Unit, Result> {
    let entry = entries.get(key);
    if (!entry) {
      const { promise, resolve, reject } = Promise.withResolvers<Result>();
      promise.catch(() => undefined);
      entry = { key, unit, group, urgency, waiters: 0, result: promise, settle: { resolve, reject } };
      entries.set(key, entry);
      waiting.push(entry);
    }
    if (urgency === 'look') entry.urgency = 'look';
    entry.waiters += 1;
    return entry;
  }

  function leave(entry: Entry<Unit, Result>): void {
    entry.waiters -= 1;
    if (entry.waiters > 0) return;
    // Whoever asks from now on starts anew: this one may be cancelled.
    forget(entry);
    if (!entry.batch) {
      waiting = waiting.filter((other) => other !== entry);
      return;
    }
    entry.batch.wanted -= 1;
    if (entry.batch.wanted === 0) entry.batch.controller.abort(new AppError('CANCELLED', 'Cancelled.'));
  }

  return {
    unitsIn,
    ask(group, wanted, urgency, signal) {
      if (signal?.aborted) return Promise.reject(new AppError('CANCELLED', 'Cancelled.'));
      const joined = wanted.map((each) => join(group, each, urgency));
      start();
      return new Promise((resolve, reject) => {
        const abort = () => {
          leaveAll();
          reject(new AppError('CANCELLED', 'Cancelled.'));
        };
        const leaveAll = () => {
          signal?.removeEventListener('abort', abort);
          for (const entry of joined) leave(entry);
        };
        signal?.addEventListener('abort', abort, { once: true });
        Promise.all(joined.map((entry) => entry.result)).then(
          (results) => {
            if (signal?.aborted) return;
            leaveAll();
            resolve(results);
          },
          (error: unknown) => {
            if (signal?.aborted) return;
            leaveAll();
            reject(error as Error);
          },
        );
      });
    },
  };
}
