/** What the disk of a folder has left. */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Bytes for who is not the system's administrator, on the disk of the folder or of the nearest one above it that exists. */
export async function freeBytesAt(folder: string): Promise<number> {
  for (let at = folder; ; at = dirname(at)) {
    const found = await statfs(at).catch(() => null);
    if (found) return found.bavail * found.bsize;
    if (dirname(at) === at) return 0;
  }
}
