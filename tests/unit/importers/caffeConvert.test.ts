/** Single layers of the Caffe importer on the smallest network that shows them, run by the reference engine. */
import { describe, expect, it } from 'vitest';
import type { Data } from '../../../src-main/inference/engine.ts';
import { createReferenceEngine } from '../../../src-main/inference/reference/engine.ts';
import { poolWindows } from '../../../src-main/importers/caffe/poolingRule.ts';
import { preprocessingOf } from '../../../src-main/importers/preprocessing.ts';
import { caffeSchema } from '../../../src-main/importers/caffe/weights.ts';
import { writeMessage } from '../../../src-main/importers/protobuf/writeMessage.ts';
import { inputText, layerText, openCaffe, type Blobs } from '../../support/caffeFiles.ts';
import { floatData, randomData, relativeDifference, seededRandom } from '../../support/graphs.ts';

async function run(text: string, blobs: Blobs, data: Data): Promise<Data> {
  const { model } = openCaffe(text, blobs);
  const engine = createReferenceEngine();
  const session = await engine.compile(model.graph);
  const [output] = model.graph.outputs as readonly [string];
  return (await session.run(new Map([['data', data]]), [output])).get(output)!;
}

function values({ data }: Data): number[] {
  return Array.from(data as Float32Array, (value) => Math.round(value * 1e5) / 1e5);
}

/** PoolingLayer::Forward_cpu as its source defines it, one window at a time. Size h x w, channels folded into the images. */
function slowPool(data: Data, method: 'MAX' | 'AVE', kernel: number, stride: number, pad: number): Data {
  const [images, channels, height, width] = data.shape as readonly [number, number, number, number];
  const count = (size: number): number => {
    const steps = Math.ceil((size + 2 * pad - kernel) / stride) + 1;
    return pad > 0 && (steps - 1) * stride >= size + pad ? steps - 1 : steps;
  };
  const result: number[] = [];
  for (let plane = 0; plane < images * channels; plane++) {
    for (let row = 0; row < count(height); row++) {
      for (let column = 0; column < count(width); column++) {
        const [top, left] = [row * stride - pad, column * stride - pad];
        const [bottom, right] = [Math.min(top + kernel, height + pad), Math.min(left + kernel, width + pad)];
        const divisor = (bottom - top) * (right - left);
        let [sum, largest] = [0, -Infinity];
        for (let y = Math.max(top, 0); y < Math.min(bottom, height); y++) {
          for (let x = Math.max(left, 0); x < Math.min(right, width); x++) {
            const value = Number(data.data[(plane * height + y) * width + x]);
            sum += value;
            largest = Math.max(largest, value);
          }
        }
        result.push(method === 'MAX' ? largest : sum / divisor);
      }
    }
  }
  return floatData([images, channels, count(height), count(width)], result);
}

