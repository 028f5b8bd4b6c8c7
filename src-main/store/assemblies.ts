/**
 * One index put together from parts that lie in other workspaces: rows are copied from database to database (ATTACH), never through memory. The index grows hidden, marked as deleted, so that
 * a merge that is killed leaves nothing but rows that the next opening removes; `publish` shows it in one step.
 */
import { pathToFileURL } from 'node:url';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Statements } from './driver.ts';
import { insertIndex, newIndexId, type NewIndex, type PlacementChange } from './indexes.ts';
import type { Connections } from './open.ts';
import { writeStatistics } from './statistics.ts';

/** Image numbers `from` to `to` (half-open) of a part become the same numbers plus `shift`. */
export interface NumberShift {
  readonly from: number;
  readonly to: number;
  readonly shift: number;
}

export interface AssemblyPart {
  readonly source: { readonly file: string; readonly immutable: boolean };
  readonly index: IndexId;
  /** All its images, and those whose rows are taken from it. */
  readonly pieces: readonly NumberShift[];
  readonly taken: readonly NumberShift[];
}

/** Where two parts contradict each other. */
export interface Contradiction {
  readonly path: string;
  readonly what: string;
}

export interface AssembliesTable {
  /** A hidden index without rows. */
  begin(index: NewIndex): Promise<IndexId>;
  /** Copies a part's images, and all its hits aside. */
  add(id: IndexId, part: AssemblyPart): Promise<Contradiction | null>;
  /** Compares a part's images with those of the index, whichever part they came from. Call it when all parts are added. */
  verify(id: IndexId, part: AssemblyPart): Promise<Contradiction | null>;
  /** Makes the top lists of all hits that were put aside. `versionBase` is added to the lists' versions. */
  rank(id: IndexId, versionBase: number): Promise<void>;
  writeStatistics(id: IndexId, layers: readonly { readonly layer: number; readonly data: Uint8Array }[]): Promise<void>;
  /** Copies the kept crops of images that hold hits, and known positions. */
  addPictures(id: IndexId, part: AssemblyPart): Promise<void>;
  /** Shows the index under its key; with `over` it becomes a complete pass over that index, to be adopted. */
  publish(id: IndexId, key: string, placementChanges: readonly PlacementChange[], over: IndexId | null, versionBase: number): Promise<void>;
}

