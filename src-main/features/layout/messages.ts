/** What a map's thread and the core say to each other. Arrays are handed over, not copied. */
import type { PlainError } from '../../../src-shared/errors.ts';
import type { RowsAsked, RowsGiven } from '../askedRows.ts';
import type { LayoutCheckpoints, LayoutProgress, LayoutRequest, LayoutResult } from './request.ts';

export type ToLayoutThread =
  | { readonly kind: 'start'; readonly rows: number; readonly dimensions: number; readonly request: LayoutRequest; readonly resumeFrom: LayoutCheckpoints }
  | RowsGiven;

export type FromLayoutThread =
  | RowsAsked
  | { readonly kind: 'progress'; readonly progress: LayoutProgress }
  | { readonly kind: 'positions'; readonly positions: Float32Array<ArrayBuffer>; readonly iteration: number }
  | { readonly kind: 'checkpoint'; readonly checkpoints: LayoutCheckpoints }
  | { readonly kind: 'done'; readonly result: LayoutResult }
  | { readonly kind: 'failed'; readonly error: PlainError };
