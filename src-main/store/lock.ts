/**
 * One writer per workspace (design.md section 4). The lock is an exclusive SQLite transaction on a tiny file of its own: the operating system drops it when the process dies, however it
 * dies, so there is never a stale lock to remove by hand. owner.json beside it only says who to name; it decides nothing.
 */
import { access, constants, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';
import { openDatabase } from './driver.ts';

export interface WriterLock {
  release(): Promise<void>;
}

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** ISO 8601. */
  readonly since: string;
}

/** @throws AppError WORKSPACE with `data.held`, naming the process that holds the workspace, or with `data.readOnly` where nobody may write to the folder */
export async function takeWriterLock(folder: string): Promise<WriterLock> {
  await access(folder, constants.W_OK).catch((cause: unknown) => {
    throw new AppError('WORKSPACE', `The workspace ${folder} cannot be changed: its disk is read-only, or you have no permission to write there. Copy it to a place where you may write.`, { path: folder, readOnly: true }, cause);
  });
  const ownerFile = join(folder, 'owner.json');
  const database = await openDatabase(join(folder, 'lock.sqlite'), 'create');
  try {
    // A short wait covers a writer that is just closing.
    await database.exec('PRAGMA busy_timeout = 300; BEGIN EXCLUSIVE;');
  } catch (thrown) {
    await database.close();
    if (!(thrown instanceof AppError) || thrown.data.sqlite !== 'SQLITE_BUSY') throw thrown;
    const owner = await readOwner(ownerFile);
    const who = owner ? `process ${owner.pid} on ${owner.host} since ${owner.since}` : 'another process';
    throw new AppError(
      'WORKSPACE',
      `The workspace ${folder} is open in ${who}. Close it there, or use another workspace.`,
      { path: folder, held: true, pid: owner?.pid ?? null, host: owner?.host ?? null, since: owner?.since ?? null },
      thrown,
    );
  }
  const owner: Owner = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  await writeFile(ownerFile, `${JSON.stringify(owner)}\n`);
  return {
    async release() {
      await rm(ownerFile, { force: true });
      await database.close();
    },
  };
}

async function readOwner(file: string): Promise<Owner | null> {
  try {
    const owner = JSON.parse(await readFile(file, 'utf8')) as Partial<Owner>;
    return typeof owner.pid === 'number' && typeof owner.host === 'string' && typeof owner.since === 'string' ? { pid: owner.pid, host: owner.host, since: owner.since } : null;
  } catch {
    return null; // being written just now, or removed
  }
}
