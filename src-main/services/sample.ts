/** The sample as files: class folders of PNGs, drawn where they are missing. */
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';
import { encodePng } from '../dataset/picture.ts';
import { drawSample, sampleClasses, sampleEdge, samplePerClass } from '../training/sample/drawSample.ts';

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

/** Throws AppError BAD_REQUEST where the folder cannot be written; the signal's reason when aborted. */
export async function drawSampleFolder(path: string, { seed = 1, perClass = samplePerClass, onProgress = () => undefined }: SampleOptions, signal: AbortSignal): Promise<SampleFolder> {
  const root = resolve(path);
  const images = sampleClasses.length * perClass;
  let [done, drawn] = [0, 0];
  for (const name of sampleClasses) {
    const folder = join(root, name);
    const there = new Set(await made(folder));
    for (let number = 0; number < perClass; number++) {
      signal.throwIfAborted();
      const file = `${name}-${String(seed)}-${String(number).padStart(3, '0')}.png`;
      if (!there.has(file)) {
        const png = await encodePng(drawSample(name, number, seed), sampleEdge, sampleEdge, 3);
        await writeFile(join(folder, `.${file}`), png);
        await rename(join(folder, `.${file}`), join(folder, file));
        drawn++;
      }
      onProgress(++done, images);
    }
  }
  return { path: root, classes: sampleClasses, images, drawn };
}

/** What lies in the folder, which is made where it is missing. */
async function made(folder: string): Promise<readonly string[]> {
  try {
    await mkdir(folder, { recursive: true });
    return await readdir(folder);
  } catch (error) {
    throw new AppError('BAD_REQUEST', `The folder ${folder} cannot be written: ${error instanceof Error ? error.message : String(error)}.`, { path: folder }, error);
  }
}
