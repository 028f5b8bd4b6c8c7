/** The Keras networks of data/models: they run, and compute what TensorFlow.js' layers compute with the same weights. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { valueOf } from '../../src-main/graph/graph.ts';
import { selectLayers } from '../../src-main/graph/layerSelection.ts';
import { readHdf5 } from '../../src-main/importers/keras/hdf5.ts';
import { openModel } from '../../src-main/importers/open.ts';
import { preprocessingOf } from '../../src-main/importers/preprocessing.ts';
import type { Engine } from '../../src-main/inference/engine.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { relativeDifference } from '../support/graphs.ts';
import { dataPath, describeWithData } from '../support/testData.ts';
import { channelsFirst, channelsLast, layers, pictures, tf } from '../unit/importers/kerasTwin.ts';

const mnist = 'models/keras/vkapitany-mnist/mnist_cnn.h5';
const cifar = 'models/keras/cafenoctua/cifar10_cnn.h5';
const weightsOnly = 'models/keras/cihanerman/cifar10_cnn.h5';

describeWithData('Keras networks', [mnist, cifar, weightsOnly], () => {
  let engine: Engine;
  beforeAll(async () => {
    await tf.setBackend('cpu');
    engine = await createOnnxruntimeEngine({ device: 'cpu' });
  });
  afterAll(() => engine.close());

  it('MNIST of Keras 2.3.1, functional, one channel', async () => {
    const { model, report, sizeBytes } = await openModel(dataPath(mnist));
    expect([model.format, model.provenance, model.imageInput, sizeBytes]).toEqual(['keras', 'Keras 2.3.1, backend tensorflow', 'input_1', 2192680]);
    expect(valueOf(model.graph, 'input_1').shape).toEqual(['batch', 1, 28, 28]);
    expect(preprocessingOf(model).preprocessing.order).toBe('grey');
    expect(selectLayers(model.graph).map(({ name }) => name)).toEqual(['conv2d_1', 'conv2d_2', 'dense_1', 'dense_2/Gemm']);
    expect(report.operators.map(({ op, count }) => [op, count])).toEqual([['Conv2D', 2], ['MaxPooling2D', 2], ['Flatten', 1], ['Dense', 2]]);
    expect(await differenceFromTwin(mnist, [1, 28, 28])).toBeLessThan(1e-5);
  });

  it('CIFAR-10 of Keras 2.2.4-tf, sequential, with the optimizer\'s weights beside', async () => {
    const { model } = await openModel(dataPath(cifar));
    expect(selectLayers(model.graph).map(({ name, channels }) => [name, channels])).toEqual([['conv2d', 16], ['conv2d_1', 32], ['dense', 120], ['dense_1', 84], ['dense_2/Gemm', 10]]);
    expect(preprocessingOf(model).preprocessing).toEqual({ order: 'rgb', crop: [32, 32], resize: { kind: 'exact' }, scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] });
    expect(await differenceFromTwin(cifar, [3, 32, 32])).toBeLessThan(1e-5);
  });

  it('a file of weights alone is refused with what to do', async () => {
    await expect(openModel(dataPath(weightsOnly))).rejects.toThrow(
      'cifar10_cnn.h5 holds only the weights of a Keras network (12 layers: conv2d, conv2d_1, max_pooling2d ...), not the network itself. In the program that made it, load them and save the whole network: model.load_weights("cifar10_cnn.h5"); model.save("model.keras")',
    );
  });

  async function differenceFromTwin(path: string, size: readonly [number, number, number]): Promise<number> {
    const given = pictures([3, ...size]);
    const { model } = await openModel(dataPath(path));
    const [output] = model.graph.outputs as readonly [string];
    const session = await engine.compile(model.graph);
    const actual = (await session.run(new Map([[model.imageInput, given]]), [output])).get(output)!;
    await session.close();
    const twin = await twinOf(path);
    return relativeDifference(actual, channelsFirst(twin.predict(channelsLast(given)) as tf.Tensor));
  }
});

/** The file's description and weights in TensorFlow.js. */
async function twinOf(path: string): Promise<layers.LayersModel> {
  return readHdf5(readFileSync(dataPath(path)), path, async (file) => {
    const model = layers.models.modelFromJSON({ modelTopology: { model_config: JSON.parse(file.text('', 'model_config')!) as never } } as never);
    const weights = new Map(
      file.children('model_weights').flatMap((group) => (file.texts(`model_weights/${group}`, 'weight_names') ?? []).map((name) => [name, file.array(`model_weights/${group}/${name}`)!] as const)),
    );
    const made = await model;
    for (const layer of made.layers) {
      layer.setWeights(layer.weights.map(({ originalName }) => {
        const { shape, data } = weights.get(`${originalName}:0`)!;
        return tf.tensor(data, [...shape]);
      }));
    }
    return made;
  });
}
