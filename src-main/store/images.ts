/** Table `images`: the manifest of an index, one row per image in path order, numbered from 0. Content hashes and skip reasons arrive with the batches (hits.commitBatch). */
import type { ImageNumber, IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { Statements } from './driver.ts';
import type { Connections } from './open.ts';

export interface ManifestImage {
  /** Relative, '/', NFC. */
  readonly path: string;
  /** The same as the disk spells it. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly className: string | null;
}

export interface StoredImage extends ManifestImage {
  readonly number: ImageNumber;
  /** Null until the image was decoded. */
  readonly contentHash: string | null;
  /** Why the image has no row; null when it has one or was not tried yet. */
  readonly skipped: string | null;
}

export interface ImagesTable {
  /** At most `limit` images from number `from` on, in order. */
  page(index: IndexId, from: number, limit: number): Promise<StoredImage[]>;
  /** @throws AppError NOT_FOUND */
  get(index: IndexId, number: number): Promise<StoredImage>;
  findByPath(index: IndexId, path: string): Promise<StoredImage | null>;
  /** Images that could not be read, in order. */
  skipped(index: IndexId): Promise<{ readonly image: string; readonly reason: string }[]>;
}

export function imagesTable({ reader }: Connections): ImagesTable {
  return {
    page: (index, from, limit) => reader.all<StoredImage>(`${select} WHERE index_id = ? AND number >= ? ORDER BY number LIMIT ?`, [index, from, limit]),
    async get(index, number) {
      const image = await reader.get<StoredImage>(`${select} WHERE index_id = ? AND number = ?`, [index, number]);
      if (!image) throw new AppError('NOT_FOUND', `There is no image ${number} in index ${index}.`, { index, image: number });
      return image;
    },
    async findByPath(index, path) {
      return (await reader.get<StoredImage>(`${select} WHERE index_id = ? AND path = ?`, [index, path.normalize('NFC')])) ?? null;
    },
    skipped: (index) => reader.all('SELECT path AS image, skipped AS reason FROM images WHERE index_id = ? AND skipped IS NOT NULL ORDER BY number', [index]),
  };
}

const select = `SELECT number, path, file, size_bytes AS sizeBytes, modified_ms AS modifiedMs, class_name AS className, content_hash AS contentHash, skipped FROM images`;

/** Writes a manifest some thousand rows per statement; runs inside the caller's transaction. */
export async function insertImages(statements: Statements, index: IndexId, images: readonly ManifestImage[]): Promise<void> {
  const atOnce = 10_000;
  for (let start = 0; start < images.length; start += atOnce) {
    const rows = images.slice(start, start + atOnce).map((image, i) => [start + i, image.path, image.file, image.sizeBytes, image.modifiedMs, image.className]);
    await statements.run(
      `INSERT INTO images (index_id, number, path, file, size_bytes, modified_ms, class_name)
       SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?2)`,
      [index, JSON.stringify(rows)],
    );
  }
}
