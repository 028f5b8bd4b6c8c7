/**
 * What a worker keeps between calls: engines, models and compiled sessions, within one budget of bytes. After compiling, weights are held by the session
 * alone: a model's own copy is dropped when it was not wanted for a while, and read again from its file on demand.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { Preprocessing } from '../../../src-shared/domain/preprocessing.ts';
import { normalizePixels } from '../../dataset/normalize.ts';
import { elementCount, withBatch, type Model } from '../../graph/graph.ts';
import type { OpenOptions } from '../../importers/format.ts';
import { openModel } from '../../importers/open.ts';
import type { Data, Engine, Session } from '../engine.ts';
import { createByteBudget, type CompiledCache, type Keeping } from './compiledCache.ts';
import type { CompiledProjection } from './compileProjection.ts';
import type { CompiledLooking } from './labCalls.ts';
import { createEngines, type Engines } from './engines.ts';
import { collectGarbage, largeBytes, memoryBudgetBytes, weightBytes } from './memory.ts';
import type { ModelReference, NextWork, Placement } from './protocol.ts';
import type { Head } from './score.ts';
import { createWatchedEngines } from './watchedEngines.ts';

export interface CompiledRanking {
  /** Without nodes and weights. */
  readonly model: Model;
  readonly outputs: readonly string[];
  readonly heads: readonly Head[];
  /** Outputs that hold the wanted vectors, in order. */
  readonly vectors: readonly string[];
  readonly session: Session;
  /** The last batch that was fed: the next is written over it. */
  fed: Data | undefined;
}

/** A network that gives vectors: the outputs that hold them, in the order asked for. */
export interface CompiledFeatures {
  readonly model: Model;
  readonly heads: readonly string[];
  readonly session: Session;
}

export interface WorkerState {
  readonly engines: { engineAt(placement: Placement): Promise<Engine> };
  model(reference: ModelReference, crop: readonly [number, number]): Promise<Model>;
  readonly rankings: CompiledCache<CompiledRanking>;
  /** Every session among the fields of what is kept counts, and is closed with it. */
  readonly projections: CompiledCache<CompiledProjection>;
  readonly lookings: CompiledCache<CompiledLooking>;
  readonly features: CompiledCache<CompiledFeatures>;
}

export interface OwnedState extends WorkerState {
  /** Closes what no longer fits. Between calls. */
  settle(): void;
}

/** A model that nobody asked for so long is read again when it is wanted. */
const modelIdleMs = 20_000;

/** `alive` is called before a model is read, and before and after each piece of work on an engine. */
export function createState(engines: Pick<Engines, 'engineAt'> = createEngines(), alive: (next: NextWork) => void = () => undefined): OwnedState {
  const budget = createByteBudget(memoryBudgetBytes());
  const watched = createWatchedEngines(engines, alive);
  const models = budget.cache<OpenModel>({ bytesOf: ({ bytes }) => bytes });
  const sessions = <T extends object>(): Keeping<T> => ({
    bytesOf: (kept) => watched.sessionsIn(kept).reduce((sum, session) => sum + watched.bytesOf(session), 0),
    drop: (kept) => watched.sessionsIn(kept).forEach((session) => void session.close()),
  });
  const letGo = (key: string) => {
    models.delete(key);
    collectGarbage();
  };
  return {
    engines: watched,
    rankings: budget.cache<CompiledRanking>(sessions()),
    projections: budget.cache<CompiledProjection>(sessions()),
    lookings: budget.cache<CompiledLooking>(sessions()),
    features: budget.cache<CompiledFeatures>(sessions()),
    async model(reference, crop) {
      // Wanted for what is compiled next.
      alive('prepare');
      const key = `${reference.hash} ${crop.join('x')}`;
      let kept = models.get(key);
      if (!kept) {
        const model = await open(reference, crop);
        const bytes = weightBytes(model.graph);
        kept = { model, bytes, idle: setTimeout(() => bytes > largeBytes && letGo(key), modelIdleMs).unref() };
        models.set(key, kept);
      }
      kept.idle.refresh();
      return kept.model;
    },
    settle: () => budget.settle(),
  };
}

interface OpenModel {
  readonly model: Model;
  readonly bytes: number;
  readonly idle: NodeJS.Timeout;
}

async function open(reference: ModelReference, crop: readonly [number, number]): Promise<Model> {
  const model = await openReferenced(reference, { inputSize: crop });
  const [, , height, width] = model.graph.inputs.find((input) => input.name === model.imageInput)!.shape;
  if (height !== crop[0] || width !== crop[1]) {
    throw new AppError('BAD_REQUEST', `The network takes images of ${height} x ${width} pixels; the crop is set to ${crop[0]} x ${crop[1]}. Set the crop to ${height},${width}.`, { height: Number(height), width: Number(width) });
  }
  return model;
}

/** @throws AppError CONFLICT where the file is no longer the one that is meant */
export async function openReferenced({ path, hash }: ModelReference, options: OpenOptions): Promise<Model> {
  const { model, modelHash } = await openModel(path, options);
  if (modelHash === hash) return model;
  throw new AppError('CONFLICT', `The model file ${path} is no longer the one this index was made with. Put the old file back, or index again with the new one.`, { path });
}

/** 8-bit pictures as the network's input, written over what `before` holds where that has the same size; refuses a preprocessing whose channels do not fit the network. */
export function imageData(model: Model, preprocessing: Preprocessing, pixels: Uint8Array, batch: number, before?: Data): Data {
  const shape = withBatch(model.graph.inputs.find((input) => input.name === model.imageInput)!.shape, batch);
  checkChannels(model, preprocessing);
  const into = before?.data instanceof Float32Array && before.data.length === elementCount(shape) ? before.data : undefined;
  return { shape, data: normalizePixels(pixels, preprocessing, batch, into) };
}

/** Throws AppError BAD_REQUEST where the network takes another number of colour channels than the preprocessing gives. */
export function checkChannels(model: Model, preprocessing: Preprocessing): void {
  const [, channels] = model.graph.inputs.find((input) => input.name === model.imageInput)!.shape;
  if (channels === channelsOf(preprocessing)) return;
  throw new AppError('BAD_REQUEST', `The network takes ${channels} colour channel(s); the order ${JSON.stringify(preprocessing.order)} gives ${channelsOf(preprocessing)}. Choose ${channels === 1 ? 'grey' : 'rgb or bgr'}.`, { channels: channels! });
}

function channelsOf({ order }: Preprocessing): number {
  return order === 'grey' ? 1 : 3;
}
