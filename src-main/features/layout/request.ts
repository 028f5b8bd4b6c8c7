/**
 * What is asked of a map and what comes back (method.md section 9, Features): PCA, t-SNE (van der Maaten & Hinton 2008, repulsion as in Linderman et al. 2019)
 * or UMAP (McInnes et al. 2018) of rows of features, reduced to 50 principal components first. Everything that is left to chance comes from `seed`: same rows,
 * same request, same coordinates, bit for bit, also across an interruption.
 */
import type { Metric } from '../matrix.ts';

export type LayoutMethod =
  | { readonly kind: 'pca' }
  /** `perplexity`: about how many neighbours count for a point, 5..100; lowered to what the number of rows allows. */
  | { readonly kind: 'tsne'; readonly perplexity: number; readonly iterations: number }
  /** `neighbours` 2..200; `minDistance` 0..1: how close points may come; `epochs`: passes over the graph. */
  | { readonly kind: 'umap'; readonly neighbours: number; readonly minDistance: number; readonly epochs: number };

export interface LayoutRequest {
  readonly method: LayoutMethod;
  readonly metric: Metric;
  /** A whole number from 0 on. */
  readonly seed: number;
}

/** What is usual. umap-learn runs 500 epochs up to 10,000 rows and 200 beyond; t-SNE is usually run for 1,000 iterations. */
export function usualMethod(kind: LayoutMethod['kind'], rows: number): LayoutMethod {
  switch (kind) {
    case 'pca':
      return { kind };
    case 'tsne':
      return { kind, perplexity: 30, iterations: 1000 };
    case 'umap':
      return { kind, neighbours: 15, minDistance: 0.1, epochs: rows <= 10_000 ? 500 : 200 };
  }
}

/** `reducing`: principal components; `neighbours`: the graph; `weighing`: its edges; `settling`: iterations of the layout. */
export type LayoutStage = 'reducing' | 'neighbours' | 'weighing' | 'settling';

export interface LayoutProgress {
  readonly stage: LayoutStage;
  /** Of `total`, in the stage's own unit: rows, or iterations while settling. */
  readonly done: number;
  readonly total: number;
}

/**
 * What a run is taken up from. `prepared` comes once, when the graph is made (at 100,000 rows 30 MB for UMAP, 90 MB for t-SNE); `settled` again and again (2 to 5 MB
 * there), each replacing the one before. Keep both; either alone is enough to go on from, the earlier the longer. For other rows or another request they are refused.
 */
export interface LayoutCheckpoints {
  readonly prepared?: Uint8Array<ArrayBuffer>;
  readonly settled?: Uint8Array<ArrayBuffer>;
}

export interface LayoutResult {
  /** `[rows, 2]` float32. */
  readonly positions: Float32Array<ArrayBuffer>;
  readonly iterations: number;
  /** PCA: the shares of the variance along the two axes, 0-1; otherwise null. */
  readonly explained: readonly [number, number] | null;
  /** How far neighbours in the map are neighbours in feature space (Venna & Kaski 2001, k = 15), 0-1, on at most 1,000 rows against all; null up to 30 rows. */
  readonly trustworthiness: number | null;
}

export interface LayoutWatch {
  readonly onProgress?: (progress: LayoutProgress) => void;
  /** Where the points are after `iteration`, `[rows, 2]` float32, a copy; several a second at most. */
  readonly onPositions?: (positions: Float32Array<ArrayBuffer>, iteration: number) => void;
  readonly onCheckpoint?: (checkpoints: LayoutCheckpoints) => void;
}
