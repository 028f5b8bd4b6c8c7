/** The Caffe networks of data/models: the same numbers as the ONNX form of the same weights, the accuracy they are known for, and the geometry of networks without weights. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { changePreprocessing, type PreprocessingChanges } from '../../src-main/dataset/preprocessing.ts';
import { decodeImage } from '../../src-main/dataset/decode.ts';
import { normalizePixels } from '../../src-main/dataset/normalize.ts';
import { scanImages } from '../../src-main/dataset/scan.ts';
import { layersOf } from '../../src-main/geometry/layers.ts';
import { valueOf, type Graph } from '../../src-main/graph/graph.ts';
import { verify } from '../../src-main/graph/verify.ts';
import { readTopology } from '../../src-main/importers/caffe/format.ts';
import { openModel } from '../../src-main/importers/open.ts';
import { preprocessingOf } from '../../src-main/importers/preprocessing.ts';
import type { Data, Engine } from '../../src-main/inference/engine.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { randomData, relativeDifference, seededRandom } from '../support/graphs.ts';
import { dataPath, describeWithData } from '../support/testData.ts';

const caffe = 'models/caffe';
const cifar = `${caffe}/cifar10-v1`;

describeWithData('Caffe SqueezeNet', [`${caffe}/squeezenet_v1.1.caffemodel`, 'models/squeezenet1.1-float16-opset7.onnx'], () => {
  it('equals its float16 ONNX form in all 66 values at 224', async () => {
    const { model: fromCaffe } = await openModel(dataPath(`${caffe}/squeezenet_v1.1.caffemodel`), { inputSize: [224, 224] });
    const { model: fromOnnx } = await openModel(dataPath('models/squeezenet1.1-float16-opset7.onnx'));
    const image = randomData(seededRandom(11), [1, 3, 224, 224], 50);
    const engine = await createOnnxruntimeEngine({ device: 'cpu' });
    const values = await allValues(engine, fromCaffe.graph, image);
    const expected = await allValues(engine, fromOnnx.graph, image);
    await engine.close();

    expect(fromCaffe.graph.nodes.map(({ kind }) => kind)).toEqual(fromOnnx.graph.nodes.map(({ kind }) => kind));
    expect(values).toHaveLength(66);
    // All weights of the Caffe file are half floats already, so nothing is rounded between the two.
    const differences = values.map((value, at) => [fromCaffe.graph.nodes[at]!.name, relativeDifference(value, expected[at]!)] as const);
    expect(differences.filter(([, difference]) => difference > 1e-6)).toEqual([]);
  });

  it('is the same model whichever of its files is opened', async () => {
    const opened = await Promise.all(['caffemodel', 'prototxt'].map((end) => openModel(dataPath(`${caffe}/squeezenet_v1.1.${end}`))));
    expect(opened.map(({ model }) => model.provenance)).toEqual(new Array(2).fill('Caffe V2, squeezenet_v1.1.prototxt with squeezenet_v1.1.caffemodel'));
    expect(new Set(opened.map(({ modelHash }) => modelHash)).size).toBe(1);
    expect(opened.map(({ sizeBytes }) => sizeBytes)).toEqual([4956867, 4956867]);
    expect(valueOf(opened[0]!.model.graph, 'data').shape).toEqual(['batch', 3, 227, 227]);
    expect(preprocessingOf(opened[0]!.model).preprocessing).toMatchObject({ order: 'bgr', scale: 1, mean: [104, 117, 123], std: [1, 1, 1] });
  });
});

describeWithData('Caffe V1 networks', [cifar, 'photos/cifar10-test'], () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createOnnxruntimeEngine({ device: 'cpu' });
  });
  afterAll(() => engine.close());

  it('cifar10_full is right on about 80 % of its test images, and on fewer with the channels swapped', async () => {
    const file = dataPath(`${cifar}/cifar10_full_iter_60000.caffemodel`);
    expect(await shareRight(file, { order: 'rgb', mean: [125.3, 123, 113.9] })).toSatisfy(near(0.8));
    expect(await shareRight(file, { order: 'bgr', mean: [113.9, 123, 125.3] })).toSatisfy(near(0.645));
  });

  it('cifar10_quick is right on about 73 %', async () => {
    expect(await shareRight(dataPath(`${cifar}/cifar10_quick_iter_5000.caffemodel`), { order: 'rgb', mean: [125.3, 123, 113.9] })).toSatisfy(near(0.735));
  });

  it('names what is made in place after the layer that made it', async () => {
    const { model, report } = await openModel(dataPath(`${cifar}/cifar10_full_iter_60000.caffemodel`));
    expect(layersOf(model.graph, 'data').map(({ name, title }) => [name, title])).toEqual([['conv1', 'conv1'], ['relu2', 'conv2'], ['relu3', 'conv3'], ['ip1', 'ip1']]);
    expect(report.operators.find(({ op }) => op === 'LRN')).toEqual({ op: 'LRN', count: 2, kinds: ['Pow', 'AveragePool', 'Mul', 'Add'] });
  });

  it('lenet tells a one from a seven, drawn by hand', async () => {
    const { model } = await openModel(dataPath(`${cifar}/lenet.prototxt`));
    const { preprocessing } = preprocessingOf(model);
    expect([preprocessing.order, preprocessing.scale]).toEqual(['grey', 1 / 256]);
    const one = drawn((y, x) => y >= 4 && y < 24 && x >= 13 && x < 16);
    const seven = drawn((y, x) => (y >= 4 && y < 7 && x >= 7 && x < 21) || (y >= 7 && y < 24 && Math.abs(x - (20 - (y - 7) * 0.5)) < 1.6));
    expect([await mostProbable(model.graph, one), await mostProbable(model.graph, seven)]).toEqual([1, 7]);
  });

  async function mostProbable(graph: Graph, data: Float32Array): Promise<number> {
    const session = await engine.compile(graph);
    const result = await session.run(new Map([['data', { shape: [1, 1, 28, 28], data }]]), ['prob']);
    await session.close();
    return largestAt(result.get('prob')!.data as Float32Array);
  }

  async function shareRight(file: string, changes: PreprocessingChanges): Promise<number> {
    const { model } = await openModel(file);
    const preprocessing = changePreprocessing(preprocessingOf(model).preprocessing, changes);
    const { root, images } = await scanImages(dataPath('photos/cifar10-test'));
    const classes = [...new Set(images.map(({ path }) => path.split('/')[0]!))].sort();
    expect([images.length, classes.length]).toEqual([200, 10]);
    const session = await engine.compile(model.graph);
    let right = 0;
    for (const image of images) {
      const { pixels } = await decodeImage(join(root, image.file), preprocessing);
      const data = { shape: [1, 3, 32, 32], data: normalizePixels(pixels, preprocessing, 1) };
      const result = await session.run(new Map([[model.imageInput, data]]), ['prob']);
      if (classes[largestAt(result.get('prob')!.data as Float32Array)] === image.path.split('/')[0]) right++;
    }
    await session.close();
    return right / images.length;
  }
});

/** File below topologies/: number of layers, then some layers as `size / stride / offset` of their receptive field. */
const topologies: Readonly<Record<string, readonly [count: number, fields: Readonly<Record<string, string>>, inputSize?: readonly [number, number]]>> = {
  'BVLC-caffe/bvlc_reference_caffenet/deploy.prototxt': [8, { conv1: '11/4/0', conv2: '51/8/-16', conv3: '99/16/-32', conv4: '131/16/-48', conv5: '163/16/-64', fc8: '227/0/0' }],
  'BVLC-caffe/bvlc_alexnet/deploy.prototxt': [8, { conv1: '11/4/0', conv2: '51/8/-16', conv3: '99/16/-32', conv4: '131/16/-48', conv5: '163/16/-64', fc8: '227/0/0' }],
  'BVLC-caffe/bvlc_reference_rcnn_ilsvrc13/deploy.prototxt': [8, { conv1: '11/4/0', conv5: '163/16/-64', 'fc-rcnn': '227/0/0' }],
  'BVLC-caffe/bvlc_googlenet/deploy.prototxt': [58, { 'conv1/7x7_s2': '7/2/-3', 'conv2/3x3': '19/4/-7', 'inception_3a/3x3': '43/8/-15', 'inception_3a/5x5': '59/8/-23' }],
  'net-archive/hybrid-cnn-places/hybridCNN_deploy.prototxt': [8, { conv1: '11/4/0', conv2: '51/8/-16', conv3: '99/16/-32', conv4: '131/16/-48', conv5: '163/16/-64' }],
  'net-archive/age_gender/deploy_age.prototxt': [6, { conv1: '7/4/0', conv2: '47/8/-16', conv3: '95/16/-32' }],
  'net-archive/modified_vgg_16/VGG_ILSVRC_16_layers_fc_reduced_deploy.prototxt': [16, {
    conv1_1: '3/1/-1', conv1_2: '5/1/-2', conv2_1: '10/2/-4', conv2_2: '14/2/-6', conv3_1: '24/4/-10', conv3_3: '40/4/-18', conv4_3: '92/8/-42', conv5_3: '196/16/-90', fc6: '404/32/-186',
  }],
  'net-archive/resnet/ResNet-50-deploy.prototxt': [70, { conv1: '7/2/-3', res2a: '19/4/-7', res5c: '483/32/-239' }],
  'net-archive/nin_imagenet/train_val.prototxt': [12, { conv1: '11/4/0', conv2: '51/8/-16', cccp3: '51/8/-16', 'cccp8-1024': '195/32/-64' }],
  'net-archive/nin-cifar10/train_val.prototxt': [9, { conv1: '5/1/-2', conv2: '15/2/-6', conv3: '27/4/-10' }, [32, 32]],
  'net-archive/holistically-nested/deploy.prototxt': [23, { conv1_1: '3/1/-35', conv2_1: '10/2/-38', conv5_3: '196/16/-124', upsample_16: '227/1/-155' }],
  'net-archive/collection-semantic-segmentation/voc-fcn8s/deploy.prototxt': [21, { conv1_1: '3/1/-100', conv5_3: '196/16/-189', fc6: '404/32/-189', fc7: '404/32/-189' }],
};