describe('pooling', () => {
  it.each(['MAX', 'AVE'] as const)('%s equals Caffe\'s own loop for all sizes, strides and pads', async (method) => {
    const random = seededRandom(5);
    let compared = 0;
    for (const kernel of [1, 2, 3, 5]) {
      for (const stride of [1, 2, 3, 4]) {
        for (const pad of [0, 1, 2].filter((each) => each < kernel)) {
          for (const size of [5, 6, 7, 8]) {
            const data = randomData(random, [1, 2, size, size + 1]);
            // Without pads Caffe lets a window begin behind the picture; its value is undefined there and the importer refuses it.
            const undefinedWindow = [size, size + 1].some((edge) => (poolWindows(edge, kernel, stride, pad, true) - 1) * stride - pad >= edge);
            const text = inputText(1, 2, size, size + 1) + layerText('Pooling', `pooling_param { pool: ${method} kernel_size: ${kernel} stride: ${stride} pad: ${pad} }`);
            if (undefinedWindow) {
              expect(() => openCaffe(text, {})).toThrow(/has a last window that begins outside its \d x \d input, which Caffe leaves undefined/);
              continue;
            }
            expect(relativeDifference(await run(text, {}, data), slowPool(data, method, kernel, stride, pad)), `kernel ${kernel} stride ${stride} pad ${pad} size ${size}`).toBeLessThan(1e-6);
            compared++;
          }
        }
      }
    }
    expect(compared).toBeGreaterThan(120);
  });

  it('rounds down where a fork says so', async () => {
    const data = floatData([1, 1, 4, 4], Array.from({ length: 16 }, (_, at) => at));
    const pool = (rest: string) => run(inputText(1, 1, 4, 4) + layerText('Pooling', `pooling_param { kernel_size: 3 stride: 2 ${rest} }`), {}, data);
    expect((await pool('')).shape).toEqual([1, 1, 2, 2]);
    expect((await pool('round_mode: FLOOR')).shape).toEqual([1, 1, 1, 1]);
    expect(values(await pool('ceil_mode: false'))).toEqual([10]);
  });

  it('pools globally, and refuses what it cannot do', async () => {
    const data = floatData([1, 1, 2, 2], [1, 2, 3, 6]);
    expect(values(await run(inputText(1, 1, 2, 2) + layerText('Pooling', 'pooling_param { pool: AVE global_pooling: true }'), {}, data))).toEqual([3]);
    expect(values(await run(inputText(1, 1, 2, 2) + layerText('Pooling', 'pooling_param { pool: MAX global_pooling: true }'), {}, data))).toEqual([6]);
    expect(() => openCaffe(inputText(1, 1, 2, 2) + layerText('Pooling', 'pooling_param { pool: STOCHASTIC kernel_size: 2 }'), {})).toThrow('Layer "y" (Pooling, line 2) pools by STOCHASTIC; MAX and AVE are supported.');
    expect(() => openCaffe(inputText(1, 1, 2, 2) + layerText('Pooling', 'pooling_param { kernel_size: 2 pad: 2 }'), {})).toThrow('Layer "y" (Pooling, line 2) has pads (2, 2) that are not smaller than its kernel (2 x 2).');
  });
});

describe('LRN', () => {
  it('within a channel: each value over a square of its neighbours, zeros outside counted', async () => {
    const [size, alpha, beta, edge] = [3, 0.7, 0.75, 5];
    const data = randomData(seededRandom(6), [1, 2, edge, edge], 2);
    const at = (channel: number, y: number, x: number) => (y < 0 || x < 0 || y >= edge || x >= edge ? 0 : Number(data.data[(channel * edge + y) * edge + x]));
    const expected: number[] = [];
    for (let channel = 0; channel < 2; channel++) {
      for (let y = 0; y < edge; y++) {
        for (let x = 0; x < edge; x++) {
          let squares = 0;
          for (let dy = -1; dy <= 1; dy++) for (let dx = -1; dx <= 1; dx++) squares += at(channel, y + dy, x + dx) ** 2;
          expected.push(at(channel, y, x) / (1 + (alpha / size ** 2) * squares) ** beta);
        }
      }
    }
    const text = inputText(1, 2, edge, edge) + layerText('LRN', `lrn_param { norm_region: WITHIN_CHANNEL local_size: ${size} alpha: ${alpha} beta: ${beta} k: 9 }`);
    expect(relativeDifference(await run(text, {}, data), floatData(data.shape, expected))).toBeLessThan(1e-6);
  });

  it('across channels: alpha is divided by the window, k is kept', async () => {
    const text = inputText(1, 3, 1, 1) + layerText('LRN', 'lrn_param { local_size: 3 alpha: 3 beta: 1 k: 2 }');
    expect(values(await run(text, {}, floatData([1, 3, 1, 1], [1, 2, 3])))).toEqual([1 / 7, 2 / 16, 3 / 15].map((value) => Math.round(value * 1e5) / 1e5));
    expect(() => openCaffe(inputText(1, 3, 1, 1) + layerText('LRN', 'lrn_param { local_size: 4 }'), {})).toThrow('Layer "y" (LRN, line 2) has the local_size 4; Caffe takes odd ones only.');
  });
});

const one = (...data: readonly number[]) => ({ shape: [data.length], data });

