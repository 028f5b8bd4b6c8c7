/**
 * Training as a job of a workspace, over the contract: started, watched, paused, gone on with, and alive after a `kill -9` of the core, with the weights of a run that
 * nobody disturbed.
 */
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { trainingEntry, trainingStart } from '../../src-shared/contract/training.ts';
import { drawSampleFolder } from '../../src-main/services/sample.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { eventually, noProcessList, processesOf } from '../support/processes.ts';
import { serveWorkbench, type CoreClient, type ServedWorkbench } from '../support/servedWorkbench.ts';
import { mountProblem, mountSmallDisk } from '../support/smallDisk.ts';
import { describeWhere, describeWhereAllowed } from '../support/testData.ts';

type Entry = z.infer<typeof trainingEntry>;
type Start = z.input<typeof trainingStart>;

describeWhere('a training job', noProcessList, () => {
  const home = temporaryFolder('training-job');
  const images = join(home, 'images');
  const workspace = join(home, 'workspace');
  let served: ServedWorkbench | undefined;
  let client: CoreClient;

  /** 72 pictures, 54 of them to train: 7 steps an epoch. */
  const request = (more: Partial<Start> = {}): Start => ({
    architecture: { kind: 'zfnet', width: 0.03, input: 64 },
    imagesPath: images,
    recipe: { epochs: 12, checkpoints: [1], batch: 8, learningRate: 0.002, initialisation: 'he', filterRms: null, validation: 0.25 },
    ...more,
  });

  const serve = async () => {
    served = await serveWorkbench(home, '--workspace', workspace);
    client = served.client;
  };
  const reached = async (id: string, test: (entry: Entry, epoch: number) => boolean): Promise<Entry> => {
    for await (const { entry, live } of await client.training.watch({ id })) {
      if (entry.job?.error) throw new Error(entry.job.error.message);
      if (test(entry, live?.kind === 'training' ? live.epoch : 0)) return entry;
    }
    throw new Error('the stream ended');
  };
  const done = (id: string) => reached(id, ({ job }) => job?.state === 'done');
  const trained = ({ path }: { path: string }) => readFile(join(path, 'epoch-012.onnx'), 'base64');

  beforeAll(async () => {
    await drawSampleFolder(images, { perClass: 4 }, new AbortController().signal);
    await serve();
  }, 60_000);
  afterAll(async () => {
    await served?.stop();
    await rm(home, { recursive: true, force: true });
  });

  let undisturbed: Entry;
  it('says what it would be, runs in a folder of the workspace, and leaves a record', async () => {
    const estimate = await client.training.estimate(request());
    expect(estimate).toMatchObject({ trainingImages: 54, validationImages: 18, stepsPerEpoch: 7 });
    expect(estimate.classes.slice(0, 2)).toEqual(['bricks', 'butterflies']);
    const { run, path } = await client.training.start(request({ name: 'first' }));
    expect(path).toBe(join(workspace, 'training', 'first'));
    undisturbed = await done(run);
    expect(undisturbed.job).toMatchObject({ kind: 'train', title: 'Train ZFNet on images', done: 54 * 12, total: 54 * 12 });
    expect(undisturbed.run).toMatchObject({ state: 'complete', parameters: estimate.parameters, trainingImages: 54 });
    expect(undisturbed.run!.epochs.map(({ epoch, checkpoint }) => [epoch, checkpoint]).filter(([, checkpoint]) => checkpoint)).toEqual([[1, 'epoch-001.onnx'], [12, 'epoch-012.onnx']]);
    const { size } = await stat(join(path, 'epoch-012.onnx'));
    expect(Math.abs(size / estimate.checkpointBytes - 1)).toBeLessThan(0.1);
  }, 60_000);

  it('is paused, resumed and killed, and ends with the same weights', async () => {
    const { run, jobId } = await client.training.start(request());
    await reached(run, (_, epoch) => epoch >= 3);
    await client.jobs.pause({ id: jobId });
    const paused = await client.training.run({ id: run });
    expect([paused.job!.state, paused.run!.state, paused.name]).toEqual(['paused', 'partial', 'zfnet-images']);
    expect(paused.run!.epochs.length).toBeGreaterThanOrEqual(2);
    await client.jobs.resume({ id: jobId });
    await reached(run, (_, epoch) => epoch > paused.run!.epochs.length + 1);

    const core = (await processesOf(home)).find(({ command }) => command.includes('cli/main.ts serve'))!;
    process.kill(core.pid, 'SIGKILL');
    await eventually(async () => ((await processesOf(home)).length === 0 ? true : undefined), 'end of the core and its worker', 15_000);
    await serve();
    const [interrupted] = await client.training.runs();
    expect([interrupted!.id, interrupted!.job!.state, interrupted!.run!.state]).toEqual([run, 'interrupted', 'partial']);
    await client.jobs.resume({ id: jobId });
    expect(await trained(await done(run))).toBe(await trained(undisturbed));
    expect((await client.training.runs()).map(({ name }) => name)).toEqual(['zfnet-images', 'first']);
  }, 90_000);

  it('goes on to more epochs when asked for the same folder', async () => {
    const longer = { ...request().recipe, epochs: 13 };
    const { run } = await client.training.start(request({ outPath: undisturbed.path, recipe: longer }));
    expect(run).toBe(undisturbed.id);
    expect((await done(run)).run!.epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 13 }, (_, at) => at + 1));
  }, 60_000);

  describe('with another learning rate', () => {
    it('takes it from the next step on, or when it goes on', async () => {
      const { run, jobId } = await client.training.start(request({ name: 'lowered', recipe: { ...request().recipe, epochs: 500 } }));
      await reached(run, (_, epoch) => epoch >= 2);
      expect(await client.training.lowerRate({ id: run })).toEqual({ learningRate: 0.0002 });
      await client.jobs.pause({ id: jobId });
      const { learningRate } = await client.training.lowerRate({ id: run });
      expect(learningRate).toBeCloseTo(0.00002, 9);
      await client.jobs.resume({ id: jobId });
      const going = await reached(run, ({ run: record }) => record!.epochs.at(-1)?.learningRate === learningRate);
      expect(going.run!.rateChanges.map(({ by, learningRate: rate }) => [by, rate])).toEqual([['hand', 0.0002], ['hand', learningRate]]);
      expect(going.learningRate).toBe(learningRate);
      await client.jobs.cancel({ id: jobId });
      await expect(client.training.lowerRate({ id: undisturbed.id })).rejects.toThrow('This training is complete; there is no next step for a lower learning rate.');
    }, 60_000);
  });

  it('is refused before it is queued where it cannot be', async () => {
    const refused = (more: Partial<Start>) => expect(client.training.start(request(more))).rejects;
    await refused({ imagesPath: join(home, 'nowhere') }).toThrow(/^The image folder .*nowhere cannot be opened/);
    await refused({ imagesPath: join(images, 'fish') }).toThrow(/have no classes; learning to tell them apart needs two or more/);
    await refused({ architecture: { kind: 'zfnet', width: 0.03, input: 40 } }).toThrow(/^ZFNet does not fit an input of 40 x 40 pixels/);
    await refused({ recipe: { ...request().recipe, finetune: true } }).toThrow('Fine-tuning starts from a trained network');
    await refused({ outPath: undisturbed.path, recipe: { ...request().recipe, momentum: 0.5 } }).toThrow(/holds a training with momentum 0.9, now 0.5 was asked for/);
    expect((await client.jobs.list()).filter(({ state }) => state === 'queued' || state === 'running')).toEqual([]);
  }, 30_000);

  it('pauses when its images are gone, and goes on when they are back', async () => {
    const { run, jobId } = await client.training.start(request({ name: 'unplugged', recipe: { ...request().recipe, epochs: 2 } }));
    await client.jobs.pause({ id: jobId });
    await rename(images, `${images} elsewhere`);
    await client.jobs.resume({ id: jobId });
    const gone = await eventually(async () => {
      const job = (await client.jobs.list()).find(({ id }) => id === jobId)!;
      return job.state === 'paused' ? job : undefined;
    }, 'pause');
    expect(gone.error!.message).toBe(`The image folder ${images} is gone. Bring it back, then resume; nothing that was done is lost.`);
    await rename(`${images} elsewhere`, images);
    await client.jobs.resume({ id: jobId });
    await done(run);
  }, 60_000);

  // A file system of a few kilobytes can only be mounted by root.
  describeWhereAllowed('on a full disk', mountProblem(home), () => {
    it('pauses, and goes on when there is room', async () => {
      const disk = mountSmallDisk(join(home, 'small disk'), '200k');
      try {
        const { run, jobId } = await client.training.start(request({ outPath: join(disk.path, 'run'), recipe: { ...request().recipe, epochs: 2 } }));
        const full = await eventually(async () => {
          const job = (await client.jobs.list()).find(({ id }) => id === jobId)!;
          return job.state === 'paused' ? job : undefined;
        }, 'pause');
        expect(full.error!.message).toMatch(/cannot be written: ENOSPC: no space left on device, write\.$/);
        disk.grow('20m');
        await client.jobs.resume({ id: jobId });
        expect((await done(run)).run!.state).toBe('complete');
      } finally {
        disk.remove();
      }
    }, 60_000);
  });
});
