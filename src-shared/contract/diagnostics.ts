/**
 * What is right or wrong with an architecture, from its first filters and from an index of it (Zeiler & Fergus 2013, section 4.1 and Figure 6), and filters of any convolution as pictures. Every measure is a
 * number with its parts, a plain sentence by key and values (the words are the client's), and a picture where there is one. How each is computed stands in src-main/training/diagnostics.
 */
import * as z from 'zod';
import { channelNumber, indexId, layerNumber, path, procedure } from './common.ts';

/** A model file, or the one that an index was made with. `crop`: `[height, width]` where the file leaves the input size open. */
export const diagnosedModel = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('file'), path, crop: z.tuple([z.int().min(1).max(4096), z.int().min(1).max(4096)]).readonly().optional() }),
  z.object({ kind: z.literal('index'), index: indexId }),
]);

export const filterScales = ['own', 'shared'] as const;

/** Filters of one sheet. */
export const mostFilters = 1024;

export const filterRequest = z.object({
  model: diagnosedModel,
  /** Value name or title of a convolution's layer; the first convolution where absent. */
  layer: z.string().min(1).max(4096).optional(),
  /** One input channel (counted within its group), or all: in colour where the convolution reads a picture of three colours, else one row of grey tiles per filter. */
  input: z.union([z.literal('all'), channelNumber]).default('all'),
  /** `own`: each filter has full contrast. `shared`: one scale for all. Zero is the neutral grey under both. */
  scale: z.enum(filterScales).default('own'),
  from: channelNumber.default(0),
  count: z.int().min(1).max(mostFilters).default(96),
});

/** `media` is a PNG of `width` x `height` pixels: tiles of `tile[0]` x `tile[1]` pixels (rows, columns), `columns` beside each other, `gap` pixels between them, on a transparent ground; one pixel of a filter is `zoom` pixels. */
export const filterSheet = z.object({
  media: z.string(),
  layer: z.string(),
  title: z.string(),
  /** Filters of the layer; the sheet shows `count` of them from `from`. */
  filters: z.int(),
  from: z.int(),
  count: z.int(),
  /** Input channels that each filter reads. */
  inputs: z.int(),
  groups: z.int(),
  kernel: z.tuple([z.int(), z.int()]).readonly(),
  stride: z.tuple([z.int(), z.int()]).readonly(),
  /** `colour`: a tile is a filter in colour. `grey`: a tile is a filter at one input channel. `rows`: a row of tiles is a filter, a tile each of its input channels. */
  kind: z.enum(['colour', 'grey', 'rows']),
  tile: z.tuple([z.int(), z.int()]).readonly(),
  zoom: z.int(),
  columns: z.int(),
  gap: z.int(),
  width: z.int(),
  height: z.int(),
  /** |weight| at full contrast, of each shown filter. */
  limits: z.array(z.number()).readonly(),
  /** Root mean square of each shown filter over all its input channels. */
  rms: z.array(z.number()).readonly(),
});

/** Of a sentence: its key in the client's locale, with the numbers and names that stand in it. Shares are 0 to 1. */
export const sentenceKeys = [
  /** values: share, lowShare, dcShare, kernel, highFilters and lowFilters (shares of filters that are nearly all high, nearly all low) */
  'frequencyMostlyHigh', 'frequencyMostlyLow', 'frequencyBalanced', 'frequencyExtremes', 'frequencyTooSmall',
  /** values: channel, ratio, share, filters */
  'strengthDominated', 'strengthEven',
  /** values: share, stride, kernel */
  'aliasingStrong', 'aliasingSome', 'aliasingNone', 'aliasingNoStride',
  /** values: share, stride, kernel, channels (of which projections were taken; 0 without an index) */
  'checkerboardStrong', 'checkerboardSome', 'checkerboardNone', 'checkerboardNoStride',
  /** values: dead, channels, share, layer (title of the layer with the largest share), layerShare */
  'deadNone', 'deadSome', 'deadMany',
  /** values: layer, channel, share, ratio, evenness */
  'usageDominated', 'usageEven', 'usageUneven',
  /** Instead of a measure that needs an index; values: none */
  'needsIndex', 'noLayers',
  /** Two models; values: left, right, ratio (right / left) */
  'compareLower', 'compareHigher', 'compareAlike', 'compareUnknown',
] as const;
export const sentence = z.object({ key: z.enum(sentenceKeys), values: z.record(z.string(), z.union([z.number(), z.string()])) });

const share = z.number().min(0).max(1);
/** `value`: the number that stands for the measure, null where it cannot be had. */
const measure = { value: z.number().nullable(), sentence };

