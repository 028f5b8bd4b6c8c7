/** The index that a view takes where none is named. Pure. */
import type { IndexRecord } from '../api/records.ts';

/**
 * A complete one before others, then the one with most images, then the newest; of the checkpoints of one training, which an evolution indexes
 * one after the other, the last. Null where there is none.
 */
export function usualIndex(indexes: readonly IndexRecord[]): IndexRecord | null {
  const [first] = [...indexes].sort((a, b) => Number(b.state === 'complete') - Number(a.state === 'complete') || b.indexed - a.indexed || b.createdAt.localeCompare(a.createdAt));
  if (!first) return null;
  const equals = indexes.filter((each) => each.state === first.state && each.indexed === first.indexed && trainingOf(each) === trainingOf(first));
  return equals.reduce((last, each) => (epochOf(each) > epochOf(last) ? each : last), first);
}

/** The same indexes with the usual one first, where whoever opens a workspace looks for it: an evolution may have added many beside it. */
export function usualFirst(indexes: readonly IndexRecord[]): readonly IndexRecord[] {
  const usual = usualIndex(indexes);
  return usual ? [usual, ...indexes.filter((each) => each !== usual)] : indexes;
}

/** What checkpoints of a training have in common: their names without the number at the end. */
function trainingOf({ modelName }: IndexRecord): string {
  return modelName.replace(/(?<=[-_])\d+$/, '');
}

function epochOf({ modelName }: IndexRecord): number {
  return Number(/(?<=[-_])\d+$/.exec(modelName)?.[0] ?? 0);
}
