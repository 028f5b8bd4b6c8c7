/** A folder that does not exist yet, named after a wish. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';

/** Letters that are none of a name become dashes; taken names get a number. */
export async function freeFolder(parent: string, wish: string, otherwise: string): Promise<string> {
  const base = wish.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[.-]+|[.-]+$/g, '') || otherwise;
  for (let count = 1; ; count++) {
    const folder = join(parent, count === 1 ? base : `${base}-${count}`);
    const taken = await access(folder).then(() => true, () => false);
    if (!taken) return folder;
  }
}
