/** What an index leaves in a workspace's database, read past the store, so that two runs can be compared row by row. */
import { join } from 'node:path';
import { openDatabase } from '../../src-main/store/driver.ts';

/** Everything but what must differ between two runs: the index's own name and number, and when it was made. */
export interface IndexRows {
  readonly indexes: readonly object[];
  readonly images: readonly object[];
  readonly hits: readonly object[];
  /** Statistics of a layer as base64. */
  readonly statistics: readonly { readonly layer: number; readonly data: string }[];
}

export async function readIndexRows(workspace: string): Promise<IndexRows> {
  const database = await openDatabase(join(workspace, 'workspace.sqlite'), 'read');
  try {
    const indexes = await database.all<Record<string, unknown>>('SELECT * FROM indexes ORDER BY number');
    const statistics = await database.all<{ layer: number; data: Uint8Array }>('SELECT layer, data FROM layer_statistics ORDER BY layer');
    return {
      indexes: indexes.map(({ id: _id, number: _number, created_at: _createdAt, ...rest }) => rest),
      images: await database.all<object>('SELECT number, path, file, size_bytes, modified_ms, content_hash, class_name, skipped FROM images ORDER BY number'),
      hits: await database.all<object>('SELECT layer, channel, rank, image, score, y, x, changed_at FROM hits ORDER BY layer, channel, rank'),
      statistics: statistics.map(({ layer, data }) => ({ layer, data: Buffer.from(data).toString('base64') })),
    };
  } finally {
    await database.close();
  }
}

/** Images that are done in the newest index; 0 while there is no workspace or index yet. */
export async function readCursor(workspace: string): Promise<number> {
  try {
    const database = await openDatabase(join(workspace, 'workspace.sqlite'), 'read');
    try {
      return (await database.get<{ cursor: number }>('SELECT cursor FROM indexes ORDER BY number DESC LIMIT 1'))?.cursor ?? 0;
    } finally {
      await database.close();
    }
  } catch {
    return 0; // being made just now
  }
}
