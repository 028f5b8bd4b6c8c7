/** A command that started a job waits for it: shows its progress, cancels it on Ctrl+C, and fails as it fails. */
import { AppError, fromPlainError } from '../../src-shared/errors.ts';
import type { Services } from '../services/services.ts';
import type { Session } from './session.ts';

/** `what`: what the job counts, e.g. "images". */
export async function waitForJob(session: Session, services: Services, jobId: string, what = 'images'): Promise<void> {
  const { queue } = services.workspaces.required();
  const cancel = () => void queue.cancel(jobId).catch(() => undefined);
  session.signal.addEventListener('abort', cancel, { once: true });
  if (session.signal.aborted) cancel();
  const watching = new AbortController();
  const shown = (async () => {
    for await (const _ of services.workspaces.jobsChanged.changes(200, watching.signal)) {
      const job = (await services.jobs.list()).find((candidate) => candidate.id === jobId);
      if (!job || job.state !== 'running') continue;
      const left = job.secondsLeft === null ? '' : `, ${job.secondsLeft} s left`;
      session.progress(`${job.done} of ${job.total} ${what}, ${job.perSecond.toFixed(1)} per second${left}: ${job.step}`);
    }
  })();
  const ended = await queue.ended(jobId);
  watching.abort();
  await shown;
  session.signal.removeEventListener('abort', cancel);
  if (ended.error) throw fromPlainError(ended.error);
  if (ended.state !== 'done') throw new AppError('CANCELLED', `Stopped after ${ended.done} of ${ended.total} ${what}. The same command goes on from there.`);
}
