/** A .npy file that grows by rows: data behind the counted rows first, the header that counts them later (scoreMatrix.ts says when). */
import { open } from 'node:fs/promises';
import { AppError } from '../../src-shared/errors.ts';
import { inWords, readAt, writeAll } from './filePieces.ts';
import { bytesPerElement, npyHeader, npyHeaderBytes, parseNpyHeader, type NpyType } from './npy.ts';

/** One .npy file that grows by rows. */
export interface GrowingArray {
  write(atRow: number, bytes: Uint8Array): Promise<void>;
  /** Of an array of int32. */
  readInt32(fromRow: number, count: number): Promise<Int32Array>;
  flush(): Promise<void>;
  /** Rewrites the header. */
  count(rows: number): Promise<void>;
  close(): Promise<void>;
}

export async function openGrowingArray(file: string, type: NpyType, rowShape: readonly number[], rows: number): Promise<GrowingArray> {
  const rowBytes = rowShape.reduce((product, size) => product * size, bytesPerElement(type));
  const handle = await inWords(file, () => open(file, rows === 0 ? 'w+' : 'r+'));
  let changed = true;
  const header = async (counted: number) => {
    await handle.write(npyHeader(type, [counted, ...rowShape]), 0, npyHeaderBytes, 0);
    changed = true;
  };
  try {
    if (rows > 0) {
      const { size } = await handle.stat();
      const found = parseNpyHeader(await readAt(handle, 0, npyHeaderBytes), file);
      if (found.type !== type || found.shape.slice(1).join() !== rowShape.join()) {
        throw new AppError('UNREADABLE_FILE', `${file} holds ${found.type} of ${found.shape.slice(1).join(' x ')} per image, not ${type} of ${rowShape.join(' x ')}: this layer must start over.`, { path: file });
      }
      const held = Math.floor((size - npyHeaderBytes) / rowBytes);
      if (held < rows) throw tooShort(file, rows, held);
      if (size > npyHeaderBytes + rows * rowBytes) await handle.truncate(npyHeaderBytes + rows * rowBytes);
    }
    await inWords(file, () => header(rows));
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
  return {
    async write(atRow, bytes) {
      changed = true;
      await writeAll(handle, bytes, npyHeaderBytes + atRow * rowBytes);
    },
    async readInt32(fromRow, count) {
      return new Int32Array((await readAt(handle, npyHeaderBytes + fromRow * rowBytes, count * rowBytes)).buffer);
    },
    async flush() {
      if (changed) await handle.datasync();
      changed = false;
    },
    count: header,
    close: () => handle.close(),
  };
}

export function tooShort(file: string, rows: number, held: number, cause?: unknown): AppError {
  return new AppError('UNREADABLE_FILE', `${file} holds ${Math.max(0, held)} rows where the index has ${rows}: the file was cut off or replaced, and its layer must start over.`, { path: file, rows, held }, cause);
}
