/** Reading a model file: the import report, and a look at one image as the network will see it. */
import * as z from 'zod';
import { layer, method, path, preprocessing, procedure } from './common.ts';

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

/** A network as a person would draw it, one row per block, and beside each block what the projection does on its way down. */
export const drawnNetwork = z.object({
  /** The layer where the walk down starts, null where there is no way down from it (`reason` says why). */
  layer: z.string().nullable(),
  method,
  reason: z.string(),
  rows: z
    .array(
      z.object({
        /** Lanes of values that are alive, in box-drawing characters; rows that only split or join lanes have no words. */
        lanes: z.string(),
        what: z.string(),
        size: z.string(),
        /** Name of the value that the block makes. */
        name: z.string(),
        down: z.string(),
      }),
    )
    .readonly(),
});

export const models = {
  inspect: procedure.input(z.object({ path })).output(importReport),
  /** Without `layer` the last layer. */
  draw: procedure.input(z.object({ path, layer: z.string().max(4096).optional(), method: method.default('deconvnet') })).output(drawnNetwork),
  /** One image as the network will see it, after `preprocessing`: `media` is the address of a PNG. Without an image path, the first decodable image of `imagesPath`. */
  preview: procedure
    .input(z.object({ imagePath: path.optional(), imagesPath: path.optional(), preprocessing }))
    .output(z.object({ media: z.string(), image: z.string(), width: z.int(), height: z.int() })),
};
