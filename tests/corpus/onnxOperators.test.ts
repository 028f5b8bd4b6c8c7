/**
 * Operators that no file of the corpus holds, and what the importer makes of other operators: each as a small file with a seeded input, run by
 * onnxruntime as it is and by the graph with a batch of two.
 */
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verify } from '../../src-main/graph/verify.ts';
import { convertOnnx } from '../../src-main/importers/onnx/convert.ts';
import { readOnnx } from '../../src-main/importers/onnx/read.ts';
import type { Engine } from '../../src-main/inference/engine.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { normalFloats, randomData, relativeDifference, seededRandom } from '../support/graphs.ts';
import { floats, integers, onnxBytes, type File, type FileNode } from '../support/onnxFile.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createOnnxruntimeEngine({ device: 'cpu', threads: 1 });
});
afterAll(() => engine.close());

/** Largest difference over the largest value, of the second of two images; or the graph's kinds where `inspect` asks for them. */
async function difference(file: File, positive = false): Promise<{ readonly difference: number; readonly kinds: readonly string[]; readonly warnings: readonly string[] }> {
  const bytes = onnxBytes(file);
  const input = (file.input ?? [1, 2, 4, 4]) as readonly number[];
  const { model, report } = convertOnnx(readOnnx(bytes, 'net.onnx'), 'net.onnx', {});
  verify(model.graph);
  const channelsFirst = report.warnings.length > 0 ? [input[3]!, input[1]!, input[2]!] : input.slice(1);
  const images = randomData(seededRandom(11), [2, ...channelsFirst]);
  if (positive) for (let at = 0; at < images.data.length; at++) images.data[at] = Math.abs(Number(images.data[at])) + 0.1;
  const session = await engine.compile(model.graph);
  const [output] = model.graph.outputs as readonly [string];
  const result = (await session.run(new Map([['x', images]]), [output])).get(output)!;
  await session.close();

  const original = await InferenceSession.create(bytes, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const count = images.data.length / 2;
  let image = (images.data as Float32Array).slice(count);
  if (report.warnings.length > 0) image = channelsLast(image, channelsFirst);
  const expected = (await original.run({ x: new RuntimeTensor('float32', image, input) }))[original.outputNames[0]!]!;
  await original.release();
  const values = expected.data as Float32Array;
  const row = (result.data as Float32Array).subarray(values.length);
  expect(row.length).toBe(values.length);
  expect(result.shape.slice(1)).toEqual(expected.dims.slice(1));
  const kinds = model.graph.nodes.map((node) => node.kind);
  return { difference: relativeDifference({ shape: expected.dims, data: row }, { shape: expected.dims, data: values }), kinds, warnings: report.warnings };
}

function channelsLast(image: Float32Array, [channels, height, width]: readonly number[]): Float32Array<ArrayBuffer> {
  const plane = height! * width!;
  return Float32Array.from({ length: image.length }, (_, at) => image[(at % channels!) * plane + Math.floor(at / channels!)]!);
}

const node = (opType: string, attributes: FileNode['attributes'] = {}, ...inputs: string[]): FileNode => ({ opType, inputs: ['x', ...inputs], outputs: ['y'], attributes });
const weights = (name: string, ...dims: number[]): object => floats(name, dims, ...normalFloats(seededRandom(5), dims.reduce((a, b) => a * b, 1), 0.5));
const vector = (name: string, values: readonly number[]): object => floats(name, [values.length], ...values);

const cases: Readonly<Record<string, File & { readonly positive?: boolean }>> = {
  Selu: { nodes: [node('Selu')] },
  Celu: { nodes: [node('Celu', { alpha: { float: 2 } })] },
  HardSigmoid: { nodes: [node('HardSigmoid', { alpha: { float: 0.3 } })] },
  HardSwish: { nodes: [node('HardSwish')], opset: 14 },
  Erf: { nodes: [node('Erf')] },
  Softplus: { nodes: [node('Softplus')] },
  Mish: { nodes: [node('Mish')], opset: 18 },
  Gelu: { nodes: [node('Gelu')], opset: 20 },
  'Gelu by tanh': { nodes: [node('Gelu', { approximate: 'tanh' })], opset: 20 },
  'PRelu per channel': { nodes: [node('PRelu', {}, 's')], initializers: [weights('s', 2, 1, 1)] },
  Neg: { nodes: [node('Neg')] },
  Sqrt: { nodes: [node('Sqrt')], positive: true },
  Reciprocal: { nodes: [node('Reciprocal')], positive: true },
  Pow: { nodes: [node('Pow', {}, 'three')], initializers: [floats('three', [], 3)] },
  Log: { nodes: [node('Log')], positive: true },
  'Div by a constant': { nodes: [node('Div', {}, 'c')], initializers: [floats('c', [2, 1, 1], 2, 4)] },
  'Div of computed values': { nodes: [{ opType: 'GlobalAveragePool', inputs: ['x'], outputs: ['s'] }, node('Div', {}, 's')], positive: true },
  'Sub of a value from a constant': { nodes: [{ opType: 'Sub', inputs: ['c', 'x'], outputs: ['y'] }], initializers: [floats('c', [1], 2)] },
  'Max with a constant': { nodes: [node('Max', {}, 'zero')], initializers: [floats('zero', [], 0)] },
  'Min with a constant': { nodes: [node('Min', {}, 'one')], initializers: [floats('one', [1], 1)] },
  Mean: { nodes: [node('Mean', {}, 'x', 'x')] },
  'ReduceMean over channels': { nodes: [node('ReduceMean', { axes: [1] })] },
  'ReduceMean over positions, axes as input': { nodes: [node('ReduceMean', { keepdims: 0 }, 'axes')], initializers: [integers('axes', -1, -2)], opset: 18 },
  'ReduceMean over three axes': { nodes: [node('ReduceMean', { axes: [1, 2, 3] })] },
  'ReduceSum without axes kept': { nodes: [node('ReduceSum', { keepdims: 0 }, 'axes')], initializers: [integers('axes', 3)] },
  'ReduceMax over rows': { nodes: [node('ReduceMax', { axes: [2], keepdims: 0 })] },
  'ReduceMax over positions': { nodes: [node('ReduceMax', { axes: [2, 3] })] },
  'ReduceMin over channels': { nodes: [node('ReduceMin', { axes: [1] })] },
  ReduceL2: { nodes: [node('ReduceL2', { axes: [1] })] },
  InstanceNormalization: { nodes: [node('InstanceNormalization', {}, 's', 'b')], initializers: [weights('s', 2), weights('b', 2)] },
  'LayerNormalization over the last axis': { nodes: [node('LayerNormalization', {}, 's', 'b')], initializers: [weights('s', 4), weights('b', 4)], opset: 17 },
  'LayerNormalization over all but the batch': { nodes: [node('LayerNormalization', { axis: 1 }, 's')], initializers: [weights('s', 2, 4, 4)], opset: 17 },
  'GroupNormalization per channel': { nodes: [node('GroupNormalization', { num_groups: 2 }, 's', 'b')], initializers: [weights('s', 4), weights('b', 4)], input: [1, 4, 3, 3], opset: 21 },
  'LogSoftmax over channels': { nodes: [node('LogSoftmax', { axis: 1 })] },
  'LogSoftmax over rows': { nodes: [node('LogSoftmax', { axis: 2 })] },
  'LogSoftmax over all, as before opset 13': { nodes: [node('LogSoftmax', { axis: 1 })], opset: 11 },
  'Pad with a number': { nodes: [node('Pad', {}, 'p', 'v')], initializers: [integers('p', 0, 0, 1, 2, 0, 0, 0, 1), floats('v', [], 3)] },
  'Pad by reflection': { nodes: [node('Pad', { mode: 'reflect' }, 'p')], initializers: [integers('p', 0, 0, 3, 1, 0, 0, 2, 3)] },
  'Pad by the edge': { nodes: [node('Pad', { mode: 'edge' }, 'p')], initializers: [integers('p', 0, 0, 3, 1, 0, 0, 2, 5)] },
  'Pad by wrapping': { nodes: [node('Pad', { mode: 'wrap' }, 'p')], initializers: [integers('p', 0, 0, 1, 2, 0, 0, 3, 1)], opset: 19 },
  'Pad of channels': { nodes: [node('Pad', {}, 'p', 'v')], initializers: [integers('p', 0, 3, 0, 0, 0, 1, 0, 0), floats('v', [], 2)] },
  'Pad with negative ends': { nodes: [node('Pad', {}, 'p')], initializers: [integers('p', 0, 0, -1, 2, 0, 0, 1, -2)] },
  'Pad with axes': { nodes: [node('Pad', {}, 'p', '', 'axes')], initializers: [integers('p', 1, 2), integers('axes', -1)], opset: 18 },
  'Slice with steps': { nodes: [node('Slice', {}, 's', 'e', 'a', 't')], initializers: [integers('s', 1, 0), integers('e', 9, 9), integers('a', 2, 3), integers('t', 2, 3)] },
  'Slice backwards': { nodes: [node('Slice', {}, 's', 'e', 'a', 't')], initializers: [integers('s', -1, 3), integers('e', -9, 0), integers('a', 1, 3), integers('t', -1, -2)] },
  'Slice of every other channel': { nodes: [node('Slice', {}, 's', 'e', 'a', 't')], initializers: [integers('s', 1), integers('e', 6), integers('a', 1), integers('t', 2)], input: [1, 6, 2, 2] },
  'Split in uneven parts': { nodes: [{ opType: 'Split', inputs: ['x', 'sizes'], outputs: ['a', 'y'], attributes: { axis: 3 } }], initializers: [integers('sizes', 1, 3)] },
  'Gather of channels': { nodes: [node('Gather', { axis: 1 }, 'i')], initializers: [integers('i', 3, 0, 1, -2)], input: [1, 4, 2, 2] },
  'Gather of one row': { nodes: [node('Gather', { axis: 2 }, 'i')], initializers: [{ name: 'i', dims: [], dataType: 7, int64Data: [1n] }] },
  'DepthToSpace DCR': { nodes: [node('DepthToSpace', { blocksize: 2 })], input: [1, 8, 2, 3] },
  'DepthToSpace CRD': { nodes: [node('DepthToSpace', { blocksize: 2, mode: 'CRD' })], input: [1, 8, 2, 3] },
  SpaceToDepth: { nodes: [node('SpaceToDepth', { blocksize: 2 })], input: [1, 2, 4, 6] },
  Expand: { nodes: [{ opType: 'ReduceMax', inputs: ['x'], outputs: ['m'], attributes: { axes: [2, 3] } }, { opType: 'Expand', inputs: ['m', 'shape'], outputs: ['y'] }], initializers: [integers('shape', 1, 1, 3, 5)] },
  'ConvTranspose with an output shape': { nodes: [node('ConvTranspose', { strides: [2, 2], output_shape: [9, 8] }, 'w')], initializers: [weights('w', 2, 3, 3, 3)] },
  'ConvTranspose SAME_UPPER': { nodes: [node('ConvTranspose', { strides: [2, 2], auto_pad: 'SAME_UPPER' }, 'w')], initializers: [weights('w', 2, 3, 3, 3)] },
  'ConvTranspose SAME_LOWER': { nodes: [node('ConvTranspose', { strides: [2, 2], auto_pad: 'SAME_LOWER' }, 'w')], initializers: [weights('w', 2, 3, 3, 3)] },
  'MaxPool and MaxUnpool': {
    nodes: [
      { opType: 'MaxPool', inputs: ['x'], outputs: ['p', 'i'], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
      { opType: 'MaxUnpool', inputs: ['p', 'i'], outputs: ['y'], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
    ],
    input: [1, 3, 4, 6],
  },
  'Upsample, opset 7': { nodes: [node('Upsample', { scales: { floats: [1, 1, 2, 3] } })], opset: 7 },
  'Upsample linear, opset 9': { nodes: [node('Upsample', { mode: 'linear' }, 's')], initializers: [vector('s', [1, 1, 2, 2])], opset: 9 },
  'Resize, opset 10': { nodes: [node('Resize', { mode: 'nearest' }, 's')], initializers: [vector('s', [1, 1, 0.6, 1.7])], opset: 10, input: [1, 2, 7, 5] },
  'Resize to sizes taken from Shape': {
    nodes: [
      { opType: 'Shape', inputs: ['x'], outputs: ['sizes'] },
      { opType: 'Slice', inputs: ['sizes', 'zero', 'two'], outputs: ['kept'] },
      { opType: 'Slice', inputs: ['sizes', 'two', 'four'], outputs: ['grown'] },
      { opType: 'Mul', inputs: ['grown', 'two'], outputs: ['twice'] },
      { opType: 'Concat', inputs: ['kept', 'twice'], outputs: ['target'], attributes: { axis: 0 } },
      { opType: 'Resize', inputs: ['x', '', '', 'target'], outputs: ['y'], attributes: { mode: 'linear', coordinate_transformation_mode: 'align_corners' } },
    ],
    initializers: [integers('zero', 0), integers('two', 2), integers('four', 4)],
  },
  'Resize with a region': {
    nodes: [{ opType: 'Resize', inputs: ['x', 'roi', '', 'sizes'], outputs: ['y'], attributes: { mode: 'linear', coordinate_transformation_mode: 'tf_crop_and_resize' } }],
    initializers: [vector('roi', [0, 0, 0.2, 0.1, 1, 1, 0.9, 1.3]), integers('sizes', 1, 2, 5, 6)],
  },
  'Resize by cubic, edges left out': {
    nodes: [{ opType: 'Resize', inputs: ['x', '', '', 'sizes'], outputs: ['y'], attributes: { mode: 'cubic', cubic_coeff_a: { float: -0.5 }, exclude_outside: 1 } }],
    initializers: [integers('sizes', 1, 2, 9, 7)],
  },
  'Resize antialiased': {
    nodes: [{ opType: 'Resize', inputs: ['x', '', '', 'sizes'], outputs: ['y'], attributes: { mode: 'linear', antialias: 1 } }],
    initializers: [integers('sizes', 1, 2, 3, 4)],
    input: [1, 2, 9, 10],
    opset: 18,
  },
  'Resize keeping the aspect': {
    nodes: [{ opType: 'Resize', inputs: ['x', '', '', 'sizes'], outputs: ['y'], attributes: { mode: 'linear', keep_aspect_ratio_policy: 'not_larger', axes: [2, 3] } }],
    initializers: [integers('sizes', 9, 6)],
    input: [1, 2, 6, 5],
    opset: 18,
  },
};

describe('operators against onnxruntime', () => {
  for (const [title, { positive = false, ...file }] of Object.entries(cases)) {
    it(title, async () => {
      expect((await difference(file, positive)).difference).toBeLessThan(1e-5);
    });
  }

  const transformations = ['half_pixel', 'half_pixel_symmetric', 'pytorch_half_pixel', 'align_corners', 'asymmetric'];
  const resized = (attributes: FileNode['attributes'], by: object, place: 2 | 3): File => ({
    nodes: [{ opType: 'Resize', inputs: ['x', '', ...(place === 2 ? ['by'] : ['', 'by'])], outputs: ['y'], attributes }],
    initializers: [by],
    input: [1, 2, 7, 6],
    opset: 19,
  });
  for (const mode of ['nearest', 'linear', 'cubic']) {
    for (const transformation of transformations) {
      it(`Resize ${mode}, ${transformation}`, async () => {
        const nearest = mode === 'nearest' ? ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] : [undefined];
        for (const rounding of nearest) {
          const attributes = { mode, coordinate_transformation_mode: transformation, ...(rounding ? { nearest_mode: rounding } : {}) };
          for (const sizes of [[14, 18], [5, 3], [1, 9]]) {
            expect((await difference(resized(attributes, integers('by', 1, 2, ...sizes), 3))).difference, `${rounding} sizes ${sizes.join(' x ')}`).toBeLessThan(1e-5);
          }
          // None of these puts a position exactly between two others, where rounding errors decide.
          for (const scales of [[2, 3], [0.5, 0.7], [1.3, 2.4]]) {
            expect((await difference(resized(attributes, vector('by', [1, 1, ...scales]), 2))).difference, `${rounding} scales ${scales.join(' x ')}`).toBeLessThan(1e-5);
          }
        }
      });
    }
  }
});

describe('channels last', () => {
  const transpose = (from: string, to: string, perm: readonly number[]): FileNode => ({ opType: 'Transpose', inputs: [from], outputs: [to], attributes: { perm } });
  const toFirst = [0, 3, 1, 2];
  const toLast = [0, 2, 3, 1];

  it('a picture and its Transpose, as tf2onnx writes them: neither is left', async () => {
    const file: File = {
      nodes: [
        { opType: 'Sub', inputs: ['x', 'mean'], outputs: ['centred'] },
        { opType: 'Mul', inputs: ['centred', 'scale'], outputs: ['scaled'] },
        { opType: 'Pad', inputs: ['scaled', 'pads'], outputs: ['padded'] },
        transpose('padded', 'first', toFirst),
        { opType: 'Conv', inputs: ['first', 'w'], outputs: ['conv'] },
        { opType: 'Relu', inputs: ['conv'], outputs: ['relu'] },
        transpose('relu', 'last', toLast),
        { opType: 'ReduceMean', inputs: ['last'], outputs: ['y'], attributes: { axes: [1, 2], keepdims: 0 } },
      ],
      initializers: [vector('mean', [1, 2, 3]), floats('scale', [], 0.5), integers('pads', 0, 1, 0, 0, 0, 1, 2, 0), weights('w', 4, 3, 3, 3)],
      input: [1, 8, 9, 3],
    };
    const result = await difference(file);
    expect(result.kinds).toEqual(['Sub', 'Mul', 'Pad', 'Conv', 'Relu', 'GlobalAveragePool', 'Reshape']);
    expect(result.warnings).toEqual(['The file has its pictures "x" channels last; the graph has them channels first, and its 2 Transposes are not needed.']);
    expect(result.difference).toBeLessThan(1e-5);
  });

  it('a real Transpose stands before what reads the order: Flatten', async () => {
    const file: File = {
      nodes: [transpose('x', 'first', toFirst), { opType: 'Relu', inputs: ['first'], outputs: ['relu'] }, transpose('relu', 'last', toLast), { opType: 'Flatten', inputs: ['last'], outputs: ['y'] }],
      input: [1, 8, 8, 3],
    };
    const result = await difference(file);
    expect(result.kinds).toEqual(['Relu', 'Transpose', 'Reshape']);
    expect(result.difference).toBe(0);
  });

  it('a ConvNeXt block between two Transposes: layer normalisation over channels, matrices as 1 x 1 convolutions', async () => {
    const file: File = {
      nodes: [
        { opType: 'Conv', inputs: ['x', 'depthwise'], outputs: ['conv'], attributes: { group: 3, pads: [1, 1, 1, 1] } },
        transpose('conv', 'last', toLast),
        { opType: 'LayerNormalization', inputs: ['last', 's', 'b'], outputs: ['normal'] },
        { opType: 'MatMul', inputs: ['normal', 'up'], outputs: ['wide'] },
        { opType: 'Add', inputs: ['bias', 'wide'], outputs: ['biased'] },
        { opType: 'Gelu', inputs: ['biased'], outputs: ['active'] },
        { opType: 'MatMul', inputs: ['active', 'down'], outputs: ['narrow'] },
        { opType: 'Mul', inputs: ['narrow', 'gamma'], outputs: ['scaled'] },
        transpose('scaled', 'branch', toFirst),
        { opType: 'Add', inputs: ['x', 'branch'], outputs: ['y'] },
      ],
      initializers: [weights('depthwise', 3, 1, 3, 3), weights('s', 3), weights('b', 3), weights('up', 3, 6), weights('bias', 6), weights('down', 6, 3), weights('gamma', 3)],
      input: [1, 3, 5, 4],
      opset: 20,
    };
    const { difference: distance, kinds } = await difference(file);
    expect(kinds.filter((kind) => kind === 'Conv')).toHaveLength(3);
    expect(kinds).not.toContain('Transpose');
    expect(distance).toBeLessThan(1e-5);
  });

  it('joins, gates and pools channels last', async () => {
    const file: File = {
      nodes: [
        { opType: 'Sigmoid', inputs: ['x'], outputs: ['gate'] },
        { opType: 'Mul', inputs: ['x', 'gate'], outputs: ['swish'] },
        { opType: 'Concat', inputs: ['swish', 'x'], outputs: ['joined'], attributes: { axis: 3 } },
        { opType: 'ReduceMean', inputs: ['joined'], outputs: ['mean'], attributes: { axes: [1, 2] } },
        { opType: 'Squeeze', inputs: ['mean', 'axes'], outputs: ['flat'] },
        { opType: 'Gemm', inputs: ['flat', 'w'], outputs: ['y'] },
      ],
      initializers: [integers('axes', 1, 2), weights('w', 6, 2)],
      input: [1, 8, 8, 3],
    };
    const { difference: distance, kinds } = await difference(file);
    expect(kinds).not.toContain('Transpose');
    expect(distance).toBeLessThan(1e-5);
  });
});
