/** A training that was stopped, killed, or lost its worker ends with the same weights, bit by bit, as one that ran through. */
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainingRequest } from '../../../src-shared/contract/training.ts';
import { AppError } from '../../../src-shared/errors.ts';
import type { Engine } from '../../../src-main/inference/engine.ts';
import { createOnnxruntimeEngine } from '../../../src-main/inference/onnxruntime/engine.ts';
import type { InferenceClient } from '../../../src-main/inference/worker/client.ts';
import { createTrainer, type TrainCall } from '../../../src-main/inference/worker/trainSteps.ts';
import { openModel } from '../../../src-main/importers/open.ts';
import { drawSampleFolder } from '../../../src-main/services/sample.ts';
import { createTrainingService, type TrainingNews, type TrainingRequest } from '../../../src-main/services/training.ts';

let folder: string;
let engine: Engine;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'training-'));
  engine = await createOnnxruntimeEngine({ device: 'cpu', threads: 1 });
  await drawSampleFolder(join(folder, 'images'), { perClass: 2 }, new AbortController().signal);
  await train('whole', request());
}, 60_000);
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

/** 36 images in 2 classes' worth of steps: 18 train, so 3 steps of 8 an epoch. */
function request(recipe: object = {}, architecture: object = { kind: 'zfnet', width: 0.03, input: 64 }): Omit<TrainingRequest, 'outPath'> {
  return trainingRequest.omit({ outPath: true }).parse({
    architecture,
    imagesPath: join(folder, 'images'),
    recipe: { epochs: 3, batch: 8, learningRate: 0.002, initialisation: 'he', filterRms: null, validation: 0.5, checkpoints: [0, 1], ...recipe },
  });
}

interface Meddling {
  /** Steps of the worker before which a person lowers the rate. */
  readonly lowerAt?: readonly number[];
  /** Called before each call of the worker; throws in its place, or replaces the worker. */
  before?(call: TrainCall, restart: () => void): void;
  onNews?(news: TrainingNews): void;
  readonly signal?: AbortSignal;
}

async function train(out: string, what: Omit<TrainingRequest, 'outPath'>, { before, onNews, lowerAt = [], signal = new AbortController().signal }: Meddling = {}) {
  let steps = 0;
  const told: number[] = [];
  let trainer = createTrainer(async () => engine);
  const restart = () => (trainer = createTrainer(async () => engine));
  const call = (async (_name: string, parameters: TrainCall) => {
    before?.(parameters, restart);
    if (parameters.kind === 'step') steps++;
    return trainer(parameters);
  }) as unknown as InferenceClient['call'];
  const asked = new Set(lowerAt);
  const takeLowering = () => (asked.delete(steps) ? (rate: number) => void told.push(rate) : undefined);
  const run = await createTrainingService({ call }).train({ ...what, outPath: join(folder, out) }, onNews ?? (() => undefined), signal, takeLowering);
  return { ...run, told };
}

/** Everything that a training left but what was measured in seconds. */
async function leftBy(out: string) {
  const run = JSON.parse(await readFile(join(folder, out, 'training.json'), 'utf8')) as { epochs: { seconds: number }[] };
  const last = await readFile(join(folder, out, 'epoch-003.onnx'));
  return { epochs: run.epochs.map((epoch) => ({ ...epoch, seconds: 0 })), last: last.toString('base64') };
}

describe('a training goes on to the same weights', () => {
  it('when it was stopped in the middle of an epoch', async () => {
    const controller = new AbortController();
    const stopped = train('stopped', request(), { signal: controller.signal, onNews: (news) => news.kind === 'training' && news.epoch === 2 && news.step === 2 && controller.abort(new AppError('CANCELLED', 'Cancelled.')) });
    await expect(stopped).rejects.toThrow('Cancelled.');
    expect((JSON.parse(await readFile(join(folder, 'stopped', 'training.json'), 'utf8')) as { state: string }).state).toBe('partial');
    let firstStep: number | undefined;
    await train('stopped', request(), { onNews: (news) => news.kind === 'training' && (firstStep ??= news.step) });
    expect(firstStep).toBe(3);
    expect(await leftBy('stopped')).toEqual(await leftBy('whole'));
  });

  it('when it was killed without a word', async () => {
    let steps = 0;
    const killed = train('killed', request(), {
      before(call) {
        if (call.kind === 'step' && ++steps === 5) throw new Error('killed here');
      },
    });
    await expect(killed).rejects.toThrow('killed here');
    await train('killed', request());
    expect(await leftBy('killed')).toEqual(await leftBy('whole'));
  });

  it('when its worker died on the way', async () => {
    let steps = 0;
    const restarted: string[] = [];
    await train('worker', request(), {
      before(call, restart) {
        if (call.kind !== 'step' || ++steps !== 6) return;
        restart();
        throw new AppError('UNAVAILABLE', 'The inference process ended unexpectedly (signal SIGSEGV).', { how: 'signal SIGSEGV' });
      },
      onNews: (news) => news.kind === 'restarted' && restarted.push(news.reason),
    });
    expect(restarted).toEqual(['The inference process ended unexpectedly (signal SIGSEGV).']);
    expect(await leftBy('worker')).toEqual(await leftBy('whole'));
  });

  it('when its rate was lowered by hand, and it was killed right after', async () => {
    const lowered = await train('lowered', request(), { lowerAt: [4] });
    expect(lowered.told).toEqual([0.0002]);
    expect(lowered.rateChanges).toEqual([{ epoch: 2, step: 1, learningRate: 0.0002, by: 'hand' }]);
    expect(lowered.epochs.map(({ learningRate }) => learningRate)).toEqual([0.002, 0.0002, 0.0002]);
    expect((await leftBy('lowered')).last).not.toBe((await leftBy('whole')).last);
    let steps = 0;
    const killed = train('lowered and killed', request(), {
      lowerAt: [4],
      before(call) {
        if (call.kind === 'step' && ++steps === 5) throw new Error('killed here');
      },
    });
    await expect(killed).rejects.toThrow('killed here');
    expect((await train('lowered and killed', request())).rateChanges).toEqual(lowered.rateChanges);
    expect(await leftBy('lowered and killed')).toEqual(await leftBy('lowered'));
  });

  it('when more epochs are asked for later', async () => {
    await train('longer', request({ epochs: 2, checkpoints: [0, 1] }));
    await train('longer', request());
    const [longer, whole] = [await leftBy('longer'), await leftBy('whole')];
    expect(longer.last).toBe(whole.last);
  });
});

