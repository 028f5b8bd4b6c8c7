/** What a map is at and what it is made of, as facts for the words of the view. */
import type { MapRecord } from '../../api/records.ts';

/** Of the whole job the layout is what is counted once it has begun; before that, the stage. */
export function progressOf({ stage, done, total, iteration, iterations }: Pick<MapRecord, 'stage' | 'done' | 'total' | 'iteration' | 'iterations'>): { readonly done: number; readonly total: number } {
  return stage === 'settling' && iterations > 0 ? { done: iteration, total: iterations } : { done, total: Math.max(1, total) };
}

/** Two maps can stand beside each other where both lay out images, and are not the same. */
export function canStandBeside(left: Pick<MapRecord, 'id' | 'spec'>, right: Pick<MapRecord, 'id' | 'spec' | 'state'>): boolean {
  return left.id !== right.id && left.spec.subject.kind === right.spec.subject.kind && right.state === 'done';
}
