/**
 * Experiments that only look at a network: error rates, invariance, correspondence, class evidence (method.md section 9). A `...Spec` is what a person may ask for; what is left out is filled in
 * when it starts, and the stored spec is whole. `...Numbers` are the results. Layers go by value name (a title is taken too, and becomes the name); errors and accuracies are shares from 0 to 1.
 */
import * as z from 'zod';
import { box, channelNumber, imageNumber, indexId, layerNumber } from './common.ts';
import { cropViews, transformKinds } from '../domain/experiments.ts';

export const layerName = z.string().min(1).max(4096);
export const seedNumber = z.int().min(0).max(2 ** 31 - 1).default(1);
const partName = z.string().trim().min(1).max(60);
/** `number`: of the layer in the index, where its atlas has it. */
const namedLayer = z.object({ layer: z.string(), title: z.string(), number: layerNumber.nullable() });
const namedImage = z.object({ image: z.string(), imageNumber });

/** Table 2. The images and their classes are those of `index`; `others` are indexes whose networks look at the same images, each with its own preprocessing, and are averaged with it. */
export const errorSpec = z.object({
  kind: z.literal('error'),
  index: indexId,
  others: z.array(indexId).max(15).readonly().default([]),
  views: z.array(z.enum(cropViews)).min(1).max(2).readonly().default([...cropViews]),
  /** Only the first so many labelled images; absent: all. */
  images: z.int().min(1).optional(),
});

/** Top-k error: the share of images whose class is not among the k most probable. */
const errorRate = z.object({ view: z.enum(cropViews), top1: z.number(), top5: z.number(), top1Wrong: z.int(), top5Wrong: z.int() });

export const errorNumbers = z.object({
  kind: z.literal('error'),
  /** Images that were looked at, and labelled ones. */
  images: z.int(),
  labelled: z.int(),
  classes: z.int(),
  skipped: z.array(z.object({ image: z.string(), reason: z.string() })).readonly(),
  /** One for each network, and with several a last one that averages their probabilities (`index` null). */
  rows: z.array(z.object({ index: indexId.nullable(), name: z.string(), modelHash: z.string().nullable(), rates: z.array(errorRate).readonly() })).readonly(),
});

const range = (least: number, most: number) => z.object({ from: z.number().min(least).max(most), to: z.number().min(least).max(most), step: z.number().positive().max(most - least) });

/** Figure 5. Images are moved as the network sees them: shifts in pixels (down is positive), scale around the centre, rotation in degrees (counterclockwise). */
export const invarianceSpec = z.object({
  kind: z.literal('invariance'),
  index: indexId,
  /** Absent: five, of different classes where there are any. */
  images: z.array(imageNumber).min(1).max(100).readonly().optional(),
  /** Absent: the first one and the last one before the class scores. */
  layers: z.array(layerName).min(1).max(8).readonly().optional(),
  /** null leaves a part out. Absent: -60 to 60 as in the paper, less for networks with a small input. */
  shift: range(-2048, 2048).nullable().optional(),
  scale: range(0.1, 10).nullable().default({ from: 1, to: 1.8, step: 0.05 }),
  rotation: range(-720, 720).nullable().default({ from: 0, to: 350, step: 10 }),
});

const perLayer = z.array(z.array(z.number().nullable()).readonly()).readonly();

export const invarianceNumbers = z.object({
  kind: z.literal('invariance'),
  layers: z.array(namedLayer).readonly(),
  images: z.array(namedImage.extend({ class: z.int().nullable(), className: z.string().nullable() })).readonly(),
  parts: z.array(
    z.object({
      transform: z.enum(transformKinds),
      values: z.array(z.number()).readonly(),
      /** One for each image, in order; numbers per value (`[layer][value]`), null where not yet computed. `distance` is Euclidean, `relative` divided by the norm of the plain picture's features. */
      lines: z.array(z.object({ distance: perLayer, relative: perLayer, probability: z.array(z.number().nullable()).readonly() })).readonly(),
      /** Over the images; null where one is missing. */
      mean: z.object({ distance: perLayer, relative: perLayer, probability: z.array(z.number().nullable()).readonly() }),
    }),
  ).readonly(),
  /** RGB with which the picture is filled up from outside, and how pixels between pixels are found. */
  fill: z.tuple([z.number(), z.number(), z.number()]).readonly(),
  interpolation: z.literal('bilinear'),
  /** Whose probability is drawn: the label of the image, or where it has none the most probable class; null where the network makes no predictions. */
  classes: z.enum(['label', 'predicted', 'mixed']).nullable(),
});

