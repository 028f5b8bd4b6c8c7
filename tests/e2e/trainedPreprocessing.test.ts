/** What indexing makes of a network trained here is what its validation made of it: the file says how its pictures were brought to size, so that both predict the same. */
import { cp, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainingRequest } from '../../src-shared/contract/training.ts';
import { drawSampleFolder } from '../../src-main/services/sample.ts';
import type { Services } from '../../src-main/services/services.ts';
import { findLabelledImages } from '../../src-main/services/trainingImages.ts';
import { sampleClasses } from '../../src-main/training/sample/drawSample.ts';
import { splitImages } from '../../src-main/training/split.ts';
import { temporaryFolder } from '../support/commandLine.ts';
import { openServices } from '../support/openServices.ts';

describe('a network trained here', () => {
  const home = temporaryFolder('trained');
  const images = join(home, 'images');
  const classes = ['bricks', 'checks', 'fish', 'houses', 'stars'];
  let services: Services;
  beforeAll(async () => {
    await drawSampleFolder(images, { perClass: 10 }, new AbortController().signal);
    for (const name of sampleClasses) if (!classes.includes(name)) await rm(join(images, name), { recursive: true });
    services = await openServices(home, join(home, 'workspace'));
  }, 60_000);
  afterAll(async () => {
    await services?.close();
    await rm(home, { recursive: true, force: true });
  });

  it('predicts on its own validation images with the error in its record', async () => {
    const request = trainingRequest.parse({
      architecture: { kind: 'zfnet', width: 0.06, input: 64 },
      imagesPath: images,
      outPath: join(home, 'run'),
      recipe: { epochs: 14, batch: 16, learningRate: 0.001, initialisation: 'he', filterRms: null, dropout: 0, validation: 0.5 },
    });
    const run = await services.training.train(request, () => undefined, new AbortController().signal);
    const { checkpoint, validationError } = run.epochs.at(-1)!;
    expect(validationError).toBeGreaterThan(0.02);
    expect(validationError).toBeLessThan(0.8);

    const found = await findLabelledImages(images, undefined);
    const labels = found.images.map(({ className }) => found.classes.indexOf(className));
    const { validation } = splitImages(labels, 0.5, request.recipe.seed);
    const judged = join(home, 'validation');
    for (const image of validation) {
      const { file } = found.images[image]!;
      await mkdir(dirname(join(judged, file)), { recursive: true });
      await cp(join(images, file), join(judged, file));
    }

    const modelPath = join(request.outPath, checkpoint!);
    const { preprocessing } = await services.inference.call('inspect', { path: modelPath });
    expect([preprocessing.crop, preprocessing.resize]).toEqual([[64, 64], { kind: 'shorterSide', pixels: 74 }]);
    const { index } = await services.indexing.start({ modelPath, imagesPath: judged, preprocessing, top: 100, engine: 'auto', device: 'cpu', batch: 16, layers: ['fc8'] });
    for await (const { running } of services.indexing.watch(index)) if (!running) break;
    const [layer] = await services.indexing.layers(index);
    const best = new Map<string, { readonly channel: number; readonly score: number }>();
    for (const { channel, hits } of await services.indexing.hits(index, layer!.number)) {
      for (const { image, score } of hits) if (score > (best.get(image)?.score ?? -Infinity)) best.set(image, { channel, score });
    }
    expect(best.size).toBe(validation.length);
    const wrong = [...best].filter(([image, { channel }]) => !image.startsWith(`${found.classes[channel]}/`)).length;
    expect(wrong / validation.length).toBe(validationError);
  }, 60_000);
});
