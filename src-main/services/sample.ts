/** The sample as files: class folders of PNGs, drawn where they are missing. What is drawn is whole, and its folder says by which version of the drawings. */
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { AppError } from '../../src-shared/errors.ts';
import { sampleClasses, samplePerClass, sampleVersion } from '../training/sample/drawSample.ts';
import type { DrawOrder } from '../training/sample/drawThread.ts';
import { drawInThreads } from './drawThreads.ts';

export interface SampleFolder {
  readonly path: string;
  readonly classes: readonly string[];
  readonly images: number;
  /** Of them, drawn by this call. */
  readonly drawn: number;
}

export interface SampleOptions {
  readonly seed?: number;
  readonly perClass?: number;
  readonly onProgress?: (done: number, of: number) => void;
}

const markerName = 'sample.json';
const marker = z.object({ version: z.int() });

/** Throws AppError BAD_REQUEST where the folder cannot be written; the signal's reason when aborted. */
export async function drawSampleFolder(path: string, { seed = 1, perClass = samplePerClass, onProgress = () => undefined }: SampleOptions, signal: AbortSignal): Promise<SampleFolder> {
  const root = resolve(path);
  const images = sampleClasses.length * perClass;
  const orders = await missingOf(root, seed, perClass);
  await writable(root, async () => {
    for (const name of sampleClasses) await mkdir(join(root, name), { recursive: true });
    // Before the first picture: a folder that is left half drawn must not be finished by other drawings.
    if (orders.length > 0) await writeWhole(root, markerName, `${JSON.stringify({ version: sampleVersion })}\n`);
  });
  let done = images - orders.length;
  onProgress(done, images);
  await drawInThreads(
    orders,
    async ({ name, number, png }) => {
      await writable(root, () => writeWhole(join(root, name), fileName({ name, number, seed }), png));
      onProgress(++done, images);
    },
    signal,
  );
  return { path: root, classes: sampleClasses, images, drawn: orders.length };
}

/** How many pictures of the sample lie in a folder, which need not exist. */
export async function countSamplePictures(path: string, seed = 1, perClass = samplePerClass): Promise<{ readonly drawn: number; readonly of: number }> {
  const of = sampleClasses.length * perClass;
  return { drawn: of - (await missingOf(resolve(path), seed, perClass)).length, of };
}

async function missingOf(root: string, seed: number, perClass: number): Promise<readonly DrawOrder[]> {
  const isOther = await isDrawnOtherwise(root);
  const orders: DrawOrder[] = [];
  for (const name of sampleClasses) {
    const there = new Set(isOther ? [] : await readdir(join(root, name)).catch(() => []));
    for (let number = 0; number < perClass; number++) if (!there.has(fileName({ name, number, seed }))) orders.push({ name, number, seed });
  }
  return orders;
}

/** By another version of the drawings: its pictures are drawn again. */
async function isDrawnOtherwise(root: string): Promise<boolean> {
  const text = await readFile(join(root, markerName), 'utf8').catch(() => null);
  if (text === null) return false;
  try {
    return marker.parse(JSON.parse(text)).version !== sampleVersion;
  } catch {
    return true;
  }
}

function fileName({ name, number, seed }: DrawOrder): string {
  return `${name}-${seed}-${String(number).padStart(3, '0')}.png`;
}

/** Beside its place and renamed; hidden until then, so that no scan takes it for a picture. */
export async function writeWhole(folder: string, name: string, content: string | Uint8Array): Promise<void> {
  await writeFile(join(folder, `.${name}`), content);
  await rename(join(folder, `.${name}`), join(folder, name));
}

async function writable(folder: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new AppError('BAD_REQUEST', `The folder ${folder} cannot be written: ${error instanceof Error ? error.message : String(error)}.`, { path: folder }, error);
  }
}
