/** TensorFlow.js layers models: every layer type against TensorFlow.js itself, names, quantised weights, and what a broken file is told. */
import { beforeAll, describe, expect, it } from 'vitest';
import { selectLayers } from '../../../src-main/graph/layerSelection.ts';
import { differenceFromTwin, fillWeights, importJson, layers, pictures, saveModel, tf, type Saved } from './kerasTwin.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type Build = () => layers.LayersModel;

const sequence = (list: () => readonly layers.layers.Layer[]): Build => () => layers.sequential({ layers: [...list()] });
const l = layers.layers;
const inputShape = [11, 9, 3];

const networks: Readonly<Record<string, Build>> = {
  'valid and same convolutions with strides, dilation, no bias': sequence(() => [
    l.conv2d({ inputShape, filters: 4, kernelSize: [3, 2], strides: [2, 3], padding: 'same', activation: 'relu' }),
    l.conv2d({ filters: 5, kernelSize: 2, dilationRate: 2, padding: 'same', useBias: false, activation: 'tanh' }),
    l.conv2d({ filters: 3, kernelSize: 2, padding: 'valid', activation: 'sigmoid' }),
  ]),
  'depthwise and separable convolutions': sequence(() => [
    l.depthwiseConv2d({ inputShape, kernelSize: 3, depthMultiplier: 2, strides: [2, 2], padding: 'same', activation: 'relu6' }),
    l.separableConv2d({ filters: 5, kernelSize: 3, depthMultiplier: 2, padding: 'same', activation: 'elu' }),
  ]),
  'transposed convolutions, same and valid, kernel above and below the stride': sequence(() => [
    l.conv2dTranspose({ inputShape: [4, 5, 3], filters: 4, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }),
    l.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 3, padding: 'valid' }),
    l.conv2dTranspose({ filters: 3, kernelSize: 4, strides: 2, padding: 'valid' }),
    l.conv2dTranspose({ filters: 2, kernelSize: 1, strides: 2, padding: 'same' }),
  ]),
  'pools whose same padding is uneven': sequence(() => [
    l.maxPooling2d({ inputShape, poolSize: 3, strides: 2, padding: 'same' }),
    l.averagePooling2d({ poolSize: 2, strides: 2, padding: 'same' }),
    l.maxPooling2d({ poolSize: 2, strides: 1, padding: 'valid' }),
    l.globalAveragePooling2d({}),
  ]),
  'flatten and dense in channels-last order': sequence(() => [
    l.conv2d({ inputShape, filters: 4, kernelSize: 3, activation: 'selu' }),
    l.flatten(),
    l.dense({ units: 6, activation: 'softplus' }),
    l.dropout({ rate: 0.5 }),
    l.dense({ units: 4, activation: 'softmax' }),
  ]),
  'batch normalisation with and without scale and centre; global maximum': sequence(() => [
    l.conv2d({ inputShape, filters: 4, kernelSize: 3 }),
    l.batchNormalization({}),
    l.activation({ activation: 'relu' }),
    l.batchNormalization({ scale: false, epsilon: 0.01 }),
    l.globalMaxPooling2d({}),
    l.batchNormalization({ center: false }),
  ]),
  'layer normalisation, 1 x 1 dense on a picture': sequence(() => [
    l.conv2d({ inputShape, filters: 4, kernelSize: 3 }),
    l.layerNormalization({ axis: -1 }),
    l.dense({ units: 3, activation: 'relu' }),
    l.dense({ units: 4, activation: 'softmax' }),
  ]),
  'rectifiers': sequence(() => [
    l.conv2d({ inputShape, filters: 4, kernelSize: 3 }),
    l.leakyReLU({ alpha: 0.2 }),
    l.reLU({ maxValue: 2 }),
    l.conv2d({ filters: 4, kernelSize: 1 }),
    l.elu({}),
    l.prelu({ sharedAxes: [1, 2] }),
    l.conv2d({ filters: 4, kernelSize: 2 }),
    l.prelu({}),
    l.thresholdedReLU({ theta: 0.3 }),
    l.conv2d({ filters: 4, kernelSize: 1, activation: 'hardSigmoid' }),
    l.conv2d({ filters: 4, kernelSize: 1, activation: 'swish' }),
    l.conv2d({ filters: 4, kernelSize: 1, activation: 'mish' }),
  ]),
  'padding, cropping, nearest enlargement': sequence(() => [
    l.zeroPadding2d({ inputShape, padding: [[1, 2], [0, 3]] }),
    l.conv2d({ filters: 2, kernelSize: 3 }),
    l.cropping2D({ cropping: [[1, 0], [2, 1]] }),
    l.upSampling2d({ size: [2, 3] }),
  ]),
  'reshape and permute in the file\'s axes': sequence(() => [
    l.conv2d({ inputShape: [6, 4, 3], filters: 4, kernelSize: 1 }),
    l.reshape({ targetShape: [4, 6, 4] }),
    l.permute({ dims: [2, 1, 3] }),
    l.conv2d({ filters: 2, kernelSize: 2 }),
    l.permute({ dims: [3, 1, 2] }),
    l.flatten(),
    l.dense({ units: 3 }),
  ]),
  'merges of branches, a shared layer, two outputs': () => {
    const input = layers.input({ shape: inputShape, name: 'picture' });
    const shared = l.conv2d({ filters: 3, kernelSize: 3, padding: 'same', activation: 'relu', name: 'shared' });
    const a = shared.apply(input) as layers.SymbolicTensor;
    const b = shared.apply(a) as layers.SymbolicTensor;
    const c = l.conv2d({ filters: 3, kernelSize: 1 }).apply(b) as layers.SymbolicTensor;
    const sum = l.add().apply([a, b, c]) as layers.SymbolicTensor;
    const product = l.multiply().apply([sum, c]) as layers.SymbolicTensor;
    const average = l.average().apply([product, a]) as layers.SymbolicTensor;
    const larger = l.maximum().apply([average, c]) as layers.SymbolicTensor;
    const smaller = l.minimum().apply([larger, sum]) as layers.SymbolicTensor;
    const joined = l.concatenate({ axis: -1 }).apply([smaller, larger]) as layers.SymbolicTensor;
    const gate = l.dense({ units: 6, activation: 'sigmoid' }).apply(l.globalAveragePooling2d({}).apply(joined)) as layers.SymbolicTensor;
    const gated = l.multiply().apply([joined, l.reshape({ targetShape: [1, 1, 6] }).apply(gate) as layers.SymbolicTensor]) as layers.SymbolicTensor;
    return layers.model({ inputs: input, outputs: [gated, gate] });
  },
  'a network as a layer of another': () => {
    const inner = layers.sequential({ name: 'inner', layers: [l.conv2d({ inputShape: [9, 7, 4], filters: 3, kernelSize: 3, activation: 'relu', name: 'conv' }), l.batchNormalization({ name: 'norm' })] });
    return layers.sequential({ layers: [l.conv2d({ inputShape, filters: 4, kernelSize: 3, name: 'conv_before' }), inner, l.flatten(), l.dense({ units: 2 })] });
  },
};

