/**
 * Keras files: networks of TensorFlow.js' layers are written as `.h5` and `.keras`, as Keras 1 to 3 write them, and read back; the twin says what they
 * compute. And what a file is told that holds something else, or lies about its sizes.
 */
import { strToU8 } from 'fflate';
import h5wasm from 'h5wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { kerasFormat } from '../../../src-main/importers/keras/format.ts';
import { createNetwork } from '../../../src-main/importers/keras/network.ts';
import { resize } from '../../../src-main/importers/keras/resize.ts';
import { relativeDifference } from '../../support/graphs.ts';
import { archive, groupsIn, hdf5, legacyFile, put } from './kerasFiles.ts';
import { channelsFirst, differenceFromTwin, fillWeights, filesBeside, layers, pictures, runImported, saveModel, tf } from './kerasTwin.ts';

const l = layers.layers;

beforeAll(async () => {
  await tf.setBackend('cpu');
  await h5wasm.ready;
});

interface Description {
  class_name: string;
  config: { name: string; layers: LayerJson[] };
}

interface LayerJson {
  class_name: string;
  config: Record<string, unknown>;
}

const open = async (bytes: Uint8Array, name: string) => kerasFormat.convert(bytes, name, {}, filesBeside({}));
const message = (bytes: Uint8Array, name: string): Promise<string> => open(bytes, name).then(() => 'no error', (error: Error) => error.message);
const descriptionOf = async (model: layers.LayersModel): Promise<Description> => (await saveModel(model)).json.modelTopology as Description;

const sequential = (): layers.LayersModel =>
  fillWeights(
    layers.sequential({
      name: 'net',
      layers: [
        l.conv2d({ inputShape: [9, 8, 3], filters: 4, kernelSize: 3, padding: 'same', strides: 2, activation: 'relu', name: 'stem' }),
        l.separableConv2d({ filters: 5, kernelSize: 3, name: 'separate' }),
        l.batchNormalization({ name: 'norm' }),
        l.depthwiseConv2d({ kernelSize: 2, name: 'depth' }),
        l.flatten({ name: 'flat' }),
        l.dense({ units: 3, activation: 'softmax', name: 'classes' }),
      ],
    }),
    5,
  );

