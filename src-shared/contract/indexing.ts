/** Indexes: making them, watching them grow, reading their layers, channels and hits. */
import { eventIterator } from '@orpc/contract';
import * as z from 'zod';
import { channelNumber, deviceChoice, engineChoice, hit, indexId, jobId, layer, layerNumber, path, preprocessing, procedure } from './common.ts';

export const indexState = z.enum(['empty', 'partial', 'complete']);

export const indexRecord = z.object({
  id: indexId,
  modelName: z.string(),
  modelHash: z.string(),
  imagesPath: z.string(),
  preprocessing,
  engine: z.string(),
  device: z.string(),
  engineDescription: z.string(),
  batchSize: z.int(),
  top: z.int(),
  state: indexState,
  /** Images in the manifest (decodable or not yet tried). */
  images: z.int(),
  /** Images whose rows are committed. */
  indexed: z.int(),
  skipped: z.int(),
  layers: z.int(),
  createdAt: z.string(),
  /** The job that is filling it now. */
  jobId: jobId.nullable(),
});

export const indexedLayer = layer.extend({
  /** Dead channels so far; null where the layer knows none. */
  dead: z.int().nullable(),
  /** Rows ranked. */
  images: z.int(),
});

export const channelSummary = z.object({
  channel: channelNumber,
  dead: z.boolean(),
  hits: z.int(),
  /** Strongest score, null without a hit. */
  topScore: z.number().nullable(),
  mean: z.number(),
  /** Share of images with a score above 0. */
  shareAboveZero: z.number(),
  /** Changes whenever the hits do; part of picture addresses so that they can be cached for ever. */
  version: z.string(),
});

export const skippedImage = z.object({ image: z.string(), reason: z.string() });

export const statistics = z.object({
  count: z.int(),
  nanCount: z.int(),
  min: z.number(),
  max: z.number(),
  mean: z.number(),
  shareAboveZero: z.number(),
  histogram: z.object({ from: z.number(), binWidth: z.number(), counts: z.array(z.int()).readonly() }),
});

export const channelDetail = z.object({
  layer: indexedLayer,
  channel: channelNumber,
  dead: z.boolean(),
  version: z.string(),
  hits: z.array(hit.extend({ className: z.string().nullable() })),
  statistics,
});

const indexAndLayer = z.object({ index: indexId, layer: layerNumber });

export const indexing = {
  list: procedure.output(z.array(indexRecord)),
  get: procedure.input(z.object({ index: indexId })).output(indexRecord),
  /** Starts a job, resumes the index that the same model, preprocessing, images and top name, or finds it complete (`jobId` null). */
  start: procedure
    .input(
      z.object({
        modelPath: path,
        imagesPath: path,
        preprocessing,
        layers: z.array(z.string().max(4096)).max(100_000).optional(),
        top: z.int().min(1).max(100).default(9),
        engine: engineChoice.default('auto'),
        device: deviceChoice.default('auto'),
        batch: z.int().min(1).max(1024).optional(),
        labelsPath: path.optional(),
      }),
    )
    .output(z.object({ index: indexId, jobId: jobId.nullable() })),
  /** Goes on with a partial index. */
  resume: procedure.input(z.object({ index: indexId })).output(z.object({ jobId: jobId.nullable() })),
  delete: procedure.input(z.object({ index: indexId })).output(z.object({})),
  layers: procedure.input(z.object({ index: indexId })).output(z.array(indexedLayer)),
  channels: procedure.input(indexAndLayer).output(z.array(channelSummary)),
  channel: procedure.input(indexAndLayer.extend({ channel: channelNumber })).output(channelDetail),
  skipped: procedure.input(z.object({ index: indexId })).output(z.array(skippedImage).readonly()),
  /** Yields once at once, then after each committed batch (at most four times a second), and ends when the job does. */
  watch: procedure
    .input(z.object({ index: indexId }))
    .output(eventIterator(z.object({ indexed: z.int(), images: z.int(), skipped: z.int(), state: indexState, running: z.boolean() }))),
};
