/** Rows that a thread asks the core for, block by block: what both say, and each one's end of it. */
import type { RowSource } from './matrix.ts';

/** From the thread. */
export interface RowsAsked {
  readonly kind: 'read';
  readonly first: number;
  readonly count: number;
}

/** The answer: `[count, dimensions]`, handed over. */
export interface RowsGiven {
  readonly kind: 'rows';
  readonly data: Float32Array;
}

export interface AskedRows {
  /** The rows as the thread sees them; one block is read at a time. */
  source(rows: number, dimensions: number): RowSource;
  given(message: RowsGiven): void;
}

/** The thread's end. */
export function createAskedRows(ask: (question: RowsAsked) => void): AskedRows {
  let waiting: ((data: Float32Array) => void) | null = null;
  return {
    source: (rows, dimensions) => ({
      rows,
      dimensions,
      read(first, count) {
        ask({ kind: 'read', first, count });
        return new Promise((resolve) => (waiting = resolve));
      },
    }),
    given: ({ data }) => waiting?.(data),
  };
}

/** The core's end. */
export async function giveRows(source: RowSource, { first, count }: RowsAsked, tell: (answer: RowsGiven, transfer: ArrayBuffer[]) => void): Promise<void> {
  // A view of a larger buffer would take all of it along.
  const data = new Float32Array(await source.read(first, count));
  tell({ kind: 'rows', data }, [data.buffer]);
}
