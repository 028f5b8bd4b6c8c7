/** The trained networks of data/models: what their import says, and that they compute what onnxruntime computes on the file itself. */
import { readFileSync } from 'node:fs';
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { valueOf } from '../../src-main/graph/graph.ts';
import { fedInputs } from '../../src-main/importers/onnx/imageInput.ts';
import { dataTypeNumbers, onnxSchema } from '../../src-main/importers/onnx/messages.ts';
import { readOnnx } from '../../src-main/importers/onnx/read.ts';
import { openModel } from '../../src-main/importers/open.ts';
import { preprocessingOf } from '../../src-main/importers/preprocessing.ts';
import { writeMessage } from '../../src-main/importers/protobuf/writeMessage.ts';
import type { Data, Engine } from '../../src-main/inference/engine.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { randomData, relativeDifference, seededRandom } from '../support/graphs.ts';
import { dataPath, describeWithData } from '../support/testData.ts';

const files = ['models/squeezenet1.1.onnx', 'models/alexnet-conv1-pool5.onnx', 'models/squeezenet1.1-float16-opset7.onnx'];

describeWithData('trained ONNX models', files, () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createOnnxruntimeEngine({ device: 'cpu' });
  });
  afterAll(() => engine.close());

  it('squeezenet1.1: report, preprocessing and logits', async () => {
    const path = dataPath('models/squeezenet1.1.onnx');
    const { model, report, modelHash, sizeBytes } = await openModel(path);
    expect(model.provenance).toBe('IR 6, opset 11, producer assembled-from-npy');
    expect([model.imageInput, valueOf(model.graph, 'data').shape]).toEqual(['data', ['batch', 3, 224, 224]]);
    expect(model.graph.outputs.map((name) => valueOf(model.graph, name))).toEqual([{ name: 'logits', dataType: 'float32', shape: ['batch', 1000] }]);
    expect(report).toEqual({
      operators: [
        { op: 'Conv', count: 26, kinds: ['Conv'] },
        { op: 'Relu', count: 26, kinds: ['Relu'] },
        { op: 'MaxPool', count: 3, kinds: ['MaxPool'] },
        { op: 'Concat', count: 8, kinds: ['Concat'] },
        { op: 'GlobalAveragePool', count: 1, kinds: ['GlobalAveragePool'] },
        { op: 'Flatten', count: 1, kinds: ['Reshape'] },
      ],
      warnings: [],
    });
    expect([modelHash.slice(0, 8), modelHash.length, sizeBytes]).toEqual(['04f602fa', 64, 4951597]);
    const { preprocessing, source } = preprocessingOf(model);
    expect(preprocessing).toEqual({
      order: 'rgb',
      crop: [224, 224],
      resize: { kind: 'shorterSide', pixels: 256 },
      scale: 1 / 255,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    });
    expect(source).toBe('Guessed: three-channel ONNX networks mostly take RGB from 0 to 1, normalised by the ImageNet mean and deviation; the file does not say how its pictures were prepared.');
    expect(await differenceFromFile(path, [3, 224, 224])).toBeLessThan(1e-5);
  });

  it('alexnet conv1 to pool5: grouped convolutions and LRN', async () => {
    const path = dataPath('models/alexnet-conv1-pool5.onnx');
    const { model } = await openModel(path);
    expect(preprocessingOf(model).preprocessing.resize).toEqual({ kind: 'shorterSide', pixels: 259 });
    expect(model.graph.nodes.flatMap((node) => (node.kind === 'Conv' ? [node.attributes.group] : []))).toEqual([1, 2, 1, 2, 2]);
    expect(await differenceFromFile(path, [3, 227, 227])).toBeLessThan(1e-5);
  });

  it('float16 weights become float32; initializers listed as inputs are none', async () => {
    const path = dataPath('models/squeezenet1.1-float16-opset7.onnx');
    const { model } = await openModel(path);
    expect(model.graph.inputs).toEqual([{ name: 'data_0', dataType: 'float32', shape: ['batch', 3, 224, 224] }]);
    expect([...model.graph.tensors.values()].every((tensor) => tensor.dataType === 'float32')).toBe(true);
    // onnxruntime rounds every value of the original to 11 bits.
    expect(await differenceFromFile(path, [3, 224, 224], withFloatEnds)).toBeLessThan(2e-2);
  });

  /** Largest difference over the largest value, of the second image of a batch of three. */
  async function differenceFromFile(path: string, size: readonly number[], change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes): Promise<number> {
    const images = randomData(seededRandom(3), [3, ...size], 50);
    const { model } = await openModel(path);
    const [output] = model.graph.outputs as readonly [string];
    const session = await engine.compile(model.graph);
    const result = (await session.run(new Map([[model.imageInput, images]]), [output])).get(output)!;
    await session.close();

    const original = await InferenceSession.create(change(readFileSync(path)), { logSeverityLevel: 3 });
    const count = images.data.length / 3;
    const image = (images.data as Float32Array).subarray(count, 2 * count);
    const expected = (await original.run({ [original.inputNames[0]!]: new RuntimeTensor('float32', image, [1, ...size]) }))[original.outputNames[0]!]!;
    await original.release();
    const values = expected.data as Float32Array;
    const row = (result.data as Float32Array).subarray(values.length, 2 * values.length);
    const shape = expected.dims;
    return relativeDifference({ shape, data: row } satisfies Data, { shape, data: values });
  }
});

/** The float16 file with a cast at both ends: onnxruntime-node cannot be fed float16. */
function withFloatEnds(bytes: Uint8Array): Uint8Array {
  const file = readOnnx(bytes, 'float16');
  const { graph } = file;
  const [input] = fedInputs(graph);
  const [output] = graph.outputs;
  const float = (name: string): object => ({ name, type: { tensorType: { elementType: dataTypeNumbers.float32 } } });
  const cast = (from: string, to: string, type: number): object => ({ opType: 'Cast', inputs: [from], outputs: [to], attributes: [{ name: 'to', type: 2, i: type }] });
  const nodes = [cast('image', input!.name!, dataTypeNumbers.float16), ...graph.nodes, cast(output!.name!, 'result', dataTypeNumbers.float32)];
  const inputs = [float('image'), ...graph.inputs.filter((each) => each !== input)];
  return writeMessage(onnxSchema, 'Model', { ...file, graph: { ...graph, nodes, inputs, outputs: [float('result')] } });
}
