/**
 * Scores batches for an index and does not give up lightly (issue "Two engines that agree", Worker): out of memory halves the batch, a process that dies
 * or hangs is started again, three strikes move the work to the next device, and every change of the way of computing is told with the image from
 * which on it holds (method.md section 2). What the caller commits stays one batch of the index: a halved batch is run in parts and put together again.
 */
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';
import { AppError, type ErrorCode } from '../../src-shared/errors.ts';
import { unavailableRow, type EngineAvailability } from '../inference/engine.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import type { BatchScores, Placement } from '../inference/worker/protocol.ts';
import { placementName } from '../inference/worker/routes.ts';
import type { VectorWish } from '../rewrite/probe/featureGraph.ts';

/** How rows are computed: those of one way are identical, those of two agree within tolerance. */
export interface WayOfComputing extends Placement {
  /** Images that go through the engine together; at most those of a batch of the index. */
  readonly batchSize: number;
}

/** From image `fromImage` of the manifest on (until the next change) rows are computed this way. */
export interface WayChange extends WayOfComputing {
  readonly fromImage: number;
  /** E.g. `onnxruntime 1.30.0 cpu`. */
  readonly description: string;
  /** A sentence: what happened to the way before. */
  readonly reason: string;
}

export interface DeviceScoringOptions {
  readonly inference: Pick<InferenceClient, 'call' | 'restart'>;
  /** `engine`, `device` and `batchSize`: as the index's last change says, else as it was made. */
  readonly index: WayOfComputing & {
    readonly modelPath: string;
    readonly modelHash: string;
    /** Names. */
    readonly layers: readonly string[];
    /** What else each batch gives. */
    readonly vectors?: readonly VectorWish[];
    readonly preprocessing: Preprocessing;
  };
  /** Where to go when this device fails, best first; may hold the device at hand. Empty where the person insists on one. */
  devices(): Promise<readonly Placement[]>;
  /** A sentence for the person who watches the job. */
  note(text: string): void;
  /** Called, and waited for, before the first rows of a new way are returned; store it with or before those rows. */
  changed(change: WayChange): void | Promise<void>;
}

export interface DeviceScoring {
  /**
   * Scores of one batch of the index, per layer `[batch, channels]`, and the wanted vectors.
   * @param pixels `[batch, H, W, 3]` 8-bit RGB; unused rows may hold anything
   * @param firstImage number in the manifest of the batch's first image. Batches are given in rising order; the next may be given before this one is
   *   answered (then it stands ready in the process), and answers come in the same order.
   * @throws AppError UNAVAILABLE that lists what was tried when no device is left; CANCELLED; CONFLICT, BAD_REQUEST ... for what no other device would cure
   */
  score(pixels: Uint8Array, firstImage: number, signal: AbortSignal): Promise<BatchScores>;
  /** How the next batch is computed. */
  placement(): WayOfComputing;
}

/** A device that fails so often is given up. */
const mostStrikes = 3;
/** After so many batches without one, strikes are forgotten: a crash once an hour is no reason to leave a device. */
const forgivenAfter = 20;
/** Failures of a device or its process. Others (a changed model file, a wrong crop) would meet every device. */
const deviceFailures: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'OUT_OF_MEMORY', 'UNSUPPORTED', 'INTERNAL'] satisfies ErrorCode[]);

type Outcome = { readonly kind: 'scored'; readonly scores: BatchScores } | { readonly kind: 'failed'; readonly error: unknown };

