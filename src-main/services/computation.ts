/** The version of everything that makes scores out of images, and what it is for: results of two versions never stand in one index (method.md section 8). */
import { AppError } from '../../src-shared/errors.ts';
import type { StoredIndex } from '../store/indexes.ts';

/** Raised by hand when a change makes other scores, be it by rounding only. */
export const computationVersion = 5;

type Made = Pick<StoredIndex, 'id' | 'computationVersion'>;

/** Why nothing may be added to an index whose rows another version made; null where this one made them. */
export function whyOtherComputation({ computationVersion: version }: Made): string | null {
  return version === computationVersion ? null : 'This index was made by another version of Switchback, whose scores would not fit together with new ones. Index the folder again.';
}

/** @throws AppError CONFLICT for an index whose rows another version made */
export function requireSameComputation(index: Made): void {
  const reason = whyOtherComputation(index);
  if (reason !== null) throw new AppError('CONFLICT', reason, { index: index.id });
}