describe('Keras HDF5 files compute what their twin computes', () => {
  const given = pictures([2, 3, 9, 8]);

  it('as Keras 2 writes them; the optimizer is left alone', async () => {
    const model = sequential();
    const { model: imported, report } = await open(await legacyFile(model, await descriptionOf(model)), 'net.h5');
    expect([imported.format, imported.provenance]).toEqual(['keras', 'Keras 2.11.0, backend tensorflow']);
    expect(report.operators.map(({ op }) => op)).toEqual(['Conv2D', 'SeparableConv2D', 'BatchNormalization', 'DepthwiseConv2D', 'Flatten', 'Dense']);
    expect(imported.graph.nodes.flatMap(({ kind, name }) => (kind === 'Conv' ? [name] : []))).toEqual(['stem', 'separate/depthwise', 'separate', 'depth']);
    expect(await differenceFromTwin(model, imported, given)).toBeLessThan(2e-6);
  });

  it('with a scope in front of the names, with names of a layer that was renamed later, with lists cut into parts', async () => {
    const model = sequential();
    const description = await descriptionOf(model);
    for (const dialect of [{ naming: (name: string) => `net/${name}` }, { naming: (name: string) => `old/${name.split('/')[1]!}:0` }, { cut: true }, { version: '3.4.1', naming: (name: string) => name.split('/')[1]! }]) {
      const { model: imported } = await open(await legacyFile(model, description, dialect), 'net.h5');
      expect(await differenceFromTwin(model, imported, given)).toBeLessThan(2e-6);
    }
  });

  it('as Keras 1 wrote them', async () => {
    const model = fillWeights(
      layers.sequential({
        layers: [
          l.conv2d({ inputShape: [9, 8, 3], filters: 4, kernelSize: [3, 2], strides: [2, 1], padding: 'same', activation: 'relu', name: 'convolution2d_1' }),
          l.flatten({ name: 'flatten_1' }),
          l.dense({ units: 3, name: 'dense_1' }),
        ],
      }),
      5,
    );
    const old = { class_name: 'Sequential', config: [
      { class_name: 'Convolution2D', config: { name: 'convolution2d_1', batch_input_shape: [null, 9, 8, 3], nb_filter: 4, nb_row: 3, nb_col: 2, subsample: [2, 1], border_mode: 'same', dim_ordering: 'tf', activation: 'relu', bias: true } },
      { class_name: 'Flatten', config: { name: 'flatten_1' } },
      { class_name: 'Dense', config: { name: 'dense_1', output_dim: 3, activation: 'linear', bias: true } },
    ] };
    const naming = (name: string): string => name.replace('/kernel', '_W').replace('/bias', '_b');
    const { model: imported } = await open(await legacyFile(model, old, { version: '1.2.2', naming }), 'old.h5');
    expect(await differenceFromTwin(model, imported, given)).toBeLessThan(2e-6);
    old.config[0]!.config.dim_ordering = 'th';
    expect(await message(await legacyFile(model, old, { version: '1.2.2', naming }), 'old.h5')).toBe(
      'Layer "convolution2d_1" (Convolution2D) has weights in Theano\'s order (dim_ordering th), as Keras 1 wrote them; load and save the network with Keras 2.',
    );
  });

  it('channels first: no value is turned but where it is flattened', async () => {
    const model = fillWeights(
      layers.sequential({
        layers: [
          l.conv2d({ inputShape: [3, 9, 8], filters: 4, kernelSize: 3, padding: 'same', dataFormat: 'channelsFirst', activation: 'relu', name: 'conv' }),
          l.maxPooling2d({ poolSize: 2, dataFormat: 'channelsFirst', name: 'pool' }),
          l.flatten({ dataFormat: 'channelsFirst', name: 'flat' }),
          l.dense({ units: 3, name: 'dense' }),
        ],
      }),
      5,
    );
    const { model: imported } = await open(await legacyFile(model, await descriptionOf(model)), 'first.h5');
    expect(imported.graph.nodes.map(({ kind }) => kind)).toEqual(['Conv', 'Relu', 'MaxPool', 'Transpose', 'Reshape', 'Gemm']);
    const expected = channelsFirst(model.predict(tf.tensor(given.data as Float32Array, [...given.shape])) as tf.Tensor);
    expect(relativeDifference((await runImported(imported, given))[0]!, expected)).toBeLessThan(2e-6);
  });
});

/** The functional description as Keras 3 writes it. */
const tensorOf = (layer: string): object => ({ class_name: '__keras_tensor__', config: { shape: [null, 1], dtype: 'float32', keras_history: [layer, 0, 0] } });
const call = (...from: string[]): object[] => [{ args: from.length === 1 ? [tensorOf(from[0]!)] : [from.map(tensorOf)], kwargs: {} }];
const layer = (type: string, name: string, config: object, from: object[]): object => ({ module: 'keras.layers', class_name: type, name, config: { name, dtype: { class_name: 'DTypePolicy', config: { name: 'float32' } }, ...config }, inbound_nodes: from });

