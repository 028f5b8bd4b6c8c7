/**
 * The log that stays when a window is gone: what the core says on its error output, and what the shell does about it. One file and a few older ones, never
 * more than some megabytes. Written at once, because the line before a crash is the one that counts; a disk that refuses loses lines, not the program.
 */
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface LogFile {
  readonly path: string;
  write(line: string): void;
  /** The last lines, oldest first. */
  tail(lines: number): readonly string[];
}

export interface LogLimits {
  readonly largestBytes: number;
  /** Older files beside the current one. */
  readonly older: number;
}

const usualLimits: LogLimits = { largestBytes: 1_000_000, older: 4 };
const longestLineCharacters = 8000;

/** Opens `switchback.log` in `folder`; `switchback.1.log` is the one before it. */
export function openLogFile(folder: string, { largestBytes, older }: LogLimits = usualLimits, now: () => Date = () => new Date()): LogFile {
  const path = join(folder, 'switchback.log');
  const olderPath = (number: number): string => (number === 0 ? path : join(folder, `switchback.${number}.log`));
  const quietly = (work: () => void): void => {
    try {
      work();
    } catch {
      // No log is worth a failed start.
    }
  };
  let sizeBytes = 0;
  quietly(() => mkdirSync(folder, { recursive: true }));
  quietly(() => (sizeBytes = statSync(path).size));

  function rotate(): void {
    quietly(() => rmSync(olderPath(older), { force: true }));
    for (let number = older - 1; number >= 0; number -= 1) quietly(() => renameSync(olderPath(number), olderPath(number + 1)));
    sizeBytes = 0;
  }

  return {
    path,
    write(line) {
      const entry = `${now().toISOString()} ${line.slice(0, longestLineCharacters)}\n`;
      if (sizeBytes > 0 && sizeBytes + Buffer.byteLength(entry) > largestBytes) rotate();
      quietly(() => appendFileSync(path, entry));
      sizeBytes += Buffer.byteLength(entry);
    },
    tail(lines) {
      const read = (file: string): string[] => {
        try {
          return readFileSync(file, 'utf8').split('\n').filter((line) => line !== '');
        } catch {
          return [];
        }
      };
      const current = read(path);
      return (current.length >= lines ? current : [...read(olderPath(1)), ...current]).slice(-lines);
    },
  };
}
