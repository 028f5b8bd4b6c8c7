/**
 * Table `projections`: a cache of what was projected, under the whole key of method.md section 8 (the caller makes it). It may lose entries at any time: beyond its size limit those that
 * were not used for longest go.
 */
import type { Statements } from './driver.ts';
import type { Connections } from './open.ts';

export interface CachedProjection<Record> {
  readonly record: Record;
  /** The caller's bytes, unchanged. */
  readonly picture: Uint8Array;
}

export interface ProjectionsTable {
  get<Record>(key: string): Promise<CachedProjection<Record> | null>;
  /** Stores or replaces; then evicts down to the limit (the entry just written stays, whatever its size). */
  put(key: string, projection: CachedProjection<unknown>): Promise<void>;
  /** Bytes in the cache: pictures and records. */
  size(): Promise<number>;
  count(): Promise<number>;
  clear(): Promise<void>;
  /** Default 512 MiB. */
  setLimit(limitBytes: number): void;
}

/** Marking each use would make every look at a picture a write; a minute is exact enough for "longest unused". */
const useGrainMs = 60_000;

export function projectionsTable({ reader, canWrite, writer }: Connections, limitBytes: number = 512 * 2 ** 20, now: () => number = Date.now): ProjectionsTable {
  let limit = limitBytes;
  let lastUse = 0;
  // Two uses within one millisecond still have an order.
  const use = (): number => (lastUse = Math.max(now(), lastUse + 1));
  return {
    async get<Record>(key: string) {
      const row = await reader.get<{ record: string; picture: Uint8Array; used_at: number }>('SELECT record, picture, used_at FROM projections WHERE key = ?', [key]);
      if (!row) return null;
      // Not waited for: it may queue behind a batch that is being committed, and losing it costs nothing.
      if (canWrite && now() - row.used_at > useGrainMs) void writer().run('UPDATE projections SET used_at = ? WHERE key = ?', [use(), key]).catch(() => undefined);
      return { record: JSON.parse(row.record) as Record, picture: row.picture };
    },
    async put(key, { record, picture }) {
      const text = JSON.stringify(record);
      await writer().transaction(async (statements) => {
        await statements.run(
          `INSERT INTO projections (key, record, picture, bytes, used_at) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (key) DO UPDATE SET record = excluded.record, picture = excluded.picture, bytes = excluded.bytes, used_at = excluded.used_at`,
          [key, text, picture, text.length + picture.byteLength, use()],
        );
        await evict(statements, limit);
      });
    },
    size: () => sizeOf(reader),
    count: async () => (await reader.get<{ count: number }>('SELECT count(*) AS count FROM projections'))?.count ?? 0,
    async clear() {
      await writer().run('DELETE FROM projections');
    },
    setLimit(bytes) {
      limit = bytes;
    },
  };
}

/** Adds up from the newest use; whatever starts beyond the limit goes. */
async function evict(statements: Statements, limit: number): Promise<void> {
  if ((await sizeOf(statements)) <= limit) return;
  await statements.run(
    `DELETE FROM projections WHERE key IN (
       SELECT key FROM (SELECT key, used_at, sum(bytes) OVER (ORDER BY used_at DESC) AS total FROM projections)
       WHERE total > ? AND used_at < (SELECT max(used_at) FROM projections))`,
    [limit],
  );
}

async function sizeOf(statements: Statements): Promise<number> {
  return (await statements.get<{ bytes: number }>('SELECT coalesce(sum(bytes), 0) AS bytes FROM projections'))?.bytes ?? 0;
}
