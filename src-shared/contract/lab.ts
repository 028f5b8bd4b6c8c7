/**
 * The image lab: questions about one picture. Predictions, activation maps and projections are answered at once and addressed by what was asked; studies
 * (labStudies.ts) are started, watched, and kept in the workspace under an id of their own, so that they can be opened again, exported and found.
 *
 * A picture is one of the index, or one that was given: POST its bytes to `labUploadUrl`, which answers `uploadedPicture` as JSON.
 */
import { eventIterator } from '@orpc/contract';
import * as z from 'zod';
import { channelNumber, control, indexId, jobId, layer, layerNumber, method, path, plainError, preprocessing, procedure, seed } from './common.ts';
import { figureAnswer, figureFormats } from './figures.ts';
import { activationOrders } from './labMedia.ts';
import { labNumbers, labStudy, labStudyKinds, prediction } from './labStudies.ts';
import { projectionRecord } from './projections.ts';
import { colourMaps } from '../domain/colourMaps.ts';

export * from './labMedia.ts';

/** In addresses: `image-12` (of the index, by number) or `given-` and the content hash of what was uploaded. */
export const labPicture = z.string().regex(/^(image-\d{1,10}|given-[0-9a-f]{32})$/);

/** `picture` is what the other calls take. `kept`: in the workspace; others (camera frames, a workspace that is only read) are forgotten after a while. */
export const uploadedPicture = z.object({ picture: labPicture, name: z.string(), width: z.int(), height: z.int(), sizeBytes: z.int(), kept: z.boolean() });

const place = { index: indexId, picture: labPicture };
const layerName = z.string().min(1).max(4096);

/** `index`: number of the layer in the index, where its atlas has it. */
export const labLayer = layer.extend({ index: layerNumber.nullable() });

export const labActivations = z.object({
  layer: labLayer,
  /** In the order asked for; the sheet's tiles stand in it, left to right, top to bottom. */
  channels: z.array(z.object({ channel: channelNumber, max: z.number(), min: z.number(), mean: z.number(), y: z.int(), x: z.int() })).readonly(),
  /** Full contrast of the shared scale. */
  limit: z.number(),
  /** Signed layers are drawn around grey, others from black. */
  signed: z.boolean(),
});

/** A picture of a result; `media` changes with its content. `legend`: what black and white, or the ends of the colour map, stand for. */
export const labResultPicture = z.object({
  name: z.string(),
  media: z.string(),
  width: z.int(),
  height: z.int(),
  legend: z.object({ map: z.enum(colourMaps), from: z.number(), to: z.number() }).nullable(),
});

export const labState = z.enum(['running', 'done', 'cancelled', 'interrupted', 'failed']);

export const labSummary = z.object({
  id: jobId,
  kind: z.enum(labStudyKinds),
  index: indexId.nullable(),
  picture: labPicture.nullable(),
  pictureName: z.string(),
  title: z.string(),
  state: labState,
  createdAt: z.string(),
});

export const labResult = labSummary.extend({
  study: labStudy,
  modelName: z.string(),
  done: z.int(),
  total: z.int(),
  step: z.string(),
  error: plainError.nullable(),
  /** Null before the first are there. */
  numbers: labNumbers.nullable(),
  /**
   * saliency: one by row's name (`gradient`, ...). occlusion: `probability`, `label`, `total` (one pixel per position), `projection`. segment: `saliency`, `mask` (255 is foreground), `cutout`.
   * ascend: `frame-STEP` and `last`. adversarial: `clean`, `changed`, `difference`. All but ascend from nothing also have `input`.
   */
  pictures: z.array(labResultPicture).readonly(),
  /** Exact numbers to download. */
  files: z.array(z.object({ name: z.string(), media: z.string(), mediaType: z.string(), sizeBytes: z.int() })).readonly(),
  caption: z.string(),
});

export const lab = {
  /** The network's layers, those of the atlas and others. */
  layers: procedure.input(z.object({ index: indexId })).output(z.object({ layers: z.array(labLayer), classes: z.int(), preprocessing, modelName: z.string(), named: z.boolean() })),
  /** Classes whose name, wnid or number holds the words, at most 50; all from 0 where there are none. */
  classes: procedure.input(z.object({ index: indexId, search: z.string().max(200).default('') })).output(z.array(z.object({ index: z.int(), name: z.string().nullable(), wnid: z.string().nullable() }))),
  /** What the network's classes are called, from a file of the machine: a line for each class (a wnid may stand first), a table with the columns index and name or wnid, or JSON. */
  nameClasses: procedure.input(z.object({ index: indexId, path })).output(z.object({ named: z.int(), classes: z.int() })),
  /** Most probable first. `reason`: why a network has none. */
  predict: procedure.input(z.object({ ...place, top: z.int().min(1).max(100).default(5) })).output(z.object({ predictions: z.array(prediction), reason: z.string().nullable(), name: z.string() })),
  activations: procedure.input(z.object({ ...place, layer: layerName, order: z.enum(activationOrders).default('channel') })).output(labActivations),
  /** Any unit of any layer on any picture; its pixels come from `labProjectionUrl`. */
  project: procedure
    .input(z.object({ ...place, layer: layerName, channel: channelNumber, y: z.int().min(0), x: z.int().min(0), method, seed: seed.default('one'), control: control.default('none') }))
    .output(projectionRecord.extend({ activation: z.number() })),
  /** Begins a study, or finds the same one done; `picture` is needed but for an ascent from nothing. `afresh` computes it again. */
  start: procedure.input(z.object({ index: indexId, picture: labPicture.optional(), study: labStudy, afresh: z.boolean().default(false) })).output(z.object({ id: jobId })),
  get: procedure.input(z.object({ id: jobId })).output(labResult),
  /** The whole result at once and again as it grows, at most ten times a second; ends with its study. */
  watch: procedure.input(z.object({ id: jobId })).output(eventIterator(labResult)),
  /** Newest first. */
  list: procedure.input(z.object({ index: indexId.optional(), picture: labPicture.optional(), limit: z.int().min(1).max(500).default(100) })).output(z.array(labSummary)),
  cancel: procedure.input(z.object({ id: jobId })).output(z.object({})),
  delete: procedure.input(z.object({ id: jobId })).output(z.object({})),
  /** The result's pictures beside each other, with its caption. */
  figure: procedure.input(z.object({ id: jobId, format: z.enum(figureFormats).default('svg') })).output(figureAnswer),
};
