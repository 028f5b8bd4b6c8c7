/**
 * The single-image studies of the lab (method.md section 9): what a person may ask for, and the numbers that come back. Settings left out get the defaults
 * written here, and a result always carries all of them, so that it can be made again.
 */
import * as z from 'zod';
import { channelNumber } from './common.ts';

const layerName = z.string().min(1).max(4096);
const seedNumber = z.int().min(0).max(2 ** 31 - 1).default(1);
const level = z.int().min(0).max(255);
const rgb = z.tuple([level, level, level]).readonly();

/** Place of a class among the network's outputs, from 0. */
export const classNumber = z.int().min(0).max(1_000_000);

/** What is asked about. `class`: a logit, never the softmax; without `index` the most probable class of the picture. `channel`: the mean of its map. `unit`: one position of it. */
export const labTarget = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('class'), index: classNumber.optional() }),
  z.object({ kind: z.literal('channel'), layer: layerName, channel: channelNumber }),
  z.object({ kind: z.literal('unit'), layer: layerName, channel: channelNumber, y: z.int().min(0), x: z.int().min(0) }),
]);

/** The rows of the saliency table: |d target / d input|; that times the input; the mean gradient on the way from a baseline, times the way; the mean gradient over noisy copies. */
export const saliencyRows = ['gradient', 'gradientInput', 'integrated', 'smooth'] as const;

export const saliencyStudy = z.object({
  kind: z.literal('saliency'),
  target: labTarget.default({ kind: 'class' }),
  rows: z.array(z.enum(saliencyRows)).min(1).max(saliencyRows.length).default([...saliencyRows]),
  /** Points on the way of `integrated`; tripled until completeness holds within 1 %, at most 729. */
  integratedSamples: z.int().min(1).max(729).default(27),
  smoothSamples: z.int().min(1).max(500).default(25),
  /** Deviation of the noise of `smooth`, as a share of the picture's range of values. */
  smoothNoise: z.number().min(0).max(1).default(0.15),
  seed: seedNumber,
});

export const occlusionStudy = z.object({
  kind: z.literal('occlusion'),
  /** Absent: the most probable class of the clean picture. */
  class: classNumber.optional(),
  /** Whose total is watched; absent: the last convolution before the one that makes the logits. */
  layer: layerName.optional(),
  /** Absent: the channel with the largest total on the clean picture. */
  channel: channelNumber.optional(),
  /** Edge of the square, and steps between its centres, in input pixels. Centres are 0, stride, 2 stride ... up to the far border. */
  size: z.int().min(1).max(4096).default(48),
  stride: z.int().min(1).max(4096).default(16),
  /** RGB of the square, before normalisation; absent: the mean colour of the preprocessing. */
  colour: rgb.optional(),
});

export const segmentStudy = z.object({
  kind: z.literal('segment'),
  target: labTarget.default({ kind: 'class' }),
  /** Saliency above this quantile is foreground, below the other background; between them the cut decides. */
  foreground: z.number().min(0).max(1).default(0.95),
  background: z.number().min(0).max(1).default(0.3),
  /** Deviation in pixels of a blur of the saliency before that: strides leave holes in it. 0: none. */
  smoothing: z.number().min(0).max(20).default(2),
  iterations: z.int().min(1).max(20).default(5),
});

/** A regulariser acts after every `every`-th step. */
const every = z.int().min(1).max(1000);

/** Yosinski et al. 2015. Absent: not used. */
export const ascentRegularisers = z.object({
  /** `weight` times the squared pixels (network input) is taken from the objective. */
  decay: z.object({ weight: z.number().positive().max(10) }).optional(),
  /** Gaussian blur, deviation in pixels. */
  blur: z.object({ every, radius: z.number().positive().max(20) }).optional(),
  /** Pixels whose norm over colours lies below this quantile become zero. */
  smallNorm: z.object({ every, quantile: z.number().min(0).max(1) }).optional(),
  /** The same by the norm of pixel x gradient. */
  smallContribution: z.object({ every, quantile: z.number().min(0).max(1) }).optional(),
  /** The picture is shifted round by up to so many pixels before each step, and back. */
  jitter: z.object({ pixels: z.int().min(1).max(64) }).optional(),
});

export const ascentStudy = z.object({
  kind: z.literal('ascend'),
  target: labTarget,
  /** `mean`: the mean colour; `noise`: that with seeded noise; `picture`: the picture of the request. */
  start: z.enum(['mean', 'noise', 'picture']).default('noise'),
  steps: z.int().min(1).max(5000).default(200),
  /** Length of the first step: root mean square of its change, in grey levels (0..255). Steps that do not raise the objective are halved. */
  rate: z.number().positive().max(255).default(4),
  /** Every n-th frame is kept. */
  keepEvery: z.int().min(1).max(1000).default(10),
  /** Values stay within what a picture can hold. */
  bounded: z.boolean().default(true),
  regularisers: ascentRegularisers.default({}),
  seed: seedNumber,
});

