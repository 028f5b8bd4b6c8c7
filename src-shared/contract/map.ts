/**
 * Images in feature space (method.md section 9, Features): features of a layer for a whole index, nearest neighbours, and maps in two dimensions. A map is a job with a stored,
 * addressable result; what it is drawn from is binary and has addresses of its own (mapMedia.ts).
 */
import { eventIterator } from '@orpc/contract';
import * as z from 'zod';
import { channelNumber, imageNumber, indexId, jobId, layerNumber, plainError, procedure } from './common.ts';
import { labPicture } from './lab.ts';
import { mapColours } from './mapMedia.ts';

export * from './mapMedia.ts';

/** How a layer's maps `[C, H, W]` become one vector: the mean or the maximum of each channel, or all values in a row. */
export const poolings = ['mean', 'max', 'flat'] as const;
export const pooling = z.enum(poolings);

export const metrics = ['l2', 'cosine'] as const;
export const metric = z.enum(metrics);

export const mapId = z.string().regex(/^[a-z0-9]{6,24}$/);
/** A layer of the network by its value name; any of `lab.layers`, indexed or not. */
const layerName = z.string().min(1).max(4096);
/** Images of one selection: more would not go into one message. */
export const mostSelected = 100_000;

/** `layer` by its name or title where it is part of a wish. */
const wished = { layer: layerName, pooling: pooling.default('mean') };
export const featureWish = z.object(wished);
const featureChoice = { index: indexId, ...wished };

/** Features of a layer, kept as float32 `[rows, dimensions]` beside the score matrices; rows follow `images.json` there. */
export const featureRecord = z.object({
  id: mapId,
  index: indexId,
  layer: layerName,
  title: z.string(),
  pooling,
  dimensions: z.int(),
  /** Rows that are there, of all that the index has. */
  rows: z.int(),
  images: z.int(),
  bytes: z.number(),
  /** `outdated`: the index has other images by now, and its rescan could not go on with them (they were not whole); starting them again computes them anew. */
  state: z.enum(['partial', 'complete', 'outdated']),
  jobId: jobId.nullable(),
});

export const featureEstimate = z.object({
  images: z.int(),
  dimensions: z.int(),
  /** What is still to be written, with the small pictures and predictions that are kept beside them; and what is free on that disk. */
  bytes: z.number(),
  freeBytes: z.number(),
  /** They are complete already. */
  kept: z.boolean(),
  /** Why they cannot be computed, for a person; null where they can. */
  obstacle: z.string().nullable(),
});

/** `perplexity`, `neighbours`: lowered where there are too few points, which the record's `notes` say. */
export const mapMethod = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pca') }),
  z.object({ kind: z.literal('tsne'), perplexity: z.number().min(5).max(100).default(30), iterations: z.int().min(50).max(10_000).default(1000) }),
  z.object({ kind: z.literal('umap'), neighbours: z.int().min(2).max(200).default(15), minDistance: z.number().min(0).max(1).default(0.1), epochs: z.int().min(10).max(5000).default(300) }),
]);

/** What is laid out: images by a layer's features, or the channels of a layer (by number) by the correlation of their scores. */
export const mapSubject = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('images'), ...featureChoice }),
  z.object({ kind: z.literal('channels'), index: indexId, layer: layerNumber }),
]);

export const mapSpec = z.object({
  subject: mapSubject,
  method: mapMethod,
  /** Of t-SNE and UMAP on images; channels always go by correlation. */
  metric: metric.default('l2'),
  seed: z.int().min(0).max(2 ** 31 - 1).default(1),
});

/** What a map job is at: features of the images, principal components, the graph of neighbours, its weights, iterations of the layout. */
export const mapStages = ['features', 'reducing', 'neighbours', 'weighing', 'settling', 'done'] as const;

export const mapState = z.enum(['queued', 'running', 'paused', 'cancelled', 'interrupted', 'failed', 'done']);

