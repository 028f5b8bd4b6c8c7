/** When something that died is started again: at once, then after growing pauses, and no more after too many deaths in a short time. */

export interface BackOff {
  /** Counts a death; the pause before the next start, undefined where it is given up. */
  next(): number | undefined;
  /** A person wants another try. */
  forget(): void;
}

export interface BackOffOptions {
  /** Deaths in a row that are borne. */
  readonly attempts: number;
  readonly pauseMs: (attempt: number) => number;
  /** Who lived so long died for another reason than last time. */
  readonly steadyMs: number;
  /** Milliseconds that only grow. */
  readonly now?: () => number;
}

export function createBackOff({ attempts, pauseMs, steadyMs, now = () => performance.now() }: BackOffOptions): BackOff {
  let deaths = 0;
  let bornAt = now();
  return {
    next() {
      if (now() - bornAt >= steadyMs) deaths = 0;
      deaths += 1;
      if (deaths >= attempts) return undefined;
      const pause = pauseMs(deaths - 1);
      bornAt = now() + pause;
      return pause;
    },
    forget() {
      deaths = 0;
      bornAt = now();
    },
  };
}

/** 0.25 s, 0.5 s, 1 s ... 8 s. */
export function growingPause(attempt: number): number {
  return Math.min(250 * 2 ** attempt, 8000);
}
