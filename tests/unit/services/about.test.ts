/** Which program this is, its licences by number, and a report that names no home folder. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createAboutService, withoutHome } from '../../../src-main/services/about.ts';
import { createRecentLines } from '../../../src-main/services/recentLines.ts';
import type { SettingsService } from '../../../src-main/services/settings.ts';
import type { WorkspaceService } from '../../../src-main/services/workspaces.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchback-about-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const nothingOpen = { current: () => null } as unknown as WorkspaceService;
const settings = {
  doctor: () =>
    Promise.resolve({
      version: '1',
      node: 'v24',
      platform: 'linux x64',
      engines: [{ engine: 'onnxruntime', device: 'cpu', available: true, description: '', reason: '', driver: 'AVX2', software: false, selfTest: { passed: true, worst: 0, detail: '' }, imagesPerSecond: null }],
      libraries: [{ name: 'sharp', version: '0.35.5', available: true, reason: '' }],
    }),
} as unknown as SettingsService;

describe('about', () => {
  it('lists what the build wrote, and gives each text by its number', async () => {
    const licencesFile = join(folder, 'licences.json');
    writeFileSync(licencesFile, JSON.stringify([{ name: 'zod', version: '4.0.0', licence: 'MIT', text: 'Permission ...' }]));
    const about = createAboutService(nothingOpen, settings, { version: '1.2.3', licencesFile, recentLines: createRecentLines() });
    expect(await about.get()).toEqual({ version: '1.2.3', node: process.version, platform: `${process.platform} ${process.arch}`, packages: [{ name: 'zod', version: '4.0.0', licence: 'MIT', number: 0 }] });
    expect(await about.licenceText(0)).toEqual({ text: 'Permission ...' });
    await expect(about.licenceText(1)).rejects.toThrow('There is no licence number 1: list the packages to see what is shipped.');
  });

  it('knows no packages where nothing was built', async () => {
    const about = createAboutService(nothingOpen, settings, { version: '1', licencesFile: join(folder, 'none.json'), recentLines: createRecentLines() });
    expect((await about.get()).packages).toEqual([]);
  });

  it('reports versions, devices and the last words of the log, with ~ for the home folder', async () => {
    const recentLines = createRecentLines(2);
    for (const line of ['first', `cannot read ${homedir()}/secret/net.onnx`, 'third']) recentLines.add(line);
    const { text } = await createAboutService(nothingOpen, settings, { version: '1.2.3', recentLines }).diagnostics();
    expect(text).toMatch(/^Switchback 1\.2\.3 on Node v/);
    expect(text).toContain('device: onnxruntime on cpu: available, self-test passed (AVX2)\nlibrary: sharp 0.35.5');
    expect(text).toContain('workspace: none');
    expect(text.split('\n').slice(-2)).toEqual(['cannot read ~/secret/net.onnx', 'third']);
    expect(text).not.toContain(homedir());
  });

  it('takes the home folder out in every spelling', () => {
    expect(withoutHome('C:\\Users\\Ada L\\x "C:\\\\Users\\\\Ada L\\\\y" C:/Users/Ada L/z file:///C:/Users/Ada%20L/w', 'C:\\Users\\Ada L')).toBe('~\\x "~\\\\y" ~/z file:///~/w');
    expect(withoutHome('/a/b', '/')).toBe('/a/b');
  });
});
