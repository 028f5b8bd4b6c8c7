/**
 * Table `hits`: the top lists. A group of batches changes lists, statistics, content hashes, skip reasons and the cursor, and all of it is committed in one transaction: after a kill
 * the lists are exactly those of the first `cursor` images. Rows go in thousands per statement as JSON, which is fifteen times faster than one statement per row.
 * Scores are float32; they are written with all digits of the double and rounded back to float32 on reading, so they come back bit for bit.
 */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { Statements } from './driver.ts';
import type { Connections } from './open.ts';
import { countRows, type RowCount } from './rowFiles.ts';
import { writeStatistics } from './statistics.ts';

/** A unit that an image scored at; rank is its place in the list. */
export interface NewHit {
  /** Image number in the manifest. */
  readonly image: number;
  /** Float32, never NaN. */
  readonly score: number;
  readonly y: number;
  readonly x: number;
}

export interface StoredHit extends NewHit {
  readonly channel: number;
  /** From 1. */
  readonly rank: number;
  readonly path: string;
  readonly className: string | null;
}

export interface Batch {
  readonly indexId: IndexId;
  /** Images done after this batch, counted from the start of the manifest. */
  readonly cursor: number;
  readonly hashes: readonly (readonly [image: number, contentHash: string, perceptualHash?: string])[];
  readonly skipped: readonly (readonly [image: number, reason: string])[];
  /**
   * Whole new lists of the channels that changed, best first; others stay as they are. `layer` is the layer's number; `changedAt` the cursor of the batch that changed it last
   * (the group's where absent), so that a list's version does not depend on when groups were committed.
   */
  readonly channels: readonly { readonly layer: number; readonly channel: number; readonly hits: readonly NewHit[]; readonly changedAt?: number }[];
  readonly statistics: readonly { readonly layer: number; readonly data: Uint8Array }[];
  /** What grows with the index beside its matrix: features and what belongs to them. */
  readonly rowFiles?: readonly RowCount[];
}

export interface ChannelSummary {
  readonly channel: number;
  readonly hits: number;
  readonly topScore: number;
  /** Cursor of the batch that last wrote the list: a version, for whoever keeps pictures of it. */
  readonly changedAt: number;
}

export interface HitsTable {
  /** @throws AppError NOT_FOUND without the index, CONFLICT when the cursor would move back */
  commitBatch(batch: Batch): Promise<void>;
  /** All lists of one layer, by channel and rank. */
  ofLayer(index: IndexId, layer: number): Promise<StoredHit[]>;
  /** One list, best first. */
  ofChannel(index: IndexId, layer: number, channel: number): Promise<StoredHit[]>;
  /** The channels of a layer that have hits, in order. */
  summaries(index: IndexId, layer: number): Promise<ChannelSummary[]>;
  /** Hits without a position (y below 0), as a pass that takes rows over leaves them: at most `limit` images' worth, by image. */
  unplaced(index: IndexId, limit: number): Promise<{ readonly image: number; readonly layer: number; readonly channel: number; readonly rank: number }[]>;
  /** Gives hits their positions. */
  place(index: IndexId, positions: readonly { readonly layer: number; readonly channel: number; readonly rank: number; readonly y: number; readonly x: number }[]): Promise<void>;
  /** Gives hits the positions that the same units have in another index, where its image is named as their image's `source`. */
  placeFromSource(index: IndexId, other: IndexId): Promise<void>;
  /** Number of channels with at least one hit, by layer number; layers without any are absent. */
  channelsWithHits(index: IndexId): Promise<ReadonlyMap<number, number>>;
}

