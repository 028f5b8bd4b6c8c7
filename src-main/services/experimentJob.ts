/** The runner of experiments: gives a study its kept pieces, keeps new ones as they are finished, and its numbers as they grow. A killed job goes on after the last kept piece. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';
import type { JobRunner } from '../jobs/queue.ts';
import type { Store } from '../store/open.ts';
import { experimentStudies } from './experimentStudies.ts';
import type { ExperimentNumbers, ExperimentSpec, ExperimentStudy, StudyMeans } from './experimentStudy.ts';
import { pausing } from './indexJob.ts';
import { computationVersion } from './computation.ts';

export interface ExperimentRequest {
  readonly experiment: string;
}

/** What a stored experiment is about. */
export interface ExperimentSubject {
  readonly title: string;
  readonly modelName: string;
  readonly imagesPath: string;
  /** Of the program and of what it looked at. */
  readonly facts: readonly (string | number)[];
}

/** Numbers of experiments that run, newer than those in the store. */
export type GrowingNumbers = Map<string, ExperimentNumbers>;

/** How often growing numbers go to the store. */
const storeEveryMs = 2000;

export function studyOf({ kind }: ExperimentSpec): ExperimentStudy {
  return experimentStudies[kind] as ExperimentStudy;
}

export function factsOf(facts: readonly (string | number)[]): readonly (string | number)[] {
  return [computationVersion, ...facts];
}

export function scratchFolderOf(store: Store, id: string): string {
  return join(store.folder, 'experiments', id);
}

/** @param version of the program, for captions */
export function experimentRunner(means: StudyMeans, growing: GrowingNumbers, version: string): JobRunner {
  const { store } = means;
  return async (job, progress, signal) => {
    const { experiment: id } = job.request as ExperimentRequest;
    const { spec: stored, subject, caption } = await store.experiments.get(id);
    if (caption !== null) return;
    const spec = stored as ExperimentSpec;
    progress.report(job.done, job.total, 'preparing');
    await removeLeftovers(store);
    const { facts } = await studyOf(spec).complete(means, spec, signal);
    if (JSON.stringify(factsOf(facts)) !== JSON.stringify((subject as ExperimentSubject).facts)) {
      throw new AppError('CONFLICT', 'The network or the images are no longer those with which this experiment began, so its numbers would not belong together. Run it again.', { experiment: id });
    }
    const rows = new Map(await store.experiments.rows(id));
    let storedAtMs = performance.now();
    let saving: Promise<void> = Promise.resolve();
    const save = (numbers: ExperimentNumbers) => {
      saving = saving.then(() => store.experiments.setNumbers(id, numbers)).catch(() => undefined);
    };
    try {
      const outcome = await studyOf(spec).run({
        ...means,
        spec,
        signal,
        report: (done, total, step) => progress.report(done, total, step),
        tell(numbers) {
          growing.set(id, numbers);
          if (performance.now() - storedAtMs < storeEveryMs) return;
          storedAtMs = performance.now();
          save(numbers);
        },
        known: <T>(key: string) => rows.get(key) as T | undefined,
        async kept<T>(key: string, compute: () => Promise<T>): Promise<T> {
          if (rows.has(key)) return rows.get(key) as T;
          const value = JSON.parse(JSON.stringify(await compute())) as T;
          await store.experiments.putRow(id, key, value);
          rows.set(key, value);
          return value;
        },
        async scratchFolder() {
          const folder = scratchFolderOf(store, id);
          await mkdir(folder, { recursive: true });
          return folder;
        },
      });
      await saving;
      await store.experiments.finish(id, { ...outcome, caption: `${outcome.caption} Switchback ${version}, computation ${computationVersion}, Node ${process.versions.node}.` });
      await rm(scratchFolderOf(store, id), { recursive: true, force: true });
    } catch (error) {
      const numbers = growing.get(id);
      if (numbers) save(numbers);
      await saving;
      throw pausing(error);
    } finally {
      growing.delete(id);
    }
  };
}

/** Folders of experiments that went with their index. */
async function removeLeftovers(store: Store): Promise<void> {
  const folders = await readdir(scratchFolderOf(store, '.')).catch((): string[] => []);
  for (const id of folders) {
    const isGone = await store.experiments.get(id).then(() => false, (error: unknown) => error instanceof AppError && error.code === 'NOT_FOUND');
    if (isGone) await rm(scratchFolderOf(store, id), { recursive: true, force: true });
  }
}
