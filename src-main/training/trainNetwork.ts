/**
 * The training loop (Zeiler & Fergus 2013, section 3): epochs of mini-batches in an order of chance, the learning rate divided by ten when validation stalls.
 * Everything random follows from seed, epoch and place, and where it stands is written down at every stop, so that a training that was killed goes on to the
 * same weights as one that was not. What computes, decodes and stores is handed in.
 */
import type * as z from 'zod';
import type { rateChange, trainingEpoch, trainingProgress, trainingRecipe } from '../../src-shared/contract/training.ts';
import { seededNumbers, shuffled } from '../rewrite/training/seededNumbers.ts';
import { centreCut, chanceCut, writeCut, type Cut, type PictureSize } from './pictures.ts';
import type { Split } from './split.ts';

export type TrainingRecipe = z.infer<typeof trainingRecipe>;
export type TrainingEpoch = z.infer<typeof trainingEpoch>;
export type RateChange = z.infer<typeof rateChange>;
export type TrainingProgress = z.infer<typeof trainingProgress>;

/** Where a training stands; together with the weights all that it needs to go on. */
export interface TrainingPosition {
  /** The epoch under way, from 1, and how many of its steps are done. */
  readonly epoch: number;
  readonly step: number;
  /** Sums over those steps, by image. */
  readonly lossSum: number;
  readonly wrong: number;
  readonly seen: number;
  /** Of the epoch under way, over all its parts. */
  readonly seconds: number;
  readonly learningRate: number;
  readonly bestError: number | null;
  /** Epochs since it. */
  readonly stalled: number;
  readonly epochs: readonly TrainingEpoch[];
  readonly rateChanges: readonly RateChange[];
}

export interface Measured {
  readonly loss: number;
  readonly correct: number;
  readonly images: number;
}

export interface TrainingTools {
  readonly recipe: TrainingRecipe;
  readonly split: Split;
  /** Class of each image. */
  readonly labels: readonly number[];
  readonly size: PictureSize;
  /** `[edge, edge, 3]` 8-bit RGB. */
  picture(image: number, signal: AbortSignal): Promise<Uint8Array>;
  step(pixels: Uint8Array, labels: Int32Array, rate: number, seed: number): Promise<Measured>;
  evaluate(pixels: Uint8Array, labels: Int32Array): Promise<Measured>;
  /** Writes the position with the weights as they are now. Called between steps only. */
  save(position: TrainingPosition): Promise<void>;
  /** Writes the network as it is now; returns the file's name. */
  checkpoint(epoch: number): Promise<string>;
  /** Asked before each step: whether a person wants the learning rate lowered. What comes back is told the new rate once that is written down. */
  takeLowering(): ((rate: number) => void) | undefined;
  onProgress(progress: TrainingProgress): void;
}

/** A training that is killed loses this much work at most. */
const saveEveryMs = 60_000;
/** Speed is a mean over the last so many steps. */
const speedSteps = 20;

export function startPosition({ learningRate }: Pick<TrainingRecipe, 'learningRate'>): TrainingPosition {
  return { epoch: 1, step: 0, lossSum: 0, wrong: 0, seen: 0, seconds: 0, learningRate, bestError: null, stalled: 0, epochs: [], rateChanges: [] };
}

/** The position with a tenth of its learning rate; validation gets its time to answer to that. */
export function withLowerRate(position: TrainingPosition, by: RateChange['by']): TrainingPosition {
  const learningRate = position.learningRate / 10;
  const { epoch, step, rateChanges } = position;
  return { ...position, learningRate, stalled: 0, rateChanges: [...rateChanges, { epoch, step, learningRate, by }] };
}

/** Trains from a position to the last epoch and returns the last position. On abort the position is saved after the step under way; then the signal's reason is thrown. */
export async function trainNetwork(tools: TrainingTools, from: TrainingPosition, signal: AbortSignal): Promise<TrainingPosition> {
  const { recipe } = tools;
  let position = from;
  if (position.epoch === 1 && position.step === 0 && recipe.checkpoints.includes(0)) await tools.checkpoint(0);
  while (position.epoch <= recipe.epochs) {
    position = await trainEpoch(tools, position, signal);
    try {
      position = await closeEpoch(tools, position, signal);
    } finally {
      await tools.save(position);
    }
  }
  return position;
}

