/**
 * Table `positions`: where an image excites the channels of a layer, for images whose positions were asked for beyond the stored hits. One row holds all channels, because one forward
 * pass gives them all; it belongs to the image's content.
 */
import type { IndexId } from '../../src-shared/domain/ids.ts';
import type { Connections } from './open.ts';

export interface ImagePositions {
  readonly contentHash: string;
  /** Row * width + column of the first maximum, per channel. */
  readonly positions: Int32Array;
}

export interface PositionsTable {
  /** Those that are known, by content hash. */
  of(index: IndexId, layer: number, contentHashes: readonly string[]): Promise<ReadonlyMap<string, Int32Array>>;
  put(index: IndexId, layer: number, images: readonly ImagePositions[]): Promise<void>;
}

export function positionsTable({ reader, writer }: Connections): PositionsTable {
  return {
    async of(index, layer, contentHashes) {
      const rows = await reader.all<{ contentHash: string; data: Uint8Array }>(
        'SELECT content_hash AS contentHash, data FROM positions WHERE index_id = ? AND layer = ? AND content_hash IN (SELECT value FROM json_each(?))',
        [index, layer, JSON.stringify(contentHashes)],
      );
      return new Map(rows.map(({ contentHash, data }) => [contentHash, new Int32Array(Uint8Array.from(data).buffer)]));
    },
    async put(index, layer, images) {
      await writer().transaction(async (statements) => {
        for (const { contentHash, positions } of images) {
          await statements.run('INSERT INTO positions (index_id, layer, content_hash, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING', [
            index, layer, contentHash, new Uint8Array(positions.buffer, positions.byteOffset, positions.byteLength),
          ]);
        }
      });
    },
  };
}
