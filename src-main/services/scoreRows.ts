/** The score matrix of an index as the questions read it (indexing/queries): in blocks, by column, and paired with another layer's rows. What was read lately is kept. */
import { LRUCache } from 'lru-cache';
import type { Layer } from '../../src-shared/domain/layers.ts';
import { AppError } from '../../src-shared/errors.ts';
import { createPauses, readColumn, type ScoreBlock } from '../indexing/queries/blocks.ts';
import type { PairedBlock } from '../indexing/queries/correlation.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import { scoreMatrixFolder } from '../store/scoreMatrix.ts';
import { readScoreMatrix, type ScoreMatrixReader } from '../store/scoreMatrixReader.ts';

/** One layer of one index, opened for one question. */
export interface LayerRows {
  readonly rows: number;
  readonly channels: number;
  /** Row -> image number, rising. */
  readonly images: Int32Array;
  blocks(): AsyncGenerator<ScoreBlock, void, void>;
  /** Float32 `[rows]`. */
  column(channel: number): Promise<Float32Array>;
  /** Float32 `[channels]`. */
  row(row: number): Promise<Float32Array>;
}

export interface ScoreRows {
  /** Opens, hands over, closes. @throws AppError NOT_FOUND where the index keeps no scores */
  layer<T>(store: Store, index: StoredIndex, layer: Layer, work: (rows: LayerRows) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** Bytes of float32 in one block. */
const blockBytes = 4 * 2 ** 20;
/** Columns and image numbers kept in memory. */
const keptBytes = 64 * 2 ** 20;

export function createScoreRows(): ScoreRows {
  const kept = new LRUCache<string, Float32Array | Int32Array>({ maxSize: keptBytes, sizeCalculation: (value) => Math.max(1, value.byteLength) });
  const remembered = async <T extends Float32Array | Int32Array>(key: string, read: () => Promise<T>): Promise<T> => {
    const known = kept.get(key) as T | undefined;
    if (known) return known;
    const value = await read();
    kept.set(key, value);
    return value;
  };
  return {
    async layer(store, index, layer, work, signal) {
      const rows = committedRows(index);
      if (index.matrix === 'none') {
        throw new AppError('NOT_FOUND', `The index ${index.id} keeps no scores: only its ${index.top} hits per channel are known. Index the folder again with the score matrix (--matrix float32) to ask for more.`, { index: index.id });
      }
      if (rows === 0) return work(noRows(layer.channels));
      const key = `${store.folder} ${index.matrixFolder} ${rows}`;
      const reader = await readScoreMatrix(scoreMatrixFolder(store.folder, index.matrixFolder), layer.number, { rows });
      try {
        const blocks = () => readBlocks(reader, signal);
        return await work({
          rows,
          channels: reader.channels,
          images: await remembered(`${key} images`, () => reader.images()),
          blocks,
          column: (channel) => remembered(`${key} ${layer.number} ${channel}`, () => readColumn(blocks(), rows, reader.channels, channel)),
          row: (row) => reader.read(row, 1),
        });
      } finally {
        await reader.close();
      }
    },
  };
}

/** Rows that the store has committed; the files may hold more. */
export function committedRows(index: StoredIndex): number {
  return index.cursor - index.skipped;
}

/** Rows before the cursor, also of a pass, which knows from its beginning of images behind it that cannot be read. */
export async function rowsBefore(store: Store, { id, cursor }: StoredIndex): Promise<number> {
  return cursor - (await store.images.skippedNumbers(id, cursor)).length;
}

/** The row of an image, -1 for one that has none. */
export function rowOf(images: Int32Array, image: number): number {
  let low = 0;
  let high = images.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (images[middle]! < image) low = middle + 1;
    else high = middle;
  }
  return images[low] === image ? low : -1;
}

/** Rows of the left and the right layer that belong together, both rising: the same number of rows at a time, however far apart they lie. */
export async function* pairedBlocks(left: LayerRows, right: LayerRows, pairs: { readonly left: Int32Array; readonly right: Int32Array }): AsyncGenerator<PairedBlock, void, void> {
  const lefts = rowsAt(left, pairs.left);
  const rights = rowsAt(right, pairs.right);
  const atOnce = Math.max(1, Math.floor(blockBytes / 4 / Math.max(left.channels, right.channels)));
  for (let start = 0; start < pairs.left.length; start += atOnce) {
    const rows = Math.min(atOnce, pairs.left.length - start);
    yield { rows, left: await lefts(start, rows), right: await rights(start, rows) };
  }
}

/** The same layer on both sides. */
export async function* ownBlocks(rows: LayerRows): AsyncGenerator<PairedBlock, void, void> {
  for await (const { rows: count, scores } of rows.blocks()) yield { rows: count, left: scores, right: scores };
}

/** Picks rising rows out of blocks that are read once each. */
function rowsAt({ blocks, channels }: LayerRows, rows: Int32Array): (start: number, count: number) => Promise<Float32Array> {
  const source = blocks();
  let block: ScoreBlock = { firstRow: 0, rows: 0, scores: new Float32Array(0) };
  return async (start, count) => {
    const picked = new Float32Array(count * channels);
    for (let i = 0; i < count; i++) {
      const row = rows[start + i]!;
      while (row >= block.firstRow + block.rows) block = (await source.next()).value as ScoreBlock;
      const at = (row - block.firstRow) * channels;
      picked.set(block.scores.subarray(at, at + channels), i * channels);
    }
    return picked;
  };
}

async function* readBlocks(reader: ScoreMatrixReader, signal: AbortSignal | undefined): AsyncGenerator<ScoreBlock, void, void> {
  const atOnce = Math.max(1, Math.floor(blockBytes / 4 / reader.channels));
  const pause = createPauses(signal);
  let ahead = reader.read(0, atOnce);
  for (let firstRow = 0; firstRow < reader.rows; firstRow += atOnce) {
    const scores = await ahead;
    // The disk reads on while the caller computes.
    ahead = reader.read(firstRow + atOnce, atOnce);
    ahead.catch(() => undefined);
    yield { firstRow, rows: scores.length / reader.channels, scores };
    await pause();
  }
  await ahead;
}

function noRows(channels: number): LayerRows {
  return {
    rows: 0,
    channels,
    images: new Int32Array(0),
    blocks: async function* () {},
    column: () => Promise.resolve(new Float32Array(0)),
    row: () => Promise.resolve(new Float32Array(0)),
  };
}
