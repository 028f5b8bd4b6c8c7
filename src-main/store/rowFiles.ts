/**
 * Table `row_files` and the files that it names: one .npy for each, beside the score matrix of the index, with a row for every image that has one there. `rows` counts what is flushed and
 * committed; a file may hold more after a kill, and is cut back when it is opened to grow. A record whose folder is no longer that of its index belongs to rows that a rescan replaced.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Statements } from './driver.ts';
import { inWords, readAt } from './filePieces.ts';
import { openGrowingArray, tooShort, type GrowingArray } from './growingArray.ts';
import type { StoredIndex } from './indexes.ts';
import { bytesPerElement, npyHeaderBytes, parseNpyHeader, type NpyType } from './npy.ts';
import type { Connections } from './open.ts';

export type RowFileKind = 'features' | 'pixels' | 'predictions';

/** `layer` and `pooling` are empty but for features. */
export interface RowFileWish {
  readonly what: RowFileKind;
  readonly layer: string;
  readonly title: string;
  readonly pooling: string;
  /** Of one row. */
  readonly shape: readonly number[];
}

export interface StoredRowFile extends RowFileWish {
  readonly id: string;
  readonly index: IndexId;
  /** Under activations/. */
  readonly folder: string;
  readonly rows: number;
}

/** Rows of a file that are flushed. */
export interface RowCount {
  readonly id: string;
  readonly rows: number;
}

export interface RowFilesTable {
  list(index?: IndexId): Promise<readonly StoredRowFile[]>;
  get(id: string): Promise<StoredRowFile | null>;
  find(index: IndexId, wish: Pick<RowFileWish, 'what' | 'layer' | 'pooling'>): Promise<StoredRowFile | null>;
  /** The record of what is wished for, made or begun anew where it is of other rows. */
  claim(index: Pick<StoredIndex, 'id' | 'matrixFolder'>, wish: RowFileWish): Promise<StoredRowFile>;
  commit(rows: readonly RowCount[]): Promise<void>;
  /** The record and its file. */
  delete(id: string): Promise<void>;
}

const select = 'SELECT id, index_id AS "index", what, layer, title, pooling, shape, folder, rows FROM row_files';

type Row = Omit<StoredRowFile, 'shape'> & { readonly shape: string };

const types: Readonly<Record<RowFileKind, NpyType>> = { features: 'float32', pixels: 'uint8', predictions: 'float32' };

/** @param folderOf where a folder under activations/ lies */
export function rowFilesTable({ reader, writer }: Connections, folderOf: (name: string) => string): RowFilesTable {
  const parsed = (row: Row): StoredRowFile => ({ ...row, shape: JSON.parse(row.shape) as number[] });
  const table: RowFilesTable = {
    list: async (index) => (await reader.all<Row>(`${select} WHERE ?1 IS NULL OR index_id = ?1 ORDER BY rowid`, [index ?? null])).map(parsed),
    async get(id) {
      const row = await reader.get<Row>(`${select} WHERE id = ?`, [id]);
      return row ? parsed(row) : null;
    },
    async find(index, { what, layer, pooling }) {
      const row = await reader.get<Row>(`${select} WHERE index_id = ? AND what = ? AND layer = ? AND pooling = ?`, [index, what, layer, pooling]);
      return row ? parsed(row) : null;
    },
    async claim({ id: index, matrixFolder: folder }, wish) {
      const found = await table.find(index, wish);
      if (found?.folder === folder && found.shape.join() === wish.shape.join()) return found;
      if (found) await table.delete(found.id);
      const made: StoredRowFile = { ...wish, id: randomBytes(6).toString('hex'), index, folder, rows: 0 };
      await writer().run('INSERT INTO row_files (id, index_id, what, layer, title, pooling, shape, folder, rows) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)', [made.id, index, wish.what, wish.layer, wish.title, wish.pooling, JSON.stringify(wish.shape), folder]);
      return made;
    },
    commit: (counts) => writer().transaction((statements) => countRows(statements, counts)),
    async delete(id) {
      const found = await table.get(id);
      if (!found) return;
      await writer().run('DELETE FROM row_files WHERE id = ?', [id]);
      const folder = folderOf(found.folder);
      // With the indexes of neighbours over it.
      const files = (await readdir(folder).catch((): string[] => [])).filter((name) => name.startsWith(`${found.what}-${found.id}.`));
      for (const name of files) await rm(join(folder, name), { force: true });
    },
  };
  return table;
}