export const mapRecord = z.object({
  id: mapId,
  spec: mapSpec,
  /** e.g. "relu7, UMAP". */
  title: z.string(),
  modelName: z.string(),
  imagesPath: z.string(),
  layerTitle: z.string(),
  state: mapState,
  stage: z.enum(mapStages),
  /** Of the stage: images, or iterations of the layout. */
  done: z.int(),
  total: z.int(),
  /** Of the layout; both 0 before it. */
  iteration: z.int(),
  iterations: z.int(),
  /** Points of the map; 0 before they are known. */
  points: z.int(),
  /** Counts the layouts that can be drawn; 0 before the first. */
  revision: z.int(),
  /** Of `mapRowsUrl` and of addresses that name images by number. */
  numbering: z.int(),
  /** minX, minY, maxX, maxY of the newest layout; null before it. */
  extent: z.tuple([z.number(), z.number(), z.number(), z.number()]).nullable(),
  /** Dimensions of the features, and what is left of them before the layout. */
  dimensions: z.int(),
  reduced: z.int(),
  /** Share of the variance along x and y of a PCA; null for others. */
  explained: z.tuple([z.number(), z.number()]).nullable(),
  /** How far neighbours on the map are neighbours in feature space (k = 15), 0 to 1; null before the end and for few points. */
  trustworthiness: z.number().nullable(),
  /** What a person must know, e.g. that fewer neighbours were used than asked for, that images have gone. */
  notes: z.array(z.string()).readonly(),
  caption: z.string(),
  bytes: z.number(),
  /** Null where the map's index was deleted: it can still be looked at, without pictures. */
  index: indexId.nullable(),
  error: plainError.nullable(),
  jobId: jobId.nullable(),
  createdAt: z.string(),
});

/** `numbers`: a score for each point. `classes`: `value` is what the column holds. `none`: why points cannot be coloured so. */
export const colourLegend = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('classes'), classes: z.array(z.object({ value: z.int(), name: z.string(), points: z.int() })).readonly(), without: z.int() }),
  /** Value 0: predicted rightly, 1: wrongly. */
  z.object({ kind: z.literal('errors'), right: z.int(), wrong: z.int(), without: z.int() }),
  z.object({ kind: z.literal('numbers'), from: z.number(), to: z.number(), without: z.int() }),
  z.object({ kind: z.literal('none'), reason: z.string() }),
]);

export const colourChoice = z.object({ map: mapId, by: z.enum(mapColours), layer: layerNumber.optional(), channel: channelNumber.optional() });

/** One image of a map, for a person. */
export const mapPoint = z.object({
  imageNumber,
  image: z.string(),
  className: z.string().nullable(),
  prediction: z.object({ class: z.int(), name: z.string().nullable(), probability: z.number() }).nullable(),
  /** Null where it cannot be said. */
  right: z.boolean().nullable(),
});

export const neighbour = z.object({ imageNumber, image: z.string(), className: z.string().nullable(), distance: z.number() });

/**
 * The index by which the nearest rows of features are found without looking at every one: approximately, nearly all of the true ones. `unneeded`: there are so few rows that all are looked at.
 * `absent`: all are looked at until it is built, which takes about `seconds` once and `bytes` on the disk. `refused`: it cannot be built, for a reason in words.
 */
export const neighbourIndexState = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('unneeded') }),
  z.object({ kind: z.literal('absent'), seconds: z.int(), bytes: z.number() }),
  z.object({ kind: z.literal('building'), jobId }),
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('refused'), reason: z.string() }),
]);

export const neighboursAnswer = z.object({
  /** Of what was asked for. */
  name: z.string(),
  features: z.array(neighbour).readonly(),
  pixels: z.array(neighbour).readonly(),
  /** `features` were found by looking at every image; false: by the index, approximately. `pixels` always are. */
  exact: z.boolean(),
  index: neighbourIndexState,
  images: z.int(),
  /** What the distances are: layer, pooling, metric; and at what size pixels were compared. */
  featureSpace: z.string(),
  pixelSpace: z.string(),
});

/** A channel that chosen images excite more than the others do. */
export const excitedChannel = z.object({
  channel: channelNumber,
  inside: z.number(),
  outside: z.number(),
  /** Difference of the means in standard deviations of all scores. */
  deviations: z.number(),
  /** Chance that a chosen image scores higher than another; 0.5 is no difference. */
  auc: z.number(),
});

