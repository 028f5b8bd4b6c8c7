/** Who computes next: looking first, long works in turns, and none of them starved by the others. */
import { expect, it } from 'vitest';
import { createTurns, type WaitingCall } from '../../../src-main/inference/worker/turns.ts';
import type { CallName } from '../../../src-main/inference/worker/protocol.ts';

const callOf = (id: number, name: CallName, parameters: unknown = {}): WaitingCall => ({ id, name, parameters });

/** Runs calls for a while; each that ends is asked for again. @returns milliseconds by name */
function shares(took: Readonly<Partial<Record<CallName, number>>>, aheadOf: Readonly<Partial<Record<CallName, number>>>, forMs: number): Readonly<Record<string, number>> {
  const turns = createTurns();
  let id = 0;
  for (const [name, ahead] of Object.entries(aheadOf)) for (let at = 0; at < ahead; at++) turns.add(callOf(id++, name as CallName));
  const spent: Record<string, number> = {};
  for (let now = 0; now < forMs; ) {
    const { name } = turns.next()!;
    const ms = took[name]!;
    now += ms;
    spent[name] = (spent[name] ?? 0) + ms;
    turns.took(name, ms);
    turns.add(callOf(id++, name));
  }
  return spent;
}

it('what a person waits for comes before everything, and projections that are waited for before those ahead', () => {
  const turns = createTurns();
  for (const call of [callOf(1, 'train'), callOf(2, 'score'), callOf(3, 'project', { isAhead: true }), callOf(4, 'project'), callOf(5, 'inspect')]) turns.add(call);
  expect(Array.from({ length: 5 }, () => turns.next()!.id)).toEqual([5, 4, 3, 1, 2]);
  expect(turns.next()).toBeUndefined();
});

it('a training gets its turns beside an index', () => {
  const { score, train } = shares({ score: 10, train: 10 }, { score: 2, train: 1 }, 3000);
  expect(train! / score!).toBeGreaterThan(0.45);
});

it.each(['score', 'train'] as const)('%s keeps two thirds of the time beside projections without end', (long) => {
  const spent = shares({ project: 30, [long]: 10 }, { project: 4, [long]: 1 }, 9000);
  expect(spent[long]! / 9000).toBeCloseTo(2 / 3, 1);
});
