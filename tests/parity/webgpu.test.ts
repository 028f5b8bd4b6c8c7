/**
 * Both ways to a GPU, onnxruntime's WebGPU and TensorFlow.js's, against the reference: every op kind, and a small network forward and down. On
 * the software GPU that Debian's chromium brings this is slow: a shader takes a tenth of a second to compile.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createGraphBuilder } from '../../src-main/graph/build.ts';
import { verify } from '../../src-main/graph/verify.ts';
import type { Data, Engine } from '../../src-main/inference/engine.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { createReferenceEngine } from '../../src-main/inference/reference/engine.ts';
import { createTensorflowEngine } from '../../src-main/inference/tensorflow/engine.ts';
import { feedsOf, opCases } from '../oracle/opCases.ts';
import { floatData, oneNodeGraph, randomData, randomTensor, relativeDifference, seededRandom, windowOf } from '../support/graphs.ts';
import { missingGpu } from '../support/softwareGpu.ts';
import { describeWhere } from '../support/testData.ts';
import { runOnce } from './allEngines.ts';
import { gpuTolerance } from './compare.ts';
import { expectSameForward, expectSameProjections, someLayers, subjectOf } from './expectParity.ts';
import { alexNetShaped } from './networks.ts';

const makers = [
  ['onnxruntime', () => createOnnxruntimeEngine({ device: 'webgpu' })],
  ['TensorFlow.js', () => createTensorflowEngine({ device: 'webgpu' })],
] as const;

for (const [name, create] of makers) {
  describeWhere(`${name} on webgpu`, await missingGpu(), () => {
    const reference = createReferenceEngine();
    let engine: Engine;
    beforeAll(async () => {
      engine = await create();
    });
    afterAll(() => engine.close());

    it('tells which GPU it is, and whether the processor plays it', async () => {
      const adapter = (await engine.adapter!())!;
      expect(adapter.driver.length).toBeGreaterThan(3);
      expect(adapter.software).toBe(/swiftshader/i.test(adapter.driver));
    });

    it.each(opCases)('%s %s', async (kind, _title, graph) => {
      const feeds = feedsOf(graph);
      // A shader need not make NaN of the logarithm of a negative number.
      if (kind === 'Log') for (const { data } of Object.values(feeds)) (data as Float32Array).forEach((value, at) => (data[at] = Math.abs(value) + 1e-3));
      await same(graph, feeds);
    });

    // The shapes that shaders take by special paths: threes, fours and ones, in and out, with and without groups.
    it.each([
      [6, 8, 1, 3], [9, 4, 1, 3], [18, 16, 1, 5], [5, 8, 1, 3], [3, 8, 1, 3], [12, 8, 1, 1],
      [12, 12, 2, 3], [8, 24, 4, 1], [4, 12, 4, 3], [6, 6, 6, 3], [18, 8, 2, 3], [6, 10, 2, 3],
    ])('Conv of %i channels to %i in %i groups, kernel %i', async (channels, outputs, group, kernel) => {
      const random = seededRandom(channels * 100 + outputs);
      const weights = [randomTensor(random, 'w', [outputs, channels / group, kernel, kernel]), randomTensor(random, 'b', [outputs])];
      const attributes = { ...windowOf([kernel, kernel], { pads: [kernel >> 1, kernel >> 1, kernel >> 1, kernel >> 1] }), group };
      await same(oneNodeGraph('Conv', [{ name: 'x', shape: ['batch', channels, 7, 8] }, ...weights], attributes), { x: randomData(random, [2, channels, 7, 8]) });
    });

    it.each([[6, 3, 3, 1], [8, 2, 2, 2], [12, 6, 6, 2], [8, 12, 4, 2], [4, 4, 4, 2], [9, 6, 3, 1]])('ConvTranspose of %i channels to %i in %i groups, stride %i', async (channels, outputs, group, stride) => {
      const random = seededRandom(channels * 100 + outputs + stride);
      const weights = [randomTensor(random, 'w', [channels, outputs / group, 3, 3]), randomTensor(random, 'b', [outputs])];
      const attributes = { ...windowOf([3, 3], { strides: [stride, stride], pads: [1, 1, 1, 1] }), group, outputPadding: [0, 0] as const };
      await same(oneNodeGraph('ConvTranspose', [{ name: 'x', shape: ['batch', channels, 5, 6] }, ...weights], attributes), { x: randomData(random, [2, channels, 5, 6]) });
    });

    it.each([
      ['overlapping', windowOf([3, 3], { strides: [2, 2], pads: [1, 0, 1, 2] })],
      ['with gaps', windowOf([2, 2], { strides: [3, 3] })],
      ['dilated and uneven', windowOf([2, 3], { strides: [3, 2], dilations: [2, 3], pads: [1, 2, 0, 1] })],
      ['at stride 1', windowOf([3, 3], { pads: [1, 1, 1, 1] })],
    ])('unpools to the first maximum and sums shared winners: windows %s', async (_title, attributes) => {
      const builder = createGraphBuilder('there and back');
      builder.input('x', 'float32', ['batch', 3, 9, 10]);
      const [y, switches] = builder.add('MaxPool', ['x'], attributes, { outputs: ['y', 'switches'] }) as [string, string];
      builder.input('signal', 'float32', builder.valueOf(y).shape);
      builder.add('Unpool', ['signal', switches], { height: 9, width: 10 }, { outputs: ['back'] });
      const graph = verify(builder.finish(['y', 'back']));
      const random = seededRandom(99);
      // Whole numbers tie all the time, and half of the windows hold nothing but zeros.
      const x = floatData([2, 3, 9, 10], Array.from({ length: 540 }, (_, at) => (at % 10 < 5 ? 0 : Math.floor(3 * random()))));
      const [, , rows, columns] = graph.values.get('y')!.shape as [unknown, unknown, number, number];
      await same(graph, { x, signal: randomData(random, [2, 3, rows, columns]) }, 1e-6);
    });

    it.each([1, 7, 56])('ranks by the first of equal maxima on a map of %i rows', async (size) => {
      const x = randomData(seededRandom(size), [2, 3, size, size]);
      (x.data as Float32Array).forEach((value, at, all) => (all[at] = Math.max(0, Math.round(2 * value))));
      await same(oneNodeGraph('SpatialMax', [{ name: 'x', shape: ['batch', 3, size, size] }], {}, ['y', 's']), { x });
    });

    it('agrees on a small AlexNet forward in every layer, and down from two of them', { timeout: 300_000 }, async () => {
      const network = alexNetShaped(1);
      const subject = subjectOf(network, 'image', 5);
      await expectSameForward(reference, engine, subject, gpuTolerance);
      const [, , , , conv5] = someLayers(network, 'image');
      const parity = await expectSameProjections(reference, engine, subject, [conv5!, someLayers(network, 'image').at(-1)!], gpuTolerance);
      expect(parity.compared).toBe(6);
    });

    async function same(graph: Parameters<typeof runOnce>[1], feeds: Readonly<Record<string, Data>>, tolerance = 1e-5): Promise<void> {
      const [expected, actual] = [await runOnce(reference, graph, feeds), await runOnce(engine, graph, feeds)];
      for (const output of graph.outputs) {
        const isFloat = expected.get(output)!.data instanceof Float32Array;
        expect(relativeDifference(actual.get(output)!, expected.get(output)!), output).toBeLessThanOrEqual(isFloat ? tolerance : 0);
      }
    }
  });
}
