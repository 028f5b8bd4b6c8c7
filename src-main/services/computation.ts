/** The version of everything that makes scores out of images, and what it is for: results of two versions never stand in one index (method.md section 8). */
import { AppError } from '../../src-shared/errors.ts';
import type { StoredIndex } from '../store/indexes.ts';

/** Raised by hand when a change makes old scores wrong. */
export const computationVersion = 3;

/** @throws AppError CONFLICT for an index whose rows another version made */
export function requireSameComputation(index: Pick<StoredIndex, 'id' | 'computationVersion'>): void {
  if (index.computationVersion === computationVersion) return;
  throw new AppError('CONFLICT', 'This index was made by another version of Switchback, whose scores would not fit together with new ones. Index the folder again.', { index: index.id });
}