describe('TensorFlow.js layers models compute what TensorFlow.js computes', () => {
  it.each(Object.keys(networks))('%s', async (name) => {
    const model = fillWeights(networks[name]!(), 7);
    const [, height, width, channels] = model.inputs[0]!.shape as [null, number, number, number];
    const { json, shard } = await saveModel(model);
    const { model: imported } = await importJson(json, { 'shard.bin': shard });
    expect(await differenceFromTwin(model, imported, pictures([2, channels, height, width]))).toBeLessThan(2e-6);
  });
});

describe('what a person sees of a layers model', () => {
  let saved: Saved;
  beforeAll(async () => {
    const model = layers.sequential({
      layers: [
        l.conv2d({ inputShape: [8, 8, 3], filters: 4, kernelSize: 3, activation: 'relu', name: 'stem' }),
        l.conv2d({ filters: 5, kernelSize: 3, name: 'middle' }),
        l.batchNormalization({ name: 'norm' }),
        l.reLU({ name: 'rectified' }),
        l.flatten({ name: 'flat' }),
        l.dense({ units: 2, activation: 'softmax', name: 'classes' }),
      ],
    });
    saved = await saveModel(fillWeights(model, 3));
  });

  it('a value is called like the layer that made it; before an inline activation it has a derived name', async () => {
    const { model, report } = await importJson(saved.json, { 'shard.bin': saved.shard });
    expect(model.graph.nodes.map(({ kind, name, outputs }) => `${name} = ${kind} -> ${outputs[0]}`)).toEqual([
      'stem = Conv -> stem/Conv',
      'stem/Relu = Relu -> stem',
      'middle = Conv -> middle',
      'norm = BatchNormalization -> norm',
      'rectified = Relu -> rectified',
      'flat/Turn = Transpose -> flat/Turn',
      'flat = Reshape -> flat',
      'classes = Gemm -> classes/Gemm',
      'classes/Softmax = Softmax -> classes',
    ]);
    expect(selectLayers(model.graph).map(({ name, title, kind }) => [name, title, kind])).toEqual([
      ['stem', 'stem', 'conv'],
      ['rectified', 'middle', 'conv'],
      ['classes/Gemm', 'classes', 'gemm'],
    ]);
    expect([model.format, model.imageInput, model.graph.outputs]).toEqual(['tensorflowjs', 'stem_input', ['classes']]);
    expect(report.operators).toEqual([
      { op: 'Conv2D', count: 2, kinds: ['Conv', 'Relu'] },
      { op: 'BatchNormalization', count: 1, kinds: ['BatchNormalization'] },
      { op: 'ReLU', count: 1, kinds: ['Relu'] },
      { op: 'Flatten', count: 1, kinds: ['Transpose', 'Reshape'] },
      { op: 'Dense', count: 1, kinds: ['Gemm', 'Softmax'] },
    ]);
  });

  it('quantised weights: value * scale + min in 8 and 16 bits, and half floats; two shards cut inside a weight', async () => {
    const weights = [
      { name: 'stem/kernel', shape: [1, 1, 1, 4], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.5, min: -1 } },
      { name: 'stem/bias', shape: [4], dtype: 'float32', quantization: { dtype: 'float16' } },
      { name: 'classes/kernel', shape: [4, 1], dtype: 'float32', quantization: { dtype: 'uint16', scale: 0.25, min: 2 } },
    ];
    const config = { name: 'net', layers: [
      { class_name: 'Conv2D', config: { name: 'stem', batch_input_shape: [null, 1, 1, 1], filters: 4, kernel_size: [1, 1] } },
      { class_name: 'Flatten', config: { name: 'flat' } },
      { class_name: 'Dense', config: { name: 'classes', units: 1, use_bias: false } },
    ] };
    // Bytes 0, 1, 2, 255; half floats 1, -2, 0.5, 2^-24; 16-bit 0, 4, 256, 65535.
    const bytes = Uint8Array.of(0, 1, 2, 255, 0x00, 0x3c, 0x00, 0xc0, 0x00, 0x38, 0x01, 0x00, 0, 0, 4, 0, 0, 1, 0xff, 0xff);
    const json = { modelTopology: { class_name: 'Sequential', config }, weightsManifest: [{ paths: ['a', 'b'], weights }] };
    const { model } = await importJson(json, { a: bytes.subarray(0, 7), b: bytes.subarray(7) });
    const tensor = (name: string): number[] => [...(model.graph.tensors.get(name)!.data as Float32Array)];
    expect(tensor('stem/kernel')).toEqual([-1, -0.5, 0, 126.5]);
    expect(tensor('stem/bias')).toEqual([1, -2, 0.5, 2 ** -24]);
    expect(tensor('classes/kernel')).toEqual([2, 3, 66, 16385.75]);
  });

  const failure = async (change: (json: Saved['json']) => void, files: Readonly<Record<string, Uint8Array>> = { 'shard.bin': saved.shard }): Promise<string> => {
    const json = structuredClone(saved.json);
    change(json);
    return importJson(json, files).then(() => 'no error', (error: Error) => error.message);
  };

  it('a missing shard, a short shard, missing weights, an unknown layer, a wrong shape, an open size', async () => {
    expect(await failure(() => {}, {})).toBe('model.json needs the file "shard.bin" beside it, which is not there. Put it into the same folder.');
    expect(await failure(() => {}, { 'shard.bin': saved.shard.subarray(0, 100) })).toBe(
      'The weights of model.json are broken: "stem/kernel" (3 x 3 x 3 x 4 float32) ends at byte 432, but shard.bin has only 100. Download or convert the model again.',
    );
    expect(await failure((json) => (json.weightsManifest[0]!.weights = json.weightsManifest[0]!.weights.filter(({ name }) => name !== 'norm/moving_variance')))).toBe(
      'model.json holds no moving_variance for its layer "norm" (BatchNormalization). Save the whole trained model again.',
    );
    expect(await failure((json) => (layersOf(json)[1]!.class_name = 'LSTM'))).toBe(
      'model.json uses the layer type LSTM in layer "middle", which Switchback cannot run. Export the network to ONNX with tf2onnx, or cut it off before that layer.',
    );
    expect(await failure((json) => (layersOf(json)[0]!.config['batch_input_shape'] = [null, null, null, 3]))).toBe(
      'The input "stem_input" of model.json leaves its height and width open (shape [?, ?, ?, 3]). Say which size to use, for example --crop 224.',
    );
    expect(await failure((json) => (layersOf(json)[0]!.config['batch_input_shape'] = [null, 8, 8, 4]))).toBe(
      'Layer "stem" (Conv2D) does not fit: weights [4, 3, 3, 3] do not fit 4 channels in 1 group(s) with a 3 x 3 kernel.',
    );
    expect(await failure((json) => (layersOf(json)[1]!.config['strides'] = 'a'))).toBe('Layer "middle" (Conv2D) has strides "a" instead of 2 whole numbers.');
    expect(await failure((json) => (layersOf(json)[0]!.config['activation'] = 'cube'))).toMatch(/^Layer "stem" \(Conv2D\) has the activation "cube", which Switchback cannot run; known are linear, relu, /);
    expect(await failure((json) => (json.weightsManifest[0]!.weights[0]!.shape = [2 ** 40, 2 ** 12]))).toMatch(/"stem\/kernel" \(1099511627776 x 4096 float32\) ends at byte \d+, but shard.bin has only \d+/);
    expect(await failure((json) => delete (json as Partial<Saved['json']>).weightsManifest)).toBe('model.json describes a network but names no weights (weightsManifest). Save it with model.save(), which writes both.');
  });
});

interface LayerJson {
  class_name: string;
  config: Record<string, unknown>;
}

function layersOf(json: Saved['json']): LayerJson[] {
  return (json.modelTopology as unknown as { config: { layers: LayerJson[] } }).config.layers;
}
