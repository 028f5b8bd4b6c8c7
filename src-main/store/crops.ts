/**
 * Table `crops`: images that hold hits as the network sees them, encoded without loss by the caller. Named by content, so that two files of equal bytes share one and a rescan that
 * renumbers images finds them again. Removed with their index.
 */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Connections } from './open.ts';

export interface CropsTable {
  get(index: IndexId, contentHash: string): Promise<Uint8Array | null>;
  /** Stores those that are not there yet, in one transaction. */
  put(index: IndexId, crops: readonly { readonly contentHash: string; readonly picture: Uint8Array }[]): Promise<void>;
  /** Images that hold a hit and whose crop is not kept, one per content, in the order of their numbers. */
  missing(index: IndexId): Promise<number[]>;
  /** Images (different contents) that hold a hit, how many crops are kept, and their bytes. */
  size(index: IndexId): Promise<{ readonly images: number; readonly kept: number; readonly bytes: number }>;
  /** Of all indexes. */
  total(): Promise<{ readonly kept: number; readonly bytes: number }>;
  clear(index: IndexId): Promise<void>;
  /** Removes crops of images that hold no hit any more. */
  prune(index: IndexId): Promise<void>;
}

const holdingHits = `SELECT content_hash, min(number) AS number FROM images
  WHERE index_id = ?1 AND content_hash IS NOT NULL AND number IN (SELECT image FROM hits WHERE index_id = ?1) GROUP BY content_hash`;

export function cropsTable({ reader, writer }: Connections): CropsTable {
  return {
    async get(index, contentHash) {
      return (await reader.get<{ picture: Uint8Array }>('SELECT picture FROM crops WHERE index_id = ? AND content_hash = ?', [index, contentHash]))?.picture ?? null;
    },
    async put(index, crops) {
      await writer().transaction(async (statements) => {
        // An index that was deleted meanwhile gets nothing.
        for (const { contentHash, picture } of crops) {
          await statements.run(
            'INSERT INTO crops (index_id, content_hash, picture) SELECT id, ?2, ?3 FROM indexes WHERE id = ?1 AND deleted = 0 ON CONFLICT DO NOTHING',
            [index, contentHash, picture],
          );
        }
      });
    },
    async missing(index) {
      const rows = await reader.all<{ number: number }>(
        `SELECT number FROM (${holdingHits}) AS held WHERE NOT EXISTS (SELECT 1 FROM crops WHERE crops.index_id = ?1 AND crops.content_hash = held.content_hash) ORDER BY number`,
        [index],
      );
      return rows.map(({ number }) => number);
    },
    async size(index) {
      const kept = await reader.get<{ kept: number; bytes: number }>('SELECT count(*) AS kept, coalesce(sum(length(picture)), 0) AS bytes FROM crops WHERE index_id = ?', [index]);
      const held = await reader.get<{ images: number }>(`SELECT count(*) AS images FROM (${holdingHits})`, [index]);
      return { images: held?.images ?? 0, kept: kept?.kept ?? 0, bytes: kept?.bytes ?? 0 };
    },
    async total() {
      return (await reader.get<{ kept: number; bytes: number }>('SELECT count(*) AS kept, coalesce(sum(length(picture)), 0) AS bytes FROM crops')) ?? { kept: 0, bytes: 0 };
    },
    async clear(index) {
      await writer().run('DELETE FROM crops WHERE index_id = ?', [index]);
    },
    async prune(index) {
      await writer().run(`DELETE FROM crops WHERE index_id = ?1 AND content_hash NOT IN (SELECT content_hash FROM (${holdingHits}))`, [index]);
    },
  };
}
