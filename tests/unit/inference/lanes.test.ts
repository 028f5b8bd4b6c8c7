/** Two processes for one processor: which batch goes where. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createLanes } from '../../../src-main/inference/worker/lanes.ts';
import type { WorkerCalls } from '../../../src-main/inference/worker/protocol.ts';
import { temporaryFolder } from '../../support/commandLine.ts';

const folder = temporaryFolder('lanes');
const path = join(folder, 'model.onnx');
writeFileSync(path, new Uint8Array(1000));

function batch(hash: string, device: 'cpu' | 'webgpu' = 'cpu', beside = true): WorkerCalls['score'][0] {
  const preprocessing = { order: 'rgb', crop: [2, 2], resize: { kind: 'none' }, scale: 1, mean: [0], std: [1] } as const;
  return { model: { path, hash }, layers: [], preprocessing, placement: { engine: 'onnxruntime', device }, batch: 1, pixels: new Uint8Array(12), beside };
}

/** Calls that end when told to: where each went, and whether it was told that it has company. */
function calls() {
  const log: { readonly lane: string; readonly beside: boolean | undefined; end(): void }[] = [];
  return { log, run: (lane: string, { beside }: WorkerCalls['score'][0]) => new Promise<void>((resolve) => log.push({ lane, beside, end: resolve })) };
}

it('goes to the process with fewer batches, the first where both have the same', async () => {
  const lanes = createLanes(async () => null, 2);
  const { log, run } = calls();
  const all = [1, 2, 3, 4].map(() => lanes.score('cpu', batch('a'), run));
  await expect.poll(() => log.length).toBe(4);
  log[1]!.end();
  await all[1];
  all.push(lanes.score('cpu', batch('a'), run));
  await expect.poll(() => log.length).toBe(5);
  expect(log.map(({ lane }) => lane)).toEqual(['cpu', 'cpu (second)', 'cpu', 'cpu (second)', 'cpu (second)']);
  expect(log.every(({ beside }) => beside)).toBe(true);
  log.forEach(({ end }) => end());
  await Promise.all(all);
  expect(lanes.namesOf('cpu')).toEqual(['cpu', 'cpu (second)']);
});

it.each([
  ['on another device', batch('b', 'webgpu'), null, 2],
  ['alone', batch('c', 'cpu', false), null, 2],
  ['on one core', batch('d'), null, 1],
  ['of a network that does not fit twice', batch('e'), 3599, 2],
  ['of a network whose file is gone', { ...batch('f'), model: { path: join(folder, 'gone'), hash: 'f' } }, null, 2],
] as const)('has one process with all cores for a batch %s', async (_title, given, budget, cores) => {
  const lanes = createLanes(async () => budget, cores);
  const { log, run } = calls();
  const all = [lanes.score('cpu', given, run), lanes.score('cpu', given, run)];
  await expect.poll(() => log.length).toBe(2);
  expect(log.map(({ lane, beside }) => [lane, beside])).toEqual([['cpu', false], ['cpu', false]]);
  log.forEach(({ end }) => end());
  await Promise.all(all);
});
