/**
 * Experiments that train: feature analysis, generalisation, ablation (method.md section 9). As in experimentStudies.ts, a stored spec is whole, layers go by value name or title, and errors and
 * accuracies are shares from 0 to 1.
 */
import * as z from 'zod';
import { deviceChoice, engineChoice, indexId, path } from './common.ts';
import { layerName, seedNumber } from './experimentStudies.ts';
import { trainingArchitecture, trainingRecipe } from './training.ts';

export const classifierKinds = ['svm', 'softmax'] as const;
const classifier = z.enum(classifierKinds);
/** Inverse strengths of regularisation from which validation chooses. */
const penalties = z.array(z.number().positive().max(1e6)).min(1).max(20).default([1e-4, 1e-3, 1e-2, 0.1, 1, 10]);
const pooling = z.enum(['mean', 'max', 'flat']);
const skipped = z.array(z.object({ image: z.string(), reason: z.string() })).readonly();

/** Table 7. */
export const featuresSpec = z.object({
  kind: z.literal('features'),
  index: indexId,
  /** Absent: all of the index. */
  layers: z.array(layerName).min(1).max(1000).optional(),
  /** Maps become vectors by their mean, their maximum, or as they are (a layer too large for that falls back to the mean, and its row says so). */
  pool: pooling.default('mean'),
  classifiers: z.array(classifier).min(1).max(2).default([...classifierKinds]),
  folds: z.int().min(2).max(10).default(5),
  /** Training images of each class in a fold; absent: all that are not tested on. */
  trainPerClass: z.int().min(1).optional(),
  penalties,
  seed: seedNumber,
});

export const featuresNumbers = z.object({
  kind: z.literal('features'),
  classes: z.array(z.string()).readonly(),
  images: z.int(),
  skipped,
  folds: z.int(),
  rows: z.array(
    z.object({
      layer: z.string(),
      title: z.string(),
      /** From 1. */
      depth: z.int(),
      classifier,
      dimension: z.int(),
      pool: pooling,
      note: z.string().nullable(),
      /** Mean per class, mean of the folds, and the deviation over the folds. */
      accuracy: z.number(),
      deviation: z.number(),
      /** Chosen in each fold. */
      penalties: z.array(z.number()).readonly(),
    }),
  ).readonly(),
});

/** Tables 4-6. */
export const generaliseSpec = z.object({
  kind: z.literal('generalise'),
  index: indexId,
  /** Whose features the new softmax takes; absent: the last one before the class scores. */
  layer: layerName.optional(),
  pool: pooling.default('mean'),
  /** Several labels for an image (repeated rows, or separated by ";"): one against the rest, and average precision. */
  labelsPath: path.optional(),
  perClass: z.array(z.int().min(1).max(100_000)).min(1).max(20).default([15, 30, 45, 60]),
  testPerClass: z.int().min(1).max(100_000).default(50),
  folds: z.int().min(1).max(20).default(3),
  penalties,
  /** The same network from scratch, beside it; null: not. */
  scratch: z.object({ recipe: trainingRecipe, folds: z.int().min(1).max(20).default(1) }).nullable().default(null),
  seed: seedNumber,
});

export const generaliseNumbers = z.object({
  kind: z.literal('generalise'),
  layer: z.string(),
  layerTitle: z.string(),
  classes: z.array(z.string()).readonly(),
  measure: z.enum(['accuracy', 'averagePrecision']),
  skipped,
  rows: z.array(
    z.object({
      perClass: z.int(),
      way: z.enum(['fixed', 'scratch']),
      /** Over the folds of the mean per class. */
      mean: z.number(),
      deviation: z.number(),
      folds: z.array(z.number()).readonly(),
      trainingImages: z.int(),
      testImages: z.int(),
    }),
  ).readonly(),
  /** Per class at the largest `perClass`, as Table 6 has it. */
  perClass: z.array(z.object({ class: z.string(), value: z.number().nullable() })).readonly(),
});

/** Table 3. The first row is always the whole network. */
export const ablationSpec = z.object({
  kind: z.literal('ablation'),
  architecture: trainingArchitecture,
  recipe: trainingRecipe,
  imagesPath: path,
  labelsPath: path.optional(),
  variants: z.array(z.object({ name: z.string().min(1).max(120), remove: z.array(layerName).max(100).default([]), widths: z.record(layerName, z.int().min(1).max(65_536)).default({}) })).max(20),
  engine: engineChoice.default('auto'),
  device: deviceChoice.default('auto'),
});

const errors = z.object({ top1: z.number(), top5: z.number() }).nullable();

export const ablationNumbers = z.object({
  kind: z.literal('ablation'),
  classes: z.array(z.string()).readonly(),
  trainingImages: z.int(),
  validationImages: z.int(),
  rows: z.array(
    z.object({
      name: z.string(),
      removed: z.array(z.string()).readonly(),
      widths: z.record(z.string(), z.int()),
      parameters: z.int(),
      /** Null until it is trained; `validation` also where no images are kept for it. */
      training: errors,
      validation: errors,
      epochs: z.int(),
      state: z.enum(['waiting', 'running', 'done', 'failed']),
      note: z.string().nullable(),
    }),
  ).readonly(),
});

