/**
 * The files beside an opened model, read from disk. Names come from inside model files, so nothing above the model's own folder is ever touched:
 * absolute paths, `..` and links that lead out of the folder are refused.
 */
import { closeSync, openSync, readFileSync, readSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';
import type { Siblings } from './format.ts';

/** Node reads no larger file into one buffer. */
export const maximumModelBytes = 2 ** 31 - 1;

export interface RecordedSiblings extends Siblings {
  /** What was read so far, by name. */
  readonly parts: ReadonlyMap<string, Uint8Array>;
}

/** The files in the folder of the model at `modelPath`. */
export function siblingsOf(modelPath: string): RecordedSiblings {
  const folder = dirname(modelPath);
  const own = basename(modelPath);
  const parts = new Map<string, Uint8Array>();
  return {
    parts,
    list: () => readdirSync(folder, { withFileTypes: true }).filter((entry) => !entry.isDirectory() && entry.name !== own).map((entry) => entry.name).sort(),
    read(name) {
      const known = parts.get(name);
      if (known) return known;
      const path = locate(folder, name, own);
      const { size } = statSync(path);
      if (size > maximumModelBytes) {
        throw new AppError('UNSUPPORTED', `${name}, beside ${own}, has ${size} bytes; files up to 2 GiB can be read. Export the model in smaller parts.`, { file: name, sizeBytes: size });
      }
      const bytes = attempt(() => readFileSync(path), name, own);
      parts.set(name, bytes);
      return bytes;
    },
    peek(name, maximumBytes) {
      const path = locate(folder, name, own);
      return attempt(() => readStart(path, maximumBytes), name, own);
    },
  };
}

function locate(folder: string, name: string, own: string): string {
  const path = join(folder, name);
  if (isAbsolute(name) || name.includes('\0') || leadsOut(folder, path)) throw outside(name, own);
  try {
    const real = realpathSync(path);
    if (leadsOut(realpathSync(folder), real)) throw outside(name, own);
    if (!statSync(real).isFile()) throw missing(name, own);
    return real;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw missing(name, own, error);
  }
}

function leadsOut(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way);
}

function readStart(path: string, maximumBytes: number): Uint8Array {
  const descriptor = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(Math.min(maximumBytes, statSync(path).size));
    return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

function attempt(read: () => Uint8Array, name: string, own: string): Uint8Array {
  try {
    return read();
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new AppError('UNREADABLE_FILE', `${name}, beside ${own}, cannot be read (${reason}). Check its permissions.`, { file: name }, error);
  }
}

function missing(name: string, own: string, cause?: unknown): AppError {
  return new AppError('NOT_FOUND', `${own} needs the file ${JSON.stringify(name)} beside it, which is not there. Put it into the same folder.`, { file: name }, cause);
}

function outside(name: string, own: string): AppError {
  return new AppError('UNREADABLE_FILE', `${own} names the file ${JSON.stringify(name)}, which is outside its own folder; such files are not read. Put it beside ${own} and correct the name.`, { file: name });
}
