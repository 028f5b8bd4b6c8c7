/** Reading a model file: the import report, and a look at one image as the network will see it. */
import * as z from 'zod';
import { layer, path, preprocessing, procedure } from './common.ts';

export const operatorStatus = z.enum(['runs and projects', 'only forward', 'unknown']);

export const importReport = z.object({
  /** Content hash of the model file; the key under which the core keeps it. */
  modelHash: z.string(),
  path: z.string(),
  name: z.string(),
  format: z.enum(['onnx', 'caffe', 'tensorflowjs', 'keras']),
  provenance: z.string(),
  sizeBytes: z.number(),
  parameters: z.number(),
  inputs: z.array(z.object({ name: z.string(), shape: z.array(z.union([z.number(), z.literal('batch')])).readonly(), dtype: z.string() })).readonly(),
  outputs: z.array(z.object({ name: z.string(), shape: z.array(z.union([z.number(), z.literal('batch')])).readonly() })).readonly(),
  preprocessing,
  /** How the preprocessing was found: from the file, or guessed and why. */
  preprocessingSource: z.string(),
  layers: z.array(layer).readonly(),
  operators: z.array(z.object({ op: z.string(), count: z.int(), status: operatorStatus, note: z.string() })).readonly(),
  /** Of the last layer, per method. */
  rectified: z.array(z.object({ method: z.string(), handled: z.int(), total: z.int() })).readonly(),
  warnings: z.array(z.string()).readonly(),
});

export const models = {
  inspect: procedure.input(z.object({ path })).output(importReport),
  /** One image as the network will see it, after `preprocessing`: `media` is the address of a PNG. Without an image path, the first decodable image of `imagesPath`. */
  preview: procedure
    .input(z.object({ imagePath: path.optional(), imagesPath: path.optional(), preprocessing }))
    .output(z.object({ media: z.string(), image: z.string(), width: z.int(), height: z.int() })),
};