/** Table 1. */
export const correspondenceSpec = z.object({
  kind: z.literal('correspondence'),
  index: indexId,
  /** Names of marked parts; absent: all that are marked on at least five images (or on as many as there are). */
  parts: z.array(partName).min(1).max(50).readonly().optional(),
  /** Absent: all on which every one of these parts is marked. */
  images: z.array(imageNumber).min(2).max(500).readonly().optional(),
  /** Absent: a middle one and the last one before the class scores. */
  layers: z.array(layerName).min(1).max(8).readonly().optional(),
  /** Draws of random boxes, each with a box for every image, of the size of one of its parts. */
  random: z.int().min(2).max(200).default(10),
  /** Differences up to this share of the largest magnitude of the plain features count as 0. */
  tolerance: z.number().min(0).max(0.1).default(1e-6),
  seed: seedNumber,
});

export const correspondenceNumbers = z.object({
  kind: z.literal('correspondence'),
  layers: z.array(namedLayer.extend({ features: z.int() })).readonly(),
  images: z.array(namedImage).readonly(),
  /** By which parts are hidden, RGB. */
  colour: z.tuple([z.number(), z.number(), z.number()]).readonly(),
  /** The parts, then (`part` null) the random boxes. Lower is tighter correspondence. */
  rows: z.array(
    z.object({
      part: z.string().nullable(),
      /** One for each layer: Delta; its deviation over the pairs of images; of the random row also that over the draws. Null where not yet computed. */
      cells: z.array(z.object({ mean: z.number(), deviation: z.number(), drawDeviation: z.number().nullable(), draws: z.array(z.number()).readonly() }).nullable()).readonly(),
    }),
  ).readonly(),
});

/** The channels of a layer by how surely their scores tell a class from all other labelled images. */
export const evidenceSpec = z.object({
  kind: z.literal('evidence'),
  index: indexId,
  /** Class index, wnid or name; absent: the one with the most images. */
  class: z.string().min(1).max(400).optional(),
  /** Of the index; absent: the last one before the class scores. */
  layer: layerNumber.optional(),
  limit: z.int().min(1).max(10_000).default(20),
});

export const evidenceNumbers = z.object({
  kind: z.literal('evidence'),
  class: z.object({ index: z.int(), wnid: z.string().nullable(), name: z.string().nullable() }),
  layer: layerNumber,
  layerName: z.string(),
  layerTitle: z.string(),
  /** Images of the class, and labelled ones in all. */
  images: z.int(),
  of: z.int(),
  /** Best first. `auc`: 1 always higher on the class, 0.5 no difference; `deviations`: how far above chance in standard deviations; `mean` and `otherMean`: of the scores on the class and on the others. */
  channels: z.array(z.object({ channel: channelNumber, auc: z.number(), deviations: z.number(), mean: z.number(), otherMean: z.number() })).readonly(),
  /** Channels that are higher on all others: the lowest areas, lowest first. */
  against: z.array(z.object({ channel: channelNumber, auc: z.number(), deviations: z.number(), mean: z.number(), otherMean: z.number() })).readonly(),
});

/** A part of a picture, kept with the picture (its content), so that every index of it has it. `box`: input pixels of the index asked, half-open `[y0, x0, y1, x1]`. */
export const markedPart = z.object({ imageNumber, image: z.string(), name: partName, box });

export const partPlace = z.object({ index: indexId, image: imageNumber, name: partName });
