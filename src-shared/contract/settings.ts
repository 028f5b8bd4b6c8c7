/** What a person prefers, kept in the user's configuration folder; and what this machine can do. */
import * as z from 'zod';
import { deviceChoice, engineChoice, procedure } from './common.ts';

export const settingsRecord = z.object({
  theme: z.enum(['system', 'dark', 'light']),
  language: z.enum(['system', 'en', 'ko', 'zh-CN']),
  engine: engineChoice,
  device: deviceChoice,
});

export const doctorReport = z.object({
  version: z.string(),
  node: z.string(),
  platform: z.string(),
  engines: z.array(
    z.object({ engine: z.string(), device: z.string(), available: z.boolean(), description: z.string(), reason: z.string() }),
  ),
  libraries: z.array(z.object({ name: z.string(), version: z.string(), available: z.boolean(), reason: z.string() })),
});

export const settings = {
  get: procedure.output(settingsRecord),
  set: procedure.input(settingsRecord.partial()).output(settingsRecord),
  doctor: procedure.output(doctorReport),
};
