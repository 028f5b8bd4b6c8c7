/** The trained TensorFlow.js networks of data/models: equal to TensorFlow.js on the same input, and right on their own demonstration images. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeImage } from '../../src-main/dataset/decode.ts';
import { normalizePixels } from '../../src-main/dataset/normalize.ts';
import { layersOf } from '../../src-main/geometry/layers.ts';
import { valueOf } from '../../src-main/graph/graph.ts';
import { openModel } from '../../src-main/importers/open.ts';
import { preprocessingOf } from '../../src-main/importers/preprocessing.ts';
import type { Data, Engine } from '../../src-main/inference/engine.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { relativeDifference } from '../support/graphs.ts';
import { dataPath, describeWithData } from '../support/testData.ts';
import { channelsFirst, channelsLast, layers, pictures, tf, type Saved } from '../unit/importers/kerasTwin.ts';

const tinyVgg = 'models/tensorflowjs/tiny-vgg/model.json';
const doodlenet = 'models/tensorflowjs/doodlenet/model.json';

/** In the order of the network's outputs, as its demonstration images are called. */
const classes = ['boat', 'bug', 'pizza', 'pepper', 'bus', 'koala', 'espresso', 'panda', 'orange', 'car'];

describeWithData('trained TensorFlow.js models', [tinyVgg, doodlenet], () => {
  let engine: Engine;
  beforeAll(async () => {
    await tf.setBackend('cpu');
    engine = await createOnnxruntimeEngine({ device: 'cpu' });
  });
  afterAll(() => engine.close());

  it('tiny-vgg: 14 of its 20 demonstration images are right, and all probabilities are those of TensorFlow.js', async () => {
    const { model, report, sizeBytes } = await openModel(dataPath(tinyVgg));
    expect([model.format, model.provenance]).toEqual(['tensorflowjs', 'TensorFlow.js layers model, keras v2.2.4-tf, TensorFlow.js Converter v1.3.1.1']);
    expect(sizeBytes).toBe(4695 + 79680);
    expect(report.operators.map(({ op, count }) => [op, count])).toEqual([['Conv2D', 4], ['Activation', 4], ['MaxPooling2D', 2], ['Flatten', 1], ['Dense', 1]]);
    expect(layersOf(model.graph, model.imageInput).map(({ name, title, channels, receptiveField }) => [name, title, channels, receptiveField.size[0]])).toEqual([
      ['relu_1_1', 'conv_1_1', 10, 3],
      ['relu_1_2', 'conv_1_2', 10, 5],
      ['relu_2_1', 'conv_2_1', 10, 10],
      ['relu_2_2', 'conv_2_2', 10, 14],
      ['output/Gemm', 'output', 10, 64],
    ]);
    const { preprocessing } = preprocessingOf(model);
    expect(preprocessing).toEqual({ order: 'rgb', crop: [64, 64], resize: { kind: 'exact' }, scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] });
    const folder = dataPath('models/tensorflowjs/tiny-vgg/img');
    const images = readdirSync(folder).filter((name) => classes.includes(name.split('_')[0]!)).sort();
    const pixels = Buffer.concat(await Promise.all(images.map(async (name) => (await decodeImage(join(folder, name), preprocessing)).pixels)));
    const given: Data = { shape: [images.length, 3, 64, 64], data: normalizePixels(pixels, preprocessing, images.length) };
    const result = await run(model.imageInput, 'output', given, tinyVgg);
    const right = images.filter((name, row) => classes.indexOf(name.split('_')[0]!) === largestAt(result, row));
    expect([images.length, right.length]).toEqual([20, 14]);
    expect(relativeDifference(result, await twin(tinyVgg, given))).toBeLessThan(1e-5);
  });

  it('doodlenet: one channel, 345 classes, equal to TensorFlow.js', async () => {
    const { model } = await openModel(dataPath(doodlenet));
    expect(valueOf(model.graph, 'conv2d_input').shape).toEqual(['batch', 1, 28, 28]);
    expect(preprocessingOf(model).preprocessing.order).toBe('grey');
    const given = pictures([3, 1, 28, 28]);
    expect(relativeDifference(await run('conv2d_input', 'dense_1', given, doodlenet), await twin(doodlenet, given))).toBeLessThan(1e-5);
  });

  async function run(input: string, output: string, given: Data, path: string): Promise<Data> {
    const { model } = await openModel(dataPath(path));
    const session = await engine.compile(model.graph);
    const result = (await session.run(new Map([[input, given]]), [output])).get(output)!;
    await session.close();
    return result;
  }
});

function largestAt({ shape, data }: Data, row: number): number {
  const values = [...(data as Float32Array).subarray(row * shape[1]!, (row + 1) * shape[1]!)];
  return values.indexOf(Math.max(...values));
}

/** The file's own network in TensorFlow.js. */
async function twin(path: string, given: Data): Promise<Data> {
  const json = JSON.parse(readFileSync(dataPath(path), 'utf8')) as Saved['json'];
  const [group] = json.weightsManifest;
  const shards = group!.paths.map((name) => readFileSync(dataPath(join(path, '..', name))));
  const model = await layers.loadLayersModel(tf.io.fromMemory({ modelTopology: json.modelTopology, weightSpecs: group!.weights as never, weightData: new Uint8Array(Buffer.concat(shards)).buffer }));
  return channelsFirst(model.predict(channelsLast(given)) as tf.Tensor);
}
