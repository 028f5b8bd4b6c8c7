/** The threads in which linear classifiers are trained, begun with the first trial. Features in shared memory (`sharedFeatures`) are not copied on their way. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { AppError, fromPlainError } from '../../src-shared/errors.ts';
import type { Trial, TrialResult } from '../classifiers/trial.ts';
import type { TrialAnswer, TrialOrder } from '../classifiers/trialThread.ts';

export interface ClassifierThreads {
  /** Rejects with what the trial throws, or when the threads are closed. The same trial and seed give the same result. */
  run(trial: Trial, seed: number): Promise<readonly TrialResult[]>;
  close(): Promise<void>;
}

interface Waiting {
  readonly order: TrialOrder;
  readonly resolve: (results: readonly TrialResult[]) => void;
  readonly reject: (error: unknown) => void;
}

const mostThreads = 8;

/** From the sources the entry lies with the classifiers; built, beside every chunk. */
const entry = new URL(import.meta.url.endsWith('.ts') ? '../classifiers/trialThread.ts' : './trialThread.js', import.meta.url);

/** @param signal closes them */
export function createClassifierThreads(signal: AbortSignal): ClassifierThreads {
  const waiting: Waiting[] = [];
  const workers: Worker[] = [];
  const idle: Worker[] = [];
  const running = new Map<Worker, Waiting>();
  let ids = 0;
  let ended: unknown;

  const next = (worker: Worker): void => {
    const work = waiting.shift();
    if (!work) {
      idle.push(worker);
      return;
    }
    running.set(worker, work);
    worker.postMessage(work.order);
  };

  const begin = (): void => {
    const worker = new Worker(entry, { execArgv: [] });
    workers.push(worker);
    worker.on('message', (answer: TrialAnswer) => {
      const work = running.get(worker);
      running.delete(worker);
      if ('error' in answer) work?.reject(fromPlainError(answer.error));
      else work?.resolve(answer.results);
      next(worker);
    });
    worker.on('error', (error) => fail(error));
    next(worker);
  };

  function fail(error: unknown): void {
    ended ??= error;
    for (const { reject } of [...running.values(), ...waiting.splice(0)]) reject(ended);
    running.clear();
  }

  const stop = () => fail(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();

  return {
    run: (trial, seed) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended as Error);
        waiting.push({ order: { id: ids++, trial, seed }, resolve, reject });
        const worker = idle.pop();
        if (worker) next(worker);
        else if (workers.length < Math.min(mostThreads, availableParallelism())) begin();
      }),
    async close() {
      signal.removeEventListener('abort', stop);
      fail(new AppError('CANCELLED', 'The classifiers were stopped.'));
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** Room for float32 `[rows, width]` that threads see without a copy. */
export function sharedFeatures(rows: number, width: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * rows * width));
}