describe('.keras archives compute what their twin computes', () => {
  it('a functional network with a branch, a network as a layer, classes numbered in their order', async () => {
    const input = layers.input({ shape: [8, 8, 3], name: 'picture' });
    const stem = l.conv2d({ filters: 4, kernelSize: 3, padding: 'same', activation: 'relu', name: 'stem' });
    const inner = layers.sequential({ name: 'block', layers: [l.conv2d({ inputShape: [8, 8, 4], filters: 4, kernelSize: 3, padding: 'same', name: 'stem' }), l.batchNormalization({ name: 'norm' })] });
    const second = l.conv2d({ filters: 4, kernelSize: 1, name: 'second' });
    const classes = l.dense({ units: 3, name: 'classes' });
    const a = stem.apply(input) as layers.SymbolicTensor;
    const sum = l.add({ name: 'sum' }).apply([inner.apply(a) as layers.SymbolicTensor, second.apply(a) as layers.SymbolicTensor]);
    const out = classes.apply(l.globalAveragePooling2d({ name: 'pool' }).apply(sum)) as layers.SymbolicTensor;
    const model = fillWeights(layers.model({ inputs: input, outputs: out }), 9);
    fillWeights(inner, 10);
    const conv = (size: number, padding: string, activation: string) => ({ filters: 4, kernel_size: [size, size], strides: [1, 1], padding, data_format: 'channels_last', dilation_rate: [1, 1], groups: 1, activation, use_bias: true });
    const description = {
      module: 'keras.src.models.functional',
      class_name: 'Functional',
      registered_name: 'Functional',
      config: {
        name: 'functional_1',
        layers: [
          layer('InputLayer', 'picture', { batch_shape: [null, 8, 8, 3] }, []),
          layer('Conv2D', 'stem', { ...conv(3, 'same', 'linear'), activation: { module: 'builtins', class_name: 'function', config: 'relu', registered_name: 'function' } }, call('picture')),
          { module: 'keras', class_name: 'Sequential', name: 'block', inbound_nodes: call('stem'), config: { name: 'block', layers: [
            { class_name: 'InputLayer', config: { name: 'input_layer_1', batch_shape: [null, 8, 8, 4] } },
            { class_name: 'Conv2D', config: { name: 'stem', ...conv(3, 'same', 'linear') } },
            { class_name: 'BatchNormalization', config: { name: 'norm', axis: -1, epsilon: 0.001, scale: true, center: true } },
          ] } },
          layer('Conv2D', 'second', conv(1, 'valid', 'linear'), call('stem')),
          layer('Add', 'sum', {}, call('block', 'second')),
          layer('GlobalAveragePooling2D', 'pool', { data_format: 'channels_last', keepdims: false }, call('sum')),
          layer('Dense', 'classes', { units: 3, activation: 'linear', use_bias: true }, call('pool')),
        ],
        input_layers: [['picture', 0, 0]],
        output_layers: ['classes', 0, 0],
      },
    };
    const of = (name: string, from: layers.LayersModel = model) => from.getLayer(name).getWeights();
    const places = (word: string) => ({
      [`${word}/conv2d`]: of('stem'),
      [`${word}/sequential/${word}/conv2d`]: of('stem', inner),
      [`${word}/sequential/${word}/batch_normalization`]: of('norm', inner),
      [`${word}/conv2d_1`]: of('second'),
      [`${word}/dense`]: of('classes'),
    });
    for (const word of ['layers', '_layer_checkpoint_dependencies']) {
      const { model: imported } = await open(await archive(places(word), description), 'net.keras');
      expect(imported.provenance).toBe('Keras 3.8.0 archive');
      // Two layers of the same name: the inner one is called after its network, too.
      expect(imported.graph.nodes.map(({ outputs }) => outputs[0])).toEqual(['stem/Conv', 'stem', 'block/stem', 'norm', 'second', 'sum', 'pool/GlobalAveragePool', 'pool', 'classes']);
      expect(await differenceFromTwin(model, imported, pictures([2, 3, 8, 8]))).toBeLessThan(2e-6);
    }
  });
});

/** A 1 x 1 convolution that changes nothing, then one layer; pictures of one channel. */
async function afterIdentity(type: string, config: object, picture: readonly number[], size: readonly [number, number] = [1, picture.length], version = '2.11.0'): Promise<readonly number[]> {
  const description = { class_name: 'Sequential', config: { name: 'one', layers: [
    { class_name: 'Conv2D', config: { name: 'same', batch_input_shape: [null, ...size, 1], filters: 1, kernel_size: 1, use_bias: false } },
    { class_name: type, config: { name: 'layer', ...config } },
  ] } };
  const bytes = await hdf5((file) => {
    file.create_attribute('keras_version', version);
    file.create_attribute('model_config', JSON.stringify(description));
    const groupAt = groupsIn(file);
    put(groupAt, 'model_weights/same/same/kernel:0', tf.ones([1, 1, 1, 1]));
    groupAt('model_weights/same').create_attribute('weight_names', ['same/kernel:0']);
  });
  const { model } = await open(bytes, 'one.h5');
  const [result] = await runImported(model, { shape: [1, 1, ...size], data: Float32Array.from(picture) });
  return [...(result!.data as Float32Array)].map((value) => Math.round(value * 1e5) / 1e5);
}

