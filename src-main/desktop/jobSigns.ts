/** What a desktop shows of jobs outside of the window, as pure functions of the lists that the core sends: progress at the icon, no sleep, a word when a long one has ended. */

export interface SeenJob {
  readonly id: string;
  readonly title: string;
  readonly state: string;
  readonly done: number;
  readonly total: number;
  readonly error: { readonly message: string } | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

/** At the icon: a share from 0 to 1, `unknown` where a job runs that cannot be counted yet, null where none runs. */
export type IconProgress = number | 'unknown' | null;

export interface EndedJob {
  readonly title: string;
  readonly outcome: 'done' | 'failed' | 'paused';
  /** Why it failed or waits; empty where it is done. */
  readonly reason: string;
}

/** A job that took so long is worth a notification. */
const longMs = 60_000;

const isActive = (job: SeenJob): boolean => job.state === 'running' || job.state === 'queued';

/** All running and waiting jobs as one bar. */
export function progressOf(jobs: readonly SeenJob[]): IconProgress {
  const active = jobs.filter(isActive);
  if (active.length === 0) return null;
  const total = active.reduce((sum, job) => sum + job.total, 0);
  return total === 0 ? 'unknown' : Math.min(1, active.reduce((sum, job) => sum + job.done, 0) / total);
}

/** A machine that sleeps computes nothing. */
export function keepsAwake(jobs: readonly SeenJob[]): boolean {
  return jobs.some((job) => job.state === 'running');
}

/** Jobs that ran in `before` and have come to an end by themselves in `now` after a long time; what the person cancelled is no news. */
export function endedBetween(before: readonly SeenJob[], now: readonly SeenJob[], time: number): EndedJob[] {
  const running = new Map(before.filter(isActive).map((job) => [job.id, job]));
  return now.flatMap((job): EndedJob[] => {
    const tookMs = (job.endedAt === null ? time : Date.parse(job.endedAt)) - Date.parse(job.startedAt);
    if (!running.has(job.id) || !(tookMs >= longMs)) return [];
    if (job.state === 'done') return [{ title: job.title, outcome: 'done', reason: '' }];
    if (job.state === 'failed') return [{ title: job.title, outcome: 'failed', reason: job.error?.message ?? '' }];
    return job.state === 'paused' && job.error !== null ? [{ title: job.title, outcome: 'paused', reason: job.error.message }] : [];
  });
}
