/** `switchback sample` and `switchback train` as a person runs them: through the inference process, stopped by Ctrl+C, gone on with by the same command. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand, runForJson, startCommand, temporaryFolder } from '../support/commandLine.ts';

let home: string;
beforeAll(() => {
  home = temporaryFolder('training');
});
afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

const train = (out: string, ...more: string[]) => ['train', '--arch', 'zfnet', '--images', join(home, 'images'), '--width', '0.03', '--input', '64', '--batch', '8', '--initialisation', 'he', '--filter-rms', 'none', '--out', join(home, out), ...more];

describe('training from the command line', () => {
  it('draws the sample, and keeps what is there', async () => {
    const first = await runForJson<{ images: number; drawn: number; classes: string[] }>(home, 'sample', '--out', join(home, 'images'), '--per-class', '2');
    expect([first.images, first.drawn, first.classes.length]).toEqual([36, 36, 18]);
    expect(await readdir(join(home, 'images', 'fish'))).toEqual(['fish-1-000.png', 'fish-1-001.png']);
    expect((await runForJson<{ drawn: number }>(home, 'sample', '--out', join(home, 'images'), '--per-class', '2')).drawn).toBe(0);
  }, 60_000);

  it('is stopped by Ctrl+C and goes on where it was', async () => {
    const started = startCommand(home, train('stopped', '--epochs', '200'));
    while (!started.output().includes('epoch 3:')) {
      if (started.process.exitCode !== null) throw new Error(`ended early: ${(await started.finished).stderr}`);
      await setTimeout(50);
    }
    started.process.kill('SIGINT');
    const { code } = await started.finished;
    expect(code).toBe(130);
    const done = started.output().split('\n').filter((line) => line.startsWith('epoch ')).length;
    const run = await runForJson<{ epochs: { epoch: number; checkpoint: string | null }[]; state: string }>(home, ...train('stopped', '--epochs', String(done + 2)));
    expect(run.state).toBe('complete');
    expect(run.epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: done + 2 }, (_, at) => at + 1));
    const report = await runForJson<{ layers: { title: string }[] }>(home, 'import', join(home, 'stopped', run.epochs.at(-1)!.checkpoint!));
    expect(report.layers.map(({ title }) => title)).toEqual(['conv1', 'conv2', 'conv3', 'conv4', 'conv5', 'fc6', 'fc7', 'fc8']);
  }, 120_000);

  it.each([
    [['--momentum', '1'], /^switchback: --momentum 1: Too big: expected number to be <1\.\n$/],
    [['--finetune'], /^switchback: Fine-tuning starts from a trained network: name its file as the architecture\.\n$/],
    [['--images', '.'], /learning to tell them apart needs two or more: put the images of each class into a folder of its own, or give a labels file\.\n$/],
  ])('refuses %j with a reason', async (flags, message) => {
    const { code, stderr } = await runCommand(home, ...train('refused', '--epochs', '1', ...flags));
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  }, 30_000);
});
