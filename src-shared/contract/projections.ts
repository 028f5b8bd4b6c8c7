/** One unit of one image, back to pixels: the numbers. The pictures come over media routes (media.ts). */
import * as z from 'zod';
import { box, channelNumber, control, imageNumber, indexId, layerNumber, method, procedure, seed } from './common.ts';

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
  rectified: z.object({ handled: z.int(), total: z.int() }),
  notes: z.array(z.string()).readonly(),
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
};
