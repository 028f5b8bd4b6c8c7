/** A projection as a file: its interface whatever the network calls its values, run by onnxruntime against numbers written out. */
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { createGraphBuilder, type GraphBuilder } from '../../../src-main/graph/build.ts';
import { writeProjection } from '../../../src-main/importers/onnx/writeProjection.ts';
import { projectionGraph } from '../../../src-main/rewrite/backward/projectionGraph.ts';
import { floatTensor, windowOf } from '../../support/graphs.ts';

async function project(make: (builder: GraphBuilder) => void, input: string, sizes: readonly number[], image: readonly number[], [channel, row, column]: readonly [number, number, number]): Promise<number[]> {
  const builder = createGraphBuilder('network');
  builder.input(input, 'float32', ['batch', ...sizes]);
  make(builder);
  const bytes = writeProjection(projectionGraph(builder.finish(['y']), input, 'y', 'gradient', { passesUpperBound: true }), 'a note');
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  expect([session.inputNames, session.outputNames]).toEqual([['image', 'channel', 'row', 'column'], ['projection']]);
  const scalar = (value: number) => new RuntimeTensor('int64', BigInt64Array.of(BigInt(value)), []);
  const { projection } = await session.run({ image: new RuntimeTensor('float32', Float32Array.from(image), [1, ...sizes]), channel: scalar(channel), row: scalar(row), column: scalar(column) });
  await session.release();
  expect(projection!.dims).toEqual([1, ...sizes]);
  return Array.from(projection!.data as Float32Array, (value) => value + 0);
}

const weights = (b: GraphBuilder, name: string, shape: readonly number[], values: readonly number[]) => b.tensor(floatTensor(name, shape, values));
const plain = { ...windowOf([1, 1]), group: 1 };

describe('writeProjection', () => {
  const two = (b: GraphBuilder) => void b.add('Conv', ['x', weights(b, 'w', [2, 1, 1, 1], [2, 3]), ''], plain, { outputs: ['y'] });
  it.each([
    [[0, 0, 1], [0, 2, 0, 0]],
    [[1, 1, 0], [0, 0, 3, 0]],
    [[2, 0, 0], [0, 0, 0, 0]],
    [[0, -1, 0], [0, 0, 0, 0]],
  ] as const)('seeds unit %j', async (unit, expected) => {
    expect(await project(two, 'x', [1, 2, 2], [1, 1, 1, 1], unit)).toEqual(expected);
  });

  it('seeds a layer without positions at row 0, column 0', async () => {
    const connected = (b: GraphBuilder) => {
      const flat = b.add('Reshape', ['x'], { shape: ['batch', 2] })[0]!;
      b.add('Gemm', [flat, weights(b, 'm', [2, 2], [1, 2, 3, 4]), ''], { transposeB: true }, { outputs: ['y'] });
    };
    expect(await project(connected, 'x', [1, 1, 2], [1, 1], [1, 0, 0])).toEqual([3, 4]);
    expect(await project(connected, 'x', [1, 1, 2], [1, 1], [1, 1, 0])).toEqual([0, 0]);
  });

  it('gives way where the network uses the names of the interface itself', async () => {
    const clashing = (b: GraphBuilder) => {
      b.add('Conv', ['column', weights(b, 'channel', [1, 1, 1, 1], [5]), ''], plain, { outputs: ['image'] });
      b.add('Mul', ['image', weights(b, 'unit/is', [], [2])], {}, { outputs: ['projection'] });
      b.add('Relu', ['projection'], {}, { name: 'row', outputs: ['y'] });
    };
    expect(await project(clashing, 'column', [1, 1, 2], [1, 1], [0, 0, 1])).toEqual([0, 10]);
  });

  it('passes a unit at the upper bound of its activation', async () => {
    const bounded = (b: GraphBuilder) => void b.add('Clip', ['x'], { minimum: 0, maximum: 6 }, { outputs: ['y'] });
    expect(await project(bounded, 'x', [1, 1, 3], [9, 3, -1], [0, 0, 0])).toEqual([1, 0, 0]);
    expect(await project(bounded, 'x', [1, 1, 3], [9, 3, -1], [0, 0, 2])).toEqual([0, 0, 0]);
  });
});

it('says in the file what it is', () => {
  const builder = createGraphBuilder('network');
  builder.input('x', 'float32', ['batch', 1, 1, 2]);
  builder.add('Relu', ['x'], {}, { outputs: ['y'] });
  const bytes = writeProjection(projectionGraph(builder.finish(['y']), 'x', 'y', 'deconvnet'), 'Projection of layer y by deconvnet.');
  expect(Buffer.from(bytes).includes('Projection of layer y by deconvnet.')).toBe(true);
});
