/**
 * Table `indexes`: one row for each model + preprocessing + images that was indexed. `key` is the cache key of method.md section 8, made by the caller and unique, so that the same request
 * finds its index again. `cursor` counts the images whose rows are committed; it only moves in hits.commitBatch. A hidden index (`stagedFor`) gathers the rows of a pass over another one:
 * passes.ts makes it and lets it take the other's place.
 */
import { randomInt } from 'node:crypto';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { Database, Statements } from './driver.ts';
import { insertImages, type ManifestImage } from './images.ts';
import type { Connections } from './open.ts';
import { insertScan } from './scans.ts';

/** From image `fromImage` on, rows were computed in another way than the record says. */
export interface PlacementChange {
  readonly fromImage: number;
  readonly engine: string;
  readonly device: string;
  readonly batchSize: number;
  readonly description: string;
  readonly reason: string;
}

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
  /** How scores are kept beside the hits. */
  readonly matrix: 'float32' | 'float16' | 'none';
  /** Which places of the folder's listing it covers (indexing/shards.ts); null for all. */
  readonly part: { readonly images: number; readonly listing: string | null; readonly ranges: readonly (readonly [from: number, to: number])[] } | null;
}

export interface StoredIndex extends NewIndex {
  readonly id: IndexId;
  /** Rows of the manifest. */
  readonly images: number;
  /** Images done so far, in manifest order; equal to `images` when complete. */
  readonly cursor: number;
  /** Images that could not be read. */
  readonly skipped: number;
  /** The score matrix's folder under activations/. */
  readonly matrixFolder: string;
  readonly placementChanges: readonly PlacementChange[];
  /** Added to the cursor where a list's version is written. */
  readonly versionBase: number;
  /** The index that this hidden one is a pass over, and what the pass is for. */
  readonly stagedFor: IndexId | null;
  readonly stagedKind: 'rescan' | 'layers' | null;
  /** ISO 8601. */
  readonly createdAt: string;
}

export interface IndexesTable {
  /**
   * Stores the record and its whole manifest in one transaction; image numbers follow the order of `images`, from 0; without `images` the finished scan is the manifest.
   * @throws AppError CONFLICT when an index with this key exists
   */
  create(index: NewIndex, images?: readonly ManifestImage[]): Promise<StoredIndex>;
  /** @throws AppError NOT_FOUND */
  get(id: IndexId): Promise<StoredIndex>;
  findByKey(key: string): Promise<StoredIndex | null>;
  /** From image `change.fromImage` on rows come another way; a change recorded there or later is replaced. */
  recordPlacement(id: IndexId, change: PlacementChange): Promise<void>;
  /** Drops changes from the cursor on: they are of rows that a kill took back. */
  forgetPlacements(id: IndexId): Promise<void>;
  /** Newest first. */
  list(): Promise<StoredIndex[]>;
  /** Removes the index with everything that belongs to it, in pieces, so that others get their turn; gone from all lists at once. @throws AppError NOT_FOUND */
  delete(id: IndexId): Promise<void>;
  /** Goes on with deletions that a kill interrupted; openStore calls it. */
  finishDeletions(): Promise<void>;
}