describe('layers with weights', () => {
  it('convolution with groups, dilation and unequal pads; blobs with four old axes', async () => {
    const text = inputText(1, 2, 1, 3) + layerText('Convolution', 'convolution_param { num_output: 2 group: 2 kernel_h: 1 kernel_w: 2 pad_h: 0 pad_w: 1 dilation: 1 dilation: 2 }');
    const blobs = { y: [{ shape: [2, 1, 1, 2], data: [1, 10, 1, 100] }, { shape: [1, 1, 1, 2], data: [0.5, -0.5] }] };
    expect(values(await run(text, blobs, floatData([1, 2, 1, 3], [1, 2, 3, 4, 5, 6])))).toEqual([20.5, 31.5, 2.5, 499.5, 603.5, 4.5]);
  });

  it('deconvolution: stride * (h - 1) + kernel - 2 pad', async () => {
    const text = inputText(1, 1, 1, 2) + layerText('Deconvolution', 'convolution_param { num_output: 1 kernel_h: 1 kernel_w: 4 stride_h: 1 stride_w: 2 pad_h: 0 pad_w: 1 bias_term: false }');
    const result = await run(text, { y: [{ shape: [1, 1, 1, 4], data: [1, 2, 3, 4] }] }, floatData([1, 1, 1, 2], [1, 10]));
    expect([result.shape, values(result)]).toEqual([[1, 1, 1, 4], [2, 13, 24, 30]]);
  });

  it('inner product over all values of an image', async () => {
    const text = inputText(1, 1, 2, 2) + layerText('InnerProduct', 'inner_product_param { num_output: 2 }');
    const blobs = { y: [{ shape: [1, 1, 2, 4], data: [1, 2, 3, 4, 0, 0, 0, 1] }, one(1, 0)] };
    expect(values(await run(text, blobs, floatData([1, 1, 2, 2], [1, 1, 2, 2])))).toEqual([18, 2]);
  });

  it('batch normalisation divides its sums by the third blob; scale and shift follow', async () => {
    const text = inputText(1, 2, 1, 1) + layerText('BatchNorm', 'batch_norm_param { eps: 1 }', 'n')
      + 'layer { name: "y" type: "Scale" bottom: "n" top: "n" scale_param { bias_term: true } }';
    const blobs = { n: [one(4, 8), one(6, 16), one(2)], y: [one(10, 1), one(0, 5)] };
    // (x - 4/2) / sqrt(6/2 + 1) * 10, and (x - 8/2) / sqrt(16/2 + 1) + 5
    expect(values(await run(text, blobs, floatData([1, 2, 1, 1], [4, 10])))).toEqual([10, 7]);
    expect(openCaffe(text, blobs).model.graph.outputs).toEqual(['y']);
  });

  it('PReLU: one slope per channel, or one for all', async () => {
    const prelu = (rest: string, slopes: readonly number[]) => run(inputText(1, 2, 1, 2) + layerText('PReLU', rest), { y: [one(...slopes)] }, floatData([1, 2, 1, 2], [-1, 1, -2, 2]));
    expect(values(await prelu('', [10, 100]))).toEqual([-10, 1, -200, 2]);
    expect(values(await prelu('prelu_param { channel_shared: true }', [3]))).toEqual([-3, 1, -6, 2]);
  });

  it('bias per channel; depthwise convolution without a group has one for each channel', async () => {
    expect(values(await run(inputText(1, 2, 1, 1) + layerText('Bias'), { y: [one(5, -5)] }, floatData([1, 2, 1, 1], [1, 2])))).toEqual([6, -3]);
    const depthwise = layerText('DepthwiseConvolution', 'convolution_param { num_output: 2 kernel_size: 1 bias_term: false }');
    expect(values(await run(inputText(1, 2, 1, 1) + depthwise, { y: [{ shape: [2, 1, 1, 1], data: [3, 7] }] }, floatData([1, 2, 1, 1], [1, 2])))).toEqual([3, 14]);
  });

  it('scale by a second bottom, one factor for each image and channel', async () => {
    const text = inputText(1, 2, 1, 2) + layerText('Pooling', 'pooling_param { pool: MAX global_pooling: true }', 'p')
      + 'layer { name: "f" type: "Flatten" bottom: "p" top: "f" } layer { name: "y" type: "Scale" bottom: "data" bottom: "f" top: "y" scale_param { axis: 0 } }';
    expect(values(await run(text, {}, floatData([1, 2, 1, 2], [1, 2, 3, 4])))).toEqual([2, 4, 12, 16]);
  });

  it('says which weights are missing, short or of another size', () => {
    const text = inputText(1, 3, 4, 4) + layerText('Convolution', 'convolution_param { num_output: 2 kernel_size: 3 }');
    expect(() => openCaffe(text, {})).toThrow('Layer "y" (Convolution, line 2) of net.prototxt has no weights in net.caffemodel, which holds those of unused. The two files do not belong together.');
    const blob = { shape: [2, 3, 3, 3], data: new Float32Array(54) };
    expect(() => openCaffe(text, { y: [blob] })).toThrow('Layer "y" (Convolution, line 2) of net.prototxt needs 2 blobs for its bias; net.caffemodel has 1. The two files do not belong together.');
    expect(() => openCaffe(text, { y: [{ shape: [2, 1, 3, 3], data: new Float32Array(18) }] })).toThrow(
      'Layer "y" (Convolution, line 2) of net.prototxt: its weights should have the shape [2, 3, 3, 3], net.caffemodel has [2, 1, 3, 3]. net.prototxt and net.caffemodel do not belong together, or the input size is another than the network was trained for.',
    );
  });
});

