/** What the thread of an index of neighbours and the core say to each other. Rows and bytes are handed over, not copied. */
import type { PlainError } from '../../../src-shared/errors.ts';
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
  /** The answer to `read`: `[count, dimensions]`. */
  | { readonly kind: 'rows'; readonly data: Float32Array }
  | { readonly kind: 'search'; readonly id: number; readonly query: Float32Array; readonly request: NearestRequest };

export type FromNeighbourThread =
  | { readonly kind: 'read'; readonly first: number; readonly count: number }
  /** In rows: read, or linked. */
  | { readonly kind: 'progress'; readonly stage: 'reading' | 'linking'; readonly done: number; readonly total: number }
  | { readonly kind: 'built'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'opened' }
  | { readonly kind: 'found'; readonly id: number; readonly found: Neighbours }
  | { readonly kind: 'failed'; readonly error: PlainError };
