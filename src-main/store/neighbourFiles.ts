/** Indexes of neighbours, each beside the features that it was built over: `features-<id>.neighbours-<metric>.bin`. It is there whole or not at all, and what it holds is checked by who reads it. */
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { inWords } from './filePieces.ts';
import { rowFileName, type StoredRowFile } from './rowFiles.ts';

type Features = Pick<StoredRowFile, 'what' | 'id'>;

/** @param metric a word */
export function neighbourFileName(features: Features, metric: string): string {
  return rowFileName(features).replace(/npy$/, `neighbours-${metric}.bin`);
}

/** Null where there is none. */
export async function readNeighbourFile(folder: string, features: Features, metric: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const bytes = await readFile(join(folder, neighbourFileName(features, metric))).catch(() => null);
  // A buffer of its own, so that it can be handed over.
  return bytes && new Uint8Array(bytes);
}

export async function hasNeighbourFile(folder: string, features: Features, metric: string): Promise<boolean> {
  return (await stat(join(folder, neighbourFileName(features, metric))).catch(() => null))?.isFile() ?? false;
}

/** Replaces the one that is there. @throws AppError WORKSPACE where the disk is full or cannot be written */
export async function writeNeighbourFile(folder: string, features: Features, metric: string, bytes: Uint8Array): Promise<void> {
  const file = join(folder, neighbourFileName(features, metric));
  await inWords(folder, async () => {
    try {
      const handle = await open(`${file}.tmp`, 'w');
      try {
        await handle.writeFile(bytes);
        await handle.datasync();
      } finally {
        await handle.close();
      }
      await rename(`${file}.tmp`, file);
    } catch (error) {
      await rm(`${file}.tmp`, { force: true });
      throw error;
    }
  });
}

export async function removeNeighbourFile(folder: string, features: Features, metric: string): Promise<void> {
  await rm(join(folder, neighbourFileName(features, metric)), { force: true });
}
