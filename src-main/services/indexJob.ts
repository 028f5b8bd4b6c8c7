/** The runner of index jobs: connects buildIndex with decoder, inference worker and store. A worker that dies is started again, three times in a row at most. */
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { IndexId } from '../../src-shared/domain/ids.ts';
import { AppError } from '../../src-shared/errors.ts';
import { decodeImage } from '../dataset/decode.ts';
import type { Device, EngineKind } from '../inference/engine.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import { buildIndex } from '../indexing/buildIndex.ts';
import type { JobRunner } from '../jobs/queue.ts';
import type { Store } from '../store/open.ts';
import { createTurns } from './turns.ts';

/** How often one batch may lose its worker before the job fails with what happened. */
const mostStrikes = 3;

export function indexRunner(store: Store, inference: InferenceClient): JobRunner {
  // More decoders than cores gain nothing, and would keep the store's queries and the thread that answers waiting behind them.
  const inTurn = createTurns(availableParallelism());
  return async (job, progress, signal) => {
    const index = await store.indexes.get(job.indexId as IndexId);
    const placement = { engine: index.engine as EngineKind, device: index.device as Device };
    const model = { path: index.modelPath, hash: index.modelHash };
    let progressDone = index.cursor;
    const step = `decoding and running on ${index.engine} ${index.device}`;
    progress.report(index.cursor, index.images, step);
    await buildIndex(
      {
        layers: index.layers,
        top: index.top,
        batchSize: index.batchSize,
        images: index.images,
        cursor: index.cursor,
        crop: index.preprocessing.crop,
        page: (from, limit) => store.images.page(index.id, from, limit),
        async decode(image, decodeSignal) {
          try {
            return await inTurn(() => decodeImage(join(index.imagesPath, image.file), index.preprocessing, decodeSignal));
          } catch (error) {
            await stat(index.imagesPath).catch(() => {
              throw new AppError('NOT_FOUND', `The image folder ${index.imagesPath} is gone. Bring it back, then resume; nothing that was done is lost.`, { path: index.imagesPath });
            });
            throw error;
          }
        },
        async score(pixels, scoreSignal) {
          for (let strike = 1; ; strike++) {
            try {
              const parameters = { model, layers: index.layers.map((layer) => layer.name), preprocessing: index.preprocessing, placement, batch: index.batchSize, pixels };
              return await inference.call('score', parameters, scoreSignal);
            } catch (error) {
              if (!isWorkerDeath(error) || strike >= mostStrikes) throw error;
              progress.report(progressDone, index.images, `the inference process ended and was started again (${strike} of ${mostStrikes - 1})`);
            }
          }
        },
        commit: (batch) => store.hits.commitBatch({ indexId: index.id, ...batch }),
        async storedHits(layer) {
          const { width } = index.layers.find((candidate) => candidate.number === layer)!;
          return (await store.hits.ofLayer(index.id, layer)).map((hit) => ({ channel: hit.channel, image: hit.image, score: hit.score, position: hit.y * width + hit.x }));
        },
        storedStatistics: (layer) => store.statistics.read(index.id, layer),
        onProgress(done) {
          progressDone = done;
          progress.report(done, index.images, step);
        },
      },
      signal,
    );
  };
}

function isWorkerDeath(error: unknown): boolean {
  return error instanceof AppError && error.code === 'UNAVAILABLE' && typeof error.data['how'] === 'string';
}
