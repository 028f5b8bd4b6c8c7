/**
 * Addresses of the lab's pictures, and the words in them. Apart from lab.ts, whose schemas stay in the core, so that the page can have them without zod.
 */
import type { Control, Method, Scale, Seed } from '../domain/projection.ts';

/** `image-12` (of the index, by number) or `given-` and the content hash of what was uploaded. */
export type LabPicture = string;

export const labPictureOfImage = (image: number): LabPicture => `image-${image}`;
export const labPictureOfUpload = (hash: string): LabPicture => `given-${hash}`;

/** One given picture, at most so large. */
export const largestUploadBytes = 64 * 2 ** 20;

/** How the tiles of an activation sheet are drawn: one scale for all, or each by its own largest magnitude; and in which order they stand. */
export const activationScales = ['shared', 'own'] as const;
export const activationOrders = ['channel', 'strength'] as const;

interface At {
  readonly index: string;
  readonly picture: LabPicture;
}

/** The only address that takes more than a message. */
export const labUploadPath = '/media/lab/upload';

/** POST the file's bytes here; the answer is `uploadedPicture`, or 422 with a PlainError. `kept` false for camera frames. */
export function labUploadUrl({ name, kept = true }: { readonly name: string; readonly kept?: boolean }): string {
  return `${labUploadPath}?name=${encodeURIComponent(name)}${kept ? '' : '&kept=0'}`;
}

/** The picture as the network sees it, true colours. */
export function labInputUrl({ index, picture }: At): string {
  return `/media/lab/input/${index}/${picture}`;
}

/** All channels of a layer as one picture: tiles of `size` pixels with a 1 px gap, `columns` to a row. */
export function activationSheetUrl({ index, picture, layer, scale, order, size, columns }: At & { readonly layer: string; readonly scale: (typeof activationScales)[number]; readonly order: (typeof activationOrders)[number]; readonly size: number; readonly columns: number }): string {
  return `/media/lab/activations/${index}/${picture}?layer=${encodeURIComponent(layer)}&scale=${scale}&order=${order}&size=${size}&columns=${columns}`;
}

/** One channel's map, a pixel per position; enlarge it without smoothing. */
export function activationMapUrl({ index, picture, layer, channel, scale }: At & { readonly layer: string; readonly channel: number; readonly scale: (typeof activationScales)[number] }): string {
  return `/media/lab/map/${index}/${picture}?layer=${encodeURIComponent(layer)}&channel=${channel}&scale=${scale}`;
}

/** One unit's projection on the whole network input, or on its receptive field. */
export function labProjectionUrl(at: At & { readonly layer: string; readonly channel: number; readonly y: number; readonly x: number; readonly method: Method; readonly seed: Seed; readonly control?: Control; readonly scale: Scale; readonly area: 'patch' | 'input' }): string {
  const { index, picture, layer: name, channel, y, x, method: by, seed: from, control: check = 'none', scale, area } = at;
  return `/media/lab/projection/${index}/${picture}?layer=${encodeURIComponent(name)}&channel=${channel}&y=${y}&x=${x}&method=${by}&seed=${from}&control=${check}&scale=${scale}&area=${area}`;
}
