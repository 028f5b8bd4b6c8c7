/**
 * Table `kept_projections`: projections of hits that stay until their index goes, as small pictures that the caller packs. Found by the whole key of method.md section 8 alone, so that
 * another index of the same network and images finds them too. What was looked at beside the hits lies in `projections`, which forgets.
 */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Method } from '../../src-shared/domain/projection.ts';
import type { Connections } from './open.ts';

export interface KeptProjection<Record> {
  readonly record: Record;
  /** The caller's bytes, unchanged. */
  readonly picture: Uint8Array;
}

export interface NewKeptProjection extends KeptProjection<unknown> {
  readonly key: string;
  /** Number of the layer. */
  readonly layer: number;
  readonly method: string;
  readonly seed: string;
  readonly control: string;
}

/** What is kept of one layer by one method. */
export interface KeptSize {
  readonly layer: number;
  readonly method: Method;
  readonly kept: number;
  readonly bytes: number;
}

export interface KeptProjectionsTable {
  /** Those that are there, by key. */
  get<Record>(keys: readonly string[]): Promise<ReadonlyMap<string, KeptProjection<Record>>>;
  /** The keys among the given ones that are kept. */
  has(keys: readonly string[]): Promise<ReadonlySet<string>>;
  /** Stores those that are not there yet, in one transaction. */
  put(index: IndexId, projections: readonly NewKeptProjection[]): Promise<void>;
  /** Of the plain projections (seed `one`, control `none`). */
  sizes(index: IndexId): Promise<readonly KeptSize[]>;
  /** Of all indexes, seeds and controls. */
  total(): Promise<{ readonly kept: number; readonly bytes: number }>;
  clear(): Promise<void>;
  /** Removes plain projections of a layer by a method whose key is not among these: hits that are hits no more. */
  prune(index: IndexId, layer: number, method: string, keys: readonly string[]): Promise<void>;
}

export function keptProjectionsTable({ reader, writer }: Connections): KeptProjectionsTable {
  return {
    async get<Record>(keys: readonly string[]) {
      const rows = await reader.all<{ key: string; record: string; picture: Uint8Array }>(
        'SELECT kept.key AS key, record, picture FROM json_each(?) AS wanted CROSS JOIN kept_projections AS kept ON kept.key = wanted.value',
        [JSON.stringify(keys)],
      );
      return new Map(rows.map(({ key, record, picture }) => [key, { record: JSON.parse(record) as Record, picture }]));
    },
    async has(keys) {
      const rows = await reader.all<{ key: string }>('SELECT kept.key AS key FROM json_each(?) AS wanted CROSS JOIN kept_projections AS kept ON kept.key = wanted.value', [JSON.stringify(keys)]);
      return new Set(rows.map(({ key }) => key));
    },
    async put(index, projections) {
      await writer().transaction(async (statements) => {
        for (const { key, layer, method, seed, control, record, picture } of projections) {
          const text = JSON.stringify(record);
          // An index that was deleted meanwhile gets nothing.
          await statements.run(
            `INSERT INTO kept_projections (key, index_id, layer, method, seed, control, record, picture, bytes)
             SELECT ?2, id, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM indexes WHERE id = ?1 AND deleted = 0 ON CONFLICT DO NOTHING`,
            [index, key, layer, method, seed, control, text, picture, text.length + picture.byteLength],
          );
        }
      });
    },
    sizes: (index) =>
      reader.all<KeptSize>(
        `SELECT layer, method, count(*) AS kept, sum(bytes) AS bytes FROM kept_projections WHERE index_id = ? AND seed = 'one' AND control = 'none' GROUP BY layer, method ORDER BY layer, method`,
        [index],
      ),
    async total() {
      return (await reader.get<{ kept: number; bytes: number }>('SELECT count(*) AS kept, coalesce(sum(bytes), 0) AS bytes FROM kept_projections')) ?? { kept: 0, bytes: 0 };
    },
    async clear() {
      await writer().run('DELETE FROM kept_projections');
    },
    async prune(index, layer, method, keys) {
      await writer().run(
        `DELETE FROM kept_projections WHERE index_id = ? AND layer = ? AND method = ? AND seed = 'one' AND control = 'none' AND key NOT IN (SELECT value FROM json_each(?))`,
        [index, layer, method, JSON.stringify(keys)],
      );
    },
  };
}
