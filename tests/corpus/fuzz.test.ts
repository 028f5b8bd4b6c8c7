/**
 * Damaged model files of every format: nothing but an AppError, none of them slow, none of them hungry. The files are those of data/models. `npm test`
 * tries 300; SWITCHBACK_FUZZ=10000 tries that many (about 20 minutes), SWITCHBACK_FUZZ_SEED=7 others of them. A failure names its seed and run.
 */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { FuzzReport } from '../support/fuzzModels.ts';
import { dataPath, describeWithData, repositoryRoot } from '../support/testData.ts';

const mutations = Number(process.env['SWITCHBACK_FUZZ'] ?? 300);
const seed = Number(process.env['SWITCHBACK_FUZZ_SEED'] ?? 1);
const isModel = /\.(onnx|caffemodel|prototxt|h5|keras|json)$/;
const gigabyte = 2 ** 30;

describeWithData('damaged model files', ['models'], () => {
  it(`${mutations} mutations give typed errors only`, { timeout: 120_000 + mutations * 1000 }, async () => {
    const files = readdirSync(dataPath('models'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && isModel.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    expect(files.length).toBeGreaterThan(20);
    const child = join(repositoryRoot, 'tests/support/fuzzModels.ts');
    const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=1536', child, String(mutations), String(seed), ...files], { maxBuffer: 2 ** 26 });
    const report = JSON.parse(stdout) as FuzzReport;
    console.log(`fuzz: ${report.opened} opened, refused ${JSON.stringify(report.refused)}, slowest ${Math.round(report.slowest.milliseconds)} ms, peak ${Math.round(report.peakBytes / 2 ** 20)} MiB`);
    expect(report.failures).toEqual([]);
    expect(Object.values(report.refused).reduce((sum, times) => sum + times, report.opened)).toBe(mutations);
    expect(report.slowest.milliseconds, report.slowest.what).toBeLessThan(5000);
    expect(report.peakBytes).toBeLessThan(2 * gigabyte);
  });
});
