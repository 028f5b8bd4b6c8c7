/** Opening the workspaces that are to be merged, and the one index of each that is meant. */
import { basename } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';
import { whatDiffers, type PartRecord } from '../indexing/mergeable.ts';
import { describePlaces, type MergeSource } from '../indexing/mergePlan.ts';
import type { PlaceRange } from '../indexing/shards.ts';
import type { StoredIndex } from '../store/indexes.ts';
import { openStore, type Store } from '../store/open.ts';

export interface MergePart extends MergeSource {
  /** How messages name it. */
  readonly name: string;
  readonly store: Store;
  readonly index: StoredIndex;
}

/** @throws AppError WORKSPACE, CONFLICT where a workspace holds no index, or several */
export async function openPart(path: string): Promise<MergePart> {
  const store = await openStore(path, { mode: 'read' });
  try {
    const [index, ...others] = await store.indexes.list();
    const name = basename(store.path);
    if (!index) throw new AppError('CONFLICT', `${name} holds no index: the job that should have filled it has not begun.`, { path: store.path });
    if (others.length > 0) throw new AppError('CONFLICT', `${name} holds ${others.length + 1} indexes, and a part must hold one: delete the others with "switchback indexes --delete".`, { path: store.path });
    return partOfStore(name, store, index);
  } catch (thrown) {
    await store.close();
    throw thrown;
  }
}

/** What is done of an index, as a part of the whole listing. */
export function partOfStore(name: string, store: Store, index: StoredIndex): MergePart {
  return { name, store, index, ranges: doneRanges(index.part?.ranges ?? [[0, index.images]], index.cursor) };
}

/** Images of the whole listing that a part is of. */
export function wholeImagesOf({ index }: MergePart): number {
  return index.part?.images ?? index.images;
}

/** @throws AppError CONFLICT naming what differs, and in which part */
export function checkTogether(parts: readonly MergePart[]): void {
  const difference = whatDiffers(parts.map(recordOf));
  if (difference) throw new AppError('CONFLICT', `${difference.message} Index the odd ones again with the settings of the others.`, { field: difference.field });
}

/** True where an index is of the same computation as a part. */
export function belongsTo(part: MergePart, candidate: MergePart): boolean {
  return whatDiffers([recordOf(part), recordOf(candidate)]) === null;
}

/** @throws AppError CONFLICT naming parts that are unfinished, and the places that nobody has */
export function checkComplete(parts: readonly MergePart[], missing: readonly PlaceRange[]): void {
  if (missing.length === 0) return;
  const unfinished = parts.filter(({ index }) => index.cursor < index.images).map(({ name, index }) => `${name} has ${index.cursor} of its ${index.images} images done`);
  const count = missing.reduce((sum, [from, to]) => sum + to - from, 0);
  const reasons = unfinished.length > 0 ? ` ${unfinished.slice(0, 5).join('; ')}${unfinished.length > 5 ? `; and ${unfinished.length - 5} more` : ''}.` : '';
  throw new AppError(
    'CONFLICT',
    `The parts are not whole: ${count} of ${wholeImagesOf(parts[0]!)} images are in none of them (numbers ${describePlaces(missing)} of the listing).${reasons} Finish the missing shards, or pass --allow-missing to merge what there is.`,
    { missing: count },
  );
}

function recordOf(part: MergePart): PartRecord {
  return { ...part.index, name: part.name, wholeImages: wholeImagesOf(part), listing: part.index.part?.listing ?? null };
}

/** The first `done` places. */
function doneRanges(ranges: readonly PlaceRange[], done: number): readonly PlaceRange[] {
  let left = done;
  return ranges.flatMap(([from, to]): PlaceRange[] => {
    const taken = Math.min(left, to - from);
    left -= taken;
    return taken > 0 ? [[from, from + taken]] : [];
  });
}
