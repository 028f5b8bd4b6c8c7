/** Which program this is, whose work is in it, and what a person pastes into a report. */
import * as z from 'zod';
import { procedure } from './common.ts';

export const shippedPackage = z.object({
  name: z.string(),
  version: z.string(),
  /** SPDX expression as the package states it. */
  licence: z.string(),
  /** Name of the file in NOTICE order: what `licenceText` is asked for. */
  number: z.int().min(0),
});

export const about = {
  get: procedure.output(
    z.object({
      version: z.string(),
      node: z.string(),
      platform: z.string(),
      /** By name. Empty where Switchback was not built. */
      packages: z.array(shippedPackage),
    }),
  ),
  /** The licence of one package, as it was shipped with it. */
  licenceText: procedure.input(z.object({ number: z.int().min(0).max(10_000) })).output(z.object({ text: z.string() })),
  /** Versions, devices, memory and the last words of the log as text; the person's home folder is written as `~`. */
  diagnostics: procedure.output(z.object({ text: z.string() })),
};
