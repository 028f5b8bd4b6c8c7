/** The life of a job, as pure transitions. A job found `running` when a workspace is opened was interrupted: its process died. A paused one waits for a person, across restarts too. */

export const jobStates = ['queued', 'running', 'paused', 'cancelled', 'interrupted', 'failed', 'done'] as const;
export type JobState = (typeof jobStates)[number];

export type JobEvent = 'start' | 'finish' | 'pause' | 'cancel' | 'fail' | 'interrupt' | 'resume';

const transitions: Record<JobState, Partial<Record<JobEvent, JobState>>> = {
  queued: { start: 'running', pause: 'paused', cancel: 'cancelled', interrupt: 'interrupted' },
  running: { finish: 'done', pause: 'paused', cancel: 'cancelled', fail: 'failed', interrupt: 'interrupted' },
  paused: { resume: 'queued', cancel: 'cancelled' },
  cancelled: { resume: 'queued' },
  interrupted: { resume: 'queued' },
  failed: { resume: 'queued' },
  done: {},
};

/** The state after an event; undefined where the event makes no sense in that state. */
export function nextState(state: JobState, event: JobEvent): JobState | undefined {
  return transitions[state][event];
}
