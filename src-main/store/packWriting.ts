/**
 * Writing a pack (pack.ts says what it is): a compact copy of the database, without what only its own machine needs, written beside its place and renamed.
 */
import { open, rename, rm, stat } from 'node:fs/promises';
import { AppError } from '../../src-shared/errors.ts';
import { cropsTable, type CropsTable } from './crops.ts';
import { openDatabase, type Database } from './driver.ts';
import type { SeriesRecord } from './evolutions.ts';
import { indexesTable } from './indexes.ts';
import { labUploadsTable, type LabUploadsTable } from './labUploads.ts';
import { mapsTable } from './maps.ts';
import type { Connections, Store } from './open.ts';
import { packedFilesTable, pieceBytes } from './pack.ts';
import { packableFiles, type PackPart } from './packParts.ts';
import { rowFilesTable } from './rowFiles.ts';
import { scoreMatrixFolder } from './scoreMatrix.ts';

export interface PackContents {
  /** Ids of the indexes to pack; all if absent. */
  readonly indexes?: readonly string[] | undefined;
  /** Files beside the database. */
  readonly parts: readonly PackPart[];
  /** Adds what the workspace has not kept: pictures, and names of classes. */
  complete?(copy: { readonly crops: CropsTable; readonly labUploads: LabUploadsTable }): Promise<void>;
}

export interface PackedNumbers {
  readonly sizeBytes: number;
  readonly indexes: number;
  readonly pictures: { readonly wanted: number; readonly packed: number };
  readonly projections: number;
  readonly maps: number;
  readonly experiments: number;
}

/** @throws AppError BAD_REQUEST where the file cannot be written */
export async function writePack(store: Store, file: string, { indexes, parts, complete }: PackContents, progress: (step: string) => void = () => undefined, signal?: AbortSignal): Promise<PackedNumbers> {
  const temporary = `${file}.${process.pid}.part`;
  try {
    await rm(temporary, { force: true });
    progress('copying the database');
    await copyDatabase(store, temporary);
    const copy = await openDatabase(temporary, 'write');
    let numbers: Omit<PackedNumbers, 'sizeBytes'>;
    try {
      await copy.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON;');
      progress('leaving out what only this machine needs');
      await leaveOut(copy, indexes);
      const connections: Connections = { reader: copy, canWrite: true, writer: () => copy };
      await complete?.({ crops: cropsTable(connections), labUploads: labUploadsTable(connections) });
      const files = await chooseFiles(connections, store, parts);
      await copy.exec('VACUUM');
      await copy.exec(packedFilesTable);
      for (const { name, path } of files) {
        progress(`file ${name}`);
        await packFile(copy, path, name, signal);
      }
      numbers = await count(copy);
    } finally {
      await copy.close();
    }
    await flush(temporary);
    await rename(temporary, file);
    return { ...numbers, sizeBytes: (await stat(file)).size };
  } catch (thrown) {
    for (const suffix of ['', '-journal']) await rm(temporary + suffix, { force: true });
    if (thrown instanceof AppError || !(thrown instanceof Error) || !('code' in thrown) || signal?.aborted) throw thrown;
    throw new AppError('BAD_REQUEST', `${file} cannot be written: ${thrown.message}. Choose a place where you may write and that has room.`, { path: file }, thrown);
  }
}

/** A copy without free pages and without side files, of what is committed at this moment; the workspace may be in use. */
async function copyDatabase({ source }: Store, target: string): Promise<void> {
  const database = await openDatabase(source.file, source.immutable ? 'immutable' : 'read');
  try {
    await database.run('VACUUM INTO ?', [target]);
  } finally {
    await database.close();
  }
}

