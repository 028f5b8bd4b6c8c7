/** The images of an index that an experiment looks at: those that were named, or a few that differ. */
import { AppError } from '../../src-shared/errors.ts';
import type { StoredImage } from '../store/images.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';

/** In the order of the numbers. @throws AppError NOT_FOUND for a number that the index has not got, UNREADABLE_FILE for an image that could not be read */
export async function imagesMeant(store: Store, index: StoredIndex, numbers: readonly number[]): Promise<readonly StoredImage[]> {
  const found = await store.images.several(index.id, numbers);
  return numbers.map((number) => {
    const image = found.get(number);
    if (!image) throw new AppError('NOT_FOUND', `There is no image ${number} in index ${index.id}; it has 0 to ${index.images - 1}.`, { index: index.id, image: number });
    if (image.skipped !== null) throw new AppError('UNREADABLE_FILE', `${image.path}: ${image.skipped} Choose another image.`, { image: image.path });
    return image;
  });
}

/** At most `count` readable images, of different classes as far as there are any, spread over the index. */
export async function chooseImages(store: Store, index: StoredIndex, count: number): Promise<readonly number[]> {
  const skipped = new Set(await store.images.skippedNumbers(index.id, index.images));
  const readable = Array.from({ length: index.images }, (_, number) => number).filter((number) => !skipped.has(number));
  if (readable.length === 0) throw new AppError('NOT_FOUND', `The index ${index.id} has no readable image.`, { index: index.id });
  const classOf = await store.classes.ofImages(index.id, index.images);
  const firsts = [...new Map(readable.toReversed().filter((number) => classOf[number]! >= 0).map((number) => [classOf[number]!, number])).values()].sort((a, b) => a - b);
  const from = firsts.length >= count ? firsts : readable;
  const wanted = Math.min(count, from.length);
  return Array.from({ length: wanted }, (_, at) => from[Math.floor(((at + 0.5) * from.length) / wanted)]!);
}
