/**
 * Nine real topologies (data/INDEX.md, onnx-light). As they come, their weights are one constant, so reproducing the given output only shows that
 * nothing falls over. Filled with seeded values, every value of every network is compared with onnxruntime on the file itself.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layersOf } from '../../src-main/geometry/layers.ts';
import type { Graph } from '../../src-main/graph/graph.ts';
import { constantOf } from '../../src-main/importers/onnx/constants.ts';
import { onnxSchema, type OnnxTensor } from '../../src-main/importers/onnx/messages.ts';
import { readOnnx, type ReadableOnnxModel } from '../../src-main/importers/onnx/read.ts';
import { openModel } from '../../src-main/importers/open.ts';
import { readMessage } from '../../src-main/importers/protobuf/readMessage.ts';
import { writeMessage } from '../../src-main/importers/protobuf/writeMessage.ts';
import type { Data, Engine } from '../../src-main/inference/engine.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { projectionGraph } from '../../src-main/rewrite/backward/projectionGraph.ts';
import { methods } from '../../src-shared/domain/projection.ts';
import { relativeDifference } from '../support/graphs.ts';
import { fillWeights, lightNetworks, normalNumbers } from '../support/lightNetworks.ts';
import { dataPath, describeWithData } from '../support/testData.ts';

/** Size, stride and offset of conv1..conv5: the numbers of method.md, but that this ZFNet-512 has no pad on conv1, so its offsets lie one pixel further in. */
const receptiveFieldsOf: Partial<Record<(typeof lightNetworks)[number], readonly (readonly number[])[]>> = {
  zfnet512: [[7, 2, 0], [27, 8, 0], [75, 16, -16], [107, 16, -32], [139, 16, -48]],
  bvlc_alexnet: [[11, 4, 0], [51, 8, -16], [99, 16, -32], [131, 16, -48], [163, 16, -64]],
};
const inputSize = 3 * 224 * 224;

describeWithData('onnx-light', ['onnx-light'], () => {
  let engine: Engine;
  let folder: string;
  beforeAll(async () => {
    engine = await createOnnxruntimeEngine({ device: 'cpu' });
    folder = mkdtempSync(join(tmpdir(), 'switchback-onnx-light-'));
  });
  afterAll(async () => {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const net of lightNetworks) {
    describe(net, () => {
      const path = dataPath(`onnx-light/light_${net}.onnx`);

      it('imports without a warning and gives the given output', async () => {
        const { model, report } = await openModel(path);
        expect(report.warnings).toEqual([]);
        const ramp = Float32Array.from({ length: inputSize }, (_, index) => index / inputSize);
        const output = model.graph.outputs[0]!;
        const results = await runGraph(engine, model.graph, model.imageInput, ramp, 1, [output]);
        const expected = constantOf(readMessage<OnnxTensor>(onnxSchema, 'Tensor', readFileSync(dataPath(`onnx-light/light_${net}_output_0.pb`))));
        expect(relativeDifference(results.get(output)!, expected as Data)).toBeLessThan(1e-5);
      });

      it('agrees with onnxruntime on every value when its weights are filled', async () => {
        const filled = fillWeights(readOnnx(readFileSync(path), path), 20131311);
        const filledPath = join(folder, `${net}.onnx`);
        writeFileSync(filledPath, writeMessage(onnxSchema, 'Model', filled));
        const random = normalNumbers(7);
        const images = Float32Array.from({ length: 2 * inputSize }, random);

        const values = filled.graph.nodes.flatMap((node) => node.outputs.slice(0, 1));
        const expected = await runFile(filled, values, images.subarray(0, inputSize));
        const { model } = await openModel(filledPath);
        const compared = values.filter((name) => model.graph.values.has(name));
        const weights = new Set(filled.graph.initializers.map((tensor) => tensor.name));
        const left = filled.graph.nodes.filter((node) => !compared.includes(node.outputs[0]!));
        expect(left.filter((node) => !node.inputs.every((input) => weights.has(input))), 'only reshaped weights are computed at import').toEqual([]);
        const results = await runGraph(engine, { ...model.graph, outputs: compared }, model.imageInput, images, 2, compared);
        const worst = compared
          .map((name) => {
            const wanted = { shape: expected[name]!.dims, data: expected[name]!.data as Float32Array };
            const { shape, data } = results.get(name)!;
            const first = { shape: [1, ...shape.slice(1)], data: data.subarray(0, wanted.data.length) as Float32Array };
            return { name, difference: relativeDifference(first, wanted) };
          })
          .sort((a, b) => b.difference - a.difference)[0]!;
        expect(worst.difference, `worst at ${worst.name}`).toBeLessThan(1e-4);

        // The way down from every layer, by every method, is a graph; from some layers it is run.
        const layers = layersOf(model.graph, model.imageInput);
        expect(layers.length).toBeGreaterThan(4);
        for (const layer of layers) for (const method of methods) projectionGraph(model.graph, model.imageInput, layer.name, method);
        for (const layer of [layers[0]!, layers[Math.floor(layers.length / 2)]!, layers.at(-1)!]) {
          const { graph, image, seed, projection } = projectionGraph(model.graph, model.imageInput, layer.name, 'deconvnet');
          const [, channels, height = 1, width = 1] = model.graph.values.get(layer.name)!.shape as number[];
          const seeds = new Float32Array(channels! * height * width).map((_, at) => (at % (height * width) === Math.floor((height * width) / 2) ? 1 : 0));
          const session = await engine.compile(graph);
          const fed: ReadonlyMap<string, Data> = new Map([
            [image, { shape: [1, 3, 224, 224], data: images.subarray(0, inputSize) }],
            [seed, { shape: model.graph.values.get(layer.name)!.shape.map((size) => (size === 'batch' ? 1 : size)), data: seeds }],
          ]);
          const drawn = (await session.run(fed, [projection])).get(projection)!.data as Float32Array;
          await session.close();
          expect(drawn.every(Number.isFinite), layer.name).toBe(true);
          expect(drawn.some((value) => value !== 0), `${layer.name} reaches the image`).toBe(true);
        }
        rmSync(filledPath);
      });

      const fields = receptiveFieldsOf[net];
      if (!fields) return;
      it('has the receptive fields of method.md', async () => {
        const { model } = await openModel(path);
        const convolutions = layersOf(model.graph, model.imageInput).filter((layer) => layer.kind === 'conv');
        expect(convolutions.map(({ receptiveField: { size, stride, offset } }) => [size, stride, offset].map(([rows, columns]) => (rows === columns ? rows : NaN)))).toEqual(fields);
      });
    });
  }
});

async function runGraph(engine: Engine, graph: Graph, input: string, images: Float32Array, batch: number, fetches: readonly string[]): Promise<ReadonlyMap<string, Data>> {
  const session = await engine.compile(graph);
  const results = await session.run(new Map([[input, { shape: [batch, 3, 224, 224], data: images }]]), fetches);
  await session.close();
  return results;
}

/** onnxruntime on the file's own operators, every value an output, batch of one as the file says. */
async function runFile(file: ReadableOnnxModel, values: readonly string[], image: Float32Array): Promise<InferenceSession.ReturnType> {
  const outputs = values.map((name) => ({ name, type: { tensorType: { elementType: 1 } } }));
  const bytes = writeMessage(onnxSchema, 'Model', { ...file, graph: { ...file.graph, outputs } });
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const results = await session.run({ [session.inputNames[0]!]: new RuntimeTensor('float32', image, [1, 3, 224, 224]) });
  await session.release();
  return results;
}
