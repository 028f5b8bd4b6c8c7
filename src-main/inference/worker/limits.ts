/**
 * How long a call may give no sign of life before its process counts as hanging. Native code blocks the process, so silence alone says nothing: the limit
 * is learned from the longest silence of earlier calls of the same kind, and generous before there were any, and wherever a model file is read and
 * compiled: half a gigabyte takes minutes on a slow disk or beside fifteen other programs, whatever small networks took before.
 */
import type { CallName, NextWork } from './protocol.ts';

export interface LimitOptions {
  /** No limit is shorter. */
  readonly floorMs?: number;
  /** Times the longest silence that a call of this kind survived. */
  readonly factor?: number;
  /** Before a call of this kind was ever seen to end, and for reading and compiling. */
  readonly firstMs?: number;
  /** A cancelled call that holds its process longer is ended with it, so that the next one need not wait. */
  readonly cancelledMs?: number;
}

export interface WatchedCall {
  readonly name: CallName;
  readonly next: NextWork;
  readonly isCancelled: boolean;
}

export interface Limits {
  /** How often to look. */
  readonly lookMs: number;
  /** `undefined`: the process is starting. */
  of(call: WatchedCall | undefined): number;
  /** A call of this kind was silent for so long while it computed, and then went on. */
  learn(name: CallName, silentMs: number): void;
}

/** They read model files of any size without a sign of life. */
const silent: ReadonlySet<CallName> = new Set(['inspect', 'draw', 'spine', 'feeding', 'export', 'weights', 'layers', 'describeLab'] satisfies CallName[]);
/** How much longer a cancelled call may hold its process while it compiles. */
const cancelledCompileFactor = 4;
/** A trial that takes this long is no device to compute with. */
const longestTrialMs = 120_000;

export function createLimits({ floorMs = 60_000, factor = 20, firstMs = 600_000, cancelledMs = 30_000 }: LimitOptions = {}): Limits {
  const longest = new Map<CallName, number>();
  return {
    lookMs: Math.min(1000, floorMs / 4),
    of(call) {
      if (call === undefined) return Math.max(floorMs, longestTrialMs);
      const { name, next, isCancelled } = call;
      const known = next === 'prepare' || silent.has(name) ? undefined : longest.get(name);
      const limit = known === undefined ? (name === 'probe' ? Math.min(firstMs, longestTrialMs) : firstMs) : Math.max(floorMs, factor * known);
      if (!isCancelled) return limit;
      // What is compiled is kept: the next call that wants it would have to wait for it again.
      return Math.min(limit, next === 'prepare' ? cancelledCompileFactor * cancelledMs : cancelledMs);
    },
    learn(name, silentMs) {
      longest.set(name, Math.max(longest.get(name) ?? 0, silentMs));
    },
  };
}
