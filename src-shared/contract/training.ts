/**
 * Training: what a person may ask for (the recipe of Zeiler & Fergus 2013, section 3, each part switchable), what is told while it runs, and what is
 * kept of it. A folder with a run in it holds `training.json` (`trainingRun`), the checkpoints `epoch-NNN.onnx`, and what the run needs to go on.
 */
import { eventIterator } from '@orpc/contract';
import * as z from 'zod';
import { deviceChoice, engineChoice, indexId, jobId, path, procedure } from './common.ts';
import { job } from './jobs.ts';

/**
 * `width` multiplies the channels of every hidden layer, `input` is the edge of the square input in pixels, `units` are those of each of the two fully connected
 * hidden layers (absent: 4096 times `width`); `file` is any model file.
 */
export const trainingArchitecture = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('zfnet'), width: z.number().min(0.01).max(4).default(1), input: z.int().min(32).max(1024).default(224), units: z.int().min(1).max(16_384).optional() }),
  z.object({ kind: z.literal('alexnet'), width: z.number().min(0.01).max(4).default(1), input: z.int().min(32).max(1024).default(227), units: z.int().min(1).max(16_384).optional() }),
  z.object({ kind: z.literal('file'), path, input: z.int().min(8).max(1024).optional() }),
]);

export const trainingRecipe = z.object({
  epochs: z.int().min(1).max(10_000),
  /** Epochs after which the network is written as ONNX; 0 is the network before training. The last epoch always is. */
  checkpoints: z.array(z.int().min(0).max(10_000)).max(10_000).readonly().default([]),
  batch: z.int().min(1).max(1024).default(128),
  learningRate: z.number().positive().max(10).default(0.01),
  /** Epochs without a better validation error after which the learning rate is divided by 10; 0: never. */
  patience: z.int().min(0).max(1000).default(5),
  momentum: z.number().min(0).lt(1).default(0.9),
  weightDecay: z.number().min(0).max(1).default(0),
  /** Share of the hidden fully connected units that each image drops; 0: none. */
  dropout: z.number().min(0).lt(1).default(0.5),
  /** Deviation of the first weights: `paper` 0.01, `he` sqrt(2 / inputs of a unit) (narrow networks need it). Biases are 0. */
  initialisation: z.enum(['paper', 'he']).default('paper'),
  /** With He's weights: deviation of the values that the first layer gets. It starts with as much smaller weights, so it sees the same and learns faster: more of it gives clearer first filters, too much diverges. */
  inputDeviation: z.number().min(1).max(100).default(4),
  /** Convolution filters whose root mean square exceeds this are scaled back to it; null: they are not. */
  filterRms: z.number().positive().nullable().default(0.1),
  /** Images are cropped at random from 256/224 of the input, instead of at the centre. */
  randomCrops: z.boolean().default(true),
  /** Half of the images, chosen at random, are mirrored. */
  flips: z.boolean().default(true),
  /** What is subtracted, as the network's own first node: the mean of each pixel, of each colour, or nothing. */
  mean: z.enum(['pixel', 'colour', 'none']).default('pixel'),
  /** Share of the images of each class that is kept for validation. */
  validation: z.number().min(0).max(0.9).default(0.2),
  /** Start from the file's weights, replace the last layer and train nothing else (the paper's section 5.2). */
  finetune: z.boolean().default(false),
  /** How checkpoints hold their weights: float16 halves the files, and their networks compute with the rounded values. Training itself is float32. */
  checkpointPrecision: z.enum(['float32', 'float16']).default('float32'),
  seed: z.int().min(0).max(2 ** 31 - 1).default(1),
});

export const trainingRequest = z.object({
  architecture: trainingArchitecture,
  recipe: trainingRecipe,
  imagesPath: path,
  /** Absent: the class folders give the classes. */
  labelsPath: path.optional(),
  outPath: path,
  engine: engineChoice.default('auto'),
  device: deviceChoice.default('auto'),
});

/** One epoch; errors are shares from 0 to 1. Those of the training images are taken while the epoch trains, with its crops, flips and dropout. */
export const trainingEpoch = z.object({
  epoch: z.int(),
  loss: z.number(),
  trainingError: z.number(),
  /** Null where no images are kept for validation. */
  validationLoss: z.number().nullable(),
  validationError: z.number().nullable(),
  learningRate: z.number(),
  seconds: z.number(),
  /** File name within the folder, null where no checkpoint was asked for. */
  checkpoint: z.string().nullable(),
});

