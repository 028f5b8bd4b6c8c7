/**
 * What a segmentation begins with (Simonyan et al. 2013, section 3.2): pixels whose saliency lies above one quantile are surely the object, those below another surely not; a cut by
 * colours decides about the rest.
 */

export interface SegmentationHints {
  /** 2 surely foreground, 1 surely background, 0 open. */
  readonly hints: Uint8Array;
  readonly thresholds: { readonly foreground: number; readonly background: number };
}

/** @param saliency `[H, W]`, not negative */
export function segmentationHints(saliency: Float32Array, foreground: number, background: number): SegmentationHints {
  const sorted = saliency.toSorted();
  const thresholds = { foreground: quantile(sorted, foreground), background: quantile(sorted, background) };
  return { thresholds, hints: Uint8Array.from(saliency, (value) => (value > thresholds.foreground ? 2 : value < thresholds.background ? 1 : 0)) };
}

/** The value that a share of the sorted ones lies at or below, between two of them where it must. */
function quantile(sorted: Float32Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const next = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return sorted[below]! + (place - below) * (next - sorted[below]!);
}
