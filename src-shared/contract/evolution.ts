/**
 * Features over the epochs of a training (Zeiler & Fergus 2013, Figure 4): a series is checkpoints of one architecture in order, each with an ordinary index of the same images, so that
 * the Atlas shows every epoch. Pictures of a cell come from the usual addresses (media.ts: patchUrl, projectionUrl) of the index that the cell names.
 */
import { eventIterator } from '@orpc/contract';
import * as z from 'zod';
import { box, channelNumber, deviceChoice, engineChoice, imageNumber, indexId, jobId, layer, layerNumber, method, path, preprocessing, procedure, scale, seed } from './common.ts';
import { figureAnswer, figureFormats } from './figures.ts';
import { indexState, matrixPrecision } from './indexing.ts';

export const seriesId = z.string().regex(/^[a-z0-9]{6,24}$/);

/** Checkpoints in one series. */
export const mostCheckpoints = 1000;
/** Channels of one answer of `rows`. */
export const mostRows = 256;
/** Rows of one figure. */
export const mostFigureRows = 64;

/**
 * `folder`: of a training, or any other: the model files in it whose names end in a number, which is the epoch. `files`: chosen ones, by the number that their names end in
 * where all have one, else counted from 1 in the given order.
 */
export const checkpointSource = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('folder'), path }),
  z.object({ kind: z.literal('files'), paths: z.array(path).min(2).max(mostCheckpoints).readonly() }),
]);

export const checkpointFile = z.object({ epoch: z.int().min(0), name: z.string(), path: z.string(), modelHash: z.string(), sizeBytes: z.number() });

export const checkpointReport = z.object({
  checkpoints: z.array(checkpointFile).readonly(),
  /** Of every checkpoint: they are one architecture. */
  layers: z.array(layer).readonly(),
  parameters: z.number(),
  preprocessing,
  preprocessingSource: z.string(),
  /** Files that look like networks and are no part of the series. */
  left: z.array(z.object({ name: z.string(), reason: z.string() })).readonly(),
});

/**
 * How far the weights of one layer are from those of other checkpoints: `|w - r| / |r|`, r the weights (no biases) of the first, the last or the preceding checkpoint; one number per checkpoint,
 * null where r is all zeros, and of `fromPrevious` at the first.
 */
export const layerMovement = z.object({
  layer: z.string(),
  title: z.string(),
  parameters: z.int(),
  fromFirst: z.array(z.number().nullable()).readonly(),
  fromLast: z.array(z.number().nullable()).readonly(),
  fromPrevious: z.array(z.number().nullable()).readonly(),
});

/** `index`: null before its turn, and after a person deleted it. */
export const seriesCheckpoint = z.object({
  epoch: z.int(),
  name: z.string(),
  modelHash: z.string(),
  index: indexId.nullable(),
  state: indexState,
  indexed: z.int(),
  images: z.int(),
  /** Version of addresses that name images by number. */
  numbering: z.int(),
  /** Numbers of the series' layers in this index, in their order; null where the index has not got it. */
  layerNumbers: z.array(layerNumber.nullable()).readonly(),
  /** It is being indexed right now. */
  running: z.boolean(),
});

export const seriesSummary = z.object({
  id: seriesId,
  name: z.string(),
  /** Where the checkpoints lie. */
  folder: z.string(),
  imagesPath: z.string(),
  epochs: z.array(z.int()).readonly(),
  /** Checkpoints whose index is complete. */
  complete: z.int(),
  /** The job that works on it now. */
  jobId: jobId.nullable(),
  /** Where none does: the newest one that did. */
  lastJobId: jobId.nullable(),
  createdAt: z.string(),
});

export const seriesRecord = seriesSummary.extend({
  checkpoints: z.array(seriesCheckpoint).readonly(),
  layers: z.array(layer).readonly(),
  /** Null until the job has read the weights. */
  movement: z.array(layerMovement).readonly().nullable(),
});

