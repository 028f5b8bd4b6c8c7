/**
 * Training runs of the open workspace: planned, queued, listed, watched. A run is its folder: what was trained by the command line into `training/` of the workspace is listed with those
 * that were jobs here.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type * as z from 'zod';
import type { trainingEntry, trainingStart } from '../../src-shared/contract/training.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { LiveJob } from '../jobs/queue.ts';
import { withLowerRate } from '../training/trainNetwork.ts';
import { freeFolder } from './freeFolder.ts';
import { toJob } from './jobs.ts';
import { openTrainingFolder, readTrainingRun, type TrainingRun } from './trainingFiles.ts';
import type { RunningTrainings, TrainingJobRequest, TrainingLive } from './trainingJob.ts';
import { planTraining, type TrainingEstimate, type TrainingRequest } from './trainingPlan.ts';
import { createTurns } from './turns.ts';
import type { WorkspaceService } from './workspaces.ts';

export type TrainingStart = z.infer<typeof trainingStart>;
export type TrainingEntry = z.infer<typeof trainingEntry>;

export interface TrainingRunService {
  estimate(request: TrainingStart, signal?: AbortSignal): Promise<TrainingEstimate>;
  start(request: TrainingStart, signal?: AbortSignal): Promise<{ readonly run: string; readonly path: string; readonly jobId: string }>;
  runs(): Promise<TrainingEntry[]>;
  run(which: { readonly id: string } | { readonly path: string }): Promise<TrainingEntry>;
  watch(id: string, signal?: AbortSignal): AsyncGenerator<{ readonly entry: TrainingEntry; readonly live: TrainingLive | null }, void, void>;
  lowerRate(id: string): Promise<{ readonly learningRate: number }>;
}

/** Folder of the workspace for runs that are given no other. */
const ownFolder = 'training';
const watchIntervalMs = 250;

/** A run before its record is read. */
interface FoundRun {
  readonly id: string;
  /** Absolute. */
  readonly path: string;
  readonly job: LiveJob | null;
}

