/** What is to be kept of every image when features of some layers are wanted: their rows, small pictures, and what the network takes each image for. */
import type * as z from 'zod';
import { keptThumbnailSize } from '../../src-shared/contract/mapMedia.ts';
import type { featureEstimate, featureWish } from '../../src-shared/contract/map.ts';
import type { Layer } from '../../src-shared/domain/layers.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { StoredIndex } from '../store/indexes.ts';
import type { Store } from '../store/open.ts';
import type { RowFileWish } from '../store/rowFiles.ts';
import { bytesOfRows, featuresFile, pixelsFile, predictionsFile } from './featureRows.ts';
import type { LabSubject } from './labSubject.ts';

/** A layer by name or title, and how its maps become one vector. */
export type FeatureWish = z.infer<typeof featureWish>;

export interface PassPlan {
  /** One for each wish, in order. */
  readonly layers: readonly Layer[];
  readonly logits: string | null;
  /** Features first, in the order of the wishes; all with the shape of one row. */
  readonly wishes: readonly RowFileWish[];
}

/** What a pass would write. @throws AppError NOT_FOUND for a layer that the network does not have */
export async function planPass(subject: LabSubject, wanted: readonly FeatureWish[]): Promise<PassPlan> {
  const layers: Layer[] = [];
  for (const { layer } of wanted) layers.push(await subject.layer(layer));
  const logits = logitsOf(subject);
  const features = layers.map(({ name, title, channels, height, width }, at): RowFileWish => {
    const { pooling } = wanted[at]!;
    return { ...featuresFile({ layer: name, pooling }), title, shape: [pooling === 'flat' ? channels * height * width : channels] };
  });
  const pixels: RowFileWish = { ...pixelsFile, title: '', shape: [...thumbnailSize(subject.network.preprocessing.crop), 3] };
  return { layers, logits, wishes: [...features, pixels, ...(logits === null ? [] : [{ ...predictionsFile, title: '', shape: [2] }])] };
}

export function logitsOf({ description: { classifier } }: LabSubject): string | null {
  return classifier.kind === 'classifier' ? classifier.logits : null;
}

/** Height and width of the kept picture of a crop: never enlarged, the longer edge at most `keptThumbnailSize`. */
export function thumbnailSize([height, width]: readonly [number, number]): readonly [number, number] {
  const scale = Math.min(1, keptThumbnailSize / Math.max(height, width));
  return [Math.max(1, Math.round(height * scale)), Math.max(1, Math.round(width * scale))];
}

/** Makes what is planned begin with the first row of an index that has none yet: its pass fills it (featuresInPass.ts). */
export async function beginFeatures(store: Store, index: StoredIndex, { wishes }: PassPlan): Promise<void> {
  for (const wish of wishes) await store.rowFiles.claim(index, wish);
}

/** @throws AppError CONFLICT where the disk has no room for all rows of the plan */
export function requireRoom({ layers, wishes }: PassPlan, images: number, freeBytes: number): void {
  const dimensions = wishes.slice(0, layers.length).reduce((sum, { shape }) => sum + shape[0]!, 0);
  const channels = layers.reduce((sum, layer) => sum + layer.channels, 0);
  const bytes = wishes.reduce((sum, wish) => sum + bytesOfRows(wish, images), 0);
  const obstacle = whyNoRoom({ images, dimensions, bytes, freeBytes }, dimensions > channels ? channels : null);
  if (obstacle !== null) throw new AppError('CONFLICT', obstacle);
}

/** Left free on the disk, whatever is computed. */
const spareBytes = 64 * 2 ** 20;

/** Null where there is room. @param pooled numbers that are left of an image where its maps are pooled; null where they are */
export function whyNoRoom({ images, dimensions, bytes, freeBytes }: Pick<z.infer<typeof featureEstimate>, 'images' | 'dimensions' | 'bytes' | 'freeBytes'>, pooled: number | null): string | null {
  if (bytes + spareBytes <= freeBytes) return null;
  const instead = pooled === null ? 'Make room first.' : `Pooled by mean or max there are ${pooled} numbers instead of ${dimensions}.`;
  return `${images} images with ${dimensions} numbers each need ${megabytes(bytes)} MB, and the disk of the workspace has ${megabytes(Math.max(0, freeBytes - spareBytes))} MB to spare. ${instead}`;
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}
