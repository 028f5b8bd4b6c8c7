/**
 * What was found of this machine's devices, kept between runs: trying each costs a process and seconds of processor time. It counts for a day, and only
 * for the same program, system and settings of drivers; `doctor` and "Measure" try everything again. A device that has begun to fail is met by the
 * strikes of a job (deviceScoring.ts).
 */
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { devices, engineKinds, type EngineAvailability } from '../inference/engine.ts';
import type { DeviceMemory } from '../inference/selfTest/survey.ts';
import { readJson, writeJson, type UserFolders } from './folders.ts';

const validForMs = 24 * 3600 * 1000;
/** Set by people to choose a driver. */
const driverVariables = ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES', 'VK_LOADER_DRIVERS_SELECT', 'LD_LIBRARY_PATH', 'CUDA_VISIBLE_DEVICES'];

const row = z.object({
  engine: z.enum(engineKinds),
  device: z.enum(devices),
  available: z.boolean(),
  description: z.string(),
  reason: z.string(),
  driver: z.string(),
  software: z.boolean(),
  // JSON knows no infinity: a worst of null stands for it.
  selfTest: z.object({ passed: z.boolean(), worst: z.number().nullable().transform((worst) => worst ?? Infinity), detail: z.string() }).nullable(),
  imagesPerSecond: z.number().nullable(),
});
const file = z.object({ machine: z.string(), foundAt: z.number(), rows: z.array(row) });

/** Undefined where nothing may be kept. */
export function createDeviceMemory(folders: UserFolders, version: string, now: () => number = Date.now): DeviceMemory | undefined {
  if (folders.cache === undefined) return undefined;
  const path = join(folders.cache, 'devices.json');
  const machine = JSON.stringify([version, process.versions.node, process.platform, process.arch, release(), cpus()[0]?.model, driverVariables.map((name) => process.env[name] ?? '')]);
  return {
    async recall(): Promise<readonly EngineAvailability[]> {
      const parsed = file.safeParse(await readJson(path));
      if (!parsed.success || parsed.data.machine !== machine) return [];
      const ageMs = now() - parsed.data.foundAt;
      return ageMs >= 0 && ageMs < validForMs ? parsed.data.rows : [];
    },
    async keep(rows) {
      // A cache that cannot be written costs time, nothing else.
      await writeJson(path, { machine, foundAt: now(), rows }).catch(() => undefined);
    },
  };
}