describe('layers value by value', () => {
  it.each([
    ['ReLU', '', [-2, 3], [0, 3]],
    ['ReLU', 'relu_param { negative_slope: 0.5 }', [-2, 3], [-1, 3]],
    ['Power', 'power_param { power: 2 scale: 3 shift: 1 }', [1, -1], [16, 4]],
    ['Power', 'power_param { shift: 1 }', [1, -1], [2, 0]],
    ['AbsVal', '', [-2, 3], [2, 3]],
    ['Dropout', '', [-2, 3], [-2, 3]],
    ['Eltwise', 'bottom: "data" eltwise_param { operation: SUM coeff: 2 coeff: -0.5 }', [2, 4], [3, 6]],
    ['Eltwise', 'bottom: "data" bottom: "data" eltwise_param { operation: PROD }', [2, 3], [8, 27]],
    ['ReLU6', '', [-2, 9], [0, 6]],
    ['ELU', 'elu_param { alpha: 2 }', [-1, 3], [-1.26424, 3]],
    ['Sigmoid', '', [0, 2], [0.5, 0.8808]],
    ['TanH', '', [0, 1], [0, 0.76159]],
    ['BNLL', '', [0, 1], [0.69315, 1.31326]],
    ['Swish', '', [0, 2], [0, 1.76159]],
    ['Log', 'log_param { base: 2 scale: 2 shift: 2 }', [1, 3], [2, 3]],
    ['Clip', 'clip_param { min: -1 max: 2 }', [-3, 3], [-1, 2]],
    ['Softmax', '', [0, 0], [0.5, 0.5]],
    ['Permute', 'permute_param { order: 0 order: 2 order: 3 order: 1 }', [1, 2], [1, 2]],
  ] as const)('%s %s', async (type, rest, input, expected) => {
    expect(values(await run(inputText(1, 2, 1, 1) + layerText(type, rest), {}, floatData([1, 2, 1, 1], input)))).toEqual(expected);
  });

  it('refuses what it cannot compute, and names it', () => {
    const text = inputText(1, 2, 1, 1);
    expect(() => openCaffe(text + layerText('Eltwise', 'bottom: "data" eltwise_param { operation: MAX }'), {})).toThrow('Layer "y" (Eltwise, line 2) combines its bottoms by MAX; SUM and PROD are supported.');
    expect(() => openCaffe(text + layerText('Exp') + layerText('MVN', '', 'z'), {})).toThrow(
      'net.prototxt uses the layer type Exp in layer "y" (line 2), which Switchback cannot run. Also unknown: MVN. Take such layers out of the prototxt, or end the network before them.',
    );
    expect(() => openCaffe(`${text}layer { name: "y" type: "Python" bottom: "data" top: "y" python_param { module: "rpn" layer: "ProposalLayer" } }`, {})).toThrow(
      'net.prototxt uses the layer type Python (ProposalLayer) in layer "y" (line 2), which Switchback cannot run.',
    );
  });
});

