/**
 * Going back is the adjoint of going forth: <A x, y> = <x, A' y> on random tensors (method.md section 3), for every pair that a projection is made of,
 * on every engine. Both sides come from the same engine, so this holds even where no other engine is at hand.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGraphBuilder } from '../../src-main/graph/build.ts';
import type { Graph } from '../../src-main/graph/graph.ts';
import type { OpAttributes, WindowAttributes } from '../../src-main/graph/ops/attributes.ts';
import type { Data, Engine } from '../../src-main/inference/engine.ts';
import { floatTensor, innerProduct, normalFloats, oneNodeGraph, randomData, randomTensor, seededRandom, windowOf } from '../support/graphs.ts';
import { allEngines, runOnce } from '../parity/allEngines.ts';

const random = seededRandom(4711);
const batch = 2;

let engines: Engine[];
beforeAll(async () => {
  engines = await allEngines();
});
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

const convolutions: readonly (readonly [title: string, channels: number, outputs: number, height: number, width: number, attributes: OpAttributes['Conv']])[] = [
  ['plain', 3, 4, 7, 8, { ...windowOf([3, 3]), group: 1 }],
  ['AlexNet conv1: 11 x 11, stride 4', 3, 5, 27, 31, { ...windowOf([11, 11], { strides: [4, 4] }), group: 1 }],
  ['strides that leave a remainder (output padding)', 3, 4, 10, 12, { ...windowOf([3, 3], { strides: [2, 3], pads: [1, 1, 1, 1] }), group: 1 }],
  ['asymmetric pads', 2, 3, 8, 9, { ...windowOf([3, 4], { strides: [2, 2], pads: [2, 0, 1, 3] }), group: 1 }],
  ['dilations and strides', 2, 4, 12, 13, { ...windowOf([3, 2], { strides: [2, 3], dilations: [2, 3], pads: [2, 1, 0, 1] }), group: 1 }],
  ['dilations at stride 1', 2, 4, 9, 9, { ...windowOf([3, 3], { dilations: [2, 2], pads: [2, 2, 2, 2] }), group: 1 }],
  ['two groups', 4, 6, 9, 8, { ...windowOf([3, 3], { strides: [2, 1], pads: [1, 1, 1, 1] }), group: 2 }],
  ['depthwise', 4, 4, 9, 8, { ...windowOf([3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }), group: 4 }],
  ['depthwise with two outputs for each channel', 3, 6, 8, 8, { ...windowOf([3, 3], { pads: [1, 1, 1, 1] }), group: 3 }],
];

describe('ConvTranspose is the adjoint of Conv', () => {
  it.each(convolutions)('%s', async (_, channels, outputs, height, width, attributes) => {
    const { kernel, strides, dilations, pads, group } = attributes;
    // The forward weights as they are: [M, C/group, kh, kw] reads as [inputs, outputs/group, kh, kw] of the transposed one.
    const weights = randomTensor(random, 'w', [outputs, channels / group, ...kernel]);
    const forward = oneNodeGraph('Conv', [{ name: 'x', shape: ['batch', channels, height, width] }, weights], attributes);
    const shape = forward.values.get('y')!.shape;
    const outputPadding = [remainder(height, 0), remainder(width, 1)] as const;
    const back = oneNodeGraph('ConvTranspose', [{ name: 'x', shape }, weights], { ...attributes, outputPadding });
    expect(back.values.get('y')!.shape).toEqual(['batch', channels, height, width]);
    await holds(forward, back);

    function remainder(size: number, axis: 0 | 1): number {
      return (size + pads[axis]! + pads[axis + 2]! - dilations[axis] * (kernel[axis] - 1) - 1) % strides[axis];
    }
  });
});

describe('Unpool is the adjoint of MaxPool for the switches that it made', () => {
  const pools: readonly (readonly [string, WindowAttributes])[] = [
    ['overlapping 3 x 3 at stride 2', windowOf([3, 3], { strides: [2, 2] })],
    ['overlapping at stride 1, padded', windowOf([3, 3], { pads: [1, 1, 1, 1] })],
    ['asymmetric pads, dilated', windowOf([2, 3], { strides: [2, 1], dilations: [2, 2], pads: [0, 1, 1, 2] })],
  ];
  it.each(pools)('%s', async (_, attributes) => {
    const x = randomData(random, [batch, 3, 9, 8]);
    const pool = oneNodeGraph('MaxPool', [{ name: 'x', shape: ['batch', 3, 9, 8] }], attributes, ['y', 's']);
    const builder = createGraphBuilder('unpool');
    const shape = pool.values.get('y')!.shape;
    builder.input('signal', 'float32', shape);
    builder.input('s', 'int64', shape);
    builder.add('Unpool', ['signal', 's'], { height: 9, width: 8 }, { outputs: ['back'] });
    const back = builder.finish(['back']);
    for (const engine of engines) {
      const forward = await runOnce(engine, pool, { x });
      const signal = randomData(random, forward.get('y')!.shape);
      const result = await runOnce(engine, back, { signal, s: forward.get('s')! });
      expectEqual(innerProduct(forward.get('y')!, signal), innerProduct(x, result.get('back')!), engine);
    }
  });
});

describe('AveragePool', () => {
  it('has as its adjoint a spread over the window by the forward divisor, composed of Mul and a depthwise ConvTranspose', async () => {
    const attributes = { ...windowOf([3, 3], { strides: [2, 2], pads: [1, 1, 0, 0] }), countIncludePad: false };
    const forward = oneNodeGraph('AveragePool', [{ name: 'x', shape: ['batch', 2, 6, 6] }], attributes);
    // 6 + 1 pad leaves three windows of which the first covers two rows (columns) inside, the others three.
    const inside = [2, 3, 3];
    const shares = inside.flatMap((rows) => inside.map((columns) => 1 / (rows * columns)));
    const builder = createGraphBuilder('spread');
    builder.input('x', 'float32', ['batch', 2, 3, 3]);
    builder.tensor(floatTensor('shares', [3, 3], shares));
    builder.tensor(floatTensor('ones', [2, 1, 3, 3], new Float32Array(18).fill(1)));
    const [share] = builder.add('Mul', ['x', 'shares'], {}) as [string];
    builder.add('ConvTranspose', [share, 'ones'], { ...windowOf([3, 3], { strides: [2, 2], pads: [1, 1, 0, 0] }), group: 2, outputPadding: [0, 0] }, { outputs: ['y'] });
    await holds(forward, builder.finish(['y']));
  });
});

describe('Gemm', () => {
  it('has as its adjoint Gemm with the same matrix read the other way', async () => {
    const weights = randomTensor(random, 'w', [7, 5]);
    await holds(
      oneNodeGraph('Gemm', [{ name: 'x', shape: ['batch', 5] }, weights], { transposeB: true }),
      oneNodeGraph('Gemm', [{ name: 'x', shape: ['batch', 7] }, weights], { transposeB: false }),
    );
  });
});

describe('Pad', () => {
  it('has as its adjoint Slice along both axes', async () => {
    const builder = createGraphBuilder('crop');
    builder.input('x', 'float32', ['batch', 2, 7, 8]);
    const [rows] = builder.add('Slice', ['x'], { axis: 2, start: 1, end: 5 }) as [string];
    builder.add('Slice', [rows], { axis: 3, start: 2, end: 8 }, { outputs: ['y'] });
    await holds(oneNodeGraph('Pad', [{ name: 'x', shape: ['batch', 2, 4, 6] }], { pads: [1, 2, 2, 0], value: 0 }), builder.finish(['y']));
  });
});

/** <forward x, y> = <x, back y> on every engine; both graphs read x and make y. */
async function holds(forward: Graph, back: Graph): Promise<void> {
  const [from, to] = [forward, back].map((graph) => [batch, ...(graph.inputs[0]!.shape.slice(1) as number[])]) as [number[], number[]];
  const x: Data = { shape: from, data: normalFloats(random, from.reduce((a, b) => a * b, 1)) };
  const signal: Data = { shape: to, data: normalFloats(random, to.reduce((a, b) => a * b, 1)) };
  for (const engine of engines) {
    const there = (await runOnce(engine, forward, { x })).get('y')!;
    const andBack = (await runOnce(engine, back, { x: signal })).get('y')!;
    expectEqual(innerProduct(there, signal), innerProduct(x, andBack), engine);
  }
}

function expectEqual(left: number, right: number, engine: Engine): void {
  expect(left, 'the products are not 0 by accident').not.toBe(0);
  expect(Math.abs(left - right) / Math.max(1, Math.abs(left)), `${engine.description}: ${left} and ${right}`).toBeLessThan(2e-5);
}