/** Energy of the first filters by frequency, means over filters with each filter counting alike; the three shares add up to 1. Half of the Nyquist frequency (0.25 cycles per pixel) parts low from high. */
export const frequencyMeasure = z.object({
  kind: z.literal('frequency'),
  /** Share of high frequencies. */
  ...measure,
  dc: share,
  low: share,
  high: share,
  /** By radial frequency in cycles per pixel, 0 to 0.707. */
  spectrum: z.array(z.object({ frequency: z.number(), share })).readonly(),
  perFilter: z.array(z.object({ dc: share, low: share, high: share })).readonly(),
  /** Amplitude by frequency, the mean in the middle, 0.5 cycles per pixel at the edges; a circle parts low from high. */
  media: z.string().nullable(),
});

/** How strong the first filters are beside each other: without a scale for each, one may drown the rest (Figure 6a). */
export const strengthMeasure = z.object({
  kind: z.literal('strength'),
  /** Largest root mean square over the median. */
  ...measure,
  channel: channelNumber.nullable(),
  /** Share of all energy in the strongest filter. */
  share: share.nullable(),
  rms: z.array(z.number()).readonly(),
  /** The sheet on one shared scale. */
  media: z.string().nullable(),
});

/** Share of the first filters' energy at frequencies that the stride of their convolution cannot carry (beyond 1 / (2 stride) cycles per pixel on an axis): it comes back as false low frequencies. */
export const aliasingMeasure = z.object({
  kind: z.literal('aliasing'),
  ...measure,
  stride: z.int(),
  kernel: z.int(),
  /** As that of `frequency`, with a rectangle around what the stride carries; null at stride 1. */
  media: z.string().nullable(),
});

/** Energy of what layer 2 shows at the period of layer 1's stride: 0 where all positions of the period are alike strong. `basis`: projections of an index's layer 2, else the filters alone. */
export const checkerboardMeasure = z.object({
  kind: z.literal('checkerboard'),
  ...measure,
  basis: z.enum(['projections', 'filters']),
  stride: z.int(),
  /** Strength at each position of the period, `[stride, stride]` row-major, mean 1. */
  phases: z.array(z.number()).readonly(),
  /** Layer and channels whose projections were taken. */
  layer: z.string().nullable(),
  channels: z.array(channelNumber).readonly(),
  /** Four periods beside and below each other, from black (nothing) to white; null at stride 1. */
  media: z.string().nullable(),
});

export const deadMeasure = z.object({
  kind: z.literal('dead'),
  /** Share of dead channels in all layers that can have them. */
  ...measure,
  layers: z.array(z.object({ layer: layerNumber, name: z.string(), title: z.string(), channels: z.int(), dead: z.array(channelNumber).readonly() })).readonly(),
  images: z.int(),
});

/** How evenly the maps of a layer are used, by each channel's mean score over the images. `gini`: 0 all alike, towards 1 one alone. `evenness`: entropy of the shares over its largest value, 1 all alike. */
export const usageMeasure = z.object({
  kind: z.literal('usage'),
  /** Smallest evenness of a layer. */
  ...measure,
  layers: z
    .array(
      z.object({
        layer: layerNumber,
        name: z.string(),
        title: z.string(),
        channels: z.int(),
        gini: z.number(),
        evenness: z.number(),
        /** As many channels of equal strength would be as even: the exponential of the entropy. */
        effectiveChannels: z.number(),
        /** The strongest channels, at most 8, with their share of the layer's sum. */
        strongest: z.array(z.object({ channel: channelNumber, share })).readonly(),
      }),
    )
    .readonly(),
  images: z.int(),
});

export const diagnosticMeasure = z.discriminatedUnion('kind', [frequencyMeasure, strengthMeasure, aliasingMeasure, checkerboardMeasure, deadMeasure, usageMeasure]);

export const diagnosticReport = z.object({
  model: z.object({ name: z.string(), modelHash: z.string(), index: indexId.nullable() }),
  /** The first convolution's filters, each on its own scale. */
  filters: filterSheet,
  /** One of each kind, in the order of `diagnosticMeasure`. */
  measures: z.array(diagnosticMeasure).readonly(),
});

export const comparedMeasure = z.object({ kind: z.enum(['frequency', 'strength', 'aliasing', 'checkerboard', 'dead', 'usage']), left: z.number().nullable(), right: z.number().nullable(), sentence });

export const diagnosticComparison = z.object({
  left: diagnosticReport,
  right: diagnosticReport,
  /** Both models' first filters on one scale that they share, as in Figure 6: the same |weight| has the same contrast in both. */
  shared: z.object({ left: filterSheet, right: filterSheet }),
  differences: z.array(comparedMeasure).readonly(),
});

export const diagnostics = {
  filters: procedure.input(filterRequest).output(filterSheet),
  model: procedure.input(z.object({ model: diagnosedModel })).output(diagnosticReport),
  compare: procedure.input(z.object({ left: diagnosedModel, right: diagnosedModel })).output(diagnosticComparison),
};
