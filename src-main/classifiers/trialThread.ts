/** Entry of the threads that train linear classifiers: one trial for each order. */
import { parentPort } from 'node:worker_threads';
import { toPlainError, type PlainError } from '../../src-shared/errors.ts';
import { seededNumbers } from '../rewrite/training/seededNumbers.ts';
import { runTrial, type Trial, type TrialResult } from './trial.ts';

export interface TrialOrder {
  readonly id: number;
  readonly trial: Trial;
  readonly seed: number;
}

export type TrialAnswer = { readonly id: number; readonly results: readonly TrialResult[] } | { readonly id: number; readonly error: PlainError };

parentPort?.on('message', ({ id, trial, seed }: TrialOrder) => {
  parentPort?.postMessage(answer());

  function answer(): TrialAnswer {
    try {
      return { id, results: runTrial(trial, seededNumbers(seed, 'penalties')) };
    } catch (error) {
      return { id, error: toPlainError(error) };
    }
  }
});
