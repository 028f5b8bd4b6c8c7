/** What a person prefers, kept in the user's configuration folder; and what this machine can do. */
import * as z from 'zod';
import { deviceChoice, engineChoice, procedure } from './common.ts';

export const settingsRecord = z.object({
  theme: z.enum(['system', 'dark', 'light']),
  language: z.enum(['system', 'en', 'ko', 'zh-CN']),
  engine: engineChoice,
  device: deviceChoice,
  /** What the inference processes together may hold in compiled networks; null: a quarter of the machine's memory, at most 2 GiB. */
  memoryBudgetBytes: z.int().min(2 ** 28).max(2 ** 40).nullable(),
});

export const doctorReport = z.object({
  version: z.string(),
  node: z.string(),
  platform: z.string(),
  engines: z.array(
    z.object({
      engine: z.string(),
      device: z.string(),
      available: z.boolean(),
      description: z.string(),
      /** Why not, and what to do; empty when available. */
      reason: z.string(),
      /** Adapter, vendor and driver, as far as the library tells. */
      driver: z.string(),
      /** A GPU that the processor plays: never chosen by itself. */
      software: z.boolean(),
      /** Against the reference, on a tiny network; null where it was not run. `worst` is null where the device gave no numbers at all. */
      selfTest: z.object({ passed: z.boolean(), worst: z.number().nullable(), detail: z.string() }).nullable(),
      /** Of a small network, to compare devices of this machine; null where it was not measured. */
      imagesPerSecond: z.number().nullable(),
    }),
  ),
  libraries: z.array(z.object({ name: z.string(), version: z.string(), available: z.boolean(), reason: z.string() })),
});

/** What is kept only to save time: on disk of this machine (`code`, `devices`) or in the open workspace (the others). */
export const cacheKind = z.enum(['projections', 'keptProjections', 'crops', 'features', 'maps', 'code', 'devices']);

export const keptCache = z.object({
  kind: cacheKind,
  bytes: z.number(),
  /** Pictures or files. */
  entries: z.int(),
  /** Why it cannot be cleared now, for a person; null where it can. */
  obstacle: z.string().nullable(),
});

export const settings = {
  get: procedure.output(settingsRecord),
  set: procedure.input(settingsRecord.partial()).output(settingsRecord),
  /** What is kept and may go; those of a workspace only while one is open. */
  storage: procedure.output(z.object({ caches: z.array(keptCache), /** Score matrices of the open workspace, which are no cache: only another index run brings them back. */ matrixBytes: z.number() })),
  /** Empties one cache. What was in it is made again when it is needed. */
  clear: procedure.input(z.object({ kind: cacheKind })).output(keptCache),
  /** `benchmark` measures every usable device too, which takes some seconds; `afresh` tries again what was tried before. */
  doctor: procedure.input(z.object({ benchmark: z.boolean(), afresh: z.boolean() }).partial().optional()).output(doctorReport),
};
