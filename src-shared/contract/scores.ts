/**
 * Questions to the score matrix of an index: everything that can be known about channels and images without another pass over the images. All of them fail with NOT_FOUND where no
 * matrix is kept; scores beyond float32 arrive as its largest value. Where an order is not named it is that of method.md section 2: NaN never ranks, ties go by path. A float16 matrix ranks by its
 * rounded scores, so that its order may differ from the stored hits where two scores are nearly equal.
 */
import * as z from 'zod';
import { box, channelNumber, imageNumber, indexId, layerNumber, procedure } from './common.ts';

/** A class as the labels file or the class folders name it; what they do not say is null. Class folders are counted from 0 in their order. */
export const imageClass = z.object({ index: z.int(), wnid: z.string().nullable(), name: z.string().nullable() });

/** Class index, wnid or name, as a person types it. */
const classWish = z.string().min(1).max(400);

export const rankedImage = z.object({
  rank: z.int(),
  image: z.string(),
  imageNumber,
  score: z.number(),
  /** Null where positions were not asked for, or the image is gone or was changed. */
  y: z.int().nullable(),
  x: z.int().nullable(),
  box: box.nullable(),
  className: z.string().nullable(),
});

const indexAndLayer = z.object({ index: indexId, layer: layerNumber });
const oneChannel = indexAndLayer.extend({ channel: channelNumber });
const limit = z.int().min(1).max(10_000);

export const topAnswer = z.object({
  hits: z.array(rankedImage),
  class: imageClass.nullable(),
  /** Images that were looked at, and how many of their scores are NaN. */
  images: z.int(),
  nan: z.int(),
  dead: z.boolean(),
});

export const keptScores = z.object({ precision: z.enum(['float32', 'float16']).nullable(), rows: z.int(), layers: z.array(layerNumber), bytes: z.number() });

export const countedClass = imageClass.extend({ images: z.int() });

export const topOfClass = z.object({ class: imageClass, hits: z.array(rankedImage) });

export const exactHistogram = z.object({ from: z.number(), to: z.number(), counts: z.array(z.int()).readonly(), below: z.int(), above: z.int(), nan: z.int() });

const correlated = z.object({ channel: channelNumber, correlation: z.number() });
export const similarChannels = z.object({ images: z.int(), similar: z.array(correlated), opposite: z.array(correlated) });

export const excitedAnswer = z.object({
  image: z.string(),
  images: z.int(),
  /** `deviations`: null for a channel whose scores never change. */
  channels: z.array(z.object({ channel: channelNumber, score: z.number(), shareLower: z.number(), deviations: z.number().nullable() })),
});

export const selectivityAnswer = z.object({
  images: z.int(),
  mean: z.number().nullable(),
  /** `auc`: null where all images are of this class. */
  classes: z.array(z.object({ class: imageClass, images: z.int(), mean: z.number(), auc: z.number().nullable() })),
});

/** Classes with fewer images are passed over in `layerSelectivity`, and by the inspector: with one image apart, the strongest image's class would always win. */
export const leastSelectiveImages = 3;

export const layerSelectivity = z.object({
  /** Labelled images, and the classes with at least `leastSelectiveImages` of them. */
  images: z.int(),
  classes: z.int(),
  /** All channels by number; null for one whose scores tell no class apart. */
  channels: z.array(z.object({ class: imageClass, images: z.int(), auc: z.number(), deviations: z.number() }).nullable()).readonly(),
});

export const scores = {
  /** What is kept of an index; `precision` null and no layers where nothing is. */
  kept: procedure.input(z.object({ index: indexId })).output(keptScores),

  /** The classes of an index with how many images each has, by class index, else by name. */
  classes: procedure.input(z.object({ index: indexId })).output(z.array(countedClass)),

  /**
   * The strongest images of a channel, or the weakest (`lowest`), of all images or of one class; all there are where k is larger. In layers that are non-negative by construction the strongest
   * need a score above 0. `positions`: also where in each image, which forwards the images whose position nobody knows yet.
   */
  top: procedure.input(oneChannel.extend({ k: limit.default(9), class: classWish.optional(), lowest: z.boolean().default(false), positions: z.boolean().default(false) })).output(topAnswer),

  /** The k strongest images of each class, classes by their best score, at most `classes` of them. */
  topPerClass: procedure.input(oneChannel.extend({ k: z.int().min(1).max(100).default(9), classes: limit.default(10) })).output(z.array(topOfClass)),

  /** Exact counts of all scores of a channel. Without `from` and `to` the bins span smallest to largest score; the last bin includes `to`. */
  histogram: procedure.input(oneChannel.extend({ bins: z.int().min(1).max(10_000).default(64), from: z.number().optional(), to: z.number().optional() })).output(exactHistogram),

  /** The channels of the same layer whose scores go along with this one's over all images (Pearson), and those that go against it; channels whose scores never change are left out. */
  similar: procedure.input(oneChannel.extend({ limit: limit.default(12) })).output(similarChannels),

  /** The channels that an image excites most: by the share of the other images that score lower, then by standard deviations above the channel's mean. */
  excited: procedure.input(indexAndLayer.extend({ image: imageNumber, limit: limit.default(20) })).output(excitedAnswer),

  /** How well the scores of a channel tell each class from all other labelled images: area under the ROC curve (1 always higher, 0.5 no difference), best first. Classes with fewer than `leastImages` are passed over. */
  selectivity: procedure.input(oneChannel.extend({ limit: limit.default(20), leastImages: z.int().min(1).default(1) })).output(selectivityAnswer),

  /**
   * For every channel of a layer the class that it tells apart most surely: area under the ROC curve, and by how many standard deviations that lies above chance (Mann and Whitney's U without ties),
   * which makes classes of different sizes comparable. Kept until the rows change.
   */
  layerSelectivity: procedure.input(indexAndLayer).output(layerSelectivity),

  /** For each channel of a layer the most similar one of another layer, of the same or another index, over the images that both have (same path and content). */
};
