/**
 * Which of the waiting calls runs next. Looking comes before long work, but for each millisecond of looking the long work that waits (an index, a training) gets its share; long works take turns.
 */
import type { CallName, WorkerCalls } from './protocol.ts';

export interface WaitingCall {
  /** Ascending in the order of arrival. */
  readonly id: number;
  readonly name: CallName;
  readonly parameters: unknown;
}

export interface Turns<Call extends WaitingCall> {
  add(call: Call): void;
  find(id: number): Call | undefined;
  /** Takes the next one out; undefined where none waits. */
  next(): Call | undefined;
  /** A call of that name ran for so long. */
  took(name: CallName, ms: number): void;
}

/** Lower goes first: looking comes before indexing and training. */
const priority: Record<CallName, number> = { probe: 0, inspect: 0, draw: 0, spine: 0, feeding: 0, export: 0, weights: 0, layers: 0, project: 1, describeLab: 1, look: 1, maps: 1, gradients: 1, cutOut: 1, measureBatch: 2, score: 3, features: 3, train: 3 };
/** For each millisecond of projecting and other looking, long work that waits gets this many before the next look. */
const longShare = 2;

export function createTurns<Call extends WaitingCall>(): Turns<Call> {
  const waiting: Call[] = [];
  let owedMs = 0;
  return {
    add: (call) => void waiting.push(call),
    find: (id) => waiting.find((call) => call.id === id),
    next() {
      waiting.sort((a, b) => rankOf(a) - rankOf(b) || a.id - b.id);
      const long = waiting.findIndex(({ name }) => isLong(name));
      if (long < 0) owedMs = 0;
      const isDue = owedMs > 0 && priority[waiting[0]!.name] >= priority.project;
      return waiting.splice(isDue ? long : 0, 1)[0];
    },
    took(name, ms) {
      if (priority[name] === priority.project) owedMs += ms * longShare;
      if (isLong(name)) owedMs = Math.max(0, owedMs - ms);
    },
  };
}

function isLong(name: CallName): boolean {
  return priority[name] === priority.score;
}

/** Projections that somebody waits for go before those that are made ahead. */
function rankOf({ name, parameters }: WaitingCall): number {
  return priority[name] + (name === 'project' && (parameters as WorkerCalls['project'][0]).isAhead ? 0.5 : 0);
}
