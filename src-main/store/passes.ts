/**
 * A pass over the images of an index that is there already: a rescan of its folder, or layers it has not got yet. The pass fills a hidden index of its own, so that the old rows stay
 * as they are until it is complete; then its rows take their place in one transaction, and what tags, notes and addresses hang on, the index's id, stays the same.
 */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import type { Statements } from './driver.ts';
import { fromRow, insertIndex, newIndexId, select, type IndexRow, type StoredIndex } from './indexes.ts';
import type { Connections } from './open.ts';
import { adoptRowFiles } from './rowFiles.ts';
import { insertRescan } from './scans.ts';

export interface PassesTable {
  /** The unfinished pass over this index. */
  of(base: IndexId): Promise<StoredIndex | null>;
  /**
   * A pass whose manifest is the finished scan. Rows of images below `usableRows` of the old manifest may be taken over.
   * @throws AppError CONFLICT where the index has an unfinished pass
   */
  stageRescan(base: StoredIndex, usableRows: number): Promise<StoredIndex>;
  /** A pass over the same images for more layers, whose numbers the index does not use yet. */
  stageLayers(base: StoredIndex, layers: readonly Layer[]): Promise<StoredIndex>;
  /** Puts the rows of a complete pass in place. Lists that show the same pictures as before keep their version. */
  adopt(pass: StoredIndex): Promise<void>;
}

export function passesTable({ reader, writer }: Connections): PassesTable {
  const read = async (id: IndexId) => fromRow((await reader.get<IndexRow>(`${select} WHERE id = ?`, [id]))!);
  const stage = async (base: StoredIndex, layers: readonly Layer[], kind: 'rescan' | 'layers', fill: (statements: Statements, id: IndexId) => Promise<number>) => {
    const id = newIndexId();
    await writer().transaction(async (statements) => {
      await insertIndex(statements, id, { ...base, key: `pass ${id}`, layers });
      const images = await fill(statements, id);
      // A pass for more layers grows the index's own matrix.
      await statements.run(
        `UPDATE indexes SET staged_for = ?2, staged_kind = ?3, images = ?4, skipped = (SELECT count(*) FROM images WHERE index_id = ?1 AND skipped IS NOT NULL),
           matrix_folder = iif(?3 = 'layers', '', ?1), version_base = ?5 WHERE id = ?1`,
        [id, base.id, kind, images, kind === 'rescan' ? base.versionBase + base.images + 1 : base.versionBase],
      );
    });
    return read(id);
  };
  return {
    async of(base) {
      const row = await reader.get<IndexRow>(`${select} WHERE staged_for = ? AND deleted = 0`, [base]);
      return row ? fromRow(row) : null;
    },
    stageRescan: (base, usableRows) => stage(base, base.layers, 'rescan', (statements, id) => insertRescan(statements, id, base.id, usableRows)),
    stageLayers: (base, layers) =>
      stage(base, layers, 'layers', (statements, id) =>
        statements.run(
          `INSERT INTO images (index_id, number, path, file, size_bytes, modified_ms, class_name, content_hash, skipped)
           SELECT ?1, number, path, file, size_bytes, modified_ms, class_name, content_hash, skipped FROM images WHERE index_id = ?2 ORDER BY number`,
          [id, base.id],
        ),
      ),
    adopt: (pass) => writer().transaction((statements) => (pass.stagedKind === 'rescan' ? replaceRows(statements, pass) : addLayers(statements, pass))),
  };
}

async function replaceRows(statements: Statements, pass: StoredIndex): Promise<void> {
  const ids = [pass.stagedFor, pass.id];
  await keepVersions(statements, ids);
  for (const table of ['hits', 'layer_statistics', 'images']) await statements.run(`DELETE FROM ${table} WHERE index_id = ?`, [pass.stagedFor]);
  await statements.run('UPDATE images SET index_id = ?1, source = NULL WHERE index_id = ?2', ids);
  for (const table of ['hits', 'layer_statistics']) await statements.run(`UPDATE ${table} SET index_id = ?1 WHERE index_id = ?2`, ids);
  await adoptRowFiles(statements, pass.id, pass.stagedFor!);
  const old = (await statements.get<{ folder: string }>('SELECT matrix_folder AS folder FROM indexes WHERE id = ?', [pass.stagedFor]))!;
  await statements.run(
    `UPDATE indexes SET (images, cursor, skipped, matrix_folder, placement_changes, version_base, part) =
       (SELECT images, cursor, skipped, matrix_folder, placement_changes, version_base, part FROM indexes WHERE id = ?2) WHERE id = ?1`,
    ids,
  );
  // The hidden record takes the old matrix with it: what removes the one removes the other.
  await statements.run('UPDATE indexes SET matrix_folder = ? WHERE id = ?', [old.folder, pass.id]);
  await retire(statements, pass);
}

async function addLayers(statements: Statements, pass: StoredIndex): Promise<void> {
  const base = fromRow((await statements.get<IndexRow>(`${select} WHERE id = ?`, [pass.stagedFor]))!);
  for (const table of ['hits', 'layer_statistics']) await statements.run(`UPDATE ${table} SET index_id = ?1 WHERE index_id = ?2`, [base.id, pass.id]);
  // A record is of all layers: rows of an image count as computed another way as soon as those of one layer were.
  const placementChanges = [...base.placementChanges, ...pass.placementChanges].sort((a, b) => a.fromImage - b.fromImage);
  await statements.run('UPDATE indexes SET layers = ?, placement_changes = ? WHERE id = ?', [JSON.stringify([...base.layers, ...pass.layers]), JSON.stringify(placementChanges), base.id]);
  await retire(statements, pass);
}

/** Nobody's any more; openStore and every deletion remove what is left of it. */
async function retire(statements: Statements, { id }: StoredIndex): Promise<void> {
  await statements.run('UPDATE indexes SET deleted = 1, staged_for = NULL WHERE id = ?', [id]);
}

/** A list of the same units of the same pictures is the same picture: its addresses stay good. */
async function keepVersions(statements: Statements, [base, pass]: readonly (IndexId | null)[]): Promise<void> {
  const lists = `SELECT index_id, layer, channel, max(changed_at) AS version, group_concat(entry, char(10)) AS entries FROM (
      SELECT hits.index_id, layer, channel, changed_at, concat_ws(' ', score, y, x, content_hash, path) AS entry
      FROM hits JOIN images ON images.index_id = hits.index_id AND images.number = hits.image WHERE hits.index_id IN (?1, ?2) ORDER BY hits.index_id, layer, channel, rank)
    GROUP BY index_id, layer, channel`;
  await statements.exec('DROP TABLE IF EXISTS temp.kept_versions; CREATE TEMP TABLE kept_versions (layer INTEGER, channel INTEGER, version INTEGER, PRIMARY KEY (layer, channel)) WITHOUT ROWID');
  await statements.run(
    `WITH lists AS MATERIALIZED (${lists}) INSERT INTO temp.kept_versions SELECT new.layer, new.channel, old.version FROM lists AS new JOIN lists AS old
     ON new.index_id = ?2 AND old.index_id = ?1 AND old.layer = new.layer AND old.channel = new.channel AND old.entries = new.entries`,
    [base ?? null, pass ?? null],
  );
  await statements.run(
    `UPDATE hits SET changed_at = kept.version FROM temp.kept_versions AS kept WHERE hits.index_id = ? AND hits.layer = kept.layer AND hits.channel = kept.channel`,
    [pass ?? null],
  );
  await statements.exec('DROP TABLE temp.kept_versions');
}