describe('layers that move values', () => {
  it('slice, concat, split and crop', async () => {
    const text = `${inputText(1, 3, 1, 2)}layer { name: "cut" type: "Slice" bottom: "data" top: "a" top: "b" slice_param { slice_point: 1 } }
      layer { name: "two" type: "Split" bottom: "a" top: "c" top: "d" }
      layer { name: "j" type: "Concat" bottom: "b" bottom: "c" bottom: "d" top: "j" }
      layer { name: "small" type: "Convolution" bottom: "data" top: "small" convolution_param { num_output: 1 kernel_h: 1 kernel_w: 2 bias_term: false } }
      layer { name: "y" type: "Crop" bottom: "j" bottom: "small" top: "y" crop_param { axis: 2 offset: 0 offset: 1 } }
      layer { name: "gone" type: "Silence" bottom: "small" }`;
    const opened = openCaffe(text, { small: [{ shape: [1, 3, 1, 2], data: new Float32Array(6) }] });
    expect(opened.model.graph.outputs).toEqual(['y']);
    const result = await run(text, { small: [{ shape: [1, 3, 1, 2], data: new Float32Array(6) }] }, floatData([1, 3, 1, 2], [1, 2, 3, 4, 5, 6]));
    expect([result.shape, values(result)]).toEqual([[1, 4, 1, 1], [4, 6, 2, 2]]);
  });

  it('reshape copies (0), fills (-1) and knows the batch of the file', () => {
    const shape = (dims: string, rest = '') => openCaffe(inputText(10, 4, 2, 3) + layerText('Reshape', `reshape_param { shape { ${dims} } ${rest} }`), {}).model.graph.values.get('y')!.shape;
    expect(shape('dim: 0 dim: -1')).toEqual(['batch', 24]);
    expect(shape('dim: 10 dim: 8 dim: 3 dim: 1')).toEqual(['batch', 8, 3, 1]);
    expect(shape('dim: -1', 'axis: 2')).toEqual(['batch', 4, 6]);
    expect(() => shape('dim: 0 dim: 5 dim: -1')).toThrow('Layer "y" (Reshape, line 2) reshapes 24 values an image to [0, 5, -1], which leaves a rest.');
  });

  it('shuffles channels between groups', async () => {
    const text = inputText(1, 6, 1, 1) + layerText('ShuffleChannel', 'shuffle_channel_param { group: 2 }');
    expect(values(await run(text, {}, floatData([1, 6, 1, 1], [0, 1, 2, 3, 4, 5])))).toEqual([0, 3, 1, 4, 2, 5]);
  });
});

