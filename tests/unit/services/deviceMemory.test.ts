/** What is known of a machine's devices lasts a day and belongs to one program and one choice of drivers. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import type { EngineAvailability } from '../../../src-main/inference/engine.ts';
import { createDeviceSurvey } from '../../../src-main/inference/selfTest/survey.ts';
import { createDeviceMemory } from '../../../src-main/services/deviceMemory.ts';
import { temporaryFolder } from '../../support/commandLine.ts';

const home = temporaryFolder('devices');
const folders = { config: home, data: home, cache: join(home, 'cache') };
const hourMs = 3600 * 1000;
const placement = { engine: 'onnxruntime', device: 'cpu' } as const;
const row: EngineAvailability = { ...placement, available: true, description: 'onnxruntime 1', reason: '', driver: '', software: false, selfTest: { passed: false, worst: Infinity, detail: 'no numbers' }, imagesPerSecond: null };
afterAll(() => rmSync(home, { recursive: true, force: true }));

test('is recalled for a day by the same program with the same drivers', async () => {
  let now = 5 * hourMs;
  const memory = createDeviceMemory(folders, '1.0', () => now)!;
  expect(await memory.recall()).toEqual([]);
  await memory.keep([row]);
  expect(await memory.recall()).toEqual([row]);
  expect(await createDeviceMemory(folders, '1.1', () => now)!.recall()).toEqual([]);
  vi.stubEnv('VK_ICD_FILENAMES', '/elsewhere.json');
  expect(await createDeviceMemory(folders, '1.0', () => now)!.recall()).toEqual([]);
  vi.unstubAllEnvs();
  now += 24 * hourMs;
  expect(await memory.recall()).toEqual([]);
  now = 0;
  expect(await memory.recall(), 'a clock that was set back').toEqual([]);
});

test('a broken file is no memory', async () => {
  writeFileSync(join(folders.cache, 'devices.json'), '{"machine": 1');
  expect(await createDeviceMemory(folders, '1.0')!.recall()).toEqual([]);
  expect(createDeviceMemory({ config: home, data: home }, '1.0')).toBeUndefined();
});

test('spares the next survey its trials, until it is told to forget', async () => {
  const memory = createDeviceMemory(folders, '2.0')!;
  const probe = vi.fn(async () => ({ ...row, selfTest: null }));
  await createDeviceSurvey(probe, [placement], memory).availability();
  const next = createDeviceSurvey(probe, [placement], memory);
  expect((await next.chooseDevice({ engine: 'auto', device: 'auto' })).placement).toEqual(placement);
  expect(probe).toHaveBeenCalledTimes(1);
  next.forget();
  await next.availability();
  expect(probe).toHaveBeenCalledTimes(2);
});
