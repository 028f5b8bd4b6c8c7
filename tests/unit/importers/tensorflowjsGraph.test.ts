/** TensorFlow.js graph models: small graphs in TensorFlow's nodes, run by the importer and by TensorFlow.js' own graph executor. */
import { beforeAll, describe, expect, it } from 'vitest';
import { selectLayers } from '../../../src-main/graph/layerSelection.ts';
import { relativeDifference } from '../../support/graphs.ts';
import { importJson, pictures, runImported, tf } from './kerasTwin.ts';
import { GraphModel, list, text, texts, window } from './tensorflowjsGraphModel.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

type Build = (g: GraphModel) => string;

const graphs: Readonly<Record<string, Build>> = {
  'convolution, bias, activation, pools, dense'(g) {
    let x = g.node('Conv2D', 'conv1/Conv2D', [g.picture([-1, 11, 9, 3]), g.weight('k1', [3, 2, 3, 4])], window([2, 1], 'SAME'));
    x = g.node('BiasAdd', 'conv1/BiasAdd', [x, g.weight('b1', [4])], { data_format: text('NHWC') });
    x = g.node('Relu', 'conv1/Relu', [x]);
    x = g.node('MaxPool', 'pool1', [x], window([2, 2], 'SAME', { ksize: list([1, 3, 3, 1]) }));
    x = g.node('DepthwiseConv2dNative', 'depth', [x, g.weight('k2', [3, 3, 4, 2])], window([1, 1], 'SAME'));
    x = g.node('Relu6', 'depth/Relu6', [x]);
    x = g.node('AvgPool', 'pool2', [x], window([1, 1], 'SAME', { ksize: list([1, 2, 2, 1]) }));
    x = g.node('Reshape', 'flat', [x, g.integers('flat/shape', [-1, 3 * 5 * 8])]);
    x = g.node('MatMul', 'dense', [x, g.weight('k3', [120, 5])], { transpose_a: { b: false }, transpose_b: { b: false } });
    x = g.node('BiasAdd', 'dense/BiasAdd', [x, g.weight('b3', [5])]);
    return g.node('Softmax', 'probabilities', [x]);
  },
  'fused operators'(g) {
    const fused = (steps: string[], count: number, more: Record<string, unknown> = {}) => ({ fused_ops: texts(steps), num_args: { i: String(count) }, epsilon: { f: 1e-3 }, ...more });
    let x = g.node('_FusedConv2D', 'a/Relu', [g.picture([-1, 8, 8, 3]), g.weight('k1', [3, 3, 3, 4]), g.weight('b1', [4])], window([1, 1], 'VALID', fused(['BiasAdd', 'Relu'], 1)));
    x = g.node('_FusedConv2D', 'b/Relu6', [x, g.weight('k2', [1, 1, 4, 4]), g.weight('b2', [4])], window([1, 1], 'VALID', fused(['BiasAdd', 'Relu6'], 1)));
    x = g.node('FusedDepthwiseConv2dNative', 'c', [x, g.weight('k3', [3, 3, 4, 1]), g.weight('b3', [4])], window([2, 2], 'SAME', fused(['BiasAdd', 'Elu'], 1)));
    x = g.node('Mean', 'mean', [x, g.integers('mean/axes', [1, 2])], { keep_dims: { b: false } });
    return g.node('_FusedMatMul', 'd/Relu', [x, g.weight('k4', [4, 6]), g.weight('b4', [6])], { fused_ops: texts(['BiasAdd', 'Relu']), num_args: { i: '1' }, transpose_a: { b: false }, transpose_b: { b: false } });
  },
  'batch normalisation, residual sums, concatenation, padding'(g) {
    const image = g.picture([-1, 6, 7, 3]);
    const padded = g.node('Pad', 'padded', [image, g.integers('pads', [0, 0, 1, 2, 0, 1, 0, 0], [4, 2])]);
    const a = g.node('Conv2D', 'a', [padded, g.weight('k1', [2, 2, 3, 4])], window([1, 1], 'VALID'));
    const normal = g.node('FusedBatchNormV3', 'norm', [a, g.weight('gamma', [4]), g.weight('beta', [4]), g.weight('mean', [4]), g.weight('variance', [4], (v) => 0.5 + Math.abs(v))], { epsilon: { f: 0.01 }, is_training: { b: false }, data_format: text('NHWC') });
    const b = g.node('Conv2D', 'b', [normal, g.weight('k2', [3, 3, 4, 4])], window([1, 1], 'SAME', { dilations: list([1, 2, 2, 1]) }));
    const sum = g.node('AddV2', 'sum', [normal, b]);
    const scaled = g.node('Mul', 'scaled', [sum, g.weight('scale', [1, 1, 1, 4])]);
    const shifted = g.node('Sub', 'shifted', [scaled, g.weight('shift', [4])]);
    const ratio = g.node('RealDiv', 'ratio', [shifted, g.weight('divisor', [1], (v) => 2 + Math.abs(v))]);
    const joined = g.node('ConcatV2', 'joined', [ratio, normal, g.integers('axis', [-1], [])]);
    const gate = g.node('Sigmoid', 'gate', [g.node('Mean', 'squeeze', [joined, g.integers('gate/axes', [1, 2])], { keep_dims: { b: true } })]);
    return g.node('Mul', 'gated', [joined, gate]);
  },
  'sizes computed from the running value; split, slices, bounds, powers'(g) {
    const image = g.picture([-1, 6, 4, 4]);
    g.node('Split', 'halves', [g.integers('split/axis', [3], []), image], { num_split: { i: '2' } });
    const low = g.node('Minimum', 'low', [g.node('Maximum', 'high', ['halves', g.weight('bound', [], () => -0.5)]), g.weight('limit', [], () => 0.75)]);
    const square = g.node('Square', 'square', ['halves:1']);
    const root = g.node('Rsqrt', 'root', [g.node('AddV2', 'more', [square, g.weight('one', [], () => 1)])]);
    const product = g.node('SquaredDifference', 'product', [low, root]);
    const cut = g.node('StridedSlice', 'cut', [product, g.integers('begin', [0, 1, 0, 0]), g.integers('end', [0, 5, 0, 0]), g.integers('steps', [1, 1, 1, 1])], { begin_mask: { i: '13' }, end_mask: { i: '13' } });
    const shape = g.node('Shape', 'shape', [cut]);
    const batch = g.node('StridedSlice', 'batch', [shape, g.integers('s0', [0]), g.integers('s1', [1]), g.integers('s2', [1])], { shrink_axis_mask: { i: '1' } });
    const target = g.node('Pack', 'target', [batch, g.integers('rest', [32], [])], { N: { i: '2' }, axis: { i: '0' } });
    return g.node('Tanh', 'result', [g.node('Reshape', 'flat', [cut, target])]);
  },
  'transposed convolution, local response, resizing, blocks'(g) {
    const image = g.picture([-1, 4, 5, 3]);
    let x = g.node('Conv2DBackpropInput', 'up', [g.integers('up/size', [2, 8, 10, 4]), g.weight('k', [3, 3, 4, 3]), image], window([2, 2], 'SAME'));
    x = g.node('LRN', 'lrn', [x], { depth_radius: { i: '1' }, bias: { f: 1 }, alpha: { f: 0.3 }, beta: { f: 0.75 } });
    x = g.node('ResizeBilinear', 'wider', [x, g.integers('wider/size', [8, 13])], { align_corners: { b: false }, half_pixel_centers: { b: true } });
    x = g.node('ResizeNearestNeighbor', 'higher', [x, g.integers('higher/size', [12, 13])], { align_corners: { b: false }, half_pixel_centers: { b: false } });
    x = g.node('ResizeBilinear', 'smaller', [x, g.integers('smaller/size', [7, 6])], { align_corners: { b: true }, half_pixel_centers: { b: false } });
    x = g.node('MirrorPad', 'mirrored', [x, g.integers('mirror', [0, 0, 2, 1, 1, 3, 0, 0], [4, 2])], { mode: text('REFLECT') });
    return g.node('DepthToSpace', 'blocks', [x], { block_size: { i: '2' }, data_format: text('NHWC') });
  },
};

