/**
 * The newest look at a folder, on its way to become a manifest: images stream in as they are found, in any order, into a temporary table of the writing connection, so that a
 * folder of a million files is never held in memory. SQLite compares text by its UTF-8 bytes, which is the order of a manifest (method.md section 2).
 */
import { createHash } from 'node:crypto';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Statements } from './driver.ts';
import type { ManifestImage } from './images.ts';
import type { Connections } from './open.ts';

export interface ScanSummary {
  /** Images of the whole scan. */
  readonly images: number;
  /** Files left out because another one has the same path in Unicode NFC: the path, and how the disk spells the one left out. */
  readonly collisions: readonly { readonly path: string; readonly file: string }[];
}

export interface ScanDifference {
  readonly added: number;
  /** The same path with another size or time. */
  readonly changed: number;
  readonly removed: number;
  readonly unchanged: number;
}

/** One scan at a time: `begin` forgets the one before. */
export interface ScansTable {
  begin(): Promise<void>;
  add(images: readonly ManifestImage[]): Promise<void>;
  /** Puts the images in path order and numbers them from 0. Call once, after the last `add`. */
  finish(): Promise<ScanSummary>;
  /** Keeps only the images of these places, half-open, and numbers them anew. */
  keep(from: number, to: number): Promise<void>;
  /** Hash of the finished scan: all paths and sizes in order. */
  listing(): Promise<string>;
  /** How the finished scan differs from the manifest of an index. */
  compare(index: IndexId): Promise<ScanDifference>;
  /** Gives the images of an index, which must be those of the finished scan, the scan's classes: a labels file may have been edited. */
  updateClasses(index: IndexId): Promise<void>;
}

export function scansTable({ writer }: Connections): ScansTable {
  return {
    begin: () => writer().exec(tables),
    async add(images) {
      const rows = images.map((image) => [image.path, image.file, image.sizeBytes, image.modifiedMs, image.className, image.classIndex ?? null, image.classWnid ?? null]);
      await writer().run(
        `INSERT INTO temp.found (path, file, size_bytes, modified_ms, class_name, class_index, class_wnid)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6 FROM json_each(?)`,
        [JSON.stringify(rows)],
      );
    },
    finish: () => writer().transaction(number),
    keep: (from, to) => writer().transaction(async (statements) => {
      await statements.run('DELETE FROM temp.manifest WHERE number < ? OR number >= ?', [from, to]);
      // In rising order, so that no number meets one that is still taken.
      await statements.run('UPDATE temp.manifest SET number = -1 - number');
      await statements.run('UPDATE temp.manifest SET number = -1 - number - ?', [from]);
    }),
    async listing() {
      const hash = createHash('sha256');
      const atOnce = 10_000;
      for (let from = 0, rows: readonly { path: string; size: number }[] = []; from === 0 || rows.length === atOnce; from += atOnce) {
        rows = await writer().all('SELECT path, size_bytes AS size FROM temp.manifest WHERE number >= ? ORDER BY number LIMIT ?', [from, atOnce]);
        for (const { path, size } of rows) hash.update(`${path}\0${size}\0`);
      }
      return hash.digest('hex').slice(0, 32);
    },
    async compare(index) {
      const row = await writer().get<{ added: number; changed: number; unchanged: number; old: number }>(
        `SELECT count(*) FILTER (WHERE old.path IS NULL) AS added,
           count(*) FILTER (WHERE old.path IS NOT NULL AND NOT (${sameFile})) AS changed,
           count(*) FILTER (WHERE ${sameFile}) AS unchanged,
           (SELECT count(*) FROM images WHERE index_id = ?1) AS old
         FROM temp.manifest AS new LEFT JOIN images AS old ON old.index_id = ?1 AND old.path = new.path`,
        [index],
      );
      const { added, changed, unchanged, old } = row!;
      return { added, changed, unchanged, removed: old - changed - unchanged };
    },
    async updateClasses(index) {
      await writer().run(
        `UPDATE images SET class_name = new.class_name, class_index = new.class_index, class_wnid = new.class_wnid FROM temp.manifest AS new
         WHERE images.index_id = ? AND images.number = new.number AND (images.class_name, images.class_index, images.class_wnid) IS NOT (new.class_name, new.class_index, new.class_wnid)`,
        [index],
      );
    },
  };
}

