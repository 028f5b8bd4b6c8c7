/** Preferences of the person, and what this machine can do (`doctor`). */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as z from 'zod';
import { settingsRecord, type doctorReport } from '../../src-shared/contract/settings.ts';
import type { EngineAvailability } from '../inference/engine.ts';
import type { InferenceClient } from '../inference/worker/client.ts';
import { readJson, writeJson, type UserFolders } from './folders.ts';
import { createTurns } from './turns.ts';

export type Settings = z.infer<typeof settingsRecord>;
export type DoctorReport = z.infer<typeof doctorReport>;

const defaults: Settings = { theme: 'system', language: 'system', engine: 'auto', device: 'auto', memoryBudgetBytes: null };

export interface DoctorOptions {
  readonly benchmark?: boolean | undefined;
  readonly afresh?: boolean | undefined;
}

export interface SettingsService {
  get(): Promise<Settings>;
  set(change: Partial<Settings>): Promise<Settings>;
  /** Trying the devices takes seconds the first time; what came of it is kept. `benchmark` times them too, `afresh` tries them again. */
  doctor(options?: DoctorOptions, signal?: AbortSignal): Promise<DoctorReport>;
}

export function createSettingsService(folders: UserFolders, inference: InferenceClient, version: string): SettingsService {
  const file = join(folders.config, 'settings.json');
  // Two changes at once must both be kept.
  const inTurn = createTurns(1);
  const service: SettingsService = {
    async get() {
      const parsed = settingsRecord.partial().safeParse(await readJson(file));
      return { ...defaults, ...(parsed.success ? parsed.data : {}) };
    },
    set: (change) =>
      inTurn(async () => {
        const settings = { ...(await service.get()), ...change };
        await writeJson(file, settings);
        return settings;
      }),
    async doctor({ benchmark = false, afresh = false } = {}, signal) {
      if (afresh) inference.devices.forget();
      const rows = await inference.devices.availability({ benchmark }, signal);
      return {
        version,
        node: process.version,
        platform: `${process.platform} ${process.arch}`,
        engines: rows.map(engineRow),
        libraries: ['onnxruntime-node', '@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-backend-webgpu', 'webgpu', '@tensorflow/tfjs-backend-wasm', 'sharp', 'sqlite3', 'electron'].map(libraryRow),
      };
    },
  };
  return service;
}

/** JSON knows no infinity: a self-test without any number says so by null. */
function engineRow({ selfTest, ...row }: EngineAvailability): DoctorReport['engines'][number] {
  return { ...row, selfTest: selfTest && { ...selfTest, worst: Number.isFinite(selfTest.worst) ? selfTest.worst : null } };
}

function libraryRow(name: string): DoctorReport['libraries'][number] {
  try {
    const { version } = createRequire(import.meta.url)(`${name}/package.json`) as { version: string };
    return { name, version, available: true, reason: '' };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // A package whose exports hide its package.json is installed all the same.
    if (code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return { name, version: 'unknown', available: true, reason: '' };
    return { name, version: '', available: false, reason: absence[name] ?? 'It is not installed; run the set-up again with "npm start".' };
  }
}

const absence: Readonly<Record<string, string>> = {
  '@tensorflow/tfjs-node-gpu': 'This optional package fetches libtensorflow when it is installed, and could not here. Switchback works without it.',
  electron: 'Without the Electron package the workbench opens in the browser.',
};
