/** The images of an index that have a picture and a class, for experiments that learn: their numbers, their classes, and those that are left out with the reason. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';
import type { Targets } from '../classifiers/linear.ts';
import { parseSeveralLabels, type SeveralLabels } from '../experiments/severalLabels.ts';
import type { StoredImage } from '../store/images.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import { imageClasses, requireClasses } from './imageClasses.ts';

export interface ClassedImages {
  /** In path order. */
  readonly images: readonly StoredImage[];
  readonly classes: readonly string[];
  readonly targets: Targets;
  readonly skipped: readonly { readonly image: string; readonly reason: string }[];
  /** Changes with the images, their content and their classes. */
  readonly hash: string;
}

const pageSize = 5000;

/**
 * @param labelsPath a table with several classes for an image; absent: the index's own classes
 * @throws AppError NOT_FOUND where nothing has a class, CONFLICT where the index is not complete, BAD_REQUEST for fewer than two classes
 */
export async function classedImages(store: Store, index: StoredIndex, labelsPath?: string): Promise<ClassedImages> {
  if (index.cursor < index.images) throw new AppError('CONFLICT', `The index has ${index.cursor} of its ${index.images} images so far. Let it finish first.`, { index: index.id });
  const several = labelsPath === undefined ? null : await readSeveral(resolve(labelsPath));
  const [classes, classesOf] = several ? [several.classes, (image: StoredImage) => several.classesOf(image.path)] : await ownClasses(store, index);
  const images: StoredImage[] = [];
  const marks: (readonly number[])[] = [];
  const skipped: { readonly image: string; readonly reason: string }[] = [];
  const hash = createHash('sha256').update(JSON.stringify(classes));
  for (let from = 0; from < index.images; from += pageSize) {
    for (const image of await store.images.page(index.id, from, pageSize)) {
      const own = classesOf(image);
      const reason = image.skipped ?? (own.length === 0 ? 'it has no class' : null);
      if (reason !== null) {
        skipped.push({ image: image.path, reason });
        continue;
      }
      images.push(image);
      marks.push(own);
      hash.update(`${image.path}\0${image.contentHash ?? ''}\0${own.join()}\n`);
    }
  }
  const occurring = new Set(marks.flat()).size;
  if (occurring < 2) throw new AppError('BAD_REQUEST', `The images of this index have ${occurring === 0 ? 'no class' : 'one class'}; learning to tell classes apart needs two or more. Put the images of each class into a folder of its own, or index them with a labels file.`, { index: index.id });
  return { images, classes, targets: several ? severalTargets(marks, classes.length) : { kind: 'single', classes: classes.length, labels: Int32Array.from(marks, ([first]) => first!) }, skipped, hash: hash.digest('hex') };
}

async function ownClasses(store: Store, index: StoredIndex): Promise<readonly [readonly string[], (image: StoredImage) => readonly number[]]> {
  const classes = await imageClasses(store, index);
  requireClasses(classes, index.id);
  const placeOf = await store.classes.ofImages(index.id, index.images);
  return [classes.map(({ name, wnid, index: number }) => name ?? wnid ?? String(number)), ({ number }) => (placeOf[number]! < 0 ? [] : [placeOf[number]!])];
}

async function readSeveral(file: string): Promise<SeveralLabels> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new AppError('NOT_FOUND', `The labels file ${file} cannot be read: check the path.`, { path: file }, cause);
  });
  return parseSeveralLabels(text, file);
}

function severalTargets(marks: readonly (readonly number[])[], classes: number): Targets {
  const table = new Uint8Array(marks.length * classes);
  marks.forEach((own, row) => own.forEach((place) => (table[row * classes + place] = 1)));
  return { kind: 'several', classes, marks: table };
}
