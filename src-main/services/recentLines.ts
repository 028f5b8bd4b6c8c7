/** The last lines of the log, held for "copy diagnostics": a log file exists only where the desktop keeps one. */

export interface RecentLines {
  add(line: string): void;
  /** Oldest first. */
  list(): readonly string[];
}

const longestLine = 2000;

/** Keeps the last `most` lines. */
export function createRecentLines(most = 200): RecentLines {
  const lines: string[] = [];
  return {
    add(line) {
      lines.push(line.slice(0, longestLine));
      if (lines.length > most) lines.shift();
    },
    list: () => [...lines],
  };
}
