/** A first look at an image folder, before anything long begins. */
import * as z from 'zod';
import { path, procedure } from './common.ts';

export const datasets = {
  /** Counts images without decoding them. `classes`: number of class folders (0 when flat). `sample`: some relative paths. */
  scan: procedure
    .input(z.object({ path }))
    .output(z.object({ path: z.string(), images: z.int(), ignored: z.int(), classes: z.int(), sample: z.array(z.string()) })),
};
