/**
 * Opening and making a workspace folder. The writer has two connections: one for changes and one for reading, so that a look at the atlas never waits behind a batch that
 * is being committed (SQLite's WAL lets readers go on). Readers in other processes need no lock.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';
import { assembliesTable, type AssembliesTable } from './assemblies.ts';
import { classesTable, type ClassesTable } from './classes.ts';
import { cropsTable, type CropsTable } from './crops.ts';
import { openDatabase, type Database } from './driver.ts';
import { evolutionsTable, type EvolutionsTable } from './evolutions.ts';
import { experimentsTable, type ExperimentsTable } from './experiments.ts';
import { hitsTable, type HitsTable } from './hits.ts';
import { imagesTable, type ImagesTable } from './images.ts';
import { indexesTable, type IndexesTable } from './indexes.ts';
import { jobsTable, type JobsTable } from './jobs.ts';
import { keptProjectionsTable, type KeptProjectionsTable } from './keptProjections.ts';
import { labResultsTable, type LabResultsTable } from './labResults.ts';
import { labUploadsTable, type LabUploadsTable } from './labUploads.ts';
import { takeWriterLock, type WriterLock } from './lock.ts';
import { checkLayout, migrate } from './migrations/migrate.ts';
import { mapsTable, type MapsTable } from './maps.ts';
import { notesTable, type NotesTable } from './notes.ts';
import { openPack } from './pack.ts';
import { passesTable, type PassesTable } from './passes.ts';
import { picturePartsTable, type PicturePartsTable } from './pictureParts.ts';
import { positionsTable, type PositionsTable } from './positions.ts';
import { projectionsTable, type ProjectionsTable } from './projections.ts';
import { openForReading, type Reading } from './reading.ts';
import { rowFilesTable, type RowFilesTable } from './rowFiles.ts';
import { scansTable, type ScansTable } from './scans.ts';
import { removeScoreMatrix, scoreMatrixFolder } from './scoreMatrix.ts';
import { statisticsTable, type StatisticsTable } from './statistics.ts';
import { readWorkspace, writeWorkspace, type WorkspaceRecord } from './workspace.ts';

export type StoreMode = 'write' | 'read';

/** An open workspace. In mode `read` everything that changes rows throws AppError WORKSPACE. */
export interface Store {
  /** What was opened, absolute: the workspace folder, or the file of a pack. */
  readonly path: string;
  readonly kind: 'folder' | 'pack';
  /** Where the files beside the database lie, absolute; of a pack, where they were unpacked. */
  readonly folder: string;
  readonly mode: StoreMode;
  /** The database file that is read, for another connection to attach it. */
  readonly source: { readonly file: string; readonly immutable: boolean };
  readonly workspace: WorkspaceRecord;
  readonly indexes: IndexesTable;
  readonly passes: PassesTable;
  readonly scans: ScansTable;
  readonly images: ImagesTable;
  readonly classes: ClassesTable;
  readonly hits: HitsTable;
  readonly positions: PositionsTable;
  readonly statistics: StatisticsTable;
  readonly jobs: JobsTable;
  readonly projections: ProjectionsTable;
  readonly keptProjections: KeptProjectionsTable;
  readonly crops: CropsTable;
  readonly assemblies: AssembliesTable;
  readonly evolutions: EvolutionsTable;
  readonly notes: NotesTable;
  readonly labResults: LabResultsTable;
  readonly labUploads: LabUploadsTable;
  readonly experiments: ExperimentsTable;
  readonly pictureParts: PicturePartsTable;
  readonly rowFiles: RowFilesTable;
  readonly maps: MapsTable;
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
 * @param path a workspace folder, or a pack (which opens for reading, whatever the mode)
 * @param options.create makes the workspace first where the folder has none
 * @throws AppError WORKSPACE: not a workspace, made by a newer program, held by another writer (who is named), or not writable (`data.readOnly`)
 */
export async function openStore(path: string, options: { readonly mode: StoreMode; readonly create?: boolean; readonly name?: string }): Promise<Store> {
  const absolute = resolve(path);
  if ((await stat(absolute).catch(() => null))?.isFile()) return openPackedStore(absolute);
  if (!(await isWorkspace(absolute))) {
    if (!options.create) throw new AppError('WORKSPACE', `${absolute} is not a Switchback workspace: it holds no ${fileName}. Choose a workspace folder, or make a new one.`, { path: absolute });
    await createWorkspace(absolute, options.name).catch(async (thrown: unknown) => {
      if (!(await isWorkspace(absolute))) throw thrown; // else another process made it meanwhile, which is as good
    });
  }
  const file = join(absolute, fileName);
  const opened: Closable[] = [];
  try {
    let writer: Database | undefined;
    if (options.mode === 'write') {
      const lock: WriterLock = await takeWriterLock(absolute);
      opened.push({ close: () => lock.release() });
      writer = await openDatabase(file, 'write');
      opened.push(writer);
      await checkLayout(writer, absolute);
      await writer.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000; PRAGMA cache_size = -16384;');
      await migrate(writer);
    }
    const reading = await openForReading(file, absolute, () => openStore(absolute, { mode: 'write' }).then((store) => store.close()));
    opened.push(reading);
    const store = await tables({ path: absolute, kind: 'folder', folder: absolute, mode: options.mode, reading, writer, opened });
    if (writer) {
      await store.indexes.finishDeletions();
      await store.jobs.interruptRunning();
      await store.labResults.interruptRunning();
    }
    return store;
  } catch (thrown) {
    await closeAll(opened);
    throw thrown;
  }
}

async function openPackedStore(file: string): Promise<Store> {
  const opened: Closable[] = [];
  try {
    const pack = await openPack(file);
    opened.push(pack);
    return await tables({ path: file, kind: 'pack', folder: pack.folder, mode: 'read', reading: pack.reading, writer: undefined, opened });
  } catch (thrown) {
    await closeAll(opened);
    throw thrown;
  }
}

interface Closable {
  close(): Promise<void>;
}

type Parts = Pick<Store, 'path' | 'kind' | 'folder' | 'mode'> & { readonly reading: Reading; readonly writer: Database | undefined; readonly opened: Closable[] };

async function tables({ path, kind, folder, mode, reading, writer, opened }: Parts): Promise<Store> {
  const connections: Connections = { reader: reading.database, canWrite: writer !== undefined, writer: () => writer ?? readOnly(path) };
  return {
    path,
    kind,
    folder,
    mode,
    source: { file: reading.file, immutable: reading.immutable },
    workspace: await readWorkspace(reading.database, path),
    indexes: indexesTable(connections, (name) => removeScoreMatrix(scoreMatrixFolder(folder, name))),
    passes: passesTable(connections),
    scans: scansTable(connections),
    images: imagesTable(connections),
    classes: classesTable(connections),
    hits: hitsTable(connections),
    positions: positionsTable(connections),
    statistics: statisticsTable(connections),
    jobs: jobsTable(connections),
    projections: projectionsTable(connections),
    keptProjections: keptProjectionsTable(connections),
    crops: cropsTable(connections),
    assemblies: assembliesTable(connections),
    evolutions: evolutionsTable(connections),
    notes: notesTable(connections),
    labResults: labResultsTable(connections),
    labUploads: labUploadsTable(connections),
    experiments: experimentsTable(connections),
    pictureParts: picturePartsTable(connections),
    rowFiles: rowFilesTable(connections, (name) => scoreMatrixFolder(folder, name)),
    maps: mapsTable(connections, join(folder, 'maps')),
    close: () => closeAll(opened),
  };
}

/** In the reverse order of opening, so that the lock goes last. */
async function closeAll(opened: Closable[]): Promise<void> {
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