/** Jobs, caches, hidden indexes, and where on this machine things lie. */
async function leaveOut(copy: Database, indexes: readonly string[] | undefined): Promise<void> {
  await copy.transaction(async (statements) => {
    await statements.run('DELETE FROM indexes WHERE deleted = 1 OR staged_for IS NOT NULL OR (?1 IS NOT NULL AND id NOT IN (SELECT value FROM json_each(?1)))', [indexes ? JSON.stringify(indexes) : null]);
    await statements.exec('DELETE FROM jobs; DELETE FROM projections; DELETE FROM lab_uploads;');
    // Of a choice of indexes, only what is said of their models; the workspace's own note goes along.
    if (indexes) await statements.exec("DELETE FROM notes WHERE model_hash <> '' AND model_hash NOT IN (SELECT model_hash FROM indexes)");
    // An unfinished experiment has lost its job; a part without the size of its picture, the file that says where it is in a network's input.
    await statements.exec('DELETE FROM experiments WHERE caption IS NULL; DELETE FROM picture_parts WHERE height IS NULL OR width IS NULL OR content_hash NOT IN (SELECT content_hash FROM images WHERE content_hash IS NOT NULL);');
    if (indexes) await statements.exec('DELETE FROM experiments WHERE index_id IS NULL; DELETE FROM maps WHERE index_id NOT IN (SELECT id FROM indexes);');
    for (const { id, spec, subject } of await statements.all<{ id: string; spec: string; subject: string }>('SELECT id, spec, subject FROM experiments')) {
      await statements.run('UPDATE experiments SET spec = ?, subject = ? WHERE id = ?', [withoutPlaces(spec), withoutPlaces(subject), id]);
    }
    for (const { id, record } of await statements.all<{ id: string; record: string }>('SELECT id, record FROM maps')) {
      await statements.run('UPDATE maps SET record = ? WHERE id = ?', [withoutPlaces(record), id]);
    }
    for (const { id, record } of await statements.all<{ id: string; record: string }>('SELECT id, record FROM evolutions')) {
      const series = JSON.parse(record) as SeriesRecord;
      const { folder, imagesPath, labelsPath, checkpoints } = series;
      const placeless: SeriesRecord = { ...series, folder: lastName(folder), imagesPath: lastName(imagesPath), labelsPath: labelsPath === null ? null : lastName(labelsPath), checkpoints: checkpoints.map((each) => ({ ...each, path: lastName(each.path) })) };
      await statements.run('UPDATE evolutions SET record = ? WHERE id = ?', [JSON.stringify(placeless), id]);
    }
    for (const { id, model, images, labels } of await statements.all<{ id: string; model: string; images: string; labels: string | null }>('SELECT id, model_path AS model, images_path AS images, labels_path AS labels FROM indexes')) {
      await statements.run('UPDATE indexes SET model_path = ?, images_path = ?, labels_path = ? WHERE id = ?', [lastName(model), lastName(images), labels === null ? null : lastName(labels), id]);
    }
  });
}

/** JSON whose paths, at whatever depth, have only their last part left. */
function withoutPlaces(json: string): string {
  return JSON.stringify(JSON.parse(json, (key, value: unknown) => (typeof value === 'string' && /(^p|P)ath$/.test(key) ? lastName(value) : value)));
}

/** The last part of a path of any system. */
function lastName(path: string): string {
  return path.split(/[\\/]/).findLast((part) => part !== '') ?? path;
}

/** The files of these parts, after whose choice the records of all others are gone. */
async function chooseFiles(connections: Connections, { folder }: Store, parts: readonly PackPart[]) {
  const none = () => Promise.resolve();
  const copied = { indexes: indexesTable(connections, none), rowFiles: rowFilesTable(connections, (name) => scoreMatrixFolder(folder, name)), maps: mapsTable(connections, folder) };
  const files = (await packableFiles(copied, folder)).filter((file) => file.parts.some((part) => parts.includes(part)));
  const records = JSON.stringify(files.flatMap(({ record }) => record ?? []));
  for (const table of ['row_files', 'maps']) await connections.writer().run(`DELETE FROM ${table} WHERE id NOT IN (SELECT value FROM json_each(?))`, [records]);
  return files;
}

async function packFile(copy: Database, file: string, path: string, signal: AbortSignal | undefined): Promise<void> {
  const handle = await open(file, 'r');
  try {
    const buffer = Buffer.alloc(pieceBytes);
    for (let piece = 0; ; piece++) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, pieceBytes, piece * pieceBytes);
      if (bytesRead === 0) return;
      await copy.run('INSERT INTO packed_files (path, piece, data) VALUES (?, ?, ?)', [path, piece, buffer.subarray(0, bytesRead)]);
      if (bytesRead < pieceBytes) return;
    }
  } finally {
    await handle.close();
  }
}

async function count(copy: Database): Promise<Omit<PackedNumbers, 'sizeBytes'>> {
  const row = await copy.get<{ indexes: number; wanted: number; packed: number; projections: number; maps: number; experiments: number }>(
    `SELECT (SELECT count(*) FROM indexes) AS indexes, (SELECT count(*) FROM crops) AS packed, (SELECT count(*) FROM kept_projections) AS projections, (SELECT count(*) FROM maps) AS maps,
       (SELECT count(*) FROM experiments) AS experiments,
       (SELECT count(*) FROM (SELECT images.index_id, content_hash FROM hits JOIN images ON images.index_id = hits.index_id AND images.number = hits.image UNION SELECT index_id, content_hash FROM crops)) AS wanted`,
  );
  const { wanted, packed, ...numbers } = row!;
  return { ...numbers, pictures: { wanted, packed } };
}

async function flush(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.datasync();
  } finally {
    await handle.close();
  }
}
