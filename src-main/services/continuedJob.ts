/** One piece of work has one job: the one that is at it, else the stopped one, which goes on, else a new one. */
import { randomBytes } from 'node:crypto';
import type { JobQueue, LiveJob } from '../jobs/queue.ts';

export type NewJob = Omit<Parameters<JobQueue['add']>[0], 'id'>;

/**
 * @param known the jobs of this work, newest first
 * @returns the job's id
 */
export async function continuedJob(queue: JobQueue, known: readonly LiveJob[], job: NewJob): Promise<string> {
  const [latest] = known;
  if (latest && latest.state !== 'done') {
    if (latest.state !== 'running' && latest.state !== 'queued') await queue.resume(latest.id);
    return latest.id;
  }
  const id = randomBytes(6).toString('hex');
  await queue.add({ id, ...job });
  return id;
}
