/** The trained network that comes with Switchback: a training's folder without what only its own machine knew. What is opened is a copy in the person's workspace, as an installed program may lie in another place at its next start. */
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type * as z from 'zod';
import type { sampleNetwork } from '../../src-shared/contract/sample.ts';
import { AppError } from '../../src-shared/errors.ts';
import { writeWhole } from './sample.ts';
import { readTrainingRun, type TrainingRun } from './trainingFiles.ts';

export type SampleNetwork = z.infer<typeof sampleNetwork>;

export interface FoundSample {
  readonly network: SampleNetwork;
  readonly run: TrainingRun;
  /** Names of the checkpoint files, by epoch. */
  readonly checkpoints: readonly string[];
}

/** Throws AppError NOT_FOUND where the folder holds no sample network, UNREADABLE_FILE where its record is broken. */
export async function readSampleNetwork(folder: string): Promise<FoundSample> {
  const run = await readTrainingRun(folder);
  const files = new Map<string, number>();
  for (const name of await readdir(folder).catch(() => [])) if (/^epoch-\d+\.onnx$/.test(name)) files.set(name, (await stat(join(folder, name))).size);
  const checkpoints = [...files.keys()].sort();
  if (!run || checkpoints.length === 0) throw new AppError('NOT_FOUND', 'This copy of Switchback came without its sample network. Install it again, or train a network of your own.', { path: folder });
  const { architecture, classes, parameters } = run;
  return {
    run,
    checkpoints,
    network: {
      title: architecture.kind === 'file' ? 'Sample network' : `${architecture.kind === 'zfnet' ? 'ZFNet' : 'AlexNet'}, width ${architecture.width}, ${architecture.input} x ${architecture.input}`,
      classes,
      parameters,
      validationError: run.epochs.at(-1)?.validationError ?? null,
      epochs: checkpoints.map(epochOf),
      sizeBytes: [...files.values()].reduce((sum, size) => sum + size, 0),
    },
  };
}

/** Copies what is missing or other, as the record of a training on the pictures in that folder. Returns the path of the trained network. */
export async function copySampleNetwork(from: string, to: string, picturesPath: string): Promise<string> {
  const { run, checkpoints } = await readSampleNetwork(from);
  await mkdir(to, { recursive: true });
  for (const name of checkpoints) await writeChanged(to, name, await readFile(join(from, name)));
  await writeChanged(to, 'training.json', Buffer.from(`${JSON.stringify({ ...run, imagesPath: picturesPath, labelsPath: null }, null, 2)}\n`));
  return join(to, checkpoints.at(-1)!);
}

async function writeChanged(folder: string, name: string, bytes: Buffer): Promise<void> {
  const there = await readFile(join(folder, name)).catch(() => null);
  if (there?.equals(bytes)) return;
  await writeWhole(folder, name, bytes);
}

function epochOf(name: string): number {
  return Number(/\d+/.exec(name)?.[0]);
}
