/**
 * A database opened for reading, wherever it lies. SQLite wants to write side files even to read a database in WAL mode, which a read-only disk refuses: there the file is read as it lies,
 * or, where its newest rows are still in the side file (the writer was killed) or its layout is older than this program's, from a temporary copy.
 */
import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';
import { openDatabase, type Database } from './driver.ts';
import { checkLayout, layoutOf, migrate, newestLayout } from './migrations/migrate.ts';

export interface Reading {
  readonly database: Database;
  /** The file that is read, and whether it is taken as never changing: how another connection may attach it. */
  readonly file: string;
  readonly immutable: boolean;
  close(): Promise<void>;
}

/**
 * @param shown the workspace as messages name it
 * @param upgrade brings an old layout up to date in place, where the caller can; a copy is made where it fails
 * @throws AppError WORKSPACE where the file is no workspace database, is newer than this program, or cannot be read
 */
export async function openForReading(file: string, shown: string, upgrade: () => Promise<void> = () => Promise.reject(new Error('in place it cannot be changed'))): Promise<Reading> {
  const first = await openAsItLies(file, shown);
  if (first.kind === 'opened' && (await layoutOf(first.reading.database)) === newestLayout) return first.reading;
  if (first.kind === 'opened') {
    await first.reading.close();
    const upgraded = await upgrade().then(() => true, () => false);
    if (upgraded) return openForReading(file, shown);
  }
  return openCopy(file, shown);
}

type Opened = { readonly kind: 'opened'; readonly reading: Reading } | { readonly kind: 'needs a copy' };

async function openAsItLies(file: string, shown: string): Promise<Opened> {
  try {
    return { kind: 'opened', reading: await prepared(file, shown, 'read') };
  } catch (thrown) {
    const code = thrown instanceof AppError ? thrown.data.sqlite : undefined;
    if ((code !== 'SQLITE_CANTOPEN' && code !== 'SQLITE_READONLY') || (await bytesOf(file)) === 0) throw thrown;
    if ((await bytesOf(`${file}-wal`)) > 0) return { kind: 'needs a copy' };
    return { kind: 'opened', reading: await prepared(file, shown, 'immutable') };
  }
}

async function prepared(file: string, shown: string, mode: 'read' | 'immutable'): Promise<Reading> {
  const database = await openDatabase(file, mode);
  try {
    // A file from elsewhere may hold functions in views and defaults; none of ours does.
    await database.exec('PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA busy_timeout = 5000; PRAGMA cache_size = -32768;');
    await checkLayout(database, shown);
    return { database, file, immutable: mode === 'immutable', close: () => database.close() };
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

async function openCopy(file: string, shown: string): Promise<Reading> {
  const folder = await mkdtemp(join(tmpdir(), 'switchback-reading-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const copy = join(folder, basename(file));
    for (const suffix of ['', '-wal']) if ((await bytesOf(file + suffix)) > 0) await copyFile(file + suffix, copy + suffix);
    const writer = await openDatabase(copy, 'write');
    try {
      await checkLayout(writer, shown);
      await migrate(writer);
    } finally {
      await writer.close();
    }
    const reading = await prepared(copy, shown, 'read');
    return { ...reading, close: () => reading.close().finally(remove) };
  } catch (thrown) {
    await remove();
    throw thrown;
  }
}

/** 0 for what is not there. */
async function bytesOf(file: string): Promise<number> {
  return (await stat(file).catch(() => null))?.size ?? 0;
}
