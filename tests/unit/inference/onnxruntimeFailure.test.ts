/** What a person reads when onnxruntime cannot compile or run a graph: the node by the name that the graph has for it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createGraphBuilder } from '../../../src-main/graph/build.ts';
import type { Engine } from '../../../src-main/inference/engine.ts';
import { createOnnxruntimeEngine } from '../../../src-main/inference/onnxruntime/engine.ts';
import { failureOf } from '../../../src-main/inference/onnxruntime/failure.ts';
import { AppError } from '../../../src-shared/errors.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createOnnxruntimeEngine({ device: 'cpu' });
});
afterAll(() => engine.close());

it('names the node that it cannot take', async () => {
  const builder = createGraphBuilder('network');
  builder.input('x', 'int64', ['batch', 3]);
  builder.add('Erf', ['x'], {}, { name: 'gelu', outputs: ['y'] });
  const failure: unknown = await engine.compile(builder.finish(['y'])).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(AppError);
  expect(failure).toMatchObject({ code: 'UNSUPPORTED', data: { node: 'gelu', op: 'Erf' } });
  expect((failure as AppError).message).toBe('onnxruntime on cpu cannot compile network: node "gelu" (Erf): This is an invalid model. Type Error: Type \'tensor(int64)\' of input parameter (x) of operator (Erf) in node (gelu) is invalid.');
});

it('names the node that failed in a run, also where one op is spelled in several ONNX nodes', async () => {
  const builder = createGraphBuilder('network');
  builder.input('x', 'float32', ['batch', 1, 1, 1]);
  builder.input('s', 'int64', ['batch', 1, 1, 1]);
  builder.add('Unpool', ['x', 's'], { height: 2, width: 2 }, { name: 'unpool', outputs: ['y'] });
  const session = await engine.compile(builder.finish(['y']));
  const feeds = new Map([['x', { shape: [1, 1, 1, 1], data: Float32Array.of(1) }], ['s', { shape: [1, 1, 1, 1], data: BigInt64Array.of(4n) }]]);
  const failure: unknown = await session.run(feeds, ['y']).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'INTERNAL', data: { node: 'unpool', op: 'Unpool' } });
  expect((failure as AppError).message).toMatch(/^onnxruntime on cpu failed in network: node "unpool" \(Unpool\): indices element out of data bounds, idx=4 /);
});

it('says the reason alone, without source paths, where no node is named', () => {
  const graph = createGraphBuilder('network').finish([]);
  const error = new Error('Exception during initialization: /src/pool_attributes.h:88 PoolAttributes(int) [with KernelInfoType = (Info)] pads[dim] < (kernel_shape[dim]) was false. Pad should be smaller than kernel.\nmore');
  expect(failureOf(graph, error)).toEqual({ node: undefined, text: 'Pad should be smaller than kernel.' });
});