describe('TensorFlow.js graph models compute what TensorFlow.js computes', () => {
  it.each(Object.keys(graphs))('%s', async (name) => {
    const g = new GraphModel();
    const output = graphs[name]!(g);
    const { model } = await importJson(g.json(), { 'shard.bin': g.shard });
    const [, channels, height, width] = model.graph.inputs[0]!.shape as ['batch', number, number, number];
    const given = pictures([2, channels, height, width]);
    const [actual] = await runImported(model, given);
    expect(model.graph.outputs).toEqual([output]);
    expect(relativeDifference(actual!, await g.expected(output, given))).toBeLessThan(2e-6);
  });
});

describe('what a person sees of a graph model', () => {
  it('values are called like nodes; the signature names the output; constants are no operators', async () => {
    const g = new GraphModel();
    graphs['convolution, bias, activation, pools, dense']!(g);
    const { model, report } = await importJson(g.json({ inputs: { x: { name: 'image:0' } }, outputs: { y: { name: 'dense/BiasAdd:0' } } }), { 'shard.bin': g.shard });
    expect(model.graph.outputs).toEqual(['dense/BiasAdd']);
    expect(selectLayers(model.graph).map(({ name, title }) => [name, title])).toEqual([['conv1/Relu', 'conv1/Conv2D'], ['depth/Relu6', 'depth'], ['dense/BiasAdd', 'dense']]);
    expect(report.operators.map(({ op, kinds }) => `${op}: ${kinds.join(' ')}`)).toEqual([
      'Conv2D: Conv', 'BiasAdd: Add', 'Relu: Relu', 'MaxPool: MaxPool', 'DepthwiseConv2dNative: Conv', 'Relu6: Clip', 'AvgPool: AveragePool', 'Reshape: Transpose Reshape', 'MatMul: Gemm',
    ]);
  });

  const failure = (build: Build, change: (g: GraphModel) => void = () => {}): Promise<string> => {
    const g = new GraphModel();
    build(g);
    change(g);
    return importJson(g.json(), { 'shard.bin': g.shard }).then(() => 'no error', (error: Error) => error.message);
  };
  const simple: Build = (g) => g.node('Relu', 'result', [g.node('Conv2D', 'conv', [g.picture([-1, 5, 5, 3]), g.weight('k', [3, 3, 3, 2])], window([1, 1], 'VALID'))]);

  it('unknown operators, loops, dangling names, two inputs, weights that do not fit', async () => {
    expect(await failure(simple)).toBe('no error');
    expect(await failure(simple, (g) => (g.nodes.at(-1)!.op = 'FFT'))).toBe(
      'model.json uses the operator FFT in node "result", which Switchback cannot run. Export the network to ONNX with tf2onnx, or cut it off before that node.',
    );
    expect(await failure(simple, (g) => (g.nodes.find(({ name }) => name === 'conv')!.input = ['result', 'k']))).toBe('The network in model.json has no output. Convert the model again.');
    expect(await failure((g) => g.node('Tanh', 'end', [simple(g)]), (g) => (g.nodes.find(({ name }) => name === 'conv')!.input = ['result', 'k']))).toMatch(/^The network in model\.json runs in a circle through "\w+" \((Conv2D|Relu)\); Switchback reads networks without loops\.$/);
    expect(await failure(simple, (g) => (g.nodes.at(-1)!.input = ['nobody']))).toBe('The network in model.json reads "nobody", which none of its nodes makes. Convert the model again.');
    expect(await failure((g) => g.node('AddV2', 'end', [simple(g), g.node('Placeholder', 'second', [])]))).toBe(
      'The network in model.json has several inputs ("image", "second"); Switchback feeds one picture. Convert it with the picture as its only input.',
    );
    expect(await failure(simple, (g) => (g.specs[0]!.shape = [3, 3, 2, 3]))).toBe('Layer "conv" (Conv2D) has a filter for 2 channels on 3.');
    expect(await failure(simple, (g) => (g.specs[0]!.name = 'other'))).toBe('model.json holds no numbers for its constant "k". Convert the model again.');
  });
});
