/** What every experiment is given and gives back. The frame (experimentJob.ts, experiments.ts) keeps what a study has finished, tells how far it is, and shows its numbers as figure and table. */
import type * as z from 'zod';
import type { experimentNumbers, experimentSpec } from '../../src-shared/contract/experiments.ts';
import type { ExperimentKind } from '../../src-shared/domain/experiments.ts';
import type { ShownResult } from '../experiments/shownResult.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { Store } from '../store/open.ts';
import type { TrainingService } from './training.ts';

export type ExperimentSpec = z.output<typeof experimentSpec>;
export type ExperimentSpecOf<K extends ExperimentKind> = Extract<ExperimentSpec, { readonly kind: K }>;
export type ExperimentNumbers = z.output<typeof experimentNumbers>;
export type ExperimentNumbersOf<K extends ExperimentKind> = Extract<ExperimentNumbers, { readonly kind: K }>;

/** What studies compute with. */
export interface StudyMeans {
  readonly store: Store;
  readonly inference: InferenceClient;
  readonly training: TrainingService;
}

/** A spec without gaps, and what it is about. */
export interface CompleteStudy<K extends ExperimentKind = ExperimentKind> {
  readonly spec: ExperimentSpecOf<K>;
  readonly title: string;
  readonly modelName: string;
  readonly imagesPath: string;
  /** Whatever else the numbers depend on, such as hashes of models and the state of an index: where it changes, kept pieces count no more. */
  readonly facts: readonly (string | number)[];
}

export interface StudyContext<K extends ExperimentKind = ExperimentKind> extends StudyMeans {
  /** Whole. */
  readonly spec: ExperimentSpecOf<K>;
  readonly signal: AbortSignal;
  report(done: number, total: number, step: string): void;
  /** The numbers so far. */
  tell(numbers: ExperimentNumbersOf<K>): void;
  /**
   * A piece of the work by its key: from what was finished before, else computed and kept. It comes back as JSON gives it (no NaN, no typed arrays), the first time too, so that a resumed
   * study goes on from the same numbers.
   */
  kept<T>(key: string, compute: () => Promise<T>): Promise<T>;
  /** A finished piece, without computing it. */
  known<T>(key: string): T | undefined;
  /** Of its own, for files that are too large for pieces; made when asked for, and removed when it is done or deleted. */
  scratchFolder(): Promise<string>;
}

export interface StudyOutcome<K extends ExperimentKind = ExperimentKind> {
  readonly numbers: ExperimentNumbersOf<K>;
  /** What was done, with all that another person needs to do it again but the version of the program. */
  readonly caption: string;
  readonly notes: readonly string[];
}

export interface ExperimentStudy<K extends ExperimentKind = ExperimentKind> {
  /** Fills in what the spec leaves out, and checks the rest. @throws AppError */
  complete(means: StudyMeans, spec: ExperimentSpecOf<K>, signal: AbortSignal): Promise<CompleteStudy<K>>;
  run(context: StudyContext<K>): Promise<StudyOutcome<K>>;
  show(numbers: ExperimentNumbersOf<K>): ShownResult;
}
