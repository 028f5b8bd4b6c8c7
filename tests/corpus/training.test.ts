/** Training on real pictures: a small ZFNet learns two hundred pictures of CIFAR-10 by heart, through service and worker code, on onnxruntime. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { trainingRequest } from '../../src-shared/contract/training.ts';
import type { Engine } from '../../src-main/inference/engine.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import type { InferenceClient } from '../../src-main/inference/worker/client.ts';
import { createTrainer, type TrainCall } from '../../src-main/inference/worker/trainSteps.ts';
import { createTrainingService } from '../../src-main/services/training.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { dataPath, describeWithData } from '../support/testData.ts';

describeWithData('a small ZFNet on cifar10-test', ['photos/cifar10-test'], () => {
  let folder: string;
  let engine: Engine;
  beforeAll(async () => {
    folder = temporaryFolder('cifar');
    engine = await createOnnxruntimeEngine({ device: 'cpu' });
  });
  afterAll(async () => {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('is driven to under 5 % training error', { timeout: 600_000 }, async () => {
    const trainer = createTrainer(async () => engine);
    const call = (async (_name: string, parameters: TrainCall) => trainer(parameters)) as unknown as InferenceClient['call'];
    const request = trainingRequest.parse({
      architecture: { kind: 'zfnet', width: 0.25, input: 64 },
      imagesPath: dataPath('photos/cifar10-test'),
      outPath: join(folder, 'out'),
      recipe: { epochs: 60, batch: 20, learningRate: 0.005, initialisation: 'he', filterRms: null, dropout: 0, randomCrops: false, flips: false, validation: 0 },
    });
    const controller = new AbortController();
    const run = await createTrainingService({ call }).train(request, () => undefined, controller.signal);
    expect([run.trainingImages, run.classes.length]).toEqual([200, 10]);
    expect(run.epochs[0]!.trainingError).toBeGreaterThan(0.7);
    // An error taken while the epoch trains has spikes; it was under 5 % or it was not.
    expect(Math.min(...run.epochs.map((epoch) => epoch.trainingError))).toBeLessThan(0.05);
  });
});
