/** Whole networks in small: every value of every layer agrees between reference, onnxruntime and each TensorFlow backend to 1e-4 of its largest value. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Graph } from '../../src-main/graph/graph.ts';
import { verify } from '../../src-main/graph/verify.ts';
import type { Data, Engine } from '../../src-main/inference/engine.ts';
import { randomData, relativeDifference, seededRandom } from '../support/graphs.ts';
import { allEngines, runOnce } from './allEngines.ts';
import { processorTolerance } from './compare.ts';
import { expectSameProjections, someLayers } from './expectParity.ts';
import { alexNetShaped, squeezeNetShaped } from './networks.ts';

let engines: Engine[];
beforeAll(async () => {
  engines = await allEngines();
});
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

const networks: readonly (readonly [name: string, graph: Graph, image: Data])[] = [
  ['AlexNet', verify(alexNetShaped(1)), randomData(seededRandom(2), [2, 3, 67, 67])],
  ['SqueezeNet', verify(squeezeNetShaped(3)), randomData(seededRandom(4), [3, 3, 48, 48])],
];

describe.each(networks)('small %s', (_, graph, image) => {
  it('gives the same values in every layer on every engine', async () => {
    const [reference, ...others] = engines as [Engine, ...Engine[]];
    const expected = await runOnce(reference, graph, { image });
    for (const engine of others) {
      const actual = await runOnce(engine, graph, { image });
      for (const name of graph.outputs) {
        const [theirs, ours] = [actual.get(name)!, expected.get(name)!];
        if (ours.data instanceof BigInt64Array) {
          const different = ours.data.reduce((count, value, at) => count + (value === theirs.data[at] ? 0 : 1), 0);
          expect(different / ours.data.length, `${engine.description}: ${name}`).toBeLessThanOrEqual(processorTolerance.decisions);
        } else {
          expect(relativeDifference(theirs, ours), `${engine.description}: ${name}`).toBeLessThanOrEqual(processorTolerance.values);
        }
      }
    }
  });

  it('is projected to the same pictures from every layer, by every method, on every engine', async () => {
    const [reference, ...others] = engines as [Engine, ...Engine[]];
    const subject = { graph, imageInput: 'image', pictures: image };
    for (const engine of others) await expectSameProjections(reference, engine, subject, someLayers(graph, 'image'), processorTolerance);
  });

  it('is no trivial network: every layer has values of both sizes, and the images differ', async () => {
    const values = await runOnce(engines[0]!, graph, { image });
    for (const [name, { shape, data }] of values) {
      if (!(data instanceof Float32Array)) continue;
      const perImage = data.length / shape[0]!;
      expect(new Set(data).size, name).toBeGreaterThan(perImage / 4);
      expect(data.subarray(0, perImage), name).not.toEqual(data.subarray(perImage, 2 * perImage));
    }
  });

  it('gives an image the same values whatever its company in the batch, to rounding', async () => {
    const perImage = image.data.length / image.shape[0]!;
    const alone: Data = { shape: [1, ...image.shape.slice(1)], data: image.data.slice(0, perImage) as Float32Array };
    const last = graph.outputs.at(-1)!;
    for (const engine of engines) {
      const together = (await runOnce(engine, graph, { image }, [last])).get(last)!;
      const single = (await runOnce(engine, graph, { image: alone }, [last])).get(last)!;
      expect(relativeDifference({ shape: single.shape, data: together.data.slice(0, single.data.length) }, single), engine.description).toBeLessThanOrEqual(1e-5);
    }
  });
});
