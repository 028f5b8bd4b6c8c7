/** The words of method.md section 1 for layers, channels and hits. */
import type { Box, ReceptiveField } from './geometry.ts';

export const layerKinds = ['conv', 'gemm', 'add', 'concat', 'pool', 'lrn', 'norm'] as const;
export type LayerKind = (typeof layerKinds)[number];

/** A graph value with channels that a person may look at. */
export interface Layer {
  /** The ONNX value. */
  readonly name: string;
  /** What "conv5 17" matches: the conv node's own name, or conv1..convN in order. */
  readonly title: string;
  readonly kind: LayerKind;
  /** Counted from 1 in graph order. */
  readonly number: number;
  readonly channels: number;
  /** 1 for a gemm layer. */
  readonly height: number;
  readonly width: number;
  readonly receptiveField: ReceptiveField;
  /** Non-negative by construction: such a layer can have dead channels. */
  readonly nonNegative: boolean;
}

/** One entry of a channel's top list: at most one per image and channel. */
export interface Hit {
  /** Counted from 1. */
  readonly rank: number;
  readonly image: string;
  readonly imageNumber: number;
  readonly score: number;
  readonly y: number;
  readonly x: number;
  /** The unit's receptive field, clipped to the network input. */
  readonly box: Box;
}

/** What one layer's channel did over all ranked images. */
export interface ChannelStatistics {
  readonly count: number;
  readonly nanCount: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Share of images whose score is above 0, 0..1. */
  readonly shareAboveZero: number;
  /** `counts[i]` scores fell into `[from + i * binWidth, from + (i + 1) * binWidth)`. */
  readonly histogram: { readonly from: number; readonly binWidth: number; readonly counts: readonly number[] };
}