describe('settings that only Keras has, by hand', () => {
  it.each<[string, string, object, readonly number[], readonly number[]]>([
    ['ReLU with a ceiling', 'ReLU', { max_value: 6 }, [-2, 3, 7], [0, 3, 6]],
    ['ReLU with a slope and a ceiling', 'ReLU', { max_value: 2, negative_slope: 0.5 }, [-2, 1, 3], [-1, 1, 2]],
    ['ReLU with a threshold', 'ReLU', { threshold: 1.5 }, [-2, 1, 2], [0, 0, 2]],
    ['LeakyReLU as Keras 3 writes it', 'LeakyReLU', { negative_slope: 0.1 }, [-2, 1], [-0.2, 1]],
    ['ELU with alpha', 'ELU', { alpha: 2 }, [-1, 1], [-1.26424, 1]],
    ['Rescaling', 'Rescaling', { scale: 0.5, offset: -1 }, [0, 2, 4], [-1, 0, 1]],
    ['Normalization by its settings', 'Normalization', { axis: [-1], mean: [2], variance: [4] }, [0, 2, 6], [-1, 0, 2]],
    ['GELU', 'Activation', { activation: 'gelu' }, [-1, 0, 2], [-0.15866, 0, 1.9545]],
    ['hard sigmoid of Keras 2', 'Activation', { activation: 'hard_sigmoid' }, [-3, 1], [0, 0.7]],
    ['bilinear enlargement with half pixel centres', 'UpSampling2D', { size: [1, 2], interpolation: 'bilinear' }, [0, 4, 8], [0, 1, 3, 5, 7, 8]],
  ])('%s', async (_title, type, config, picture, expected) => {
    expect(await afterIdentity(type, config, picture)).toEqual(expected);
  });

  it('hard sigmoid of Keras 3; a threshold together with a slope and code are refused', async () => {
    expect(await afterIdentity('Activation', { activation: 'hard_sigmoid' }, [-3, 1.5], [1, 2], '3.8.0')).toEqual([0, 0.75]);
    await expect(afterIdentity('ReLU', { threshold: 1, negative_slope: 0.5 }, [1])).rejects.toThrow('Layer "layer" (ReLU) has both a threshold (1) and a negative slope (0.5).');
    await expect(afterIdentity('Lambda', {}, [1])).rejects.toThrow('one.h5 uses the layer type Lambda in layer "layer", whose code is not in the file.');
  });
});

describe('resizing', () => {
  it('no output position looks outside the window that is noted for it', () => {
    for (const interpolation of ['nearest', 'bilinear'] as const) {
      for (const centres of ['half', 'whole', 'corners'] as const) {
        for (const [from, to] of [[4, 8], [5, 13], [9, 4], [7, 2], [3, 100]] as const) {
          const network = createNetwork('resize');
          network.begin('Resize', 'resize');
          network.publish(resize(network, network.input('x', ['batch', 1, from, 1]), [to, 1], { interpolation, centres }), 'y');
          const { graph } = network.finish(['resize|SpatialLinear']);
          const [node] = graph.nodes;
          if (node?.kind !== 'SpatialLinear') throw new Error('no SpatialLinear');
          const { data } = graph.tensors.get(node.inputs[1]!)!;
          const { size, stride, offset } = node.attributes.window;
          for (let row = 0; row < to; row++) {
            const shares = Array.from({ length: from }, (_, column) => Number(data[row * from + column]));
            expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
            const seen = shares.flatMap((share, column) => (share > 0 ? [column] : []));
            expect(seen[0], `${interpolation} ${centres} ${from} ${to} ${row}`).toBeGreaterThanOrEqual(offset + stride * row - 1e-9);
            expect(seen.at(-1)! + 1, `${interpolation} ${centres} ${from} ${to} ${row}`).toBeLessThanOrEqual(offset + stride * row + size + 1e-9);
          }
        }
      }
    }
  });
});