describe('networks', () => {
  it('values made in place carry the name of the last layer, and a repeated name a number', () => {
    const text = `${inputText(1, 1, 2, 2)}layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 1 kernel_size: 1 } }
      layer { name: "r" type: "ReLU" bottom: "c" top: "c" } layer { name: "r" type: "Dropout" bottom: "c" top: "c" } layer { name: "p" type: "Softmax" bottom: "c" top: "out" }`;
    const { graph } = openCaffe(text, { c: [one(1), one(0)] }).model;
    expect(graph.nodes.map(({ kind, outputs }) => [kind, ...outputs])).toEqual([['Conv', 'c'], ['Relu', 'r'], ['Identity', 'r_2'], ['Softmax', 'p']]);
    expect(graph.outputs).toEqual(['p']);
  });

  it('the training network is read in its TEST phase, with its data layer\'s crop, scale and mean', () => {
    const text = `layer { name: "d" type: "Data" top: "data" top: "label" include { phase: TRAIN } transform_param { crop_size: 5 } }
      layer { name: "d" type: "Data" top: "data" top: "label" include { phase: TEST } transform_param { crop_size: 4 scale: 0.5 mean_value: 100 mean_value: 110 mean_value: 120 } }
      layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 1 kernel_size: 1 bias_term: false } }
      layer { name: "loss" type: "SoftmaxWithLoss" bottom: "c" bottom: "label" top: "loss" } layer { name: "a" type: "Accuracy" bottom: "c" bottom: "label" top: "a" }`;
    const { model, report } = openCaffe(text, { c: [{ shape: [1, 3, 1, 1], data: [1, 1, 1] }] });
    expect([model.graph.inputs[0]!.shape, model.graph.outputs]).toEqual([['batch', 3, 4, 4], ['c']]);
    expect(report.operators).toEqual([{ op: 'Convolution', count: 1, kinds: ['Conv'] }]);
    // (x - mean) * scale = x * scale - mean * scale
    expect(preprocessingOf(model)).toEqual({
      preprocessing: { order: 'bgr', crop: [4, 4], resize: { kind: 'exact' }, scale: 0.5, mean: [50, 55, 60], std: [1, 1, 1] },
      source: 'From its transform_param; channels in the order BGR, as Caffe reads pictures.',
    });
  });

  it('takes the mean of each channel from a mean file beside it', () => {
    const mean = writeMessage(caffeSchema, 'Blob', { num: 1, channels: 3, height: 1, width: 2, data: [100, 102, 110, 112, 120, 122] });
    const text = inputText(1, 3, 2, 2) + layerText('Convolution', 'convolution_param { num_output: 1 kernel_size: 1 bias_term: false }');
    const { model } = openCaffe(text, { y: [{ shape: [1, 3, 1, 1], data: [1, 1, 1] }] }, {}, { 'mean.binaryproto': mean });
    expect(preprocessingOf(model)).toMatchObject({
      preprocessing: { order: 'bgr', scale: 1, mean: [101, 111, 121] },
      source: 'From the mean file mean.binaryproto beside it; channels in the order BGR, as Caffe reads pictures.',
    });
  });

  it('reads the oldest syntax: a data layer with its crop and mean file, a padding layer, a convolution', async () => {
    const text = `layers { layer { name: "d" type: "data" cropsize: 2 scale: 0.5 meanfile: "/train/mean.binaryproto" } top: "data" top: "label" }
      layers { layer { name: "pad" type: "padding" pad: 1 } bottom: "data" top: "pad" }
      layers { layer { name: "y" type: "conv" num_output: 1 kernelsize: 3 stride: 2 biasterm: false } bottom: "pad" top: "y" }`;
    const blobs = { y: [{ shape: [1, 1, 3, 3], data: [0, 0, 0, 0, 1, 10, 0, 100, 1000] }] };
    expect(values(await run(text, blobs, floatData([1, 1, 2, 2], [1, 2, 3, 4])))).toEqual([4321]);
    const { model, report } = openCaffe(text, blobs);
    expect(report.warnings).toEqual(['The prototxt subtracts the mean picture /train/mean.binaryproto, which is not beside it. Put the .binaryproto into the same folder, or set the mean by hand.']);
    expect(preprocessingOf(model).preprocessing).toMatchObject({ order: 'grey', scale: 0.5, mean: [0] });
  });

  it('refuses a second input that the network needs', () => {
    const text = `${inputText(1, 3, 2, 2)}input: "info" input_shape { dim: 1 dim: 3 }\nlayer { name: "y" type: "Concat" bottom: "data" bottom: "info" top: "y" }`;
    expect(() => openCaffe(text, {})).toThrow('Layer "y" (Concat, line 3) reads "info", a second input of the network; Switchback feeds one picture.');
  });

  it('refuses a blob that nothing makes', () => {
    expect(() => openCaffe(`${inputText(1, 3, 2, 2)}layer { name: "y" type: "ReLU" bottom: "dtaa" top: "y" }`, {})).toThrow(
      'Layer "y" (line 2) of net.prototxt reads the blob "dtaa", which no layer before it makes. Correct the prototxt.',
    );
  });
});