export function createDeviceScoring({ inference, index, devices, note, changed }: DeviceScoringOptions): DeviceScoring {
  const imageBytes = index.preprocessing.crop[0] * index.preprocessing.crop[1] * 3;
  const tried: { readonly name: string; readonly reason: string }[] = [];
  let way: WayOfComputing = { engine: index.engine, device: index.device, batchSize: index.batchSize };
  /** As `changed` wants it; `untold` is null while the way is one that the index knows. */
  let description = placementName(way);
  let untold: string | null = null;
  let strikes = 0;
  let batchesSinceStrike = 0;
  /** Failures dealt with: whatever else failed or was computed beside one of them belongs to it. */
  let recoveries = 0;
  let gaveUp: { readonly error: unknown } | undefined;
  let last: Promise<void> = Promise.resolve();

  async function score(pixels: Uint8Array, firstImage: number, signal: AbortSignal): Promise<BatchScores> {
    const earlier = last;
    let settled = (): void => undefined;
    last = new Promise((resolve) => (settled = resolve));
    try {
      for (;;) {
        const used = way;
        const seen = recoveries;
        const outcome = await attempt(used, pixels, signal);
        if (signal.aborted) throw new AppError('CANCELLED', 'Cancelled.');
        await earlier;
        if (gaveUp) throw gaveUp.error;
        // What an earlier batch met while this one ran is dealt with; this one is computed again where it failed, or was computed the old way.
        if (used !== way || (outcome.kind === 'failed' && seen !== recoveries)) continue;
        if (outcome.kind === 'scored') {
          await tellWay(firstImage);
          if (++batchesSinceStrike >= forgivenAfter) strikes = 0;
          return outcome.scores;
        }
        await recover(outcome.error, pixels.length / imageBytes, signal).catch((error: unknown) => {
          gaveUp = { error };
          throw error;
        });
      }
    } finally {
      settled();
    }
  }

  async function tellWay(fromImage: number): Promise<void> {
    if (untold === null) return;
    await changed({ fromImage, ...way, description, reason: untold });
    untold = null;
  }

  async function attempt({ engine, device, batchSize }: WayOfComputing, pixels: Uint8Array, signal: AbortSignal): Promise<Outcome> {
    const images = pixels.length / imageBytes;
    const batch = Math.min(batchSize, images);
    const stop = new AbortController();
    const run = (part: Uint8Array) =>
      inference.call(
        'score',
        { model: { path: index.modelPath, hash: index.modelHash }, layers: index.layers, preprocessing: index.preprocessing, placement: { engine, device }, batch, pixels: part, ...(index.vectors?.length ? { vectors: index.vectors } : {}), beside: true },
        AbortSignal.any([signal, stop.signal]),
      );
    try {
      return { kind: 'scored', scores: together(await Promise.all(parts(pixels, batch * imageBytes).map(run)), images, batch) };
    } catch (error) {
      return { kind: 'failed', error };
    } finally {
      stop.abort();
    }
  }

  /** Makes the next attempt possible, or throws for good. */
  async function recover(error: unknown, images: number, signal: AbortSignal): Promise<void> {
    if (!(error instanceof AppError) || !deviceFailures.has(error.code)) throw error;
    recoveries += 1;
    const name = placementName(way);
    if (error.code === 'OUT_OF_MEMORY' && way.batchSize > 1) {
      const batchSize = Math.floor(Math.min(way.batchSize, images) / 2);
      const reason = `${name} ran out of memory with ${way.batchSize} images at once; it goes on with ${batchSize}.`;
      note(reason);
      startAfresh(error);
      way = { ...way, batchSize };
      untold = [...(untold === null ? [] : [untold]), reason].join(' ');
      return;
    }
    let reason = error.message;
    for (;;) {
      strikes += 1;
      batchesSinceStrike = 0;
      // A process that died is worth another try; a device that is not there, or has no kernel for a node, is not.
      const isFinal = error.code === 'UNSUPPORTED' || (error.code === 'UNAVAILABLE' && error.data['how'] === undefined);
      if (isFinal || strikes >= mostStrikes) return moveOn(reason, images, signal);
      note(`${eventOf(error, name)} (${strikes} of ${mostStrikes - 1})`);
      startAfresh(error);
      const row = await tryOut(way, signal);
      if (row.kind === 'row' && !row.row.available) return moveOn(`${reason} ${row.row.reason}`, images, signal);
      if (row.kind === 'row') return;
      reason = row.message;
    }
  }

  /** What filled the memory or failed may stay behind in a process that lives; one that died is gone already. */
  function startAfresh({ data }: AppError): void {
    if (data['how'] === undefined) inference.restart(way);
  }

  async function moveOn(why: string, images: number, signal: AbortSignal): Promise<void> {
    tried.push({ name: placementName(way), reason: why });
    for (const next of await devices().catch(noneUsable)) {
      const name = placementName(next);
      if (tried.some((each) => each.name === name)) continue;
      const found = await tryOut(next, signal);
      const row = found.kind === 'row' ? found.row : unavailableRow(next, found.message);
      if (!row.available) {
        tried.push({ name, reason: row.reason });
        continue;
      }
      const reason = `${placementName(way)} was given up: ${why} ${name} goes on.`;
      note(reason);
      description = row.description;
      way = { engine: next.engine, device: next.device, batchSize: images };
      untold = reason;
      strikes = 0;
      return;
    }
    throw new AppError('UNAVAILABLE', `No device is left to compute with; what is done is kept. ${tried.map(({ name, reason }) => `${name}: ${reason}`).join(' ')}`, { tried: tried.map(({ name }) => name).join(', ') });
  }

  async function tryOut(placement: Placement, signal: AbortSignal): Promise<{ readonly kind: 'row'; readonly row: EngineAvailability } | { readonly kind: 'died'; readonly message: string }> {
    try {
      return { kind: 'row', row: await inference.call('probe', { placement: { engine: placement.engine, device: placement.device }, benchmark: false }, signal) };
    } catch (error) {
      if (signal.aborted || !(error instanceof AppError)) throw error;
      return { kind: 'died', message: error.message };
    }
  }

  return { score, placement: () => ({ engine: way.engine, device: way.device, batchSize: way.batchSize }) };
}

