/** Speed over the last seconds and the time that is left, from progress reports. */

const windowMs = 10_000;

export interface RateMeter {
  report(done: number, atMs: number): void;
  /** Per second over the window, 0 before two reports. */
  perSecond(): number;
  secondsLeft(done: number, total: number): number | null;
}

export function createRateMeter(): RateMeter {
  let reports: { readonly done: number; readonly atMs: number }[] = [];
  const perSecond = () => {
    const first = reports[0];
    const last = reports.at(-1);
    if (!first || !last || last.atMs <= first.atMs) return 0;
    return ((last.done - first.done) * 1000) / (last.atMs - first.atMs);
  };
  return {
    report(done, atMs) {
      // Work of several stages counts each from its own beginning.
      const before = done < (reports.at(-1)?.done ?? 0) ? [] : reports.filter((report) => atMs - report.atMs <= windowMs);
      reports = [...before, { done, atMs }];
    },
    perSecond,
    secondsLeft(done, total) {
      const rate = perSecond();
      return rate > 0 ? Math.ceil((total - done) / rate) : null;
    },
  };
}
