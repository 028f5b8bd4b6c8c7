/** Indexes: making them, watching them grow, reading their layers, channels and hits. */
import { eventIterator } from '@orpc/contract';
import * as z from 'zod';
import { channelNumber, deviceChoice, engineChoice, hit, imageNumber, indexId, jobId, layer, layerNumber, path, preprocessing, procedure } from './common.ts';
import { featureWish } from './map.ts';

export const indexState = z.enum(['empty', 'partial', 'complete']);

/** How every score of every image is kept beside the hits: `[images, channels]` per layer, or not at all. */
export const matrixPrecision = z.enum(['float32', 'float16', 'none']);

/** One of several disjoint parts of a folder's images, counted from 1. */
export const shard = z.object({ number: z.int().min(1).max(100_000), of: z.int().min(1).max(100_000) }).refine(({ number, of }) => number <= of, 'the shard number must not exceed the number of shards');

/** From image `fromImage` on, rows were computed in another way than the index's own engine, device and batch (out of memory, lost device). */
export const placementChange = z.object({
  fromImage: imageNumber,
  engine: z.string(),
  device: z.string(),
  batchSize: z.int(),
  description: z.string(),
  reason: z.string(),
});

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
  /** Another one whenever a rescan gives images other numbers: the version of addresses that name images by number (media.ts). */
  numbering: z.int(),
  layers: z.int(),
  matrix: matrixPrecision,
  /** Which places of the folder's whole listing it covers; null for all of them. */
  part: z.object({ images: z.int(), ranges: z.array(z.tuple([z.int(), z.int()]).readonly()).readonly() }).nullable(),
  placementChanges: z.array(placementChange).readonly(),
  createdAt: z.string(),
  /** Made by an earlier version, whose scores are not quite those of now: it can be looked at, but neither filled nor rescanned. */
  outdated: z.boolean(),
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
  /** `duplicateOf`: rank of the stronger hit that shows the same photograph, or nearly; null for all others. */
  hits: z.array(hit.extend({ className: z.string().nullable(), duplicateOf: z.int().nullable() })),
  /** Of a list without duplicates: hits that are hidden, and why it is shorter than asked for, null where it is not. */
  unique: z.object({ hidden: z.int(), shorter: z.string().nullable() }).nullable(),
  statistics,
});

/** The network of an index as its spine: top to bottom, one row for each layer and for what stands between them. */
export const drawnSpine = z.object({
  /** Why there are no rows: the model file is gone or was changed. Null where there are. */
  reason: z.string().nullable(),
  rows: z.array(
    z.object({
      /** Lanes of values that are alive, in box-drawing characters, `●` where the row's own value is. */
      lanes: z.string(),
      /** The index's layer that the row is; null in joints (a pool, a concat) and in rows that only split or join lanes. */
      layer: layerNumber.nullable(),
      /** What a joint does, in a few words; empty in rows that only split or join lanes. */
      what: z.string(),
    }),
  ).readonly(),
});

/** What a rescan found, by path, size and time; a file whose bytes turn out to be the same afterwards is not computed again. */
export const rescanReport = z.object({
  jobId: jobId.nullable(),
  added: z.int(),
  changed: z.int(),
  removed: z.int(),
  unchanged: z.int(),
  /** Why nothing can be taken over and all images are computed anew; null where rows are taken over. */
  recomputes: z.string().nullable(),
});

const source = { modelPath: path, imagesPath: path, preprocessing, layers: z.array(z.string().max(4096)).max(100_000).optional() };

const indexAndLayer = z.object({ index: indexId, layer: layerNumber });

export const indexing = {
  list: procedure.output(z.array(indexRecord)),
  get: procedure.input(z.object({ index: indexId })).output(indexRecord),
  /**
   * Starts a job for what is missing: a new index; the rest of the one that the same model, preprocessing, folder and top name; the layers it has not got yet; the
   * images that were added or changed since. `jobId` is null where nothing is missing.
   */
  start: procedure
    .input(
      z.object({
        ...source,
        top: z.int().min(1).max(100).default(9),
        engine: engineChoice.default('auto'),
        device: deviceChoice.default('auto'),
        batch: z.int().min(1).max(1024).optional(),
        labelsPath: path.optional(),
        matrix: matrixPrecision.default('float32'),
        /** Index only this part of the folder. */
        shard: shard.optional(),
        /** Features that a new index also keeps of every image, computed in the same pass; for an index that has rows already map.computeFeatures computes them. */
        features: z.array(featureWish).max(100).optional(),
      }),
    )
    .output(z.object({ index: indexId, jobId: jobId.nullable() })),
  /** What an index would be, before it is made: the score matrix's size, and the space that is free in the workspace. */
  estimate: procedure.input(z.object(source)).output(
    z.object({
      images: z.int(),
      layers: z.int(),
      channels: z.int(),
      matrixBytes: z.object({ float32: z.number(), float16: z.number() }),
      freeBytes: z.number(),
    }),
  ),
  /** Looks at the index's folder again and starts a job for what was added, changed or removed; until it is done the index shows its old rows. */
  rescan: procedure.input(z.object({ index: indexId })).output(rescanReport),
  /** Goes on with a partial index. */
  resume: procedure.input(z.object({ index: indexId })).output(z.object({ jobId: jobId.nullable() })),
  delete: procedure.input(z.object({ index: indexId })).output(z.object({})),
  layers: procedure.input(z.object({ index: indexId })).output(z.array(indexedLayer)),
  /** Read from the model file once, then kept. */
  spine: procedure.input(z.object({ index: indexId })).output(drawnSpine),
  channels: procedure.input(indexAndLayer).output(z.array(channelSummary)),
  /** `unique`: of photographs that are the same, or nearly, only the strongest; their places are filled with the next hits where the score matrix is kept. Ranks count the shown hits. */
  channel: procedure.input(indexAndLayer.extend({ channel: channelNumber, unique: z.boolean().default(false) })).output(channelDetail),
  skipped: procedure.input(z.object({ index: indexId })).output(z.array(skippedImage).readonly()),
  /** Yields once at once, then after each committed batch (at most four times a second), and ends when the job does. */
  watch: procedure
    .input(z.object({ index: indexId }))
    .output(eventIterator(z.object({ indexed: z.int(), images: z.int(), skipped: z.int(), state: indexState, running: z.boolean() }))),
};
