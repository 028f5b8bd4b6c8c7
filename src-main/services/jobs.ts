/** Jobs of the open workspace, as the contract shows them. */
import type * as z from 'zod';
import type { job } from '../../src-shared/contract/jobs.ts';
import type { LiveJob } from '../jobs/queue.ts';
import type { WorkspaceService } from './workspaces.ts';

export type Job = z.infer<typeof job>;

export interface JobService {
  list(): Promise<Job[]>;
  cancel(id: string): Promise<void>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  watch(signal?: AbortSignal): AsyncGenerator<Job[], void, void>;
}

const watchIntervalMs = 250;

export function createJobService(workspaces: WorkspaceService): JobService {
  const service: JobService = {
    async list() {
      if (!workspaces.current()) return [];
      return (await workspaces.required().queue.list()).map(toJob);
    },
    cancel: (id) => workspaces.required().queue.cancel(id),
    pause: (id) => workspaces.required().queue.pause(id),
    resume: (id) => workspaces.required().queue.resume(id),
    async *watch(signal) {
      for await (const _ of workspaces.jobsChanged.changes(watchIntervalMs, signal)) yield await service.list();
    },
  };
  return service;
}

export function toJob({ id, kind, indexId, title, state, done, total, error, startedAt, endedAt, perSecond, secondsLeft, step }: LiveJob): Job {
  return { id, kind: kind as Job['kind'], index: indexId, title, state, done, total, perSecond, secondsLeft, step, error, startedAt, endedAt };
}