export const adversarialStudy = z.object({
  kind: z.literal('adversarial'),
  target: classNumber,
  /** `steepest`: steps along the gradient; `fgsm`: one step of its signs; `iterative`: small steps of its signs within the bound. */
  way: z.enum(['steepest', 'fgsm', 'iterative']).default('steepest'),
  /** Largest change of a pixel value in grey levels (fgsm, iterative). */
  bound: z.number().positive().max(255).default(8),
  /** Per step: L2 of the change over all values in grey levels (steepest), or change of each value (iterative). */
  rate: z.number().positive().max(10_000).optional(),
  steps: z.int().min(1).max(1000).default(100),
});

/** What `start` takes. */
export const labStudy = z.discriminatedUnion('kind', [saliencyStudy, occlusionStudy, segmentStudy, ascentStudy, adversarialStudy]);
export const labStudyKinds = ['saliency', 'occlusion', 'segment', 'ascend', 'adversarial'] as const;

/** A class as the network gave it; `name` null where no labels are known. */
export const prediction = z.object({ index: classNumber, name: z.string().nullable(), wnid: z.string().nullable(), logit: z.number(), probability: z.number() });

/** A map in numbers: extremes, and the 99.5 % quantile of magnitudes at which it is drawn with full contrast. */
const drawnRange = z.object({ minimum: z.number(), maximum: z.number(), quantile: z.number() });

const saliencyNumbers = z.object({
  kind: z.literal('saliency'),
  /** The class that was meant, null for a channel or unit. */
  class: prediction.nullable(),
  /** Of the target on this picture. */
  value: z.number(),
  rows: z.array(
    drawnRange.extend({
      row: z.enum(saliencyRows),
      samples: z.int(),
      /** Of `integrated`: the sum of the map against the difference of the target between picture and baseline. */
      completeness: z.object({ sum: z.number(), difference: z.number(), relative: z.number() }).nullable(),
    }),
  ).readonly(),
});

const grid = <T extends z.ZodType>(cell: T) => z.array(z.array(cell.nullable()).readonly()).readonly();

const occlusionNumbers = z.object({
  kind: z.literal('occlusion'),
  class: prediction,
  layer: z.string(),
  /** Number of that layer in the index, null where it has not got it (or there is none). */
  layerInIndex: z.int().nullable(),
  channel: channelNumber,
  cleanTotal: z.number(),
  colour: rgb,
  /** Centres of the squares, input pixels. */
  rows: z.array(z.int()).readonly(),
  columns: z.array(z.int()).readonly(),
  /** `[row][column]`, null where not yet computed: P(class), most probable label, total of the map. */
  probability: grid(z.number()),
  label: grid(classNumber),
  total: grid(z.number()),
  /** Names of all labels that occur. */
  labels: z.array(z.object({ index: classNumber, name: z.string().nullable() })).readonly(),
  /** The map's strongest unit on the clean picture, whose projection stands beside it (picture `projection`); null until the sweep is done. */
  unit: z.object({ y: z.int(), x: z.int(), activation: z.number() }).nullable(),
});

const segmentNumbers = z.object({
  kind: z.literal('segment'),
  class: prediction.nullable(),
  /** Share of the pixels that are foreground. */
  foregroundShare: z.number(),
  /** Saliency values at the two quantiles. */
  thresholds: z.object({ foreground: z.number(), background: z.number() }),
});

const ascentNumbers = z.object({
  kind: z.literal('ascend'),
  class: z.object({ index: classNumber, name: z.string().nullable() }).nullable(),
  /** After each step, the start first: what is raised (the penalty taken off), and the score (largest value of the map; of a class its logit). */
  objective: z.array(z.number()).readonly(),
  score: z.array(z.number()).readonly(),
  /** Steps that were halved until they rose, or given up. */
  halvings: z.int(),
  /** Kept frames; their pictures are named `frame-STEP`. */
  frames: z.array(z.object({ step: z.int(), objective: z.number(), score: z.number() })).readonly(),
});

const distance = z.object({ l2: z.number(), linf: z.number(), rms: z.number() });

const adversarialNumbers = z.object({
  kind: z.literal('adversarial'),
  /** Most probable on the clean picture, on the changed one, and on the changed one as 8-bit PNG. */
  clean: prediction,
  changed: prediction,
  /** Null until the end, as are the distances. */
  png: prediction.nullable(),
  target: z.object({ index: classNumber, name: z.string().nullable() }),
  reached: z.boolean(),
  /** Also after the round trip through PNG. */
  pngReached: z.boolean(),
  /** After each step, the clean picture first. */
  steps: z.array(z.object({ target: z.number(), source: z.number() })).readonly(),
  /** Of the change, in grey levels (0..255): over all values, the largest, and the root mean square. */
  float: distance.nullable(),
  eightBit: distance.nullable(),
  /** By which the picture `difference` is magnified around grey. */
  factor: z.number(),
});

export const labNumbers = z.discriminatedUnion('kind', [saliencyNumbers, occlusionNumbers, segmentNumbers, ascentNumbers, adversarialNumbers]);