export function hitsTable({ reader, writer }: Connections): HitsTable {
  const read = async (condition: string, parameters: readonly (string | number)[]): Promise<StoredHit[]> => {
    const rows = await reader.all<StoredHit>(
      `SELECT channel, rank, image, score, y, x, path, class_name AS className FROM hits JOIN images ON images.index_id = hits.index_id AND images.number = hits.image
       WHERE hits.index_id = ? AND ${condition} ORDER BY channel, rank`,
      parameters,
    );
    return rows.map((row) => ({ ...row, score: Math.fround(row.score) }));
  };
  return {
    commitBatch: (batch) => writer().transaction((statements) => commit(statements, batch)),
    ofLayer: (index, layer) => read('layer = ?', [index, layer]),
    ofChannel: (index, layer, channel) => read('layer = ? AND channel = ?', [index, layer, channel]),
    async summaries(index, layer) {
      const rows = await reader.all<ChannelSummary>(
        'SELECT channel, count(*) AS hits, max(score) AS topScore, max(changed_at) AS changedAt FROM hits WHERE index_id = ? AND layer = ? GROUP BY channel ORDER BY channel',
        [index, layer],
      );
      return rows.map((row) => ({ ...row, topScore: Math.fround(row.topScore) }));
    },
    unplaced: (index, limit) =>
      reader.all(
        `SELECT image, layer, channel, rank FROM hits WHERE index_id = ?1 AND y < 0 AND image IN (SELECT DISTINCT image FROM hits WHERE index_id = ?1 AND y < 0 ORDER BY image LIMIT ?2) ORDER BY image`,
        [index, limit],
      ),
    async place(index, positions) {
      // CROSS JOIN: each given hit finds its row; the other way round every row would look through all that is given.
      await writer().run(
        `INSERT INTO hits (index_id, layer, channel, rank, image, score, y, x, changed_at)
         SELECT index_id, layer, channel, rank, image, score, given.value ->> 3, given.value ->> 4, changed_at FROM json_each(?2) AS given CROSS JOIN hits
         ON hits.index_id = ?1 AND hits.layer = given.value ->> 0 AND hits.channel = given.value ->> 1 AND hits.rank = given.value ->> 2 WHERE true
         ON CONFLICT (index_id, layer, channel, rank) DO UPDATE SET y = excluded.y, x = excluded.x`,
        [index, JSON.stringify(positions.map(({ layer, channel, rank, y, x }) => [layer, channel, rank, y, x]))],
      );
    },
    async placeFromSource(index, other) {
      await writer().run(
        `UPDATE hits SET y = old.y, x = old.x FROM images, hits AS old
         WHERE hits.index_id = ?1 AND hits.y < 0 AND images.index_id = ?1 AND images.number = hits.image
           AND old.index_id = ?2 AND old.layer = hits.layer AND old.channel = hits.channel AND old.image = images.source`,
        [index, other],
      );
    },
    async channelsWithHits(index) {
      const rows = await reader.all<{ layer: number; channels: number }>('SELECT layer, count(*) AS channels FROM hits WHERE index_id = ? AND rank = 1 GROUP BY layer', [index]);
      return new Map(rows.map((row) => [row.layer, row.channels]));
    },
  };
}

async function commit(statements: Statements, batch: Batch): Promise<void> {
  const moved = await statements.run('UPDATE indexes SET cursor = ?2 WHERE id = ?1 AND deleted = 0 AND cursor <= ?2', [batch.indexId, batch.cursor]);
  if (moved === 0) await refuse(statements, batch);
  await writeHashes(statements, batch);
  await writeSkipped(statements, batch);
  await replaceLists(statements, batch);
  await writeStatistics(statements, batch.indexId, batch.statistics);
  await countRows(statements, batch.rowFiles ?? []);
}