export function createTrainingRunService(workspaces: WorkspaceService, running: RunningTrainings): TrainingRunService {
  // Two starts at once must not take the same folder.
  const inTurn = createTurns(1);

  /** As a job keeps it: relative to the workspace where it lies in it, so that the workspace can be moved. */
  const keptPath = (path: string): string => {
    const inside = relative(workspaces.required().store.folder, path);
    return inside.startsWith('..') || isAbsolute(inside) ? path : inside.split(sep).join('/');
  };
  const idOf = (path: string): string => createHash('sha256').update(keptPath(path)).digest('hex').slice(0, 12);

  async function folderFor({ outPath, name, architecture, imagesPath }: TrainingStart): Promise<string> {
    if (outPath) return resolve(outPath);
    const wish = name ?? `${architecture.kind === 'file' ? basename(architecture.path).replace(/\.[^.]+$/, '') : architecture.kind}-${basename(resolve(imagesPath))}`;
    return freeFolder(join(workspaces.required().store.folder, ownFolder), wish, 'training');
  }

  async function requestOf(start: TrainingStart): Promise<TrainingRequest> {
    const { name: _, architecture, labelsPath, ...rest } = start;
    return {
      ...rest,
      architecture: architecture.kind === 'file' ? { ...architecture, path: resolve(architecture.path) } : architecture,
      imagesPath: resolve(start.imagesPath),
      ...(labelsPath ? { labelsPath: resolve(labelsPath) } : {}),
      outPath: await folderFor(start),
    };
  }

  async function found(): Promise<FoundRun[]> {
    const { store, queue } = workspaces.required();
    const runs = new Map<string, FoundRun>();
    for (const job of await queue.list()) {
      if (job.kind !== 'train') continue;
      const path = resolve(store.folder, (job.request as TrainingJobRequest).outPath);
      const id = idOf(path);
      if (!runs.has(id)) runs.set(id, { id, path, job });
    }
    const parent = join(store.folder, ownFolder);
    for (const name of await readdir(parent).catch(() => [])) {
      const path = join(parent, name);
      const id = idOf(path);
      if (!runs.has(id) && (await stat(join(path, 'training.json')).catch(() => null))) runs.set(id, { id, path, job: null });
    }
    return [...runs.values()];
  }

  async function one(which: { readonly id: string } | { readonly path: string }): Promise<FoundRun> {
    const id = 'id' in which ? which.id : idOf(resolve(which.path));
    const run = (await found()).find((each) => each.id === id);
    if (run) return run;
    if ('path' in which && (await readTrainingRun(resolve(which.path)))) return { id, path: resolve(which.path), job: null };
    throw new AppError('NOT_FOUND', 'path' in which ? `There is no training in ${resolve(which.path)}.` : 'There is no such training in this workspace; its folder may have been moved or deleted.', { run: id });
  }

  async function entryOf({ id, path, job }: FoundRun): Promise<TrainingEntry | null> {
    const run = await readTrainingRun(path);
    const asked = run ?? (job?.request as TrainingJobRequest | undefined);
    if (!asked) return null;
    // A job may ask for more epochs than its folder has a record of.
    const recipe = job ? (job.request as TrainingJobRequest).recipe : asked.recipe;
    return {
      id,
      name: basename(path),
      path,
      architecture: asked.architecture,
      recipe,
      imagesPath: asked.imagesPath,
      labelsPath: asked.labelsPath ?? null,
      run,
      learningRate: run ? rateOf(run) : recipe.learningRate,
      indexes: await indexesOf(path, asked.imagesPath),
      job: job ? toJob(job) : null,
    };
  }

  async function indexesOf(path: string, imagesPath: string): Promise<TrainingEntry['indexes']> {
    const found = (await workspaces.required().store.indexes.list()).filter((index) => index.cursor > 0 && index.imagesPath === imagesPath && dirname(index.modelPath) === path);
    // Newest first, and the last one named stays.
    return Object.fromEntries(found.toReversed().map(({ modelPath, id }) => [basename(modelPath), id]));
  }

  const service: TrainingRunService = {
    estimate: async (start, signal) => planTraining(await requestOf(start), signal),
    start: (start, signal) =>
      inTurn(async () => {
        const { queue } = workspaces.required();
        const request = await requestOf(start);
        const path = request.outPath;
        const { trainingImages } = await planTraining(request, signal);
        const kept = { ...request, outPath: keptPath(path) };
        const last = (await found()).find((run) => run.path === path)?.job;
        const isSame = JSON.stringify(last?.request) === JSON.stringify(kept);
        if (last && (last.state === 'running' || last.state === 'queued')) {
          if (!isSame) throw new AppError('CONFLICT', `A training of ${path} is ${last.state}. Pause or cancel it before you ask for other epochs or checkpoints.`, { job: last.id });
          return { run: idOf(path), path, jobId: last.id };
        }
        if (last && isSame && last.state !== 'done' && last.state !== 'cancelled') {
          await queue.resume(last.id);
          return { run: idOf(path), path, jobId: last.id };
        }
        // Made now, so that the next free name is another one, and a place where nothing can be written is told at once.
        await openTrainingFolder(path);
        const id = randomBytes(6).toString('hex');
        await queue.add({ id, kind: 'train', indexId: null, title: `Train ${nameOf(request)} on ${basename(request.imagesPath)}`, total: trainingImages * request.recipe.epochs, request: kept satisfies TrainingJobRequest });
        return { run: idOf(path), path, jobId: id };
      }),
    async runs() {
      // One record that cannot be read must not hide the others.
      const entries = await Promise.all((await found()).map((run) => entryOf(run).catch(() => null)));
      return entries.filter((entry) => entry !== null);
    },
    async run(which) {
      const entry = await entryOf(await one(which));
      if (!entry) throw new AppError('NOT_FOUND', 'There is no record of this training; its folder may have been moved or deleted.');
      return entry;
    },
    async *watch(id, signal) {
      for await (const _ of workspaces.jobsChanged.changes(watchIntervalMs, signal)) {
        const entry = await service.run({ id });
        yield { entry, live: running.current?.path === entry.path ? running.current.live : null };
      }
    },
    async lowerRate(id) {
      const { path } = await one({ id });
      const current = running.current?.path === path ? running.current : null;
      const lowered = current && (await new Promise<number | undefined>((resolve) => current.lowerings.push(resolve)));
      return { learningRate: lowered ?? (await lowerStopped(path)) };
    },
  };
  return service;
}

/** Of a training that does not run: what it goes on with is changed on the disk. */
async function lowerStopped(path: string): Promise<number> {
  const folder = await openTrainingFolder(path);
  const [run, stored] = [await folder.run(), await folder.stored()];
  if (run?.state === 'complete') throw new AppError('CONFLICT', 'This training is complete; there is no next step for a lower learning rate.', { path });
  if (!run || !stored) throw new AppError('CONFLICT', 'This training has not saved a step yet. Cancel it and start one with a lower learning rate.', { path });
  const position = withLowerRate(stored.position, 'hand');
  await folder.writeStored({ ...stored, position });
  await folder.writeRun({ ...run, epochs: position.epochs, rateChanges: position.rateChanges });
  return position.learningRate;
}

function rateOf({ rateChanges, epochs, recipe }: TrainingRun): number {
  return rateChanges.at(-1)?.learningRate ?? epochs.at(-1)?.learningRate ?? recipe.learningRate;
}

function nameOf({ architecture, recipe }: TrainingRequest): string {
  if (architecture.kind === 'zfnet') return 'ZFNet';
  if (architecture.kind === 'alexnet') return 'AlexNet';
  return `${recipe.finetune ? 'the last layer of ' : ''}${basename(architecture.path)}`;
}
