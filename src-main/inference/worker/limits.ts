/**
 * How long a call may give no sign of life before its process counts as hanging. Native code blocks the process, so silence alone says nothing: the limit
 * is learned from the longest silence of earlier calls of the same kind, and generous before there were any (compiling, a driver's first start).
 */
import type { CallName } from './protocol.ts';

export interface LimitOptions {
  /** No limit is shorter. */
  readonly floorMs?: number;
  /** Times the longest silence that a call of this kind survived. */
  readonly factor?: number;
  /** Before a call of this kind was ever seen to end. */
  readonly firstMs?: number;
  /** A cancelled call that holds its process longer is ended with it, so that the next one need not wait. */
  readonly cancelledMs?: number;
}

export interface Limits {
  /** How often to look. */
  readonly lookMs: number;
  /** `undefined`: the process is starting. */
  of(name: CallName | undefined, isCancelled: boolean): number;
  /** A call of this kind was silent for so long, and then went on. */
  learn(name: CallName, silentMs: number): void;
}

/** A trial that takes this long is no device to compute with. */
const longestTrialMs = 120_000;

export function createLimits({ floorMs = 60_000, factor = 20, firstMs = 600_000, cancelledMs = 30_000 }: LimitOptions = {}): Limits {
  const longest = new Map<CallName, number>();
  return {
    lookMs: Math.min(1000, floorMs / 4),
    of(name, isCancelled) {
      if (name === undefined) return Math.max(floorMs, longestTrialMs);
      const known = longest.get(name);
      const limit = known === undefined ? (name === 'probe' ? Math.min(firstMs, longestTrialMs) : firstMs) : Math.max(floorMs, factor * known);
      return isCancelled ? Math.min(limit, cancelledMs) : limit;
    },
    learn(name, silentMs) {
      longest.set(name, Math.max(longest.get(name) ?? 0, silentMs));
    },
  };
}
