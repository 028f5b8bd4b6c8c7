/**
 * The folder of a training: `training.json` for people and programs, checkpoints as ONNX, and `training.state` for going on: a JSON header with where it stands,
 * then the float32 values of weights and velocities. Each file is written beside its place and renamed, so that it is there whole or not at all.
 */
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type * as z from 'zod';
import { trainingRun } from '../../src-shared/contract/training.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { TrainedState } from '../inference/worker/trainSteps.ts';
import type { MeanPicture } from '../training/pictures.ts';
import type { TrainingPosition } from '../training/trainNetwork.ts';

export type TrainingRun = z.infer<typeof trainingRun>;

export interface StoredTraining {
  readonly position: TrainingPosition;
  /** Paths of the images that are used, in order, and the class of each. */
  readonly images: readonly string[];
  readonly labels: readonly number[];
  /** SHA-256 of the model file where the architecture is a file's. */
  readonly modelHash: string | null;
  readonly mean: MeanPicture;
  readonly state: TrainedState;
}

const magic = 'switchback training 1\n';
const stateFile = 'training.state';

export interface TrainingFolder {
  readonly path: string;
  /** Null where no training was begun here. Throws AppError UNREADABLE_FILE. */
  run(): Promise<TrainingRun | null>;
  stored(): Promise<StoredTraining | null>;
  writeRun(run: TrainingRun): Promise<void>;
  writeStored(stored: StoredTraining): Promise<void>;
  /** Returns the file's name. */
  writeCheckpoint(epoch: number, bytes: Uint8Array): Promise<string>;
}

/** The record of a folder, which need not exist; null where no training was begun there. Throws AppError UNREADABLE_FILE. */
export async function readTrainingRun(path: string): Promise<TrainingRun | null> {
  const file = join(path, 'training.json');
  const bytes = await readIfThere(file);
  if (!bytes) return null;
  try {
    return trainingRun.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (error) {
    throw new AppError('UNREADABLE_FILE', `${file} is not the record of a training. Choose another folder, or delete the file to start again.`, { path }, error);
  }
}

/** Whether a training in this folder can go on. */
export async function canGoOn(path: string): Promise<boolean> {
  return (await stat(join(path, stateFile)).catch(() => null)) !== null;
}

/** Makes it where it is missing. */
export async function openTrainingFolder(path: string): Promise<TrainingFolder> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw new AppError('BAD_REQUEST', `The folder ${path} cannot be made: ${error instanceof Error ? error.message : String(error)}.`, { path, ...systemOf(error) }, error);
  });
  const file = (name: string) => join(path, name);
  return {
    path,
    run: () => readTrainingRun(path),
    async stored() {
      const bytes = await readIfThere(file(stateFile));
      return bytes ? decode(bytes, file(stateFile)) : null;
    },
    writeRun: (run) => writeWhole(file('training.json'), [new TextEncoder().encode(`${JSON.stringify(run, null, 2)}\n`)]),
    writeStored: (stored) => writeWhole(file(stateFile), encode(stored)),
    async writeCheckpoint(epoch, bytes) {
      const name = `epoch-${String(epoch).padStart(3, '0')}.onnx`;
      await writeWhole(file(name), [bytes]);
      return name;
    },
  };
}

interface Header {
  readonly position: TrainingPosition;
  readonly images: readonly string[];
  readonly labels: readonly number[];
  readonly modelHash: string | null;
  readonly deviation: number;
  /** Parts in the order of their values. */
  readonly parts: readonly { readonly kind: 'mean' | 'colours' | 'weight' | 'velocity'; readonly name: string; readonly length: number }[];
}

function encode({ state, mean, ...rest }: StoredTraining): Uint8Array[] {
  const values: Float32Array[] = [mean.pixels, mean.colours, ...state.weights.values(), ...state.velocities.values()];
  const part = (kind: Header['parts'][number]['kind']) => ([name, { length }]: readonly [string, Float32Array]) => ({ kind, name, length });
  const header: Header = {
    ...rest,
    deviation: mean.deviation,
    parts: [part('mean')(['', mean.pixels]), part('colours')(['', mean.colours]), ...[...state.weights].map(part('weight')), ...[...state.velocities].map(part('velocity'))],
  };
  const text = new TextEncoder().encode(`${magic}${JSON.stringify(header)}\n`);
  return [text, ...values.map((each) => new Uint8Array(each.buffer, each.byteOffset, each.byteLength))];
}

function decode(bytes: Uint8Array, file: string): StoredTraining {
  const broken = (cause?: unknown) => new AppError('UNREADABLE_FILE', `${file} is broken. Delete it and training.json beside it to train again from the beginning.`, { path: file }, cause);
  try {
    const start = magic.length;
    if (new TextDecoder().decode(bytes.subarray(0, start)) !== magic) throw broken('it does not begin as one');
    const end = bytes.indexOf(10, start);
    const { parts, deviation, ...rest } = JSON.parse(new TextDecoder().decode(bytes.subarray(start, end))) as Header;
    let at = end + 1;
    const values = parts.map(({ kind, name, length }) => {
      const data = new Float32Array(bytes.slice(at, at + 4 * length).buffer);
      at += 4 * length;
      return { kind, name, data };
    });
    if (at !== bytes.length) throw broken();
    const ofKind = (kind: string) => new Map(values.filter((value) => value.kind === kind).map(({ name, data }) => [name, data]));
    return {
      ...rest,
      mean: { pixels: ofKind('mean').get('')!, colours: ofKind('colours').get('')!, deviation },
      state: { weights: ofKind('weight'), velocities: ofKind('velocity') },
    };
  } catch (error) {
    throw error instanceof AppError ? error : broken(error);
  }
}

async function readIfThere(file: string): Promise<Uint8Array | null> {
  try {
    // Not a Buffer: its slices would be views.
    return new Uint8Array(await readFile(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new AppError('UNREADABLE_FILE', `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`, { path: file }, error);
  }
}

/** Flushed before it is renamed: what a power cut leaves is the old file or the new one. */
async function writeWhole(file: string, parts: readonly Uint8Array[]): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    const handle = await open(temporary, 'w');
    try {
      // Not write(), which may stop half-way on a full disk without saying so.
      for (const part of parts) await handle.writeFile(part);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new AppError('BAD_REQUEST', `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}.`, { path: file, ...systemOf(error) }, error);
  }
}

/** The system's name of the failure, by which a full disk pauses a job. */
function systemOf(error: unknown): { readonly system?: string } {
  const { code } = error as NodeJS.ErrnoException;
  return code ? { system: code } : {};
}
