/**
 * The paper's experiments: each is a job of kind `experiment` with a stored, addressable result that carries the spec it was made with, its numbers, and a caption from which it can be made again
 * (method.md section 9). What a job has finished is kept piece by piece, so that a resumed one ends with the same numbers. Results are deleted with their index.
 */
import { eventIterator } from '@orpc/contract';
import * as z from 'zod';
import { imageNumber, indexId, jobId, plainError, procedure } from './common.ts';
import { ablationNumbers, ablationSpec, featuresNumbers, featuresSpec, generaliseNumbers, generaliseSpec } from './experimentLearning.ts';
import { correspondenceNumbers, correspondenceSpec, errorNumbers, errorSpec, evidenceNumbers, evidenceSpec, invarianceNumbers, invarianceSpec, markedPart, partPlace } from './experimentStudies.ts';
import { figureAnswer, figureFormats } from './figures.ts';
import { jobState } from './jobs.ts';
import { experimentKinds } from '../domain/experiments.ts';

export const experimentId = jobId;

/** What `start` takes. */
export const experimentSpec = z.discriminatedUnion('kind', [errorSpec, invarianceSpec, correspondenceSpec, evidenceSpec, featuresSpec, generaliseSpec, ablationSpec]);
export const experimentNumbers = z.discriminatedUnion('kind', [errorNumbers, invarianceNumbers, correspondenceNumbers, evidenceNumbers, featuresNumbers, generaliseNumbers, ablationNumbers]);

export const experimentSummary = z.object({
  id: experimentId,
  kind: z.enum(experimentKinds),
  title: z.string(),
  /** Null for an ablation, which needs none. */
  index: indexId.nullable(),
  modelName: z.string(),
  imagesPath: z.string(),
  /** Of its job; `done` exactly where the numbers are whole. */
  state: jobState,
  createdAt: z.string(),
});

export const experimentResult = experimentSummary.extend({
  /** Its newest job, by which it is paused and resumed (`jobs`). */
  jobId,
  /** Whole: what was left out is filled in. */
  spec: experimentSpec,
  done: z.int(),
  total: z.int(),
  step: z.string(),
  error: plainError.nullable(),
  /** What is known so far, null before there is anything. */
  numbers: experimentNumbers.nullable(),
  /** Empty until it is done. */
  caption: z.string(),
  /** What a person must know, e.g. that a layer was too large. */
  notes: z.array(z.string()).readonly(),
});

const one = z.object({ id: experimentId });

export const experiments = {
  /** The same spec, whole: what would run. Throws whatever is wrong with it as `start` would. */
  complete: procedure.input(z.object({ spec: experimentSpec })).output(z.object({ spec: experimentSpec, title: z.string() })),
  /** Queues it, or finds the same one done, running or stopped (which goes on); `afresh` makes a new one. */
  start: procedure.input(z.object({ spec: experimentSpec, afresh: z.boolean().default(false) })).output(z.object({ id: experimentId, jobId })),
  /** Goes on with a stopped one. */
  resume: procedure.input(one).output(z.object({ jobId })),
  get: procedure.input(one).output(experimentResult),
  /** The whole result at once and again as it grows, at most four times a second; ends when its job has ended. */
  watch: procedure.input(one).output(eventIterator(experimentResult)),
  /** Newest first. */
  list: procedure.input(z.object({ kind: z.enum(experimentKinds).optional(), index: indexId.optional(), limit: z.int().min(1).max(500).default(200) })).output(z.array(experimentSummary)),
  cancel: procedure.input(one).output(z.object({})),
  /** Stops it first where it runs. */
  delete: procedure.input(one).output(z.object({})),
  /** Its chart or table with the caption, held for a while at `media`. */
  figure: procedure.input(one.extend({ format: z.enum(figureFormats).default('svg') })).output(figureAnswer),
  /** The numbers as text: JSON with spec, caption and numbers; CSV with the caption as comments. */
  export: procedure.input(one.extend({ format: z.enum(['json', 'csv']) })).output(z.object({ fileName: z.string(), mediaType: z.string(), text: z.string() })),
  /** Class evidence at once, without a job (it needs the score matrix). */
  evidence: procedure.input(evidenceSpec.omit({ kind: true })).output(evidenceNumbers),
  parts: {
    /** Marked parts of the index's images, or of one; those outside what the network sees are left out. */
    list: procedure.input(z.object({ index: indexId, image: imageNumber.optional() })).output(z.array(markedPart)),
    /** Marks a part, or moves it. Fails with BAD_REQUEST for a box that is empty or reaches outside the input. */
    set: procedure.input(markedPart.omit({ image: true }).extend({ index: indexId })).output(z.object({})),
    remove: procedure.input(partPlace).output(z.object({})),
  },
};
