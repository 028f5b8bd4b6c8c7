/** Finds the checkpoints of a series and makes sure that they are one architecture: every file is opened, without its weights. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type * as z from 'zod';
import type { checkpointReport, checkpointSource } from '../../src-shared/contract/evolution.ts';
import { AppError } from '../../src-shared/errors.ts';
import { firstDifference } from '../graph/architecture.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import { numberedFiles, numberOf } from '../training/evolution/checkpointNames.ts';

export type CheckpointSource = z.infer<typeof checkpointSource>;
export type CheckpointReport = z.infer<typeof checkpointReport>;

interface FoundFiles {
  readonly checkpoints: readonly { readonly epoch: number; readonly name: string; readonly path: string }[];
  readonly left: CheckpointReport['left'];
}

/** Where the checkpoints lie; of chosen files, where the first one does. */
export function folderOf(source: CheckpointSource): string {
  return source.kind === 'folder' ? resolve(source.path) : dirname(resolve(source.paths[0]!));
}

/** @throws AppError BAD_REQUEST for fewer than two, CONFLICT where two are not one architecture or claim one epoch, and whatever opening a model throws */
export async function inspectCheckpoints(inference: Pick<InferenceClient, 'call'>, source: CheckpointSource, signal?: AbortSignal): Promise<CheckpointReport> {
  const { checkpoints: files, left } = source.kind === 'folder' ? await filesIn(resolve(source.path)) : chosenFiles(source.paths);
  if (files.length < 2) {
    throw new AppError('BAD_REQUEST', `${folderOf(source)} holds ${files.length === 1 ? 'one network whose name ends' : 'no networks whose names end'} in a number; a series needs at least two, such as epoch-001.onnx and epoch-002.onnx.`, { path: folderOf(source), checkpoints: files.length });
  }
  const networks = [];
  for (const file of files) networks.push({ ...file, ...(await inference.call('weights', { path: file.path, which: { kind: 'none' } }, signal)) });
  const [first, ...others] = networks;
  for (const other of others) {
    const difference = firstDifference(first!.architecture, other.architecture);
    if (difference !== null) {
      throw new AppError('CONFLICT', `${other.name} is not of the same architecture as ${first!.name}: ${difference}. Only checkpoints of one network make a series; choose their files alone.`, { first: first!.path, other: other.path });
    }
  }
  const { layers, parameters, preprocessing, preprocessingSource } = await inference.call('inspect', { path: networks.at(-1)!.path }, signal);
  return { checkpoints: networks.map(({ epoch, name, path, modelHash, sizeBytes }) => ({ epoch, name, path, modelHash, sizeBytes })), layers, parameters, preprocessing, preprocessingSource, left };
}

async function filesIn(folder: string): Promise<FoundFiles> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    const isAbsent = error.code === 'ENOENT';
    throw new AppError(isAbsent ? 'NOT_FOUND' : 'BAD_REQUEST', `${folder} ${isAbsent ? 'is not there' : `cannot be read as a folder (${error.code ?? error.message})`}. Choose the folder of a training, or one with checkpoints.`, { path: folder }, error);
  });
  const { checkpoints, left, twice } = numberedFiles(names);
  if (twice) throw new AppError('CONFLICT', `${twice.names[0]} and ${twice.names[1]} in ${folder} both end in ${twice.epoch}: they may be two series. Choose the files of one.`, { path: folder, epoch: twice.epoch });
  return { checkpoints: checkpoints.map((each) => ({ ...each, path: join(folder, each.name) })), left };
}

/** By the numbers in their names, where every file has one of its own. */
function chosenFiles(paths: readonly string[]): FoundFiles {
  const numbers = paths.map((path) => numberOf(basename(path)));
  const isNumbered = numbers.every((number) => number !== null) && new Set(numbers).size === paths.length;
  const checkpoints = paths.map((path, at) => ({ epoch: isNumbered ? numbers[at]! : at + 1, name: basename(path), path: resolve(path) }));
  return { checkpoints: isNumbered ? checkpoints.sort((a, b) => a.epoch - b.epoch) : checkpoints, left: [] };
}
