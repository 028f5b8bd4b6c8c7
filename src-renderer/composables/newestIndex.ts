/** The index that a view takes where none is named. Pure. */
import type { IndexRecord } from '../api/records.ts';

/** The newest complete one, else the newest; null where there is none. */
export function newestIndex(indexes: readonly IndexRecord[]): IndexRecord | null {
  const newest = [...indexes].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  return newest.find(({ state }) => state === 'complete') ?? newest[0] ?? null;
}
