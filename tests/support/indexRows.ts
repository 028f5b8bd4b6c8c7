/** What an index leaves in a workspace's database, read past the store, so that two runs can be compared row by row. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '../../src-main/store/driver.ts';
import { npyHeaderBytes } from '../../src-main/store/npy.ts';

/** Everything but what must differ between two runs: the index's own name and number, its matrix's folder, and when it was made. */
export interface IndexRows {
  readonly indexes: readonly object[];
  readonly images: readonly object[];
  readonly hits: readonly object[];
  /** Statistics of a layer as base64. */
  readonly statistics: readonly { readonly layer: number; readonly data: string }[];
  /** Hash of each file of the score matrix, by name. */
  readonly matrix: Readonly<Record<string, string>>;
}

export async function readIndexRows(workspace: string): Promise<IndexRows> {
  const database = await openDatabase(join(workspace, 'workspace.sqlite'), 'read');
  try {
    const indexes = await database.all<Record<string, unknown>>('SELECT * FROM indexes WHERE deleted = 0 AND staged_for IS NULL ORDER BY number');
    const statistics = await database.all<{ layer: number; data: Uint8Array }>('SELECT layer, data FROM layer_statistics ORDER BY layer');
    return {
      indexes: indexes.map(({ id: _id, number: _number, created_at: _createdAt, matrix_folder: _folder, ...rest }) => rest),
      images: await database.all<object>('SELECT number, path, file, size_bytes, modified_ms, content_hash, perceptual_hash, class_name, skipped, source FROM images ORDER BY index_id, number'),
      hits: await database.all<object>('SELECT layer, channel, rank, image, score, y, x, changed_at FROM hits ORDER BY layer, channel, rank'),
      statistics: statistics.map(({ layer, data }) => ({ layer, data: Buffer.from(data).toString('base64') })),
      matrix: Object.fromEntries(indexes.flatMap(({ matrix_folder: folder }) => hashesIn(join(workspace, 'activations', String(folder))))),
    };
  } finally {
    await database.close();
  }
}

function hashesIn(folder: string): readonly (readonly [string, string])[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).sort().map((name) => [name, createHash('sha256').update(readFileSync(join(folder, name))).digest('hex')]);
}

/** Rows as a fresh index would have them: lists that a rescan left as they were keep their version. */
export function withoutVersions({ hits, ...rows }: IndexRows): IndexRows {
  return { ...rows, indexes: rows.indexes.map((index) => ({ ...index, version_base: 0 })), hits: hits.map((hit) => ({ ...hit, changed_at: 0 })) };
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

/** Rows that the newest score matrix of a workspace holds, committed or not; 0 while there is none. `channels`: of its first layer. */
export function readRowsWritten(workspace: string, channels: number): number {
  const folder = join(workspace, 'activations');
  if (!existsSync(folder)) return 0;
  const sizes = readdirSync(folder).map((name) => statSync(join(folder, name, '0001.npy'), { throwIfNoEntry: false })?.size ?? 0);
  return Math.floor(Math.max(0, Math.max(0, ...sizes) - npyHeaderBytes) / (4 * channels));
}
