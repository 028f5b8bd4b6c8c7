/** The words of method.md sections 3 and 5 for projections and how they are shown. */
import type { Box } from './geometry.ts';

export const methods = ['deconvnet', 'guided', 'gradient', 'gradientInput', 'desalinet'] as const;
export type Method = (typeof methods)[number];

/**
 * What stands at the layer when the walk down starts, 0 everywhere else: `one` 1.0 at the unit (default); `value` the unit's own activation; `map` the whole
 * map of its channel on this image; `logit` 1.0 at the score of a class, so only where a channel is one number.
 */
export const seeds = ['one', 'value', 'map', 'logit'] as const;
export type Seed = (typeof seeds)[number];

/** The seeds that a layer of this size knows: a channel with many positions holds no class score. */
export function seedsOf(layer: { readonly height: number; readonly width: number }): readonly Seed[] {
  return layer.height * layer.width === 1 ? seeds : seeds.filter((seed) => seed !== 'logit');
}

/**
 * Honesty controls: the same projection with what it claims to show taken away. `randomWeights`: the same shapes with seeded random weights;
 * `centreSwitches`: unpooled to the centre of each window instead of where this image's maximum was. A picture that stays the same did not depend on it.
 */
export const controls = ['none', 'randomWeights', 'centreSwitches'] as const;
export type Control = (typeof controls)[number];

/** `quantile`: symmetric, 99.5 % quantile of |x| (default); `minmax`: symmetric by the largest |x|; `shared`: one scale for the nine; `raw`: 1.0 = full contrast. */
export const scales = ['quantile', 'minmax', 'shared', 'raw'] as const;
export type Scale = (typeof scales)[number];

/** n of m nonlinearities between layer and input were given a rectifier row by the method. */
export interface Rectified {
  readonly handled: number;
  readonly total: number;
}

export interface ProjectionRecord {
  readonly layer: string;
  readonly channel: number;
  readonly image: string;
  readonly y: number;
  readonly x: number;
  readonly method: Method;
  readonly seed: Seed;
  readonly control: Control;
  /** The unit's receptive field, clipped to the network input. */
  readonly box: Box;
  /** The smallest box that holds all non-zero values, `null` where the projection is zero everywhere. */
  readonly support: Box | null;
  readonly absmax: number;
  readonly minimum: number;
  readonly maximum: number;
  /** The 99.5 % quantile of |x| over the patch (method.md section 5): full contrast under the scale `quantile`. */
  readonly quantile: number;
  readonly rectified: Rectified;
  /** What a person must know about this picture, e.g. that the walk started below a saturated ReLU6. */
  readonly notes: readonly string[];
}
