/** Long work: always reachable, cancellable, and still there after a restart. */
import { eventIterator } from '@orpc/contract';
import * as z from 'zod';
import { indexId, jobId, plainError, procedure } from './common.ts';

export const jobState = z.enum(['queued', 'running', 'paused', 'cancelled', 'interrupted', 'failed', 'done']);

export const job = z.object({
  id: jobId,
  kind: z.enum(['index', 'atlas', 'train', 'evolution', 'features', 'neighbours', 'map', 'experiment']),
  title: z.string(),
  index: indexId.nullable(),
  state: jobState,
  done: z.int(),
  total: z.int(),
  /** Images (of an atlas: projections; of a training: images in all epochs) per second over the last seconds, 0 when not running. */
  perSecond: z.number(),
  secondsLeft: z.number().nullable(),
  /** What it does right now, e.g. "decoding and running on onnxruntime cpu". */
  step: z.string(),
  error: plainError.nullable(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
});

export const jobs = {
  list: procedure.output(z.array(job)),
  cancel: procedure.input(z.object({ id: jobId })).output(z.object({})),
  /** Stops a queued or running job; what is done stays, and it goes on only when a person resumes it, after a restart too. A job pauses by itself, with an `error` that says why, when the disk is full or the image folder is gone. */
  pause: procedure.input(z.object({ id: jobId })).output(z.object({})),
  /** Goes on with a paused, cancelled, interrupted or failed job. */
  resume: procedure.input(z.object({ id: jobId })).output(z.object({})),
  /** Yields the whole list at once and again whenever it changes (at most four times a second). Never ends by itself. */
  watch: procedure.output(eventIterator(z.array(job))),
};
