/**
 * The runner of training jobs: one training to its last epoch, going on where an earlier job of the same folder stopped. A full disk and images that are gone pause
 * it with the reason, as they do an index.
 */
import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type * as z from 'zod';
import type { trainingLive } from '../../src-shared/contract/training.ts';
import type { JobRunner } from '../jobs/queue.ts';
import type { Store } from '../store/open.ts';
import { goneFolder } from './imageSource.ts';
import { pausing } from './indexJob.ts';
import type { TrainingNews, TrainingRequest, TrainingService } from './training.ts';

export type TrainingLive = z.infer<typeof trainingLive>;

/** What a job of kind `train` is asked for: `outPath` is relative to the workspace where the folder lies in it. */
export type TrainingJobRequest = TrainingRequest;

/** The training that runs, for those who watch it; at most one in a workspace. */
export interface RunningTraining {
  /** Absolute folder. */
  readonly path: string;
  live: TrainingLive | null;
  /** Each is told the new rate, or undefined where the training stopped before its next step. */
  readonly lowerings: ((rate: number | undefined) => void)[];
}

export interface RunningTrainings {
  current: RunningTraining | null;
}

export function trainingRunner(store: Store, training: TrainingService, running: RunningTrainings): JobRunner {
  return async (job, progress, signal) => {
    const asked = job.request as TrainingJobRequest;
    const request = { ...asked, outPath: resolve(store.folder, asked.outPath) };
    const { batch, epochs } = request.recipe;
    const self: RunningTraining = { path: request.outPath, live: null, lowerings: [] };
    running.current = self;
    let [images, done, total] = [0, job.done, job.total];
    const report = (step: string) => progress.report(done, total, step);
    const tell = (news: TrainingNews) => {
      if (news.kind === 'reading') {
        self.live = news;
        report(`reading pictures (${news.done} of ${news.of})`);
      } else if (news.kind === 'epoch') {
        images = news.run.trainingImages;
        total = images * epochs;
        done = images * Math.min(epochs, news.run.epochs.length);
        report(`training on ${news.run.engine} ${news.run.device}`);
      } else if (news.kind === 'training') {
        self.live = news;
        done = images * (news.epoch - 1) + Math.min(images, news.step * batch);
        report(`epoch ${news.epoch} of ${epochs}`);
      } else report(`${news.reason} It was started again.`);
    };
    try {
      await training.train(request, tell, signal, () => {
        // They stay until they are told: the save before that may fail.
        const asking = self.lowerings.length;
        return asking === 0 ? undefined : (rate) => self.lowerings.splice(0, asking).forEach((told) => told(rate));
      });
    } catch (error) {
      throw (await isGone(request.imagesPath)) && !signal.aborted ? goneFolder(request.imagesPath, error) : pausing(error);
    } finally {
      running.current = null;
      for (const told of self.lowerings) told(undefined);
    }
  };
}

/** An unplugged drive may leave an empty folder behind. */
async function isGone(folder: string): Promise<boolean> {
  return readdir(folder).then((names) => names.length === 0, () => true);
}
