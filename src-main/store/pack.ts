/**
 * A pack: a workspace as one file that somebody else made. It is the workspace's database, without its absolute paths, with the pictures that looking needs, and on request with the score
 * matrices, features and maps cut into pieces. It is read as it lies; only those are unpacked, into a folder that goes when the pack is closed. Whoever made the file is not trusted: it may hold nothing
 * but our tables, names of folders that cannot lead anywhere else, and no more numbers than its records say.
 */
import { mkdir, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';
import { openDatabase, type Database } from './driver.ts';
import { checkLayout, layoutOf, migrate, migrations } from './migrations/migrate.ts';
import { expectedFiles, isMatrixFile, type PackRecords } from './packParts.ts';
import { openForReading, type Reading } from './reading.ts';
import { rowFilesTable } from './rowFiles.ts';

/** Ending of a pack's name. */
export const packExtension = '.switchback';

/** Pieces of files (packParts.ts says of which); only packs have this table. */
export const packedFilesTable = 'CREATE TABLE packed_files (path TEXT NOT NULL, piece INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (path, piece)) STRICT';

/** Bytes of a piece. */
export const pieceBytes = 4 * 2 ** 20;

export interface OpenPack {
  readonly reading: Reading;
  /** Holds activations/ and maps/ where the pack brings such. */
  readonly folder: string;
  close(): Promise<void>;
}

/** @throws AppError WORKSPACE: no pack, damaged, made by a newer program, or holding what no pack of ours holds */
export async function openPack(file: string): Promise<OpenPack> {
  await checkBeginning(file);
  await checkSchema(file);
  const reading = await openForReading(file, file);
  let folder: string | undefined;
  const close = async () => {
    await reading.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  };
  try {
    const expected = expectedFiles(await checkRecords(reading.database, file));
    folder = await mkdtemp(join(tmpdir(), 'switchback-pack-'));
    await unpackFiles(reading.database, file, folder, expected);
    return { reading, folder, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

async function checkBeginning(file: string): Promise<void> {
  const handle = await open(file, 'r').catch((cause: unknown) => {
    throw new AppError('WORKSPACE', `${file} cannot be read: check that you have permission.`, { path: file }, cause);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
    if (bytesRead < 16 || buffer.toString('latin1') !== 'SQLite format 3\0') {
      throw new AppError('WORKSPACE', `${file} is not a pack of Switchback (a *${packExtension} file): choose a pack, or a workspace folder.`, { path: file });
    }
  } finally {
    await handle.close();
  }
}

interface SchemaEntry {
  readonly type: string;
  readonly name: string;
  readonly columns: string | null;
}

/** Views, triggers, virtual tables and generated columns could make a plain SELECT, or a change of the layout, run what the file's maker wrote. */
async function checkSchema(file: string): Promise<void> {
  const database = await openDatabase(file, 'immutable');
  try {
    await database.exec('PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;');
    await checkLayout(database, file);
    const known = await knownSchema(await layoutOf(database));
    for (const entry of await readSchema(database)) {
      const expected = known.get(entry.name);
      if (expected?.type === entry.type && expected.columns === entry.columns) continue;
      throw new AppError('WORKSPACE', `${file} holds the ${entry.type} ${JSON.stringify(entry.name.slice(0, 80))}, which no pack of Switchback has: it was made or changed by another program and is not opened.`, { path: file, name: entry.name.slice(0, 200) });
    }
  } finally {
    await database.close();
  }
}

async function knownSchema(layout: number): Promise<ReadonlyMap<string, SchemaEntry>> {
  const model = await openDatabase(':memory:', 'create');
  try {
    await migrate(model, migrations.filter((step) => step.number <= layout));
    await model.exec(packedFilesTable);
    return new Map((await readSchema(model)).map((entry) => [entry.name, entry]));
  } finally {
    await model.close();
  }
}

async function readSchema(database: Database): Promise<readonly SchemaEntry[]> {
  return database.all<SchemaEntry>(
    `SELECT iif(sql LIKE 'CREATE VIRTUAL%', 'virtual table', type) AS type, name,
       iif(type = 'table', (SELECT group_concat(name || ' ' || type || ' ' || hidden, ', ') FROM pragma_table_xinfo(sqlite_schema.name)), NULL) AS columns
     FROM sqlite_schema ORDER BY name`,
  );
}

/** What the records say of the files that are to be unpacked. */
async function checkRecords(database: Database, file: string): Promise<PackRecords> {
  const refuse = (what: string, id: unknown) => new AppError('WORKSPACE', `${file} is not opened: its record of the ${what} ${JSON.stringify(String(id).slice(0, 40))} is none that Switchback writes.`, { path: file });
  const rows = await database.all<{ id: string; matrixFolder: string; images: number; layers: string; preprocessing: string }>(
    'SELECT id, matrix_folder AS matrixFolder, images, layers, preprocessing FROM indexes',
  );
  const folders = new Map(
    rows.map(({ id, matrixFolder, images, layers, preprocessing }) => {
      const channels = channelsOf(layers);
      const crop = (parsed(preprocessing) as { crop?: unknown } | undefined)?.crop;
      const isCrop = Array.isArray(crop) && crop.length === 2 && crop.every((edge) => Number.isInteger(edge) && edge > 0 && edge <= 4096);
      if (!isName(id) || !(matrixFolder === '' || isName(matrixFolder)) || channels === undefined || !isCrop) throw refuse('index', id);
      return [matrixFolder, images * (channels * 4 + 4 + longestPathBytes) + 2 ** 20];
    }),
  );
  const rowsOf = new Map(rows.map(({ id, images, matrixFolder }) => [id, { images, matrixFolder }]));
  const rowFiles = await rowFilesTable({ reader: database, canWrite: false, writer: () => database }, () => file).list().catch(() => {
    throw refuse('features', '');
  });
  for (const { id, index, what, shape, folder, rows: count } of rowFiles) {
    const own = rowsOf.get(index);
    const isShape = Array.isArray(shape) && shape.length > 0 && shape.every(isCount);
    if (!isName(id) || !['features', 'pixels', 'predictions'].includes(what) || !isShape || own?.matrixFolder !== folder || folder === '' || !(count >= 0 && count <= own.images)) throw refuse('features', id);
  }
  const maps = (await database.all<{ id: string; record: string }>('SELECT id, record FROM maps')).map(({ id, record }) => {
    const { points } = (parsed(record) ?? {}) as { points?: unknown };
    if (!isName(id) || !(points === 0 || isCount(points))) throw refuse('map', id);
    return { id, points };
  });
  return { folders, rowFiles, maps };
}

const longestPathBytes = 4096;

function isName(text: string): boolean {
  return /^[a-z0-9]{6,24}$/.test(text);
}

/** Channels of all layers; undefined where a layer's number or size is none. */
function channelsOf(text: string): number | undefined {
  const layers = parsed(text);
  if (!Array.isArray(layers)) return undefined;
  const sizes = layers.map((layer: unknown) => layer as { number?: unknown; channels?: unknown; height?: unknown; width?: unknown });
  if (!sizes.every(({ number, channels, height, width }) => [number, channels, height, width].every(isCount))) return undefined;
  return sizes.reduce((sum, { channels }) => sum + (channels as number), 0);
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) <= 10_000_000;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

async function unpackFiles(database: Database, file: string, folder: string, expected: (name: string) => number | null): Promise<void> {
  const has = await database.get("SELECT 1 FROM sqlite_schema WHERE name = 'packed_files'");
  if (!has) return;
  const unpacked = new Map<string, number>();
  const paths = await database.all<{ path: string; pieces: number; bytes: number }>('SELECT path, count(*) AS pieces, sum(length(data)) AS bytes FROM packed_files GROUP BY path ORDER BY path');
  for (const { path, pieces, bytes } of paths) {
    const most = expected(path);
    // Layers share what their matrix may hold.
    const shared = most !== null && isMatrixFile(path) ? dirname(path) : path;
    const total = (unpacked.get(shared) ?? 0) + bytes;
    unpacked.set(shared, total);
    if (most === null || total > most) {
      throw new AppError('WORKSPACE', `${file} is not opened: it holds the file ${JSON.stringify(path.slice(0, 80))} (${bytes} bytes), which no pack of Switchback has.`, { path: file });
    }
    const place = join(folder, path.startsWith('maps/') ? '.' : 'activations', path);
    await mkdir(dirname(place), { recursive: true });
    const target = await open(place, 'wx');
    try {
      for (let piece = 0; piece < pieces; piece++) {
        const row = await database.get<{ data: Uint8Array }>('SELECT data FROM packed_files WHERE path = ? AND piece = ?', [path, piece]);
        if (!row) throw new AppError('WORKSPACE', `${file} is damaged: a piece of ${path} is missing. Ask for the pack again.`, { path: file });
        await target.write(row.data);
      }
    } finally {
      await target.close();
    }
  }
}

/** True for a file that a person may mean as a pack. */
export async function isPackFile(path: string): Promise<boolean> {
  return path.endsWith(packExtension) && ((await stat(path).catch(() => null))?.isFile() ?? false);
}
