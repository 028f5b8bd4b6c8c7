/** writeOnnx: small graphs, run by onnxruntime with a batch of two, against numbers written out. */
import { describe, expect, it } from 'vitest';
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import { createGraphBuilder } from '../../../src-main/graph/build.ts';
import type { Graph } from '../../../src-main/graph/graph.ts';
import { writeOnnx } from '../../../src-main/importers/onnx/write.ts';

const square = { kernel: [2, 2], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] } as const;

async function run(graph: Graph, feeds: Readonly<Record<string, RuntimeTensor>>): Promise<Record<string, { dims: readonly number[]; data: number[] }>> {
  const session = await InferenceSession.create(writeOnnx(graph), { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const results = await session.run(feeds);
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, { dims: tensor.dims, data: Array.from(tensor.data as Float32Array, Number) }]));
}

const floats = (shape: number[], ...values: number[]): RuntimeTensor => new RuntimeTensor('float32', Float32Array.from(values), shape);

describe('writeOnnx', () => {
  it('leaves the batch free and gives switches as indices into the flattened batch', async () => {
    const build = createGraphBuilder('pool');
    build.input('x', 'float32', ['batch', 1, 2, 3]);
    build.add('MaxPool', ['x'], square, { outputs: ['pooled', 'switches'] });
    const { pooled, switches } = await run(build.finish(['pooled', 'switches']), { x: floats([2, 1, 2, 3], 1, 5, 2, 0, 5, 4, 7, 0, 0, 0, 0, 9) });
    expect(pooled).toEqual({ dims: [2, 1, 1, 2], data: [5, 5, 7, 9] });
    expect(switches?.data).toEqual([1, 1, 6, 11]);
  });

  it('sums signals that share a switch when unpooling', async () => {
    const build = createGraphBuilder('unpool');
    build.input('x', 'float32', ['batch', 1, 2, 3]);
    build.input('signal', 'float32', ['batch', 1, 1, 2]);
    build.add('MaxPool', ['x'], square, { outputs: ['pooled', 'switches'] });
    build.add('Unpool', ['signal', 'switches'], { height: 2, width: 3 }, { outputs: ['y'] });
    const { y } = await run(build.finish(['y']), {
      x: floats([2, 1, 2, 3], 1, 5, 2, 0, 5, 4, 7, 0, 0, 0, 0, 9),
      signal: floats([2, 1, 1, 2], 10, 3, 1, 2),
    });
    expect(y).toEqual({ dims: [2, 1, 2, 3], data: [0, 13, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2] });
  });

  it('finds the first maximum of each channel in row-major order', async () => {
    const build = createGraphBuilder('score');
    build.input('x', 'float32', ['batch', 2, 2, 2]);
    build.add('SpatialMax', ['x'], {}, { outputs: ['score', 'position'] });
    const { score, position } = await run(build.finish(['score', 'position']), { x: floats([2, 2, 2, 2], 1, 4, 4, 0, 0, 0, 0, 0, -3, -2, -1, -1, 9, 1, 1, 1) });
    expect(score).toEqual({ dims: [2, 2], data: [4, 0, -1, 9] });
    expect(position?.data).toEqual([1, 0, 2, 0]);
  });

  it('gives position 0 for values without positions', async () => {
    const build = createGraphBuilder('score');
    build.input('x', 'float32', ['batch', 3]);
    build.add('SpatialMax', ['x'], {}, { outputs: ['score', 'position'] });
    const { score, position } = await run(build.finish(['score', 'position']), { x: floats([2, 3], 1, -4, 2, 0, 5, 6) });
    expect(score?.data).toEqual([1, -4, 2, 0, 5, 6]);
    expect(position?.data).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('writes bounds, thresholds, pads, slices, sums and powers as ONNX wants them', async () => {
    const build = createGraphBuilder('values');
    build.input('x', 'float32', ['batch', 2, 1, 2]);
    build.add('Clip', ['x'], { minimum: 0, maximum: Infinity }, { outputs: ['fromZero'] });
    build.add('Clip', ['x'], { minimum: -Infinity, maximum: 1 }, { outputs: ['toOne'] });
    build.add('Greater', ['x'], { threshold: 1 }, { outputs: ['above'] });
    build.add('Where', ['above', 'x', 'toOne'], {}, { outputs: ['chosen'] });
    build.add('Pad', ['x'], { pads: [1, 0, 0, 1], value: 7 }, { outputs: ['padded'] });
    build.add('Slice', ['x'], { axis: 1, start: 1, end: 2 }, { outputs: ['second'] });
    build.add('ReduceSum', ['x'], { axes: [1] }, { outputs: ['summed'] });
    build.add('Pow', ['x'], { exponent: 2 }, { outputs: ['squared'] });
    build.add('Reshape', ['x'], { shape: ['batch', 4] }, { outputs: ['flat'] });
    build.add('Softmax', ['flat'], { axis: 1 }, { outputs: ['probability'] });
    const results = await run(build.finish(['fromZero', 'toOne', 'above', 'chosen', 'padded', 'second', 'summed', 'squared', 'flat', 'probability']), { x: floats([1, 2, 1, 2], -1, 2, 3, 0) });
    expect(results['fromZero']?.data).toEqual([0, 2, 3, 0]);
    expect(results['toOne']?.data).toEqual([-1, 1, 1, 0]);
    expect(results['above']?.data).toEqual([0, 1, 1, 0]);
    expect(results['chosen']?.data).toEqual([-1, 2, 3, 0]);
    expect(results['padded']).toEqual({ dims: [1, 2, 2, 3], data: [7, 7, 7, -1, 2, 7, 7, 7, 7, 3, 0, 7] });
    expect(results['second']).toEqual({ dims: [1, 1, 1, 2], data: [3, 0] });
    expect(results['summed']).toEqual({ dims: [1, 1, 1, 2], data: [2, 2] });
    expect(results['squared']?.data).toEqual([1, 4, 9, 0]);
    expect(results['flat']?.dims).toEqual([1, 4]);
    expect(results['probability']?.data.reduce((sum, value) => sum + value)).toBeCloseTo(1, 6);
  });

  it('writes weights, groups, transposed convolution and the dilated average pool', async () => {
    const build = createGraphBuilder('weights');
    build.input('x', 'float32', ['batch', 2, 1, 3]);
    build.tensor({ name: 'w', dataType: 'float32', shape: [2, 1, 1, 2], data: Float32Array.of(1, 1, 1, -1) });
    build.tensor({ name: 'b', dataType: 'float32', shape: [2], data: Float32Array.of(10, 0) });
    const row = { kernel: [1, 2], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] } as const;
    build.add('Conv', ['x', 'w', 'b'], { ...row, group: 2 }, { outputs: ['y'] });
    build.add('ConvTranspose', ['y', 'w', ''], { ...row, group: 2, outputPadding: [0, 0] }, { outputs: ['back'] });
    build.add('AveragePool', ['x'], { ...row, dilations: [1, 2], countIncludePad: false }, { outputs: ['mean'] });
    const { y, back, mean } = await run(build.finish(['y', 'back', 'mean']), { x: floats([1, 2, 1, 3], 1, 2, 4, 5, 5, 1) });
    expect(y).toEqual({ dims: [1, 2, 1, 2], data: [13, 16, 0, 4] });
    expect(back).toEqual({ dims: [1, 2, 1, 3], data: [13, 29, 16, 0, 4, -4] });
    expect(mean).toEqual({ dims: [1, 2, 1, 1], data: [2.5, 3] });
  });
});
