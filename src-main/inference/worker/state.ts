/** What a worker keeps between calls: engines, models and compiled sessions, in bounded caches. */
import { LRUCache } from 'lru-cache';
import { AppError } from '../../../src-shared/errors.ts';
import type { Preprocessing } from '../../../src-shared/domain/preprocessing.ts';
import type { Rectified } from '../../../src-shared/domain/projection.ts';
import { normalizePixels } from '../../dataset/normalize.ts';
import { elementCount, withBatch, type Model } from '../../graph/graph.ts';
import { openModel } from '../../importers/open.ts';
import type { ProjectionGraph } from '../../rewrite/backward/projectionGraph.ts';
import type { RankingGraph } from '../../rewrite/probe/rankingGraph.ts';
import type { Data, Session } from '../engine.ts';
import { createEngines, type Engines } from './engines.ts';
import type { ModelReference } from './protocol.ts';
import type { CompiledWindow } from './windowUnits.ts';

export interface CompiledRanking {
  readonly ranking: RankingGraph;
  readonly session: Session;
}

/** A way down that is compiled: on whole pictures, or on windows. */
export type CompiledProjection =
  | { readonly kind: 'whole'; readonly projection: ProjectionGraph; readonly session: Session; readonly rectified: Rectified }
  | { readonly kind: 'window'; readonly window: CompiledWindow; readonly session: Session; readonly rectified: Rectified };

export interface WorkerState {
  readonly engines: Engines;
  model(reference: ModelReference, crop: readonly [number, number]): Promise<Model>;
  readonly rankings: LRUCache<string, CompiledRanking>;
  readonly projections: LRUCache<string, CompiledProjection>;
}

export function createState(): WorkerState {
  const models = new LRUCache<string, Promise<Model>>({ max: 2 });
  return {
    engines: createEngines(),
    rankings: new LRUCache<string, CompiledRanking>({ max: 2, dispose: ({ session }) => void session.close() }),
    projections: new LRUCache<string, CompiledProjection>({ max: 12, dispose: ({ session }) => void session.close() }),
    model(reference, crop) {
      const key = `${reference.hash} ${crop.join('x')}`;
      let model = models.get(key);
      if (!model) {
        model = open(reference, crop);
        model.catch(() => models.delete(key));
        models.set(key, model);
      }
      return model;
    },
  };
}

async function open(reference: ModelReference, crop: readonly [number, number]): Promise<Model> {
  const { model, modelHash } = await openModel(reference.path, { inputSize: crop });
  if (modelHash !== reference.hash) {
    throw new AppError('CONFLICT', `The model file ${reference.path} is no longer the one this index was made with. Put the old file back, or index again with the new one.`, { path: reference.path });
  }
  const [, , height, width] = model.graph.inputs.find((input) => input.name === model.imageInput)!.shape;
  if (height !== crop[0] || width !== crop[1]) {
    throw new AppError('BAD_REQUEST', `The network takes images of ${height} x ${width} pixels; the crop is set to ${crop[0]} x ${crop[1]}. Set the crop to ${height},${width}.`, { height: Number(height), width: Number(width) });
  }
  return model;
}

/** 8-bit pictures as the network's input; refuses a preprocessing whose channels do not fit the network. */
export function imageData(model: Model, preprocessing: Preprocessing, pixels: Uint8Array, batch: number): Data {
  const shape = withBatch(model.graph.inputs.find((input) => input.name === model.imageInput)!.shape, batch);
  const data = normalizePixels(pixels, preprocessing, batch);
  if (data.length !== elementCount(shape)) {
    throw new AppError('BAD_REQUEST', `The network takes ${shape[1]} colour channel(s); the order ${JSON.stringify(preprocessing.order)} gives ${data.length / (batch * shape[2]! * shape[3]!)}. Choose ${shape[1] === 1 ? 'grey' : 'rgb or bgr'}.`, { channels: shape[1]! });
  }
  return { shape, data };
}
