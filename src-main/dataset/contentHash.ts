/** How an image file's bytes are named, in one place: a rescan takes rows over because the name of a file read now equals the one from when it was indexed. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** First 32 hex digits of the SHA-256. */
export function contentHashOf(bytes: Uint8Array): string {
  return nameOf(createHash('sha256').update(bytes).digest('hex'));
}

/** The same of a file, without holding it in memory. Rejects where the file cannot be read, and with the signal's reason when aborted. */
export async function contentHashOfFile(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash, { ...(signal ? { signal } : {}) });
  return nameOf(hash.digest('hex'));
}

function nameOf(digest: string): string {
  return digest.slice(0, 32);
}
