/** Units of images, back to pixels: the numbers, and the job that projects all hits ahead. The pictures come over media routes (media.ts). */
import * as z from 'zod';
import { box, channelNumber, control, imageNumber, indexId, jobId, layerNumber, method, procedure, seed } from './common.ts';

export const projectionRecord = z.object({
  layer: z.string(),
  channel: channelNumber,
  image: z.string(),
  y: z.int(),
  x: z.int(),
  method,
  seed,
  control,
  box,
  support: box.nullable(),
  absmax: z.number(),
  minimum: z.number(),
  maximum: z.number(),
  /** The 99.5 % quantile of |x| over the patch: full contrast under the scale `quantile`. */
  quantile: z.number(),
  rectified: z.object({ handled: z.int(), total: z.int() }),
  notes: z.array(z.string()).readonly(),
});

/** What a workspace keeps of one index so that looking needs neither the model nor the images. */
export const keptPictures = z.object({
  /** Images that hold a hit, and how many of them lie in the workspace as the network sees them. */
  crops: z.object({ images: z.int(), kept: z.int(), bytes: z.int() }),
  /** Projections of hits by layer and method (seed `one`, no control); layers of which nothing is kept are absent. `hits`: how many there could be. */
  projections: z.array(z.object({ layer: layerNumber, method, hits: z.int(), kept: z.int(), bytes: z.int() })),
});

export const projections = {
  get: procedure
    .input(
      z.object({
        index: indexId,
        layer: layerNumber,
        channel: channelNumber,
        imageNumber,
        y: z.int().min(0),
        x: z.int().min(0),
        method,
        seed: seed.default('one'),
        control: control.default('none'),
      }),
    )
    .output(projectionRecord),
  /**
   * Starts the job (kind `atlas`) that projects every hit of every channel of the layers, all where absent, by the methods; what is kept is passed over. Null where nothing is
   * missing. While an atlas job of this index runs or waits that covers it, its number.
   */
  atlas: procedure
    .input(z.object({ index: indexId, layers: z.array(layerNumber).min(1).max(100_000).optional(), methods: z.array(method).min(1).max(10).default(['deconvnet']) }))
    .output(z.object({ jobId: jobId.nullable() })),
  kept: procedure.input(z.object({ index: indexId })).output(keptPictures),
};
