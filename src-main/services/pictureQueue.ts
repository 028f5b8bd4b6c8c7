/**
 * Pictures that wait to be drawn: as many at once as there are cores, what is quick to draw and looked at alone before sheets, and those whose reader has gone away not at all. A fast scroll
 * over thousands of channels leaves nothing behind.
 */
import { AppError } from '../../src-shared/errors.ts';

/** In the order in which they go. */
const ranks = ['single', 'patches', 'projections'] as const;
export type PictureRank = (typeof ranks)[number];

/** @throws AppError CANCELLED when the signal aborts before the work began; then it is never begun */
export type PictureQueue = <T>(rank: PictureRank, signal: AbortSignal | undefined, work: () => Promise<T>) => Promise<T>;

interface Waiting {
  readonly start: () => void;
}

export function createPictureQueue(atOnce: number): PictureQueue {
  const lines: Record<PictureRank, Waiting[]> = { single: [], patches: [], projections: [] };
  let free = atOnce;

  function turn(rank: PictureRank, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return Promise.reject(new AppError('CANCELLED', 'Cancelled.'));
    if (free > 0) {
      free -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        lines[rank].splice(lines[rank].indexOf(entry), 1);
        reject(new AppError('CANCELLED', 'Cancelled.'));
      };
      const entry = {
        start: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      lines[rank].push(entry);
    });
  }

  return async (rank, signal, work) => {
    await turn(rank, signal);
    try {
      return await work();
    } finally {
      const line = ranks.map((each) => lines[each]).find((waiting) => waiting.length > 0);
      if (line) line.shift()!.start();
      else free += 1;
    }
  };
}