describe('a folder of a training', () => {
  it('is found complete by the same request', async () => {
    const calls: string[] = [];
    const run = await train('whole', request(), { before: (call) => calls.push(call.kind) });
    expect(run.state).toBe('complete');
    expect(run.epochs.map(({ epoch, checkpoint }) => [epoch, checkpoint])).toEqual([[1, 'epoch-001.onnx'], [2, null], [3, 'epoch-003.onnx']]);
    expect(calls).not.toContain('step');
  });

  it('takes no other training', async () => {
    await expect(train('whole', request({ momentum: 0.5 }))).rejects.toThrow(/holds a training with momentum 0.9, now 0.5 was asked for. Choose another folder for it, or ask for the same again to go on\.$/);
  });

  it('that came without its state, as the sample does, is not trained over', async () => {
    await cp(join(folder, 'whole'), join(folder, 'published'), { recursive: true });
    await rm(join(folder, 'published', 'training.state'));
    const before = await leftBy('published');
    await expect(train('published', request({ epochs: 4 }))).rejects.toThrow(/published holds the record of a training, but no training\.state to go on from\. Choose another folder, or delete its training\.json to train again from the beginning\.$/);
    expect(await leftBy('published')).toEqual(before);
  });

  it('notices other images', async () => {
    await cp(join(folder, 'whole'), join(folder, 'changed'), { recursive: true });
    await cp(join(folder, 'images'), join(folder, 'fewer'), { recursive: true });
    await cp(join(folder, 'images'), join(folder, 'aside'), { recursive: true });
    try {
      await rm(join(folder, 'images', 'wood', 'wood-1-000.png'));
      await expect(train('changed', request())).rejects.toThrow('The images changed since this training began (36 then, 35 now, or other classes).');
    } finally {
      await cp(join(folder, 'aside'), join(folder, 'images'), { recursive: true });
    }
  });
});

describe('a checkpoint', () => {
  it('is a network that says how it takes its pictures, the mean its first node', async () => {
    const { model } = await openModel(join(folder, 'whole', 'epoch-003.onnx'));
    expect(model.graph.nodes.slice(0, 4).map((node) => node.kind)).toEqual(['Sub', 'Mul', 'Conv', 'Relu']);
    expect(model.graph.nodes.filter((node) => node.kind === 'LRN')).toHaveLength(2);
    expect(model.preparation).toEqual({
      order: 'rgb', scale: 1, mean: [0, 0, 0], std: [1, 1, 1], resize: { kind: 'shorterSide', pixels: 74 },
      source: 'The file says it: Image.BitmapPixelFormat Rgb8, Image.NominalPixelRange NominalRange_0_255, Switchback.Resize shorterSide 74.',
    });
  });

  it('can be fine-tuned: its last layer is replaced, nothing else moves', async () => {
    const path = join(folder, 'whole', 'epoch-003.onnx');
    await train('tuned', request({ epochs: 1, checkpoints: [], finetune: true, learningRate: 0.05, dropout: 0 }, { kind: 'file', path }));
    const [{ model: before }, { model: after }] = [await openModel(path), await openModel(join(folder, 'tuned', 'epoch-001.onnx'))];
    const changed = [...before.graph.tensors].filter(([name, tensor]) => {
      const now = after.graph.tensors.get(name)!;
      return tensor.data.some((value, at) => value !== now.data[at]);
    });
    expect(changed.map(([name]) => name).sort()).toEqual(['fc8.bias', 'fc8.weight']);
  });
});
