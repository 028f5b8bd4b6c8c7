/**
 * images.json: the path of each row as a JSON array with one path per line, so that it can grow in place (new lines take the place of the closing bracket) and be cut back by
 * counting lines. It is valid JSON after every append.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { AppError } from '../../src-shared/errors.ts';
import { inWords, readAt, writeAll } from './filePieces.ts';
import { tooShort } from './growingArray.ts';

export interface PathList {
  append(paths: readonly string[]): Promise<void>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

const opening = '[';
const closing = '\n]\n';

/**
 * Opens the list and cuts it back to `rows` paths; 0 makes it anew.
 * @throws AppError UNREADABLE_FILE where it holds fewer
 */
export async function openPathList(file: string, rows: number): Promise<PathList> {
  const handle = await inWords(file, () => open(file, rows === 0 ? 'w+' : 'r+'));
  let end = opening.length;
  let changed = true;
  /** Ends the list behind the last known path, also where a full disk cut an append short. */
  const endHere = async () => {
    await writeAll(handle, Buffer.from(closing), end);
    await handle.truncate(end + closing.length);
  };
  try {
    if (rows > 0) end = await endOfRow(handle, file, rows);
    await inWords(file, async () => {
      if (rows === 0) await writeAll(handle, Buffer.from(opening), 0);
      await endHere();
    });
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
  return {
    async append(paths) {
      if (paths.length === 0) return;
      const lines = Buffer.from(`${end > opening.length ? ',' : ''}\n${paths.map((path) => JSON.stringify(path)).join(',\n')}`);
      changed = true;
      try {
        await writeAll(handle, Buffer.concat([lines, Buffer.from(closing)]), end);
      } catch (thrown) {
        await endHere().catch(() => undefined);
        throw thrown;
      }
      end += lines.length;
    },
    async flush() {
      if (changed) await handle.datasync();
      changed = false;
    },
    close: () => handle.close(),
  };
}

/** The byte behind the text of the last of so many rows: row r is line r + 1, and a comma may follow it. */
async function endOfRow(handle: FileHandle, file: string, rows: number): Promise<number> {
  const pieceBytes = 2 ** 20;
  const newline = 10;
  let lines = 0;
  for (let start = 0; ; ) {
    const piece = await readAt(handle, start, pieceBytes);
    // The brackets have a line each.
    if (piece.length === 0) throw tooShort(file, rows, lines - 2);
    for (let at = piece.indexOf(newline); at !== -1; at = piece.indexOf(newline, at + 1)) {
      if (lines++ < rows) continue;
      const end = start + at;
      const [last] = await readAt(handle, end - 1, 1);
      if (last === ']'.charCodeAt(0)) throw tooShort(file, rows, rows - 1);
      if (last !== ','.charCodeAt(0) && last !== '"'.charCodeAt(0)) throw new AppError('UNREADABLE_FILE', `${file} does not hold one path per line: it was changed by another program. Index the folder again.`, { path: file });
      return last === ','.charCodeAt(0) ? end - 1 : end;
    }
    start += piece.length;
  }
}