export function assembliesTable({ writer }: Connections): AssembliesTable {
  /** Runs `work` while the part's database is attached as `shard` and its pieces lie in temp.pieces. */
  const attached = async <T>(part: AssemblyPart, work: (statements: Statements) => Promise<T>): Promise<T> => {
    const database = writer();
    await database.run('ATTACH DATABASE ? AS shard', [`${pathToFileURL(part.source.file).href}?${part.source.immutable ? 'immutable=1' : 'mode=ro'}`]);
    try {
      await database.exec('DROP TABLE IF EXISTS temp.pieces; CREATE TEMP TABLE pieces (first INTEGER, behind INTEGER, shift INTEGER, taken INTEGER)');
      for (const [taken, pieces] of [part.pieces, part.taken].entries()) {
        for (const { from, to, shift } of pieces) await database.run('INSERT INTO temp.pieces VALUES (?, ?, ?, ?)', [from, to, shift, taken]);
      }
      return await database.transaction(work);
    } finally {
      await database.exec('DETACH DATABASE shard');
    }
  };
  return {
    async begin(index) {
      const id = newIndexId();
      await writer().transaction(async (statements) => {
        await insertIndex(statements, id, { ...index, key: `merge ${id}` });
        await statements.run('UPDATE indexes SET deleted = 1 WHERE id = ?', [id]);
      });
      await writer().exec(
        'DROP TABLE IF EXISTS temp.gathered; CREATE TEMP TABLE gathered (layer INTEGER, channel INTEGER, image INTEGER, score REAL, y INTEGER, x INTEGER, PRIMARY KEY (layer, channel, image)) WITHOUT ROWID',
      );
      return id;
    },
    add: (id, part) =>
      attached(part, async (statements) => {
        const columns = (await statements.all<{ name: string }>("SELECT name FROM pragma_table_info('images') WHERE name NOT IN ('index_id', 'number', 'source')")).map(({ name }) => name);
        await statements.run(
          `INSERT INTO main.images (index_id, number, ${columns.join(', ')}) SELECT ?1, number + shift, ${columns.join(', ')}
           FROM temp.pieces CROSS JOIN shard.images ON index_id = ?2 AND number >= first AND number < behind WHERE taken = 1 ORDER BY number + shift`,
          [id, part.index],
        );
        await statements.run(`INSERT OR IGNORE INTO temp.gathered SELECT layer, channel, image + shift, score, y, x ${shiftedHits}`, [part.index]);
        const other = await statements.get<{ path: string; layer: number; channel: number }>(
          `SELECT path, hits.layer, hits.channel ${shiftedHits} JOIN temp.gathered AS known ON known.layer = hits.layer AND known.channel = hits.channel AND known.image = hits.image + shift
           JOIN shard.images ON images.index_id = ?1 AND images.number = hits.image WHERE known.score <> hits.score OR known.y <> hits.y OR known.x <> hits.x LIMIT 1`,
          [part.index],
        );
        return other ? { path: other.path, what: `the hit of layer ${other.layer}, channel ${other.channel}` } : null;
      }),
    verify: (id, part) =>
      attached(part, async (statements) => {
        const differs = (column: string) => `theirs.${column} IS NOT ours.${column}`;
        const row = await statements.get<{ path: string; what: string }>(
          `SELECT theirs.path, CASE WHEN ${differs('path')} THEN 'the listing' WHEN ${differs('content_hash')} THEN 'the content' ELSE 'whether it can be read' END AS what
           FROM temp.pieces CROSS JOIN shard.images AS theirs ON theirs.index_id = ?2 AND theirs.number >= first AND theirs.number < behind
           JOIN main.images AS ours ON ours.index_id = ?1 AND ours.number = theirs.number + shift
           WHERE taken = 0 AND (${differs('path')} OR ${differs('content_hash')} OR (theirs.skipped IS NULL) <> (ours.skipped IS NULL)) LIMIT 1`,
          [id, part.index],
        );
        return row ?? null;
      }),
    async rank(id, versionBase) {
      await writer().transaction(async (statements) => {
        await statements.run(
          `UPDATE indexes SET images = counted.all_images, cursor = counted.all_images, skipped = counted.skipped
           FROM (SELECT count(*) AS all_images, count(skipped) AS skipped FROM images WHERE index_id = ?1) AS counted WHERE id = ?1`,
          [id],
        );
        // A list was last changed by the batch that holds its last image: had a later one changed it, an image of that batch would be in it.
        await statements.run(
          `INSERT INTO hits (index_id, layer, channel, rank, image, score, y, x, changed_at)
           SELECT ?1, layer, channel, rank, image, score, y, x, ?2 + min(images, (max(image) OVER (PARTITION BY layer, channel) / batch_size + 1) * batch_size)
           FROM (SELECT *, row_number() OVER (PARTITION BY layer, channel ORDER BY score DESC, image) AS rank FROM temp.gathered), (SELECT images, batch_size, top FROM indexes WHERE id = ?1)
           WHERE rank <= top`,
          [id, versionBase],
        );
        await statements.exec('DROP TABLE temp.gathered');
      });
    },
    writeStatistics: (id, layers) => writer().transaction((statements) => writeStatistics(statements, id, layers)),
    addPictures: (id, part) =>
      attached(part, async (statements) => {
        await statements.run(
          `INSERT OR IGNORE INTO main.crops (index_id, content_hash, picture) SELECT ?1, content_hash, picture FROM shard.crops WHERE index_id = ?2
           AND content_hash IN (SELECT content_hash FROM main.images WHERE index_id = ?1 AND number IN (SELECT image FROM main.hits WHERE index_id = ?1))`,
          [id, part.index],
        );
        await statements.run('INSERT OR IGNORE INTO main.positions (index_id, layer, content_hash, data) SELECT ?1, layer, content_hash, data FROM shard.positions WHERE index_id = ?2', [id, part.index]);
      }),
    async publish(id, key, placementChanges, over, versionBase) {
      await writer().run('UPDATE indexes SET deleted = 0, key = ?2, placement_changes = ?3, staged_for = ?4, staged_kind = ?5, version_base = ?6 WHERE id = ?1', [
        id, over ? `pass ${id}` : key, JSON.stringify(placementChanges), over, over ? 'rescan' : null, versionBase,
      ]);
    },
  };
}

const shiftedHits = 'FROM temp.pieces CROSS JOIN shard.hits ON hits.index_id = ?1 AND hits.image >= first AND hits.image < behind AND taken = 0';