export const exportFormats = ['csv', 'npy', 'projector', 'mosaic', 'figure'] as const;

export const mapExport = z.object({
  map: mapId,
  /** `projector`: TensorBoard's tensors.tsv, metadata.tsv and sprite.png in one zip. `mosaic`: the grid of pictures as PNG. `figure`: the points with legend and caption as SVG. */
  format: z.enum(exportFormats),
  /** Of the mosaic: the edge of one picture; 32 for images and 96 for channels if absent. */
  tile: z.int().min(4).max(256).optional(),
  colour: colourChoice.omit({ map: true }).optional(),
});

const ofMap = z.object({ map: mapId });

export const map = {
  /** Features that are kept of an index, and those being computed. */
  features: procedure.input(z.object({ index: indexId })).output(z.array(featureRecord)),
  /** What features would need, before they are computed. */
  estimate: procedure.input(z.object(featureChoice)).output(featureEstimate),
  /** Computes what is missing of them as a job of kind `features`; `jobId` is null where nothing is. */
  computeFeatures: procedure.input(z.object(featureChoice)).output(z.object({ features: mapId, jobId: jobId.nullable() })),
  deleteFeatures: procedure.input(z.object({ features: mapId })).output(z.object({})),

  /** Starts a map as a job of kind `map`, which computes missing features first. The same spec is the same map: a finished one is answered with `jobId` null, a stopped one goes on. */
  start: procedure.input(mapSpec).output(z.object({ map: mapId, jobId: jobId.nullable() })),
  /** Newest first; of one index, or of all. */
  list: procedure.input(z.object({ index: indexId.optional() })).output(z.array(mapRecord)),
  get: procedure.input(ofMap).output(mapRecord),
  /** Yields the record at once and after changes (at most four times a second) while the layout settles; ends when no job works on it. Pause, cancel and resume by `jobs`. */
  watch: procedure.input(ofMap).output(eventIterator(mapRecord)),
  delete: procedure.input(ofMap).output(z.object({})),
  /** How many cells the mosaic has; `mapGridUrl` says who stands where. Takes a moment for 100,000 points, then it is kept. */
  grid: procedure.input(ofMap).output(z.object({ columns: z.int(), rows: z.int() })),
  /** What the values of `mapColoursUrl` mean. */
  colours: procedure.input(colourChoice).output(colourLegend),
  /** Names, classes and predictions of some images of a map. */
  points: procedure.input(ofMap.extend({ images: z.array(imageNumber).max(1000) })).output(z.array(mapPoint)),
  /** The channels of a layer (by number) that chosen images excite most against all others of the index, from the score matrix. */
  excited: procedure
    .input(z.object({ index: indexId, layer: layerNumber, images: z.array(imageNumber).min(1).max(mostSelected), limit: z.int().min(1).max(1000).default(24) }))
    .output(z.object({ chosen: z.int(), others: z.int(), channels: z.array(excitedChannel).readonly() })),
  /** Nearest images of the index to one of its own or to a given one (`labUploadUrl`), by features and by pixels. Fails with NOT_FOUND and `needsFeatures` in its data where the features are not there. */
  neighbours: procedure
    .input(z.object({ ...featureChoice, picture: labPicture, metric: metric.default('l2'), k: z.int().min(1).max(1000).default(12) }))
    .output(neighboursAnswer),
  /** Builds the index of neighbours as a job of kind `neighbours`; `jobId` is null where it is there. Fails with CONFLICT and the reason where it is unneeded or refused, with NOT_FOUND where the features are not there. */
  buildNeighbourIndex: procedure.input(z.object({ ...featureChoice, metric: metric.default('l2') })).output(z.object({ jobId: jobId.nullable() })),
  /** Held for a while at `media`. */
  export: procedure.input(mapExport).output(z.object({ media: z.string(), fileName: z.string(), sizeBytes: z.int(), caption: z.string() })),
};
