/** The sample in one click: drawn, opened and indexed; left half-way and gone on with; and the same without a window. */
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainingRequest } from '../../src-shared/contract/training.ts';
import { drawSampleFolder } from '../../src-main/services/sample.ts';
import { createSampleService, samplePlace, type SampleProgress, type SampleService } from '../../src-main/services/sampleWorkspace.ts';
import type { Services } from '../../src-main/services/services.ts';
import { runCommand, runForJson, temporaryFolder } from '../support/commandLine.ts';
import { openServices } from '../support/openServices.ts';
import { describeWhere, repositoryRoot } from '../support/testData.ts';

describe('the sample', () => {
  const home = temporaryFolder('sample');
  const perClass = 3;
  let services: Services;
  let sample: SampleService;
  const sampleOf = (network: string) => createSampleService({ ...samplePlace(network, join(home, 'data')), perClass }, services.workspaces, services.indexing, services.inference);

  async function opened(): Promise<readonly SampleProgress[]> {
    const steps: SampleProgress[] = [];
    for await (const step of sample.open()) steps.push(step);
    return steps;
  }

  beforeAll(async () => {
    services = await openServices(home, join(home, 'other'));
    await drawSampleFolder(join(home, 'images'), { perClass: 2 }, new AbortController().signal);
    const recipe = { epochs: 1, checkpoints: [0], batch: 8, learningRate: 0.001, initialisation: 'he', checkpointPrecision: 'float16' } as const;
    const request = trainingRequest.parse({ architecture: { kind: 'zfnet', width: 0.03, input: 64, units: 16 }, imagesPath: join(home, 'images'), outPath: join(home, 'network'), recipe });
    await services.training.train(request, () => undefined, new AbortController().signal);
    const record = join(home, 'network', 'training.json');
    await writeFile(record, (await readFile(record, 'utf8')).replace(join(home, 'images'), 'pictures'));
    sample = sampleOf(join(home, 'network'));
  }, 60_000);
  afterAll(async () => {
    await services?.close();
    await rm(home, { recursive: true, force: true });
  });

  it('says what it is before it is there', async () => {
    expect(await sample.status()).toMatchObject({
      network: { title: 'ZFNet, width 0.03, 64 x 64', epochs: [0, 1] },
      missing: null,
      pictures: { drawn: 0, of: 54, path: join(home, 'data', 'sample', 'pictures') },
      workspacePath: null,
      checkpointsPath: null,
    });
    const without = await sampleOf(join(home, 'nothing')).status();
    expect([without.network, without.missing]).toEqual([null, 'This copy of Switchback came without its sample network. Install it again, or train a network of your own.']);
  });

  it('keeps what was drawn when it is left', async () => {
    for await (const step of sample.open()) if (step.kind === 'drawing' && step.done > 0) break;
    const { pictures } = await sample.status();
    expect(pictures.drawn).toBeGreaterThan(0);
    expect((await readdir(pictures.path)).includes('sample.json')).toBe(true);
  });

  it('is drawn, opened and indexed; and at once the next time', async () => {
    const steps = await opened();
    expect(steps.map(({ kind }) => kind).filter((kind, at, all) => kind !== all[at - 1])).toEqual(['drawing', 'opening', 'ready']);
    expect(steps.findLast((step) => step.kind === 'drawing')).toEqual({ kind: 'drawing', done: 54, of: 54 });
    const ready = steps.at(-1)!;
    if (ready.kind !== 'ready') throw new Error('not ready');
    expect(ready.workspace).toMatchObject({ name: 'Sample', path: join(home, 'data', 'sample', 'workspace') });
    for await (const { running } of services.indexing.watch(ready.index)) if (!running) break;
    const record = await services.indexing.get(ready.index);
    expect([record.state, record.indexed, record.preprocessing.resize]).toEqual(['complete', 54, { kind: 'shorterSide', pixels: 74 }]);
    const channel = await services.indexing.channel(ready.index, 1, 0);
    expect(channel.hits[0]?.className ?? 'bricks').toMatch(/^[a-z]+$/);

    const again = (await opened()).at(-1);
    expect(again).toEqual({ ...ready, jobId: null });
    expect(await sample.status()).toMatchObject({ workspacePath: ready.workspace.path, checkpointsPath: join(ready.workspace.path, 'training', 'sample') });
  }, 60_000);

  it('shows the training of its network among those of its workspace', async () => {
    const [run] = await services.trainingRuns.runs();
    expect(run).toMatchObject({ name: 'sample', job: null, imagesPath: join(home, 'data', 'sample', 'pictures'), run: { state: 'complete', epochs: [{ epoch: 1, checkpoint: 'epoch-001.onnx' }] } });
    const [index] = await services.indexing.list();
    expect(run!.indexes, 'the atlas of the trained network').toEqual({ 'epoch-001.onnx': index!.id });
  });

  it('is drawn anew where another version drew it', async () => {
    const { pictures } = await sample.status();
    await writeFile(join(pictures.path, 'sample.json'), '{"version":0}');
    expect((await sample.status()).pictures.drawn).toBe(0);
    expect((await drawSampleFolder(pictures.path, { perClass }, new AbortController().signal)).drawn).toBe(54);
    expect((await sample.status()).pictures.drawn).toBe(54);
  });

  it('is remembered as it was left', async () => {
    await services.workspaces.close();
    expect((await services.workspaces.recent())[0]).toMatchObject({ name: 'Sample', indexes: 1, images: 54, exists: true });
  });
});

const resources = join(repositoryRoot, 'resources', 'sample');
describeWhere('switchback demo', existsSync(join(resources, 'training.json')) ? null : 'resources/sample holds no network', () => {
  const home = temporaryFolder('demo');
  afterAll(() => rm(home, { recursive: true, force: true }));

  it('indexes the sample and writes a figure of every layer, and does only what is missing the second time', async () => {
    const args = ['demo', '--out', join(home, 'demo'), '--per-class', '2'];
    const { code, stdout } = await runCommand(home, ...args);
    expect([code, stdout.split('\n').length]).toEqual([0, 4]);
    expect(stdout).toMatch(/^36 pictures in .*\n36 images indexed with \d+ channels of \d+ layers, .*\n\d+ figures in .*\n$/);
    const found = await runForJson<{ images: number; layers: number; figures: number; seconds: number; files: string[] }>(home, ...args);
    expect([found.images, found.figures]).toEqual([36, found.layers]);
    expect(found.files).toHaveLength(found.figures);
    expect((await readdir(join(home, 'demo', 'figures'))).length).toBe(found.figures);
    const png = await readFile(found.files[0]!);
    expect([...png.subarray(1, 4)].map((code) => String.fromCharCode(code)).join('')).toBe('PNG');
  }, 120_000);

  it('ships no path of the machine that trained it, and fits into its 8 MB', async () => {
    let bytes = 0;
    for (const name of await readdir(resources)) {
      const content = await readFile(join(resources, name));
      bytes += content.length;
      if (!name.endsWith('.onnx')) expect(content.toString('utf8'), name).not.toMatch(/(^|["'\s(`])(\/(home|tmp|root|work|Users)\/|[A-Z]:\\)/m);
    }
    expect(bytes).toBeLessThan(8 * 2 ** 20);
  });
});
