/**
 * The manifest in pieces, decoded ahead: each segment is a run of images in order, of which at most one batch goes through the engine; images whose rows are known from an earlier
 * pass, or that are known to be unreadable, ride along. Of a new index every segment is one batch, cut at fixed places.
 */
import { AppError, isAbort } from '../../src-shared/errors.ts';
import { letGo } from '../../src-shared/letGo.ts';

export interface IndexedImage {
  readonly number: number;
  readonly path: string;
  readonly file: string;
  /** As it was recorded before, where it was. */
  readonly contentHash?: string | null;
  readonly skipped?: string | null;
  /** The image's number in an earlier pass whose row it may have. */
  readonly source?: number | null;
}

/** What is to be done with an image. */
export type ImagePlan =
  | { readonly kind: 'compute' }
  /** Its row is row `source` of an earlier pass; the content hash where it is not recorded yet. */
  | { readonly kind: 'take'; readonly source: number; readonly contentHash: string | null }
  /** Recorded already as an image without a row. */
  | { readonly kind: 'leave' };

export interface DecodedPicture {
  /** `[H, W, 3]` 8-bit RGB; let go once they are copied. */
  readonly pixels: Uint8Array;
  readonly contentHash: string;
  readonly perceptualHash?: string;
}

export type ImageHash = readonly [image: number, contentHash: string, perceptualHash?: string];

export interface SegmentOptions {
  readonly batchSize: number;
  /** Images in the manifest, and the first one that is wanted. */
  readonly images: number;
  readonly cursor: number;
  /** `[height, width]` of the network input. */
  readonly crop: readonly [number, number];
  page(from: number, limit: number): Promise<readonly IndexedImage[]>;
  /** One plan per image; absent: all are computed. */
  plan?(images: readonly IndexedImage[], signal: AbortSignal): Promise<readonly ImagePlan[]>;
  /** Rejects with AppError UNREADABLE_FILE for a picture that has no row; anything else stops the job. */
  decode(image: IndexedImage, signal: AbortSignal): Promise<DecodedPicture>;
}

/** An image with a row: where the row comes from. */
export interface SegmentRow {
  readonly image: IndexedImage;
  readonly from: 'engine' | 'earlier';
  /** In the engine's batch, or in the earlier pass. */
  readonly row: number;
}

export interface DecodedSegment {
  readonly first: number;
  /** Number of the image after the last one. */
  readonly end: number;
  /** `[batch, H, W, 3]`, unused rows as one that is used; null where nothing is left to compute. */
  readonly pixels: Uint8Array | null;
  readonly rows: readonly SegmentRow[];
  readonly hashes: readonly ImageHash[];
  readonly skipped: readonly (readonly [image: number, reason: string])[];
}

interface Planned {
  readonly image: IndexedImage;
  readonly plan: ImagePlan;
}

/** Segments that are being decoded while one is waited for: the decoder always has work, and memory stays bounded. */
const decodedAhead = 2;
const mostPerSegment = 1024;

/** In order. Ends early when the signal aborts; a failure of any picture but an unreadable one is thrown. */
export async function* decodedSegments(options: SegmentOptions, signal: AbortSignal): AsyncGenerator<DecodedSegment, void, void> {
  const planned = plannedSegments(options, signal);
  const ahead: Promise<DecodedSegment>[] = [];
  for (;;) {
    while (ahead.length <= decodedAhead) {
      const next = await planned.next();
      if (next.done) break;
      const decoding = decodeSegment(options, next.value, signal);
      decoding.catch(() => undefined);
      ahead.push(decoding);
    }
    const oldest = ahead.shift();
    if (!oldest) return;
    yield await oldest;
  }
}

async function* plannedSegments(options: SegmentOptions, signal: AbortSignal): AsyncGenerator<readonly Planned[], void, void> {
  const { batchSize, images, cursor, page } = options;
  const pageSize = batchSize * Math.max(1, Math.floor(256 / batchSize));
  const read = async (from: number): Promise<readonly Planned[]> => {
    const found = await page(from, Math.min(pageSize, images - from));
    const plans = await options.plan?.(found, signal);
    return found.map((image, at) => ({ image, plan: plans?.[at] ?? { kind: 'compute' } }));
  };
  let segment: Planned[] = [];
  let computed = 0;
  let next = cursor < images ? read(cursor) : undefined;
  next?.catch(() => undefined);
  for (let from = cursor; next; from += pageSize) {
    signal.throwIfAborted();
    const found = await next;
    next = from + pageSize < images ? read(from + pageSize) : undefined;
    next?.catch(() => undefined);
    for (const planned of found) {
      segment.push(planned);
      if (planned.plan.kind === 'compute') computed++;
      if (computed < batchSize && segment.length < mostPerSegment) continue;
      yield segment;
      segment = [];
      computed = 0;
    }
  }
  if (segment.length > 0) yield segment;
}

async function decodeSegment({ decode, batchSize, crop }: SegmentOptions, segment: readonly Planned[], signal: AbortSignal): Promise<DecodedSegment> {
  const bytes = crop[0] * crop[1] * 3;
  const wanted = segment.filter(({ plan }) => plan.kind === 'compute');
  const pixels = wanted.length > 0 ? new Uint8Array(batchSize * bytes) : null;
  const hashes = new Map<number, ImageHash>();
  const skipped: (readonly [number, string])[] = [];
  await Promise.all(
    wanted.map(async ({ image }, row) => {
      try {
        const decoded = await decode(image, signal);
        pixels!.set(decoded.pixels, row * bytes);
        letGo(decoded.pixels);
        hashes.set(image.number, decoded.perceptualHash === undefined ? [image.number, decoded.contentHash] : [image.number, decoded.contentHash, decoded.perceptualHash]);
      } catch (error) {
        if (isAbort(error) || !(error instanceof AppError) || error.code !== 'UNREADABLE_FILE') throw error;
        skipped.push([image.number, error.message]);
      }
    }),
  );
  const rowOf = new Map(wanted.map(({ image }, row) => [image.number, row]));
  if (pixels) repeatInto(pixels, bytes, wanted.map(({ image }) => hashes.has(image.number)));
  const rows = segment.flatMap(({ image, plan }): SegmentRow[] => {
    if (plan.kind === 'take') return [{ image, from: 'earlier', row: plan.source }];
    return hashes.has(image.number) ? [{ image, from: 'engine', row: rowOf.get(image.number)! }] : [];
  });
  for (const { image, plan } of segment) if (plan.kind === 'take' && plan.contentHash !== null) hashes.set(image.number, [image.number, plan.contentHash]);
  return {
    first: segment[0]!.image.number,
    end: segment.at(-1)!.image.number + 1,
    pixels: wanted.length > skipped.length ? pixels : null,
    rows,
    hashes: [...hashes.values()].sort(([a], [b]) => a - b),
    skipped: skipped.sort(([a], [b]) => a - b),
  };
}

/** Puts a copy of the first used row in the place of those that are not: a picture of one colour would tie with itself everywhere, and ties cost time (inference/worker/scoringProfiles.ts). */
export function repeatInto(pixels: Uint8Array, rowBytes: number, isUsed: readonly boolean[]): void {
  const used = isUsed.indexOf(true);
  if (used < 0) return;
  for (let row = 0; row < pixels.length / rowBytes; row++) if (isUsed[row] !== true) pixels.copyWithin(row * rowBytes, used * rowBytes, (used + 1) * rowBytes);
}
