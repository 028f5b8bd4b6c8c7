/** Units that wait for their projection: shared, put together, in order of urgency, and dropped when nobody waits. */
import { describe, expect, it } from 'vitest';
import { createProjectionQueue, type UnitGroup } from '../../../src-main/services/projectionQueue.ts';

/** A group whose calls are finished by hand: `calls[n].units`, `calls[n].finish()`. */
function handGroup(id = 'layer') {
  const calls: { units: readonly string[]; signal: AbortSignal; finish: () => void; fail: (error: Error) => void }[] = [];
  const group: UnitGroup<string, string> = {
    id,
    compute: (units, signal) => new Promise((resolve, reject) => calls.push({ units, signal, finish: () => resolve(units.map((unit) => `${unit}!`)), fail: reject })),
  };
  return { group, calls };
}

const wanted = (...names: readonly string[]) => names.map((unit) => ({ key: unit, unit }));
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('the queue of projections', () => {
  it('computes a unit once for all who ask for it, and answers each in his order', async () => {
    const queue = createProjectionQueue<string, string>();
    const { group, calls } = handGroup();
    const first = queue.ask(group, wanted('a', 'b'), 'look');
    const second = queue.ask(group, wanted('b', 'c', 'a'), 'look');
    expect(calls.map((call) => call.units)).toEqual([['a', 'b'], ['c']]);
    for (const call of calls) call.finish();
    expect([await first, await second]).toEqual([['a!', 'b!'], ['b!', 'c!', 'a!']]);
    const again = queue.ask(group, wanted('a'), 'look');
    expect(calls[2]!.units, 'it keeps nothing itself').toEqual(['a']);
    calls[2]!.finish();
    expect(await again).toEqual(['a!']);
  });

  it('puts units of a group together while others are computed, what is looked at first', async () => {
    const queue = createProjectionQueue<string, string>();
    const { group, calls } = handGroup();
    const other = handGroup('other');
    const asked = [queue.ask(group, wanted('a'), 'look'), queue.ask(group, wanted('b'), 'look'), queue.ask(group, wanted('c'), 'ahead'), queue.ask(other.group, wanted('d'), 'look'), queue.ask(group, wanted('e'), 'look'), queue.ask(other.group, wanted('f'), 'look')];
    expect([calls.length, other.calls.length]).toEqual([2, 0]);
    calls[0]!.finish();
    await settled();
    expect(other.calls.map((call) => call.units)).toEqual([['d', 'f']]);
    calls[1]!.finish();
    await settled();
    other.calls[0]!.finish();
    await settled();
    expect(calls.slice(2).map((call) => call.units)).toEqual([['e'], ['c']]);
    for (const call of calls) call.finish();
    expect(await Promise.all(asked)).toEqual([['a!'], ['b!'], ['c!'], ['d!'], ['e!'], ['f!']]);
  });

  it('does not let what is looked at wait for calls that compute ahead', async () => {
    const queue = createProjectionQueue<string, string>();
    const { group, calls } = handGroup();
    const asked = [queue.ask(group, wanted('a'), 'ahead'), queue.ask(group, wanted('b'), 'ahead'), queue.ask(group, wanted('c'), 'ahead'), queue.ask(group, wanted('d'), 'look')];
    expect(calls.map((call) => call.units)).toEqual([['a'], ['b'], ['d']]);
    calls[2]!.finish();
    await settled();
    expect(calls, 'two ahead are enough').toHaveLength(3);
    calls[0]!.finish();
    await settled();
    expect(calls[3]!.units).toEqual(['c']);
    for (const call of calls) call.finish();
    await Promise.all(asked);
  });

  it('never computes what nobody waits for any more', async () => {
    const queue = createProjectionQueue<string, string>();
    const { group, calls } = handGroup();
    const busy = [queue.ask(group, wanted('a'), 'look'), queue.ask(group, wanted('b'), 'look')];
    const scrolled = Array.from({ length: 200 }, (_, at) => {
      const controller = new AbortController();
      return { controller, asked: queue.ask(group, wanted(`dead ${at}`), 'look', controller.signal) };
    });
    const alive = queue.ask(group, wanted('alive'), 'look');
    const ends = Promise.allSettled(scrolled.map(({ asked }) => asked));
    for (const { controller } of scrolled) controller.abort();
    expect(new Set((await ends).map((end) => (end.status === 'rejected' ? String((end.reason as Error).message) : 'done')))).toEqual(new Set(['Cancelled.']));
    calls[0]!.finish();
    calls[1]!.finish();
    await Promise.all(busy);
    expect(calls.slice(2).map((call) => call.units)).toEqual([['alive']]);
    calls[2]!.finish();
    await alive;
  });

  it('cancels a running call when its last reader leaves, not before, and begins anew for the next', async () => {
    const queue = createProjectionQueue<string, string>();
    const { group, calls } = handGroup();
    const [one, two] = [new AbortController(), new AbortController()];
    const asked = [queue.ask(group, wanted('a'), 'look', one.signal), queue.ask(group, wanted('a'), 'look', two.signal)];
    const ends = Promise.allSettled(asked);
    one.abort();
    expect(calls[0]!.signal.aborted).toBe(false);
    two.abort();
    expect(calls[0]!.signal.aborted).toBe(true);
    expect((await ends).map((end) => end.status)).toEqual(['rejected', 'rejected']);
    const next = queue.ask(group, wanted('a'), 'look');
    expect(calls).toHaveLength(2);
    calls[1]!.finish();
    expect(await next).toEqual(['a!']);
    await expect(queue.ask(group, wanted('b'), 'look', AbortSignal.abort())).rejects.toThrow('Cancelled.');
    expect(calls).toHaveLength(2);
  });

  it('tells a failure to all who asked for a unit of that call, and goes on', async () => {
    const queue = createProjectionQueue<string, string>();
    const { group, calls } = handGroup();
    const ends = Promise.allSettled([queue.ask(group, wanted('a'), 'look'), queue.ask(group, wanted('a'), 'look')]);
    calls[0]!.fail(new Error('no way down'));
    expect((await ends).map((end) => end.status === 'rejected' && (end.reason as Error).message)).toEqual(['no way down', 'no way down']);
    const next = queue.ask(group, wanted('a'), 'look');
    calls[1]!.finish();
    expect(await next).toEqual(['a!']);
  });

  it('learns how many units take a given time', async () => {
    const queue = createProjectionQueue<string, string>();
    expect(queue.unitsIn('slow', 250)).toBe(9);
    const slow: UnitGroup<string, string> = { id: 'slow', compute: async (units) => (await new Promise((resolve) => setTimeout(resolve, 40)), units) };
    await queue.ask(slow, wanted('a', 'b'), 'look');
    expect(queue.unitsIn('slow', 250)).toBeLessThanOrEqual(12);
    expect(queue.unitsIn('slow', 5)).toBe(1);
    const quick: UnitGroup<string, string> = { id: 'quick', compute: async (units) => units };
    await queue.ask(quick, wanted(...Array.from({ length: 500 }, (_, at) => String(at))), 'look');
    expect(queue.unitsIn('quick', 250)).toBe(4096);
  });
});
