/** Writing what a command made: beside its place and renamed, so that the file is there whole or not at all. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { AppError } from '../../src-shared/errors.ts';

/** Throws AppError BAD_REQUEST where the file cannot be written. */
export async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, bytes);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new AppError('BAD_REQUEST', `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}.`, { out: file }, error);
  }
}