/**
 * How the strongest image of a channel compares with that of the nearest earlier epoch that has one. `first`: there is none, or not all images were looked at yet. `same`: it is the same image. `other`: another image, which was among the
 * nine strongest before. `sudden`: another image, which was not: the feature turned to something else.
 */
export const imageChange = z.enum(['first', 'same', 'other', 'sudden']);

export const evolutionCell = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('hit'),
    epoch: z.int(),
    index: indexId,
    numbering: z.int(),
    /** Number of the layer in that index. */
    layer: layerNumber,
    image: z.string(),
    imageNumber,
    className: z.string().nullable(),
    score: z.number(),
    y: z.int(),
    x: z.int(),
    box,
    change: imageChange,
  }),
  /** No image excites the channel at that epoch. */
  z.object({ kind: z.literal('dead'), epoch: z.int(), index: indexId, layer: layerNumber }),
  /** `waiting`: not indexed yet. `partial`: not all images yet, and no hit among them. `gone`: its index was deleted. `noLayer`: its index has not got the layer. */
  z.object({ kind: z.literal('missing'), epoch: z.int(), reason: z.enum(['waiting', 'partial', 'gone', 'noLayer']) }),
]);

export const evolutionRow = z.object({ channel: channelNumber, cells: z.array(evolutionCell).readonly() });

const ofSeries = z.object({ series: seriesId });
/** By value name. */
const layerName = z.string().min(1).max(4096);

export const evolutionStart = z.object({
  source: checkpointSource,
  imagesPath: path,
  labelsPath: path.optional(),
  /** Value names; all default layers where absent. */
  layers: z.array(layerName).min(1).max(100_000).optional(),
  /** Only these; all where absent. */
  epochs: z.array(z.int().min(0)).min(2).max(mostCheckpoints).optional(),
  /** The last checkpoint's own where absent. */
  preprocessing: preprocessing.optional(),
  engine: engineChoice.default('auto'),
  device: deviceChoice.default('auto'),
  batch: z.int().min(1).max(1024).optional(),
  matrix: matrixPrecision.default('float32'),
});

export const evolutionFigureRequest = ofSeries.extend({
  layer: layerName,
  channels: z.array(channelNumber).min(1).max(mostFigureRows),
  /** Columns; all of the series where absent. */
  epochs: z.array(z.int()).min(1).max(64).optional(),
  /** Beside each projection its patch. */
  patches: z.boolean().default(false),
  method: method.default('deconvnet'),
  seed: seed.default('one'),
  scale: scale.default('quantile'),
  format: z.enum(figureFormats).default('svg'),
});

export const evolution = {
  /** Which checkpoints there are. Fails with CONFLICT, naming the first difference, where two of them are not one architecture. */
  inspect: procedure.input(z.object({ source: checkpointSource })).output(checkpointReport),
  /**
   * Starts, extends or completes the series of these checkpoints over these images: a job of kind `evolution` that indexes the images with each checkpoint, the last first, and projects the strongest
   * hit of every channel. `jobId` is null where nothing is missing.
   */
  start: procedure.input(evolutionStart).output(z.object({ series: seriesId, jobId: jobId.nullable() })),
  /** Goes on with what is missing of a series, in the way that it was started. */
  resume: procedure.input(ofSeries).output(z.object({ jobId: jobId.nullable() })),
  /** Newest first. */
  series: procedure.output(z.array(seriesSummary)),
  get: procedure.input(ofSeries).output(seriesRecord),
  /** Yields the record at once and after changes, at most once a second; ends when no job works on it. */
  watch: procedure.input(ofSeries).output(eventIterator(seriesRecord)),
  /** Channels of a layer, each a row of one cell per checkpoint. */
  rows: procedure.input(ofSeries.extend({ layer: layerName, channels: z.array(channelNumber).min(1).max(mostRows) })).output(z.array(evolutionRow)),
  /** Figure 4: rows of channels, columns of epochs; held for a while at `media`. */
  figure: procedure.input(evolutionFigureRequest).output(figureAnswer),
  /** Forgets the series; its indexes stay. */
  forget: procedure.input(ofSeries).output(z.object({})),
};
