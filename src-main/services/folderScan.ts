/** A look at a folder of images for the store: scanned, classed and numbered without ever holding all of it in memory. */
import { resolve } from 'node:path';
import { AppError } from '../../src-shared/errors.ts';
import { classesOf, readLabels } from '../dataset/labels.ts';
import { scanInto } from '../dataset/scan.ts';
import { partOf, shardRange, type IndexPart, type Shard } from '../indexing/shards.ts';
import type { Store } from '../store/open.ts';

export interface FolderScan {
  /** Absolute. */
  readonly root: string;
  /** Images of the manifest: those of the folder, or of the shard. */
  readonly images: number;
  readonly part: IndexPart | null;
}

/**
 * Leaves the folder's images in `store.scans`, ready for a new index or a rescan.
 * @throws AppError NOT_FOUND where the folder, or the shard, holds no images
 */
export async function scanForStore(store: Store, folder: string, options: { readonly labelsPath?: string | null; readonly shard?: Shard | undefined }, signal?: AbortSignal): Promise<FolderScan> {
  const labels = options.labelsPath ? await readLabels(resolve(options.labelsPath)) : null;
  await store.scans.begin();
  const { root } = await scanInto(resolve(folder), (images) => store.scans.add(images.map((image) => ({ ...image, ...classesOf(labels, image.path) }))), signal);
  const { images } = await store.scans.finish();
  if (images === 0) throw new AppError('NOT_FOUND', `There are no images in ${root}. Choose a folder that holds JPEG, PNG, WebP, TIFF, GIF or AVIF files.`, { path: root });
  if (!options.shard) return { root, images, part: null };
  const [from, to] = shardRange(images, options.shard);
  if (from === to) throw new AppError('NOT_FOUND', `Shard ${options.shard.number} of ${options.shard.of} is empty: ${root} holds ${images} images. Use at most ${images} shards.`, { path: root, images });
  const listing = await store.scans.listing();
  await store.scans.keep(from, to);
  return { root, images: to - from, part: partOf(images, listing, options.shard) };
}
