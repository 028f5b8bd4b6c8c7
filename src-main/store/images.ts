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
  /** What is shown of the image's class; index and WordNet id where they are known (dataset/labels.ts), not read back with an image: classes.ts reads them. */
  readonly className: string | null;
  readonly classIndex?: number | null;
  readonly classWnid?: string | null;
}

export interface StoredImage extends ManifestImage {
  readonly number: ImageNumber;
  /** Null until the image was decoded. */
  readonly contentHash: string | null;
  /** Of the picture (dataset/perceptualHash.ts); null until the image was decoded, and where it was indexed before hashes were kept. */
  readonly perceptualHash: string | null;
  /** Why the image has no row; null when it has one or was not tried yet. */
  readonly skipped: string | null;
  /** In a pass that takes rows over: the image's number in the old manifest; null where it must be computed, and in every finished index. */
  readonly source: number | null;
}

export interface ImagesTable {
  /** At most `limit` images from number `from` on, in order. */
  page(index: IndexId, from: number, limit: number): Promise<StoredImage[]>;
  /** @throws AppError NOT_FOUND */
  get(index: IndexId, number: number): Promise<StoredImage>;
  /** Those of these numbers that there are, by number. */
  several(index: IndexId, numbers: readonly number[]): Promise<ReadonlyMap<number, StoredImage>>;
  findByPath(index: IndexId, path: string): Promise<StoredImage | null>;
  /** Images of the numbers `from` to `to` (half-open) whose path or class holds every word, whatever the capitals of its ASCII letters; in order, at most `limit`. */
  find(index: IndexId, words: readonly string[], from: number, to: number, limit: number): Promise<StoredImage[]>;
  /** Numbers below `before` of images without a row, ascending: row r of a score matrix is the r-th image that is not among them. */
  skippedNumbers(index: IndexId, before: number): Promise<Int32Array>;
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
    async several(index, numbers) {
      const rows = await reader.all<StoredImage>(`${select} WHERE index_id = ? AND number IN (SELECT value FROM json_each(?))`, [index, JSON.stringify(numbers)]);
      return new Map(rows.map((image) => [image.number, image]));
    },
    async findByPath(index, path) {
      return (await reader.get<StoredImage>(`${select} WHERE index_id = ? AND path = ?`, [index, path.normalize('NFC')])) ?? null;
    },
    find: (index, words, from, to, limit) =>
      reader.all<StoredImage>(
        `${select} WHERE index_id = ?1 AND number >= ?2 AND number < ?3
           AND NOT EXISTS (SELECT 1 FROM json_each(?4) AS word WHERE instr(lower(images.path || char(10) || coalesce(images.class_name, '')), lower(word.value)) = 0) ORDER BY number LIMIT ?5`,
        [index, from, to, JSON.stringify(words), limit],
      ),
    async skippedNumbers(index, before) {
      const rows = await reader.all<{ number: number }>('SELECT number FROM images WHERE index_id = ? AND number < ? AND skipped IS NOT NULL ORDER BY number', [index, before]);
      return Int32Array.from(rows, (row) => row.number);
    },
    skipped: (index) => reader.all('SELECT path AS image, skipped AS reason FROM images WHERE index_id = ? AND skipped IS NOT NULL ORDER BY number', [index]),
  };
}

const select = `SELECT number, path, file, size_bytes AS sizeBytes, modified_ms AS modifiedMs, class_name AS className, content_hash AS contentHash, perceptual_hash AS perceptualHash, skipped, source FROM images`;

/** Writes a manifest some thousand rows per statement; runs inside the caller's transaction. */
export async function insertImages(statements: Statements, index: IndexId, images: readonly ManifestImage[]): Promise<number> {
  const atOnce = 10_000;
  for (let start = 0; start < images.length; start += atOnce) {
    const rows = images.slice(start, start + atOnce).map((image, i) => [start + i, image.path, image.file, image.sizeBytes, image.modifiedMs, image.className, image.classIndex ?? null, image.classWnid ?? null]);
    await statements.run(
      `INSERT INTO images (index_id, number, path, file, size_bytes, modified_ms, class_name, class_index, class_wnid)
       SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7 FROM json_each(?2)`,
      [index, JSON.stringify(rows)],
    );
  }
  return images.length;
}
