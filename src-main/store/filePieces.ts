/** Reading and writing parts of files at a place, and what the system says about it in words. */
import type { FileHandle } from 'node:fs/promises';
import { AppError } from '../../src-shared/errors.ts';

/** A write may end early on a disk that is nearly full. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) written += (await handle.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
}

/** A buffer of its own, so that it is aligned; shorter at the end of the file. */
export async function readAt(handle: FileHandle, position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled === length ? bytes : bytes.slice(0, filled);
}

const causes: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space and resume',
  EDQUOT: 'your share of the disk is used up; free some space and resume',
  EFBIG: 'the file has reached the largest size that the disk or your account allows',
  EACCES: 'you may not write there; check the permissions',
  EPERM: 'you may not write there; check the permissions',
  EROFS: 'the disk is read-only',
  EIO: 'the disk reports an error',
  ENOENT: 'it is not there; the layer must start over',
};

/** System errors of writing become AppErrors with `data.system`; the rest passes. */
export async function inWords<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
    const sentence = causes[code];
    if (sentence === undefined || thrown instanceof AppError) throw thrown;
    throw new AppError(code === 'ENOENT' ? 'UNREADABLE_FILE' : 'WORKSPACE', `The scores in ${place} cannot be written: ${sentence}.`, { path: place, system: code }, thrown);
  }
}

/** Waits for all, also where one fails, so that nothing is still writing when files are closed or the caller tries again. */
export async function allWritten(work: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(work)) if (outcome.status === 'rejected') throw outcome.reason;
}