/** The learning rate was divided by 10, from this step of this epoch on: by a person, or because validation stalled. */
export const rateChange = z.object({ epoch: z.int(), step: z.int(), learningRate: z.number(), by: z.enum(['hand', 'stall']) });

/** Where a run stands, told after each step. `loss` and `trainingError` are those of the epoch so far. */
export const trainingProgress = z.object({
  epoch: z.int(),
  epochs: z.int(),
  step: z.int(),
  steps: z.int(),
  loss: z.number(),
  trainingError: z.number(),
  learningRate: z.number(),
  imagesPerSecond: z.number(),
  secondsLeft: z.number().nullable(),
});

export const trainingRun = z.object({
  architecture: trainingArchitecture,
  recipe: trainingRecipe,
  imagesPath: z.string(),
  labelsPath: z.string().nullable(),
  engine: z.string(),
  device: z.string(),
  engineDescription: z.string(),
  classes: z.array(z.string()).readonly(),
  trainingImages: z.int(),
  validationImages: z.int(),
  skipped: z.array(z.object({ image: z.string(), reason: z.string() })).readonly(),
  parameters: z.int(),
  epochs: z.array(trainingEpoch).readonly(),
  rateChanges: z.array(rateChange).readonly().default([]),
  state: z.enum(['partial', 'complete']),
});

/** A run of the open workspace: of its folder's path, the same after a restart. */
export const trainingRunId = z.string().regex(/^[0-9a-f]{12}$/);

/** A request whose folder may be left to Switchback: `training/<name>` of the workspace. */
export const trainingStart = trainingRequest.extend({ outPath: path.optional(), name: z.string().min(1).max(120).optional() });

export const trainingEntry = z.object({
  id: trainingRunId,
  /** Name of the folder. */
  name: z.string(),
  path: z.string(),
  /** What was asked for; of a run that was made elsewhere what its record says. */
  architecture: trainingArchitecture,
  recipe: trainingRecipe,
  imagesPath: z.string(),
  labelsPath: z.string().nullable(),
  /** Null until the pictures are read. */
  run: trainingRun.nullable(),
  /** Of the next step. */
  learningRate: z.number(),
  /** The newest index of its images that each checkpoint has, by the checkpoint's file name; those without one are not named. */
  indexes: z.record(z.string(), indexId),
  /** The newest job of this run, through which it is paused, resumed and cancelled (`jobs`); null where it was made by the command line. */
  job: job.nullable(),
});

/** What a running job does right now. */
export const trainingLive = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('reading'), done: z.int(), of: z.int() }),
  trainingProgress.extend({ kind: z.literal('training') }),
]);

/** What a training would be, before it is started; whatever is wrong with the request is thrown as its start would. */
export const trainingEstimate = z.object({
  classes: z.array(z.string()).readonly(),
  /** With a class, readable or not. */
  trainingImages: z.int(),
  validationImages: z.int(),
  parameters: z.int(),
  stepsPerEpoch: z.int(),
  /** Size of one checkpoint, and of all that the run will leave on the disk. */
  checkpointBytes: z.number(),
  totalBytes: z.number(),
  freeBytes: z.number(),
});

export const training = {
  /** Checks architecture, recipe, images and labels as `start` does. */
  estimate: procedure.input(trainingStart).output(trainingEstimate),
  /** Queues a job of kind `train`; the same request for the same folder goes on where it was stopped (more epochs and other checkpoints are the same request). */
  start: procedure.input(trainingStart).output(z.object({ run: trainingRunId, path: z.string(), jobId })),
  /** Runs of the open workspace in any state, newest first. */
  runs: procedure.output(z.array(trainingEntry)),
  run: procedure.input(z.union([z.object({ id: trainingRunId }), z.object({ path })])).output(trainingEntry),
  /** Yields at once, then whenever anything changes (at most four times a second). Never ends by itself. */
  watch: procedure.input(z.object({ id: trainingRunId })).output(eventIterator(z.object({ entry: trainingEntry, live: trainingLive.nullable() }))),
  /** Divides the learning rate by 10: of a running training from its next step on, of a stopped one when it goes on. */
  lowerRate: procedure.input(z.object({ id: trainingRunId })).output(z.object({ learningRate: z.number() })),
};