describe('files that hold something else, or lie', () => {
  it('no network, no Keras, cut off, broken description', async () => {
    const weightsOnly = await hdf5((file) => file.create_attribute('layer_names', ['conv2d', 'dense']));
    expect(await message(weightsOnly, 'w.h5')).toBe(
      'w.h5 holds only the weights of a Keras network (2 layers: conv2d, dense), not the network itself. In the program that made it, load them and save the whole network: model.load_weights("w.h5"); model.save("model.keras")',
    );
    expect(await message(await hdf5((file) => file.create_attribute('title', 'measurements')), 'm.h5')).toBe('m.h5 is an HDF5 file, but holds no Keras network. Open the file that model.save() wrote.');
    const whole = await legacyFile(sequential(), await descriptionOf(sequential()));
    expect(await message(whole.subarray(0, 3000), 'cut.h5')).toMatch(/^cut\.h5 is a broken or cut off HDF5 file \(.+\)\. Download or save it again\.$/);
    expect(await message(await hdf5((file) => file.create_attribute('model_config', '{"class_name":')), 'b.h5')).toMatch(/^The network described in b\.h5 is broken JSON \(.+\)\. Save it again\.$/);
    expect(await message(await hdf5((file) => file.create_attribute('model_config', '{"class_name": "Mine", "config": {}}')), 'c.h5')).toMatch(/^c\.h5 holds a network of the class "Mine", which only its own program can rebuild/);
  });

  it('an array that claims more than the file could hold', async () => {
    const description = { class_name: 'Sequential', config: { layers: [{ class_name: 'Conv2D', config: { name: 'conv', batch_input_shape: [null, 8, 8, 3], kernel_size: 3 } }] } };
    const bytes = await hdf5((file) => {
      file.create_attribute('model_config', JSON.stringify(description));
      const group = file.create_group('model_weights').create_group('conv');
      group.create_attribute('weight_names', ['kernel']);
      group.create_dataset({ name: 'kernel', data: new Float32Array(4), shape: [2, 2], maxshape: [null, null], chunks: [2, 2] }).resize([2 ** 20, 2 ** 20]);
    });
    expect(await message(bytes, 'bomb.h5')).toBe(`bomb.h5 is a broken HDF5 file: its array model_weights/conv/kernel claims 1048576 x 1048576 values, 4398046511104 bytes, in a file of ${bytes.length}. Download or save it again.`);
  });

  it('archives without a part, cut off, or with a false size', async () => {
    const model = sequential();
    const description = await descriptionOf(model);
    expect(await message(await archive({}, description, (entries) => delete entries['config.json']), 'a.keras')).toBe('a.keras is a .keras archive without config.json. Save the network again with model.save().');
    const whole = await archive({}, description);
    expect(await message(whole, 'a.keras')).toBe('a.keras holds no kernel for its layer "stem" (Conv2D). Save the whole trained model again.');
    expect(await message(whole.subarray(0, whole.length - 30), 'a.keras')).toMatch(/^a\.keras is a broken or cut off \.keras archive \(.+\)\. Download or save it again\.$/);
    const lying = Uint8Array.from(whole);
    // In the zip's directory the unpacked size stands 24 bytes behind the signature of an entry.
    const directory = Buffer.from(lying.buffer).lastIndexOf(Buffer.from('PK\u0001\u0002', 'latin1'));
    new DataView(lying.buffer).setUint32(directory + 24, 0xfffffff0, true);
    expect(await message(lying, 'a.keras')).toMatch(/^a\.keras is broken: its entry model\.weights\.h5 claims 4294967280 bytes from \d+ packed ones\. Download or save it again\.$/);
  });

  it('what is no Keras file is not taken for one', () => {
    expect(kerasFormat.match(strToU8('PK\u0003\u0004 something else'))).toEqual({ kind: 'no', reason: 'it is a zip archive without model.weights.h5' });
    expect(kerasFormat.match(strToU8('<html>'))).toEqual({ kind: 'no', reason: 'it is neither an HDF5 file nor a zip archive' });
  });
});
