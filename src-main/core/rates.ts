/**
 * How much the core does for whom at once: a stranger who guesses tokens is answered a few times a second, and nobody, not even the workbench's own page,
 * may keep more requests open than the interface ever needs.
 */

export interface RateLimits {
  /** Refused requests that are still answered with their reason, per second, after a first burst of the same number. */
  readonly refusalsPerSecond: number;
  /** Requests under way at once, streams among them. */
  readonly atOnce: number;
}

/** An index that fills opens two streams; a page asks for eight things at once; a few windows may look at one core. */
export const usualRateLimits: RateLimits = { refusalsPerSecond: 50, atOnce: 128 };

export interface Rates {
  /** Counts a refused request; false where there were too many. */
  mayRefuseAgain(): boolean;
  /** Counts a request in; undefined where too many are open, else the function that counts it out. */
  enter(): (() => void) | undefined;
}

/** `now`: milliseconds that only grow. */
export function createRates({ refusalsPerSecond, atOnce }: RateLimits, now: () => number = () => performance.now()): Rates {
  let allowance = refusalsPerSecond;
  let last = now();
  let open = 0;
  return {
    mayRefuseAgain() {
      const time = now();
      allowance = Math.min(refusalsPerSecond, allowance + ((time - last) / 1000) * refusalsPerSecond);
      last = time;
      if (allowance < 1) return false;
      allowance -= 1;
      return true;
    },
    enter() {
      if (open >= atOnce) return undefined;
      open += 1;
      let isOut = false;
      return () => {
        if (!isOut) open -= 1;
        isOut = true;
      };
    },
  };
}
