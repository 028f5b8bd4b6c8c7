/**
 * What is kept for every image of an index beside its scores, as it is read: features of a layer, small pictures, predictions. Row r belongs to the r-th image that has a row in the score matrix.
 * Blocks that were read lately are kept, so that one question after the other costs no reading.
 */
import { LRUCache } from 'lru-cache';
import type { pooling } from '../../src-shared/contract/map.ts';
import type * as z from 'zod';
import { AppError } from '../../src-shared/errors.ts';
import type { RowSource } from '../features/matrix.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import { readRowFile, rowBytes, type RowFileWish, type StoredRowFile } from '../store/rowFiles.ts';
import { scoreMatrixFolder } from '../store/scoreMatrix.ts';
import { committedRows } from './scoreRows.ts';

export type Pooling = z.infer<typeof pooling>;

export interface FeatureChoice {
  readonly index: string;
  /** Value name. */
  readonly layer: string;
  readonly pooling: Pooling;
}

/** Names of the two files that every index has once. */
export const pixelsFile = { what: 'pixels', layer: '', pooling: '' } as const;
export const predictionsFile = { what: 'predictions', layer: '', pooling: '' } as const;

export function featuresFile({ layer, pooling: by }: Pick<FeatureChoice, 'layer' | 'pooling'>) {
  return { what: 'features', layer, pooling: by } as const;
}

export function needsFeatures({ layer, pooling: by }: FeatureChoice): AppError {
  return new AppError('NOT_FOUND', `The features of ${JSON.stringify(layer)} (${by}) are not computed for this index, or the index has other images by now. Compute them first.`, { layer, pooling: by, needsFeatures: true });
}

/** They are of the index as it is, and whole. */
export function isWhole(file: StoredRowFile | null, index: StoredIndex): file is StoredRowFile {
  return file !== null && file.folder === index.matrixFolder && file.rows === committedRows(index);
}

/** The image number of each row, rising. */
export async function rowImages(store: Store, index: StoredIndex): Promise<Int32Array<ArrayBuffer>> {
  const skipped = new Set(await store.images.skippedNumbers(index.id, index.cursor));
  const numbers = new Int32Array(index.cursor - skipped.size);
  let row = 0;
  for (let number = 0; number < index.cursor; number++) if (!skipped.has(number)) numbers[row++] = number;
  return numbers;
}

export interface OpenRows extends RowSource {
  readonly file: StoredRowFile;
  /** As they are in the file; nobody writes to them. */
  readBytes(first: number, count: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

export interface FeatureRows {
  /** Null where the file is not whole. The caller closes it. */
  open(store: Store, index: StoredIndex, wish: Pick<RowFileWish, 'what' | 'layer' | 'pooling'>): Promise<OpenRows | null>;
}

const heldBytes = 384 * 2 ** 20;

export function createFeatureRows(): FeatureRows {
  const held = new LRUCache<string, Uint8Array<ArrayBuffer>>({ maxSize: heldBytes, sizeCalculation: (bytes) => Math.max(1, bytes.byteLength), ttl: 5 * 60_000, ttlAutopurge: false });
  return {
    async open(store, index, wish) {
      const file = await store.rowFiles.find(index.id, wish);
      if (!isWhole(file, index)) return null;
      const reader = await readRowFile(scoreMatrixFolder(store.folder, file.folder), file);
      const dimensions = file.shape.reduce((product, size) => product * size, 1);
      const readBytes = async (first: number, count: number) => {
        const key = `${store.folder} ${file.id} ${file.rows} ${first} ${count}`;
        const bytes = held.get(key) ?? (await reader.read(first, count));
        held.set(key, bytes);
        return bytes;
      };
      return {
        file,
        rows: file.rows,
        dimensions,
        readBytes,
        read: async (first, count) => numbersOf(await readBytes(first, count), file),
        close: () => reader.close(),
      };
    },
  };
}

function numbersOf(bytes: Uint8Array<ArrayBuffer>, { what }: StoredRowFile): Float32Array {
  return what === 'pixels' ? new Float32Array(bytes) : new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

/** Every prediction `[class, probability]`; null where the network makes none, or they are not computed. */
export async function readPredictions(store: Store, index: StoredIndex): Promise<Float32Array | null> {
  const file = await store.rowFiles.find(index.id, predictionsFile);
  if (!isWhole(file, index)) return null;
  const reader = await readRowFile(scoreMatrixFolder(store.folder, file.folder), file);
  try {
    const bytes = await reader.read(0, file.rows);
    return new Float32Array(bytes.buffer);
  } finally {
    await reader.close();
  }
}

export function bytesOfRows(wish: Pick<RowFileWish, 'what' | 'shape'>, rows: number): number {
  return rowBytes(wish) * rows;
}