/** @param removeMatrix takes the name of a folder under activations/ */
export function indexesTable({ reader, writer }: Connections, removeMatrix: (folder: string) => Promise<void>): IndexesTable {
  const get = async (id: IndexId): Promise<StoredIndex> => {
    const row = await reader.get<IndexRow>(`${select} WHERE id = ? AND deleted = 0`, [id]);
    if (!row) throw noIndex(id);
    return fromRow(row);
  };
  const changePlacements = async (id: IndexId, change: (index: StoredIndex) => readonly PlacementChange[]) => {
    await writer().run('UPDATE indexes SET placement_changes = ? WHERE id = ?', [JSON.stringify(change(await get(id))), id]);
  };
  // The matrix goes first: while the record is there, a kill leaves nothing that nobody would remove.
  const finishDeletions = async () => {
    for (const { id, matrixFolder } of await writer().all<{ id: IndexId; matrixFolder: string }>('SELECT id, matrix_folder AS matrixFolder FROM indexes WHERE deleted = 1')) {
      if (matrixFolder !== '') await removeMatrix(matrixFolder);
      await removeRows(writer(), id);
    }
  };
  return {
    get,
    async create(index, images) {
      const id = newIndexId();
      await writer().transaction(async (statements) => {
        const taken = await statements.get<{ id: string }>('SELECT id FROM indexes WHERE key = ?', [index.key]);
        if (taken) throw new AppError('CONFLICT', `Index ${taken.id} of this model, preprocessing and images exists already: resume it, or delete it first.`, { index: taken.id });
        await insertIndex(statements, id, index);
        const count = images ? await insertImages(statements, id, images) : await insertScan(statements, id);
        await statements.run('UPDATE indexes SET images = ? WHERE id = ?', [count, id]);
      });
      return get(id);
    },
    async findByKey(key) {
      const row = await reader.get<IndexRow>(`${select} WHERE key = ? AND deleted = 0`, [key]);
      return row ? fromRow(row) : null;
    },
    recordPlacement: (id, change) => changePlacements(id, ({ placementChanges }) => [...placementChanges.filter(({ fromImage }) => fromImage < change.fromImage), change]),
    forgetPlacements: (id) => changePlacements(id, ({ placementChanges, cursor }) => placementChanges.filter(({ fromImage }) => fromImage < cursor)),
    async list() {
      return (await reader.all<IndexRow>(`${select} WHERE deleted = 0 AND staged_for IS NULL ORDER BY number DESC`)).map(fromRow);
    },
    async delete(id) {
      // The key is freed at once: the same request may start anew while the rows are still going.
      const marked = await writer().run("UPDATE indexes SET deleted = 1, key = 'deleted ' || id, staged_for = NULL WHERE (id = ?1 OR staged_for = ?1) AND deleted = 0", [id]);
      if (marked === 0) throw noIndex(id);
      await finishDeletions();
    },
    finishDeletions,
  };
}

/** Hits and images go some thousand rows at a time, the record last: a kill in between leaves it marked. */
async function removeRows(database: Database, id: IndexId): Promise<void> {
  const piece = 20_000;
  while ((await database.run('DELETE FROM hits WHERE (index_id, layer, channel, rank) IN (SELECT index_id, layer, channel, rank FROM hits WHERE index_id = ? LIMIT ?)', [id, piece])) > 0);
  while ((await database.run('DELETE FROM images WHERE (index_id, number) IN (SELECT index_id, number FROM images WHERE index_id = ? LIMIT ?)', [id, piece])) > 0);
  // Pictures are large: fewer at a time.
  for (const table of ['kept_projections', 'crops']) {
    while ((await database.run(`DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE index_id = ? LIMIT 500)`, [id])) > 0);
  }
  await database.run('DELETE FROM indexes WHERE id = ?', [id]);
}

/** Writes a record without images yet; runs inside the caller's transaction. */
export async function insertIndex(statements: Statements, id: IndexId, index: NewIndex): Promise<void> {
  await statements.run(
    `INSERT INTO indexes (id, key, model_path, model_name, model_hash, images_path, preprocessing, engine, device, engine_description, batch_size, top, layers, labels_path,
       computation_version, matrix, matrix_folder, part, images, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)`,
    [
      id, index.key, index.modelPath, index.modelName, index.modelHash, index.imagesPath, JSON.stringify(index.preprocessing), index.engine, index.device,
      index.engineDescription, index.batchSize, index.top, JSON.stringify(index.layers), index.labelsPath, index.computationVersion, index.matrix, id,
      index.part && JSON.stringify(index.part), new Date().toISOString(),
    ],
  );
}

type InText = 'preprocessing' | 'layers' | 'part' | 'placementChanges';

export type IndexRow = Omit<StoredIndex, InText> & { readonly [K in InText]: string };

export const select = `SELECT id, key, model_path AS modelPath, model_name AS modelName, model_hash AS modelHash, images_path AS imagesPath, preprocessing, engine, device,
  engine_description AS engineDescription, batch_size AS batchSize, top, layers, labels_path AS labelsPath, computation_version AS computationVersion, images, cursor, skipped,
  matrix, matrix_folder AS matrixFolder, coalesce(part, 'null') AS part, placement_changes AS placementChanges, version_base AS versionBase, staged_for AS stagedFor,
  staged_kind AS stagedKind, created_at AS createdAt FROM indexes`;

export function fromRow(row: IndexRow): StoredIndex {
  const read = <K extends InText>(name: K) => JSON.parse(row[name]) as StoredIndex[K];
  return { ...row, preprocessing: read('preprocessing'), layers: read('layers'), part: read('part'), placementChanges: read('placementChanges') };
}

export function newIndexId(): IndexId {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length: 8 }, () => letters[randomInt(letters.length)]).join('') as IndexId;
}

function noIndex(id: string): AppError {
  return new AppError('NOT_FOUND', `There is no index "${id}" in this workspace: list the indexes to see what it holds.`, { index: id });
}
