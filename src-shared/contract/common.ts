/** Schemas that several areas of the contract share, with the limits that keep a hostile message small. */
import { oc } from '@orpc/contract';
import * as z from 'zod';
import { channelOrders } from '../domain/preprocessing.ts';
import { layerKinds } from '../domain/layers.ts';
import { controls, methods, scales, seeds } from '../domain/projection.ts';
import { errorCodes } from '../errors.ts';

export const plainError = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  data: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});

const carried = z.object({ code: z.enum(errorCodes), data: plainError.shape.data });

/**
 * Every procedure can fail with an AppError; it travels as the oRPC error `APP` whose data carries code and facts, and whose message is the sentence for the person.
 */
export const procedure = oc.errors({ APP: { status: 422, data: carried } });

export const path = z.string().min(1).max(4096);
export const indexId = z.string().regex(/^[a-z0-9]{6,24}$/);
export const jobId = z.string().regex(/^[a-z0-9]{6,24}$/);
export const layerNumber = z.int().min(1).max(100_000);
export const channelNumber = z.int().min(0).max(10_000_000);
export const imageNumber = z.int().min(0).max(2 ** 31 - 1);

export const pair = z.tuple([z.number(), z.number()]).readonly();
export const box = z.tuple([z.int(), z.int(), z.int(), z.int()]).readonly();

export const method = z.enum(methods);
export const seed = z.enum(seeds);
export const control = z.enum(controls);
export const scale = z.enum(scales);

export const resize = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('shorterSide'), pixels: z.int().min(1).max(8192) }),
  z.object({ kind: z.literal('exact') }),
  z.object({ kind: z.literal('none') }),
]);

export const preprocessing = z.object({
  order: z.enum(channelOrders),
  crop: z.tuple([z.int().min(1).max(4096), z.int().min(1).max(4096)]).readonly(),
  resize,
  scale: z.number(),
  mean: z.array(z.number()).min(1).max(4).readonly(),
  std: z.array(z.number().refine((value) => value !== 0, 'std must not be 0')).min(1).max(4).readonly(),
});

export const layer = z.object({
  name: z.string(),
  title: z.string(),
  kind: z.enum(layerKinds),
  number: layerNumber,
  channels: z.int(),
  height: z.int(),
  width: z.int(),
  receptiveField: z.object({ size: pair, stride: pair, offset: pair }),
  nonNegative: z.boolean(),
});

export const hit = z.object({
  rank: z.int(),
  image: z.string(),
  imageNumber,
  score: z.number(),
  y: z.int(),
  x: z.int(),
  box,
});

export const engineChoice = z.enum(['auto', 'onnxruntime', 'tensorflow']);
export const deviceChoice = z.enum(['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml']);
