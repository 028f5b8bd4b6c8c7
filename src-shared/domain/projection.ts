/** The words of method.md sections 3 and 5 for projections and how they are shown. */
import type { Box } from './geometry.ts';

export const methods = ['deconvnet', 'guided', 'gradient'] as const;
export type Method = (typeof methods)[number];

/** What stands at the unit when the walk down starts: 1.0 (default), or the unit's own activation. */
export const seeds = ['one', 'value'] as const;
export type Seed = (typeof seeds)[number];

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
  /** The unit's receptive field, clipped to the network input. */
  readonly box: Box;
  /** The smallest box that holds all non-zero values, `null` where the projection is zero everywhere. */
  readonly support: Box | null;
  readonly absmax: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly rectified: Rectified;
  /** What a person must know about this picture, e.g. that the walk started below a saturated ReLU6. */
  readonly notes: readonly string[];
}