/** As in replaceLists, CROSS JOIN: SQLite would answer an UPDATE ... FROM json_each by reading the whole manifest. A statement per image would leave as many objects for the garbage collector. */
async function writeHashes(statements: Statements, { indexId, hashes }: Batch): Promise<void> {
  if (hashes.length === 0) return;
  await statements.run(
    `INSERT INTO images (index_id, number, path, file, size_bytes, modified_ms, content_hash, perceptual_hash)
     SELECT index_id, number, images.path, file, size_bytes, modified_ms, given.value ->> 1, coalesce(given.value ->> 2, perceptual_hash) FROM json_each(?2) AS given CROSS JOIN images
     ON images.index_id = ?1 AND images.number = given.value ->> 0 WHERE true
     ON CONFLICT (index_id, number) DO UPDATE SET content_hash = excluded.content_hash, perceptual_hash = excluded.perceptual_hash`,
    [indexId, JSON.stringify(hashes)],
  );
}

async function writeSkipped(statements: Statements, { indexId, skipped }: Batch): Promise<void> {
  let added = 0;
  for (const [image, reason] of skipped) added += await statements.run('UPDATE images SET skipped = ? WHERE index_id = ? AND number = ? AND skipped IS NULL', [reason, indexId, image]);
  if (added > 0) await statements.run('UPDATE indexes SET skipped = skipped + ? WHERE id = ?', [added, indexId]);
}

async function replaceLists(statements: Statements, { indexId, cursor, channels }: Batch): Promise<void> {
  if (channels.length === 0) return;
  const { versionBase } = (await statements.get<{ versionBase: number }>('SELECT version_base AS versionBase FROM indexes WHERE id = ?', [indexId]))!;
  const atOnce = 1000;
  for (let start = 0; start < channels.length; start += atOnce) {
    const part = channels.slice(start, start + atOnce);
    // Lists hardly ever shrink, so rows are overwritten in place and only what lies beyond a list's end is deleted. CROSS JOIN fixes the order: SQLite cannot know that the
    // given lists are few and would otherwise read all hits of the index once per list.
    await statements.run(
      `DELETE FROM hits WHERE (index_id, layer, channel, rank) IN (
         SELECT ?1, hits.layer, hits.channel, hits.rank FROM json_each(?2) AS given CROSS JOIN hits
         ON hits.index_id = ?1 AND hits.layer = given.value ->> 0 AND hits.channel = given.value ->> 1 AND hits.rank > given.value ->> 2)`,
      [indexId, JSON.stringify(part.map(({ layer, channel, hits }) => [layer, channel, hits.length]))],
    );
    const rows = part.flatMap(({ layer, channel, hits, changedAt = cursor }) => hits.map((hit, i) => `[${layer},${channel},${i + 1},${hit.image},${real(hit, layer, channel)},${hit.y},${hit.x},${versionBase + changedAt}]`));
    if (rows.length === 0) continue;
    await statements.run(
      `INSERT INTO hits (index_id, layer, channel, rank, image, score, y, x, changed_at)
       SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7 FROM json_each(?2) WHERE true
       ON CONFLICT (index_id, layer, channel, rank) DO UPDATE SET image = excluded.image, score = excluded.score, y = excluded.y, x = excluded.x, changed_at = excluded.changed_at`,
      [indexId, `[${rows.join(',')}]`],
    );
  }
}

/** A number as JSON text that SQLite reads back to the same value; JSON itself has no infinities, but a literal beyond the largest double reads as one. */
function real({ score }: NewHit, layer: number, channel: number): string {
  if (Number.isNaN(score)) throw new Error(`commitBatch: the score of layer ${layer}, channel ${channel} is NaN, which never ranks.`);
  if (score === Infinity) return '9e999';
  return score === -Infinity ? '-9e999' : String(score);
}

async function refuse(statements: Statements, { indexId, cursor }: Batch): Promise<never> {
  const row = await statements.get<{ cursor: number }>('SELECT cursor FROM indexes WHERE id = ? AND deleted = 0', [indexId]);
  if (!row) throw new AppError('NOT_FOUND', `Index ${indexId} is gone: it was deleted while it was being filled.`, { index: indexId });
  throw new AppError('CONFLICT', `Index ${indexId} has ${row.cursor} images done and cannot go back to ${cursor}.`, { index: indexId, cursor: row.cursor });
}