const tables = `
  DROP TABLE IF EXISTS temp.found;
  DROP TABLE IF EXISTS temp.manifest;
  CREATE TEMP TABLE found (path TEXT NOT NULL, file TEXT NOT NULL, size_bytes INTEGER NOT NULL, modified_ms INTEGER NOT NULL, class_name TEXT, class_index INTEGER, class_wnid TEXT, PRIMARY KEY (path, file)) WITHOUT ROWID;
  CREATE TEMP TABLE manifest (number INTEGER PRIMARY KEY, path TEXT NOT NULL, file TEXT NOT NULL, size_bytes INTEGER NOT NULL, modified_ms INTEGER NOT NULL, class_name TEXT, class_index INTEGER, class_wnid TEXT);
`;

/** By size and time, as a rescan tells it; of `old` and `new` rows. */
const sameFile = 'old.size_bytes = new.size_bytes AND old.modified_ms = new.modified_ms AND old.file = new.file';

async function number(statements: Statements): Promise<ScanSummary> {
  const collisions = await statements.all<{ path: string; file: string }>(
    `SELECT found.path, found.file FROM temp.found JOIN (SELECT path, min(file) AS kept FROM temp.found GROUP BY path HAVING count(*) > 1) AS several
     ON several.path = found.path AND found.file > several.kept ORDER BY found.path, found.file`,
  );
  // With min() the other columns are those of the row that has the smallest name.
  const images = await statements.run(
    `INSERT INTO temp.manifest (number, path, file, size_bytes, modified_ms, class_name, class_index, class_wnid)
     SELECT row_number() OVER (ORDER BY path) - 1, path, file, size_bytes, modified_ms, class_name, class_index, class_wnid FROM
       (SELECT path, min(file) AS file, size_bytes, modified_ms, class_name, class_index, class_wnid FROM temp.found GROUP BY path)`,
  );
  await statements.exec('DROP TABLE temp.found');
  return { images, collisions };
}

/** The finished scan as the manifest of a new index; runs inside the caller's transaction. */
export async function insertScan(statements: Statements, index: IndexId): Promise<number> {
  return statements.run(
    `INSERT INTO images (index_id, number, path, file, size_bytes, modified_ms, class_name, class_index, class_wnid)
     SELECT ?, number, path, file, size_bytes, modified_ms, class_name, class_index, class_wnid FROM temp.manifest ORDER BY number`,
    [index],
  );
}

/**
 * The finished scan as the manifest of a pass that takes over what `base` knows already: images below `usableRows` keep their number there as `source`. Where size and time are unchanged
 * the content hash comes along; where they are not, `source` is only a guess until the hash is the same. Runs inside the caller's transaction.
 */
export async function insertRescan(statements: Statements, index: IndexId, base: IndexId, usableRows: number): Promise<number> {
  return statements.run(
    `INSERT INTO images (index_id, number, path, file, size_bytes, modified_ms, class_name, class_index, class_wnid, content_hash, perceptual_hash, skipped, source)
     SELECT ?1, new.number, new.path, new.file, new.size_bytes, new.modified_ms, new.class_name, new.class_index, new.class_wnid,
       iif(${sameFile} AND old.number < ?3, old.content_hash, NULL), iif(old.number < ?3, old.perceptual_hash, NULL), iif(${sameFile} AND old.number < ?3, old.skipped, NULL),
       iif(old.number < ?3 AND (old.skipped IS NULL OR ${sameFile}), old.number, NULL)
     FROM temp.manifest AS new LEFT JOIN images AS old ON old.index_id = ?2 AND old.path = new.path ORDER BY new.number`,
    [index, base, usableRows],
  );
}
