/** What the doctor says about devices: what the survey found, fit for JSON; tried again and timed only when asked. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { unavailableRow } from '../../../src-main/inference/engine.ts';
import type { DeviceSurvey } from '../../../src-main/inference/selfTest/survey.ts';
import type { InferenceClient } from '../../../src-main/inference/worker/client.ts';
import { createSettingsService } from '../../../src-main/services/settings.ts';
import { doctorReport } from '../../../src-shared/contract/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchback-settings-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('reports devices with their self-tests as plain JSON, and passes on what was asked', async () => {
  const asked: string[] = [];
  const gpu = { engine: 'onnxruntime', device: 'webgpu' } as const;
  const devices: DeviceSurvey = {
    async availability(options) {
      asked.push(`availability ${String(options?.benchmark)}`);
      return [{ ...unavailableRow(gpu, 'It failed its self-test.'), driver: 'Example 5000, driver 1.2', selfTest: { passed: false, worst: Infinity, detail: 'no numbers' } }];
    },
    chooseDevice: () => Promise.reject(new Error('not asked')),
    forget: () => void asked.push('forget'),
  };
  const settings = createSettingsService({ config: folder, data: folder }, { devices } as unknown as InferenceClient, '1.2.3');
  const report = await settings.doctor();
  expect(doctorReport.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
  expect(report.engines).toEqual([
    { ...gpu, available: false, description: '', reason: 'It failed its self-test.', driver: 'Example 5000, driver 1.2', software: false, selfTest: { passed: false, worst: null, detail: 'no numbers' }, imagesPerSecond: null },
  ]);
  expect(report.libraries.find(({ name }) => name === 'webgpu')).toMatchObject({ available: true });
  await settings.doctor({ benchmark: true, afresh: true });
  expect(asked).toEqual(['availability false', 'forget', 'availability true']);
});

it('leaves the memory budget to the machine until a person sets it', async () => {
  const settings = createSettingsService({ config: folder, data: folder }, {} as InferenceClient, '1.2.3');
  expect((await settings.get()).memoryBudgetBytes).toBeNull();
  expect((await settings.set({ memoryBudgetBytes: 2 ** 30 })).memoryBudgetBytes).toBe(1073741824);
  expect((await settings.get()).memoryBudgetBytes).toBe(1073741824);
});
