/**
 * Training: what a person may ask for (the recipe of Zeiler & Fergus 2013, section 3, each part switchable), what is told while it runs, and what is
 * kept of it. A folder with a run in it holds `training.json` (`trainingRun`), the checkpoints `epoch-NNN.onnx`, and what the run needs to go on.
 */
import * as z from 'zod';
import { deviceChoice, engineChoice, path } from './common.ts';

/** `width` multiplies the channels of every hidden layer, `input` is the edge of the square input in pixels; `file` is any model file. */
export const trainingArchitecture = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('zfnet'), width: z.number().min(0.01).max(4).default(1), input: z.int().min(32).max(1024).default(224) }),
  z.object({ kind: z.literal('alexnet'), width: z.number().min(0.01).max(4).default(1), input: z.int().min(32).max(1024).default(227) }),
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
  state: z.enum(['partial', 'complete']),
});