/** A survey that finds no usable device at all says so by an error. */
function noneUsable(error: unknown): readonly Placement[] {
  if (error instanceof AppError && error.code === 'UNAVAILABLE') return [];
  throw error;
}

/** For the person who watches: no alarm, it goes on. */
function eventOf({ code, data }: AppError, name: string): string {
  if (data['how'] === 'hung') return `the inference process of ${name} hung and was started again`;
  if (data['how'] !== undefined) return 'the inference process ended and was started again';
  return code === 'OUT_OF_MEMORY' ? `${name} has no memory for a single image; it is tried again` : `${name} failed; it is tried again`;
}

/** The batch in equal parts; every run has one fixed size, so the last is filled up. */
function parts(pixels: Uint8Array, partBytes: number): readonly Uint8Array[] {
  if (partBytes === pixels.length) return [pixels];
  return Array.from({ length: Math.ceil(pixels.length / partBytes) }, (_, at) => {
    const part = new Uint8Array(partBytes);
    part.set(pixels.subarray(at * partBytes, (at + 1) * partBytes));
    return part;
  });
}

function together(found: readonly BatchScores[], images: number, batch: number): BatchScores {
  const first = found[0]!;
  if (found.length === 1) return first;
  const joined = <T extends Float32Array | Int32Array>(array: new (length: number) => T, partOf: (scores: BatchScores) => T): T => {
    const width = partOf(first).length / batch;
    const rows = new array(images * width);
    found.forEach((part, at) => rows.set(partOf(part).subarray(0, Math.min(batch, images - at * batch) * width), at * batch * width));
    return rows;
  };
  return {
    layers: first.layers.map((_, layer) => ({ score: joined(Float32Array, ({ layers }) => layers[layer]!.score), position: joined(Int32Array, ({ layers }) => layers[layer]!.position) })),
    vectors: first.vectors.map((_, at) => joined(Float32Array, ({ vectors }) => vectors[at]!)),
  };
}