describeWithData('Caffe networks without weights', [`${caffe}/topologies`], () => {
  it.each(Object.entries(topologies))('%s', (file, [count, fields, inputSize]) => {
    const bytes = readFileSync(dataPath(`${caffe}/topologies/${file}`));
    const { graph, imageInput } = readTopology(bytes, basename(file), inputSize ? { inputSize } : {});
    verify(graph);
    const layers = layersOf(graph, imageInput);
    expect(layers).toHaveLength(count);
    const found = Object.keys(fields).map((title) => {
      const { size, stride, offset } = layers.find((layer) => layer.title === title)!.receptiveField;
      expect([size[0], stride[0], offset[0]]).toEqual([size[1], stride[1], offset[1]]);
      return [title, `${size[0]}/${stride[0]}/${offset[0]}`];
    });
    expect(Object.fromEntries(found)).toEqual(fields);
  });

  it('a data layer without a crop asks for the size', () => {
    const bytes = readFileSync(dataPath(`${caffe}/topologies/net-archive/nin-cifar10/train_val.prototxt`));
    expect(() => readTopology(bytes, 'train_val.prototxt')).toThrow('The input "data" of train_val.prototxt leaves its height and width open. Say which size to use, for example --crop 224.');
  });

  it('is not opened as a model', async () => {
    await expect(openModel(dataPath(`${caffe}/topologies/BVLC-caffe/bvlc_alexnet/deploy.prototxt`))).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'deploy.prototxt describes a Caffe network, but its weights are missing: there is no .caffemodel beside it. Put the .caffemodel into the same folder.',
    });
  });

  it('gives its import report all the same, which says that nothing can be indexed', async () => {
    const { model, report } = await openModel(dataPath(`${caffe}/topologies/BVLC-caffe/bvlc_reference_caffenet/deploy.prototxt`), { withoutWeights: true });
    const convolutions = layersOf(model.graph, model.imageInput).filter((layer) => layer.kind === 'conv');
    expect(convolutions.map(({ receptiveField }) => receptiveField.size[0])).toEqual([11, 51, 99, 131, 163]);
    expect(report.warnings).toEqual([
      'deploy.prototxt describes a Caffe network, but its weights are missing: there is no .caffemodel beside it. Put the .caffemodel into the same folder. Until then its layers can be read, but nothing can be indexed.',
    ]);
  });
});

/** The value that each node makes, in graph order. */
async function allValues(engine: Engine, graph: Graph, image: Data): Promise<readonly Data[]> {
  const outputs = graph.nodes.map((node) => node.outputs[0]!);
  const session = await engine.compile({ ...graph, outputs });
  const values = await session.run(new Map([[graph.inputs[0]!.name, image]]), outputs);
  await session.close();
  return outputs.map((output) => values.get(output)!);
}

/** Within two of the two hundred images. */
function near(share: number): (value: number) => boolean {
  return (value) => Math.abs(value - share) <= 0.0101;
}

function largestAt(values: Float32Array): number {
  return values.indexOf(Math.max(...values));
}

/** White strokes on black, as lenet takes them: 0 to 255 / 256. */
function drawn(isStroke: (y: number, x: number) => boolean): Float32Array {
  return Float32Array.from({ length: 784 }, (_, at) => (isStroke(Math.floor(at / 28), at % 28) ? 255 / 256 : 0));
}
