/**
 * Table `indexes`: one row for each model + preprocessing + images that was indexed. `key` is the cache key of method.md section 8, made by the caller and unique, so that the same request
 * finds its index again. `cursor` counts the images whose rows are committed; it only moves in hits.commitBatch.
 */
import { randomInt } from 'node:crypto';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { Database } from './driver.ts';
import { insertImages, type ManifestImage } from './images.ts';
import type { Connections } from './open.ts';

export interface NewIndex {
  /** Cache key: equal for requests that must give equal rows. */
  readonly key: string;
  readonly modelPath: string;
  readonly modelName: string;
  readonly modelHash: string;
  readonly imagesPath: string;
  readonly preprocessing: Preprocessing;
  readonly engine: string;
  readonly device: string;
  readonly engineDescription: string;
  readonly batchSize: number;
  readonly top: number;
  readonly layers: readonly Layer[];
  readonly labelsPath: string | null;
  readonly computationVersion: number;
}

export interface StoredIndex extends NewIndex {
  readonly id: IndexId;
  /** Rows of the manifest. */
  readonly images: number;
  /** Images done so far, in manifest order; equal to `images` when complete. */
  readonly cursor: number;
  /** Images that could not be read. */
  readonly skipped: number;
  /** ISO 8601. */
  readonly createdAt: string;
}

export interface IndexesTable {
  /**
   * Stores the record and its whole manifest in one transaction; image numbers follow the order of `images`, from 0.
   * @throws AppError CONFLICT when an index with this key exists
   */
  create(index: NewIndex, images: readonly ManifestImage[]): Promise<StoredIndex>;
  /** @throws AppError NOT_FOUND */
  get(id: IndexId): Promise<StoredIndex>;
  findByKey(key: string): Promise<StoredIndex | null>;
  /** Newest first. */
  list(): Promise<StoredIndex[]>;
  /** Removes the index with everything that belongs to it, in pieces, so that others get their turn; gone from all lists at once. @throws AppError NOT_FOUND */
  delete(id: IndexId): Promise<void>;
  /** Goes on with deletions that a kill interrupted; openStore calls it. */
  finishDeletions(): Promise<void>;
}

export function indexesTable({ reader, writer }: Connections): IndexesTable {
  const get = async (id: IndexId): Promise<StoredIndex> => {
    const row = await reader.get<IndexRow>(`${select} WHERE id = ? AND deleted = 0`, [id]);
    if (!row) throw noIndex(id);
    return fromRow(row);
  };
  return {
    get,
    async create(index, images) {
      const id = newIndexId();
      await writer().transaction(async (statements) => {
        const taken = await statements.get<{ id: string }>('SELECT id FROM indexes WHERE key = ?', [index.key]);
        if (taken) throw new AppError('CONFLICT', `Index ${taken.id} of this model, preprocessing and images exists already: resume it, or delete it first.`, { index: taken.id });
        await statements.run(
          `INSERT INTO indexes (id, key, model_path, model_name, model_hash, images_path, preprocessing, engine, device, engine_description, batch_size, top, layers, labels_path,
             computation_version, images, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          [
            id, index.key, index.modelPath, index.modelName, index.modelHash, index.imagesPath, JSON.stringify(index.preprocessing), index.engine, index.device,
            index.engineDescription, index.batchSize, index.top, JSON.stringify(index.layers), index.labelsPath, index.computationVersion, images.length, new Date().toISOString(),
          ],
        );
        await insertImages(statements, id, images);
      });
      return get(id);
    },
    async findByKey(key) {
      const row = await reader.get<IndexRow>(`${select} WHERE key = ? AND deleted = 0`, [key]);
      return row ? fromRow(row) : null;
    },
    async list() {
      return (await reader.all<IndexRow>(`${select} WHERE deleted = 0 ORDER BY number DESC`)).map(fromRow);
    },
    async delete(id) {
      // The key is freed at once: the same request may start anew while the rows are still going.
      const marked = await writer().run("UPDATE indexes SET deleted = 1, key = 'deleted ' || id WHERE id = ? AND deleted = 0", [id]);
      if (marked === 0) throw noIndex(id);
      await removeRows(writer(), id);
    },
    async finishDeletions() {
      for (const { id } of await writer().all<{ id: IndexId }>('SELECT id FROM indexes WHERE deleted = 1')) await removeRows(writer(), id);
    },
  };
}

/** Hits and images go some thousand rows at a time, the record last: a kill in between leaves it marked. */
async function removeRows(database: Database, id: IndexId): Promise<void> {
  const piece = 20_000;
  while ((await database.run('DELETE FROM hits WHERE (index_id, layer, channel, rank) IN (SELECT index_id, layer, channel, rank FROM hits WHERE index_id = ? LIMIT ?)', [id, piece])) > 0);
  while ((await database.run('DELETE FROM images WHERE (index_id, number) IN (SELECT index_id, number FROM images WHERE index_id = ? LIMIT ?)', [id, piece])) > 0);
  await database.run('DELETE FROM indexes WHERE id = ?', [id]);
}

interface IndexRow extends Omit<StoredIndex, 'preprocessing' | 'layers'> {
  readonly preprocessing: string;
  readonly layers: string;
}

const select = `SELECT id, key, model_path AS modelPath, model_name AS modelName, model_hash AS modelHash, images_path AS imagesPath, preprocessing, engine, device,
  engine_description AS engineDescription, batch_size AS batchSize, top, layers, labels_path AS labelsPath, computation_version AS computationVersion, images, cursor,
  (SELECT count(*) FROM images WHERE images.index_id = indexes.id AND skipped IS NOT NULL) AS skipped, created_at AS createdAt FROM indexes`;

function fromRow(row: IndexRow): StoredIndex {
  return { ...row, preprocessing: JSON.parse(row.preprocessing) as Preprocessing, layers: JSON.parse(row.layers) as Layer[] };
}

function newIndexId(): IndexId {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length: 8 }, () => letters[randomInt(letters.length)]).join('') as IndexId;
}

function noIndex(id: string): AppError {
  return new AppError('NOT_FOUND', `There is no index "${id}" in this workspace: list the indexes to see what it holds.`, { index: id });
}
