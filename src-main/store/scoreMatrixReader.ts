/** Reads the scores of one layer in pieces, never the whole file at once; also while it grows, and from a read-only disk. */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';
import { readAt } from './filePieces.ts';
import { tooShort } from './growingArray.ts';
import { bytesPerElement, decodeFloats, npyHeaderBytes, parseNpyHeader } from './npy.ts';
import { layerFile, type Precision } from './scoreMatrix.ts';

export interface ScoreMatrixReader {
  readonly rows: number;
  readonly channels: number;
  readonly precision: Precision;
  /** Row -> image number of the manifest. */
  images(): Promise<Int32Array>;
  /** Float32 `[count, channels]`; fewer rows at the end of the matrix. */
  read(fromRow: number, count: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * Opens one layer for reading, in pieces, while it grows or later.
 * @param options.rows rows that the store has committed, where the caller knows: a kill between commit and header leaves the header behind
 * @throws AppError NOT_FOUND where no matrix is kept for this layer, UNREADABLE_FILE where the file is broken
 */
export async function readScoreMatrix(folder: string, layerNumber: number, options: { readonly rows?: number } = {}): Promise<ScoreMatrixReader> {
  const file = join(folder, layerFile(layerNumber));
  const handle = await open(file, 'r').catch((cause: unknown) => {
    throw new AppError('NOT_FOUND', `No scores are kept for layer ${layerNumber}: ${file} is not there. Index the folder again with --matrix float32 to keep them.`, { path: file, layer: layerNumber }, cause);
  });
  try {
    const { type, shape } = parseNpyHeader(await readAt(handle, 0, npyHeaderBytes), file);
    const [counted, channels] = shape;
    if ((type !== 'float32' && type !== 'float16') || shape.length !== 2 || !channels) throw new AppError('UNREADABLE_FILE', `${file} is not a score matrix: its shape is ${shape.join(' x ')}, ${type}.`, { path: file });
    const rowBytes = channels * bytesPerElement(type);
    const held = Math.floor(((await handle.stat()).size - npyHeaderBytes) / rowBytes);
    const rows = options.rows ?? counted!;
    if (held < rows) throw tooShort(file, rows, held);
    return {
      rows,
      channels,
      precision: type,
      images: () => readImageNumbers(folder, rows),
      async read(fromRow, count) {
        const read = Math.max(0, Math.min(count, rows - fromRow));
        return decodeFloats(await readAt(handle, npyHeaderBytes + fromRow * rowBytes, read * rowBytes), type);
      },
      close: () => handle.close(),
    };
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
}

async function readImageNumbers(folder: string, rows: number): Promise<Int32Array> {
  const file = join(folder, 'images.npy');
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new AppError('UNREADABLE_FILE', `${file} is missing: without it nobody knows which image a row belongs to. Index the folder again.`, { path: file }, cause);
  });
  const { dataOffset } = parseNpyHeader(bytes, file);
  const held = Math.floor((bytes.length - dataOffset) / 4);
  if (held < rows) throw tooShort(file, rows, held);
  return new Int32Array(bytes.buffer.slice(bytes.byteOffset + dataOffset, bytes.byteOffset + dataOffset + rows * 4));
}