/** Runs inside the caller's transaction. */
export async function countRows(statements: Statements, counts: readonly RowCount[]): Promise<void> {
  for (const { id, rows } of counts) await statements.run('UPDATE row_files SET rows = ? WHERE id = ?', [rows, id]);
}

/** Those of a pass that gathered the rows of another index take the place of that index's own. Runs inside the caller's transaction. */
export async function adoptRowFiles(statements: Statements, pass: IndexId, base: IndexId): Promise<void> {
  await statements.run('DELETE FROM row_files WHERE index_id = ?2 AND (what, layer, pooling) IN (SELECT what, layer, pooling FROM row_files WHERE index_id = ?1)', [pass, base]);
  await statements.run('UPDATE row_files SET index_id = ?2 WHERE index_id = ?1', [pass, base]);
}

/** Under the folder of the matrix. */
export function rowFileName({ what, id }: Pick<StoredRowFile, 'what' | 'id'>): string {
  return `${what}-${id}.npy`;
}

/** Files of this module, and what lies over them, among those of a score matrix. */
export function isRowFileName(name: string): boolean {
  return /^(features|pixels|predictions)-[0-9a-f]+\./.test(name);
}

export function rowBytes({ what, shape }: Pick<StoredRowFile, 'what' | 'shape'>): number {
  return shape.reduce((product, size) => product * size, bytesPerElement(types[what]));
}

/** To grow from its committed rows on; what lies behind them is cut off, and a file that is gone or shorter begins anew (`rows` 0). The caller closes it. */
export async function growRowFile(folder: string, file: StoredRowFile): Promise<GrowingArray & { readonly rows: number }> {
  await inWords(folder, () => mkdir(folder, { recursive: true }));
  const path = join(folder, rowFileName(file));
  const size = (await stat(path).catch(() => null))?.size ?? 0;
  const rows = size >= npyHeaderBytes + file.rows * rowBytes(file) ? file.rows : 0;
  const array = await openGrowingArray(path, types[file.what], file.shape, rows);
  return {
    ...array,
    rows,
    write: (atRow, bytes) => inWords(path, () => array.write(atRow, bytes)),
    flush: () => inWords(path, () => array.flush()),
    count: (counted) => inWords(path, () => array.count(counted)),
  };
}

export interface RowFileReader {
  readonly rows: number;
  /** Bytes of rows `first` to `first + count`; fewer at the end. A buffer of its own. */
  read(first: number, count: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** @throws AppError UNREADABLE_FILE where it is gone or shorter than its record says */
export async function readRowFile(folder: string, file: StoredRowFile): Promise<RowFileReader> {
  const path = join(folder, rowFileName(file));
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw tooShort(path, file.rows, 0, cause);
  });
  try {
    const { dataOffset } = parseNpyHeader(await readAt(handle, 0, npyHeaderBytes), path);
    const bytes = rowBytes(file);
    const held = Math.floor(((await handle.stat()).size - dataOffset) / bytes);
    if (held < file.rows) throw tooShort(path, file.rows, held);
    return {
      rows: file.rows,
      read: (first, count) => readAt(handle, dataOffset + first * bytes, Math.max(0, Math.min(count, file.rows - first)) * bytes),
      close: () => handle.close(),
    };
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
}

/** `images.json` of a matrix folder that has none, because the index keeps no scores: row -> path, one path per line. */
export async function writeRowPaths(folder: string, paths: readonly string[]): Promise<void> {
  await inWords(folder, async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'images.json'), `[\n${paths.map((path) => JSON.stringify(path)).join(',\n')}\n]\n`, { flush: true });
  });
}
