/**
 * How a picture becomes the network's input (method.md section 6). Part of the model's record, of every index and of every cache key.
 */

export const channelOrders = ['rgb', 'bgr', 'grey'] as const;
export type ChannelOrder = (typeof channelOrders)[number];

/** `shorterSide N`: shorter side to N pixels, then centre crop. `exact`: squash to the crop. `none`: no resize, centre crop only. */
export type Resize = { readonly kind: 'shorterSide'; readonly pixels: number } | { readonly kind: 'exact' } | { readonly kind: 'none' };

export interface Preprocessing {
  readonly order: ChannelOrder;
  /** `[height, width]` of the network input. */
  readonly crop: readonly [number, number];
  readonly resize: Resize;
  /** `x' = (x * scale - mean) / std`, x in 0..255; mean and std in the channel order the network receives. */
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** The same with its fields in one order: what is made of its letters (cache keys) must not depend on who wrote it down. */
export function inFixedOrder({ order, crop, resize, scale, mean, std }: Preprocessing): Preprocessing {
  return { order, crop, resize: resize.kind === 'shorterSide' ? { kind: resize.kind, pixels: resize.pixels } : { kind: resize.kind }, scale, mean, std };
}

/** Inputs below this edge are squashed to their size: there is nothing to crop from pictures that small. */
const smallestCropped = 128;

/** Resize of a network input `[height, width]` unless a person says otherwise: 256 / 224 of the longer edge, so that the crop always fits; `exact` for small inputs. */
export function defaultResize(crop: readonly [number, number]): Resize {
  if (Math.min(...crop) < smallestCropped) return { kind: 'exact' };
  return { kind: 'shorterSide', pixels: Math.round((Math.max(...crop) * 256) / 224) };
}