async function trainEpoch(tools: TrainingTools, from: TrainingPosition, signal: AbortSignal): Promise<TrainingPosition> {
  const { recipe, split } = tools;
  const { epoch } = from;
  const order = shuffled(split.training.length, seededNumbers(recipe.seed, `order ${epoch}`));
  const steps = Math.ceil(order.length / recipe.batch);
  const imagesOf = (step: number) => Array.from(order.subarray(step * recipe.batch, (step + 1) * recipe.batch), (at) => split.training[at]!);
  const cutOf = (image: number) => chanceCut(tools.size, recipe, epoch, image);
  const prepare = (step: number) => batchOf(tools, imagesOf(step), cutOf, signal);
  const recent: { readonly images: number; readonly ms: number }[] = [];
  let position = from;
  let savedMs = performance.now();
  let next = position.step < steps ? prepare(position.step) : undefined;
  while (position.step < steps) {
    const startMs = performance.now();
    const batch = await savedOnFailure(next!);
    const lowered = tools.takeLowering();
    if (lowered) {
      position = withLowerRate(position, 'hand');
      await tools.save(position);
      lowered(position.learningRate);
    }
    // The next batch is decoded while this one trains.
    next = position.step + 1 < steps ? prepare(position.step + 1) : undefined;
    next?.catch(() => undefined);
    const { loss, correct, images } = await tools.step(batch.pixels, batch.labels, position.learningRate, stepSeed(recipe.seed, epoch, position.step));
    const ms = performance.now() - startMs;
    position = {
      ...position,
      step: position.step + 1,
      lossSum: position.lossSum + loss * images,
      wrong: position.wrong + images - correct,
      seen: position.seen + images,
      seconds: position.seconds + ms / 1000,
    };
    recent.push({ images, ms });
    if (recent.length > speedSteps) recent.shift();
    tools.onProgress(progressOf(tools, position, steps, recent));
    if (signal.aborted || performance.now() - savedMs > saveEveryMs) {
      await tools.save(position);
      savedMs = performance.now();
    }
    signal.throwIfAborted();
  }
  return position;

  /** A picture that could not be read, or was not waited for, leaves a whole number of steps behind: they are kept. */
  async function savedOnFailure<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      await tools.save(position);
      throw error;
    }
  }
}

/** Judges the epoch, lowers the learning rate where validation stalls, writes the checkpoint. */
async function closeEpoch(tools: TrainingTools, position: TrainingPosition, signal: AbortSignal): Promise<TrainingPosition> {
  const { recipe, split } = tools;
  const { epoch } = position;
  const judged = split.validation.length > 0 ? await judge(tools, signal) : null;
  const isBetter = judged !== null && (position.bestError === null || judged.error < position.bestError);
  const stalled = judged === null || isBetter ? 0 : position.stalled + 1;
  const isLowered = recipe.patience > 0 && stalled >= recipe.patience;
  const checkpoint = recipe.checkpoints.includes(epoch) || epoch === recipe.epochs ? await tools.checkpoint(epoch) : null;
  const record: TrainingEpoch = {
    epoch,
    loss: position.lossSum / position.seen,
    trainingError: position.wrong / position.seen,
    validationLoss: judged?.loss ?? null,
    validationError: judged?.error ?? null,
    learningRate: position.learningRate,
    seconds: position.seconds,
    checkpoint,
  };
  const next = {
    ...startPosition(position),
    epoch: epoch + 1,
    bestError: isBetter ? judged.error : position.bestError,
    stalled,
    epochs: [...position.epochs, record],
    rateChanges: position.rateChanges,
  };
  return isLowered ? withLowerRate(next, 'stall') : next;
}

async function judge(tools: TrainingTools, signal: AbortSignal): Promise<{ readonly loss: number; readonly error: number }> {
  const { split, recipe } = tools;
  let [loss, wrong] = [0, 0];
  for (let start = 0; start < split.validation.length; start += recipe.batch) {
    const { pixels, labels } = await batchOf(tools, split.validation.slice(start, start + recipe.batch), () => centreCut(tools.size), signal);
    const found = await tools.evaluate(pixels, labels);
    signal.throwIfAborted();
    loss += found.loss * found.images;
    wrong += found.images - found.correct;
  }
  return { loss: loss / split.validation.length, error: wrong / split.validation.length };
}

/** A batch of the full size; rows beyond the images have the label -1. */
async function batchOf(tools: TrainingTools, images: readonly number[], cutOf: (image: number) => Cut, signal: AbortSignal): Promise<{ readonly pixels: Uint8Array; readonly labels: Int32Array }> {
  const { size, recipe } = tools;
  const pixels = new Uint8Array(recipe.batch * size.crop * size.crop * 3);
  const labels = new Int32Array(recipe.batch).fill(-1);
  await Promise.all(
    images.map(async (image, row) => {
      writeCut(await tools.picture(image, signal), size, cutOf(image), pixels, row);
      labels[row] = tools.labels[image]!;
    }),
  );
  return { pixels, labels };
}

function stepSeed(seed: number, epoch: number, step: number): number {
  return Math.floor(seededNumbers(seed, `step ${epoch} ${step}`)() * 2 ** 31);
}

function progressOf({ recipe }: TrainingTools, position: TrainingPosition, steps: number, recent: readonly { readonly images: number; readonly ms: number }[]): TrainingProgress {
  const ms = recent.reduce((sum, each) => sum + each.ms, 0);
  const stepsLeft = (recipe.epochs - position.epoch) * steps + steps - position.step;
  return {
    epoch: position.epoch,
    epochs: recipe.epochs,
    step: position.step,
    steps,
    loss: position.lossSum / position.seen,
    trainingError: position.wrong / position.seen,
    learningRate: position.learningRate,
    imagesPerSecond: (1000 * recent.reduce((sum, each) => sum + each.images, 0)) / ms,
    secondsLeft: recent.length < 2 ? null : (stepsLeft * ms) / recent.length / 1000,
  };
}
