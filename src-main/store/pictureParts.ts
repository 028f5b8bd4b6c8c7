/** Table `picture_parts`: parts that a person marked on pictures, by the picture's content, so that every index of the same pictures has them. */
import type { Connections } from './open.ts';

/** Shares of the upright picture's height and width, from 0 to 1. */
export interface PartBox {
  readonly upper: number;
  readonly leftmost: number;
  readonly lower: number;
  readonly rightmost: number;
}

export interface StoredPart extends PartBox {
  readonly contentHash: string;
  readonly name: string;
  /** Of the upright picture, in pixels; null where it was not kept. */
  readonly height: number | null;
  readonly width: number | null;
}

export interface PicturePartsTable {
  /** Of these pictures, by name. */
  of(contentHashes: readonly string[]): Promise<readonly StoredPart[]>;
  /** Replaces the one of that name. */
  set(part: StoredPart): Promise<void>;
  remove(contentHash: string, name: string): Promise<void>;
}

export function picturePartsTable({ reader, writer }: Connections): PicturePartsTable {
  return {
    async of(contentHashes) {
      return reader.all<StoredPart>(
        `SELECT content_hash AS contentHash, name, upper, leftmost, lower, rightmost, height, width FROM picture_parts WHERE content_hash IN (SELECT value FROM json_each(?)) ORDER BY name, content_hash`,
        [JSON.stringify(contentHashes)],
      );
    },
    async set({ contentHash, name, upper, leftmost, lower, rightmost, height, width }) {
      await writer().run('INSERT OR REPLACE INTO picture_parts (content_hash, name, upper, leftmost, lower, rightmost, height, width) VALUES (?, ?, ?, ?, ?, ?, ?, ?)', [contentHash, name, upper, leftmost, lower, rightmost, height, width]);
    },
    async remove(contentHash, name) {
      await writer().run('DELETE FROM picture_parts WHERE content_hash = ? AND name = ?', [contentHash, name]);
    },
  };
}
