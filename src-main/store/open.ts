/**
 * Opening and making a workspace folder. The writer has two connections: one for changes and one for reading, so that a look at the atlas never waits behind a batch that
 * is being committed (SQLite's WAL lets readers go on). Readers in other processes need no lock.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';
import { openDatabase, type Database } from './driver.ts';
import { hitsTable, type HitsTable } from './hits.ts';
import { imagesTable, type ImagesTable } from './images.ts';
import { indexesTable, type IndexesTable } from './indexes.ts';
import { jobsTable, type JobsTable } from './jobs.ts';
import { takeWriterLock, type WriterLock } from './lock.ts';
import { checkLayout, migrate } from './migrations/migrate.ts';
import { projectionsTable, type ProjectionsTable } from './projections.ts';
import { statisticsTable, type StatisticsTable } from './statistics.ts';
import { readWorkspace, writeWorkspace, type WorkspaceRecord } from './workspace.ts';

export type StoreMode = 'write' | 'read';

/** An open workspace. In mode `read` everything that changes rows throws AppError WORKSPACE. */
export interface Store {
  /** Absolute. */
  readonly folder: string;
  readonly mode: StoreMode;
  readonly workspace: WorkspaceRecord;
  readonly indexes: IndexesTable;
  readonly images: ImagesTable;
  readonly hits: HitsTable;
  readonly statistics: StatisticsTable;
  readonly jobs: JobsTable;
  readonly projections: ProjectionsTable;
  close(): Promise<void>;
}

/** The two ways to the database that tables are given. */
export interface Connections {
  readonly reader: Database;
  readonly canWrite: boolean;
  /** Throws AppError WORKSPACE in mode `read`. */
  writer(): Database;
}

const fileName = 'workspace.sqlite';

/** True when the folder holds a workspace (of any version). */
export async function isWorkspace(folder: string): Promise<boolean> {
  return (await stat(join(folder, fileName)).catch(() => null))?.isFile() ?? false;
}

/**
 * Makes a workspace in `folder` (created if missing, may hold other files). The database appears complete or not at all.
 * @param name shown to people; default: the folder's name
 * @throws AppError WORKSPACE when there is one already or the folder cannot be written
 */
export async function createWorkspace(folder: string, name: string = basename(resolve(folder))): Promise<void> {
  const absolute = resolve(folder);
  const final = join(absolute, fileName);
  const temporary = join(absolute, `.${fileName}.${randomUUID().slice(0, 8)}`);
  await mkdir(absolute, { recursive: true }).catch((cause: unknown) => {
    throw new AppError('WORKSPACE', `The folder ${absolute} cannot be made: ${String(cause)}. Choose a place where you may write.`, { path: absolute }, cause);
  });
  if (await isWorkspace(absolute)) throw alreadyThere(absolute);
  try {
    const database = await openDatabase(temporary, 'create');
    try {
      await migrate(database);
      await writeWorkspace(database, name);
    } finally {
      await database.close();
    }
    await appear(temporary, final, absolute);
  } finally {
    for (const suffix of ['', '-journal', '-wal', '-shm']) await rm(temporary + suffix, { force: true });
  }
}

/**
 * @param options.create makes the workspace first where the folder has none
 * @throws AppError WORKSPACE: not a workspace, made by a newer program, or held by another writer (who is named)
 */
export async function openStore(folder: string, options: { readonly mode: StoreMode; readonly create?: boolean; readonly name?: string }): Promise<Store> {
  const absolute = resolve(folder);
  if (!(await isWorkspace(absolute))) {
    if (!options.create) throw new AppError('WORKSPACE', `${absolute} is not a Switchback workspace: it holds no ${fileName}. Choose a workspace folder, or make a new one.`, { path: absolute });
    await createWorkspace(absolute, options.name).catch(async (thrown: unknown) => {
      if (!(await isWorkspace(absolute))) throw thrown; // else another process made it meanwhile, which is as good
    });
  }
  const opened: { close(): Promise<void> }[] = [];
  try {
    let writer: Database | undefined;
    if (options.mode === 'write') {
      const lock: WriterLock = await takeWriterLock(absolute);
      opened.push({ close: () => lock.release() });
      writer = await openDatabase(join(absolute, fileName), 'write');
      opened.push(writer);
      await checkLayout(writer, absolute);
      await writer.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000; PRAGMA cache_size = -65536; PRAGMA mmap_size = 268435456;');
      await migrate(writer);
    }
    const reader = await openReader(absolute);
    opened.push(reader);
    const connections: Connections = { reader, canWrite: writer !== undefined, writer: () => writer ?? readOnly(absolute) };
    const indexes = indexesTable(connections);
    const jobs = jobsTable(connections);
    if (writer) {
      await indexes.finishDeletions();
      await jobs.interruptRunning();
    }
    return {
      folder: absolute,
      mode: options.mode,
      workspace: await readWorkspace(reader, absolute),
      indexes,
      images: imagesTable(connections),
      hits: hitsTable(connections),
      statistics: statisticsTable(connections),
      jobs,
      projections: projectionsTable(connections),
      close: () => closeAll(opened),
    };
  } catch (thrown) {
    await closeAll(opened);
    throw thrown;
  }
}

async function openReader(folder: string): Promise<Database> {
  const file = join(folder, fileName);
  const prepared = async (mode: 'read' | 'immutable'): Promise<Database> => {
    const database = await openDatabase(file, mode);
    try {
      await database.exec('PRAGMA query_only = ON; PRAGMA busy_timeout = 5000; PRAGMA cache_size = -32768; PRAGMA mmap_size = 268435456;');
      await checkLayout(database, folder);
      return database;
    } catch (thrown) {
      await database.close();
      throw thrown;
    }
  };
  try {
    return await prepared('read');
  } catch (thrown) {
    // A read-only medium has no place for the side files of the WAL: read the file as it lies there.
    if (thrown instanceof AppError && thrown.data.sqlite === 'SQLITE_CANTOPEN' && (await isWorkspace(folder))) return prepared('immutable');
    throw thrown;
  }
}

/** In the reverse order of opening, so that the lock goes last. */
async function closeAll(opened: { close(): Promise<void> }[]): Promise<void> {
  for (let next = opened.pop(); next !== undefined; next = opened.pop()) await next.close();
}

/** `link` fails where the name is taken, so two processes cannot both make it; file systems without hard links get a rename. */
async function appear(temporary: string, final: string, folder: string): Promise<void> {
  try {
    await link(temporary, final);
  } catch (thrown) {
    if (await isWorkspace(folder)) throw alreadyThere(folder);
    if (!(thrown instanceof Error) || !('code' in thrown) || thrown.code === 'EEXIST') throw thrown;
    await rename(temporary, final);
  }
}

function alreadyThere(folder: string): AppError {
  return new AppError('WORKSPACE', `${folder} is a workspace already: open it, or choose another folder.`, { path: folder });
}

function readOnly(folder: string): never {
  throw new AppError('WORKSPACE', `The workspace ${folder} is open for reading only.`, { path: folder });
}
