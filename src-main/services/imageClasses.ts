/** The classes of an index's images, and the one that a person means by an index, a WordNet id or a name. */
import { AppError } from '../../src-shared/errors.ts';
import type { StoredClass } from '../store/classes.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';

export interface ImageClass extends StoredClass {
  /** From the labels file; class folders are counted from 0 in their order, as other programs do. */
  readonly index: number;
}

export async function imageClasses(store: Store, index: StoredIndex): Promise<readonly ImageClass[]> {
  return (await store.classes.list(index.id)).map((each, place) => ({ ...each, index: each.index ?? place }));
}

/**
 * @returns its place in `classes`
 * @throws AppError NOT_FOUND that names near ones, or all that the words could mean
 */
export function findClass(classes: readonly ImageClass[], wish: string, index: string): number {
  requireClasses(classes, index);
  const wanted = plain(wish);
  const ways: ((candidate: ImageClass) => boolean)[] = [
    (candidate) => String(candidate.index) === wanted,
    (candidate) => candidate.wnid === wanted,
    (candidate) => plain(candidate.name ?? '') === wanted,
    (candidate) => synonyms(candidate).includes(wanted),
  ];
  // A folder may be called 7 and be the third: its name is what a person sees.
  if (classes.some((candidate) => plain(candidate.name ?? '') === wanted)) ways.unshift(ways[2]!);
  for (const fits of ways) {
    const places = classes.flatMap((candidate, place) => (fits(candidate) ? [place] : []));
    if (places.length === 1) return places[0]!;
    if (places.length > 1) {
      throw new AppError('NOT_FOUND', `"${wish}" names ${places.length} classes: ${places.slice(0, 8).map((place) => described(classes[place]!)).join('; ')}. Say the class index or the wnid.`, { index, class: wish });
    }
  }
  const near = nearest(classes, wanted).map(described).join('; ');
  throw new AppError('NOT_FOUND', `The index ${index} has no class "${wish}" among its ${classes.length}. The nearest: ${near}.`, { index, class: wish });
}

/** @throws AppError NOT_FOUND where there are none */
export function requireClasses(classes: readonly ImageClass[], index: string): void {
  if (classes.length > 0) return;
  throw new AppError('NOT_FOUND', `The index ${index} knows no classes. Put the images into one folder per class, or index them with --labels FILE.tsv.`, { index });
}

/** The class that a person means, and which of the given rows' images are of it. */
export async function classRows(store: Store, index: StoredIndex, wish: string): Promise<{ readonly class: ImageClass; rowsIn(images: Int32Array): Int32Array }> {
  const classes = await imageClasses(store, index);
  const place = findClass(classes, wish, index.id);
  const classOf = await store.classes.ofImages(index.id, index.images);
  return {
    class: classes[place]!,
    rowsIn(images) {
      const rows: number[] = [];
      images.forEach((number, row) => {
        if (classOf[number] === place) rows.push(row);
      });
      return Int32Array.from(rows);
    },
  };
}

/** As the contract has it. */
export function named({ index, wnid, name }: ImageClass): { index: number; wnid: string | null; name: string | null } {
  return { index, wnid, name };
}

function nearest(classes: readonly ImageClass[], wanted: string): readonly ImageClass[] {
  const contains = (word: string, part: string) => part.length >= 3 && word.includes(part);
  const far = (word: string) => (contains(word, wanted) || contains(wanted, word) ? 0.5 : editDistance(word, wanted));
  const words = (candidate: ImageClass) => [...(/^\d+$/.test(wanted) ? [String(candidate.index)] : []), ...(candidate.wnid === null ? [] : [candidate.wnid]), ...synonyms(candidate)];
  return classes
    .map((candidate) => ({ candidate, distance: Math.min(...words(candidate).map(far)) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 5)
    .map(({ candidate }) => candidate);
}

function described({ index, wnid, name }: ImageClass): string {
  return [String(index), ...(wnid !== null && wnid !== name ? [wnid] : []), ...(name === null ? [] : [name])].join(' ');
}

/** The whole name, and the words of a list such as "tench, Tinca tinca". */
function synonyms({ name }: ImageClass): readonly string[] {
  return name === null ? [] : [plain(name), ...name.split(',').map(plain)];
}

function plain(word: string): string {
  return word.normalize('NFC').trim().toLowerCase().replaceAll('_', ' ');
}

/** Levenshtein's: the fewest letters to put in, take out or change. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
