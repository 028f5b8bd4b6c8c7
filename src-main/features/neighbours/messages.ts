/** What the thread of an index of neighbours and the core say to each other. Rows and bytes are handed over, not copied. */
import type { PlainError } from '../../../src-shared/errors.ts';
import type { RowsAsked, RowsGiven } from '../askedRows.ts';
import type { Metric } from '../matrix.ts';
import type { NearestRequest, Neighbours } from './nearestRows.ts';

interface RowsToRead {
  readonly rows: number;
  readonly dimensions: number;
  readonly metric: Metric;
}

export type ToNeighbourThread =
  | ({ readonly kind: 'build'; readonly seed: number } & RowsToRead)
  /** `bytes`: of an index that was built and kept. */
  | ({ readonly kind: 'open'; readonly bytes: Uint8Array } & RowsToRead)
  | RowsGiven
  | { readonly kind: 'search'; readonly id: number; readonly query: Float32Array; readonly request: NearestRequest };

export type FromNeighbourThread =
  | RowsAsked
  /** In rows: read, or linked. */
  | { readonly kind: 'progress'; readonly stage: 'reading' | 'linking'; readonly done: number; readonly total: number }
  | { readonly kind: 'built'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'opened' }
  | { readonly kind: 'found'; readonly id: number; readonly found: Neighbours }
  | { readonly kind: 'failed'; readonly error: PlainError };
