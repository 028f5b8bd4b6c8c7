/** The manners of the TensorFlow engine: nothing leaks, nothing is printed on standard output, a cancel is heard, a wrong feed is named, sessions do not mix. */
import { createRequire } from 'node:module';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type * as tfjsCore from '@tensorflow/tfjs-core';
import { AppError } from '../../src-shared/errors.ts';
import type { Data } from '../../src-main/inference/engine.ts';
import { createReferenceEngine } from '../../src-main/inference/reference/engine.ts';
import { createTensorflowEngine } from '../../src-main/inference/tensorflow/engine.ts';
import { createGraphBuilder } from '../../src-main/graph/build.ts';
import { floatData, oneNodeGraph, randomData, relativeDifference, seededRandom } from '../support/graphs.ts';
import { alexNetShaped, squeezeNetShaped } from './networks.ts';

const tf = createRequire(import.meta.url)('@tensorflow/tfjs-core') as typeof tfjsCore;
const alexNet = alexNetShaped(1);
const image = randomData(seededRandom(2), [1, 3, 67, 67]);
const feeds = new Map([['image', image]]);

describe.each(['wasm', 'cpu'] as const)('memory on %s', (backend) => {
  it('holds no tensor beyond the constants of open sessions, and none after they close', async () => {
    const engine = await createTensorflowEngine({ backend });
    const before = tf.memory().numTensors;
    const session = await engine.compile(alexNet);
    const compiled = tf.memory().numTensors;
    expect(compiled).toBeGreaterThan(before);
    await session.run(feeds, alexNet.outputs);
    await session.run(feeds, ['conv2/relu']);
    expect(tf.memory().numTensors).toBe(compiled);
    await session.close();
    expect(tf.memory().numTensors).toBe(before);
    await engine.compile(alexNet);
    await engine.close();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('frees everything when a run fails, a compilation fails, or a run is cancelled', async () => {
    const engine = await createTensorflowEngine({ backend });
    const before = tf.memory().numTensors;

    const builder = createGraphBuilder('computed weights');
    builder.input('x', 'float32', ['batch', 1, 4, 4]);
    builder.input('scale', 'float32', [1]);
    for (const name of ['bias', 'mean', 'variance']) builder.tensor({ name, dataType: 'float32', shape: [1], data: Float32Array.of(1) });
    const [sum] = builder.add('Add', ['x', 'bias'], {}) as [string];
    builder.add('BatchNormalization', [sum, 'scale', 'bias', 'mean', 'variance'], { epsilon: 1e-5 }, { name: 'dynamic', outputs: ['y'] });
    await expect(engine.compile(builder.finish(['y']))).rejects.toThrow('Node "dynamic" (BatchNormalization) takes its weights "scale" from a computed value');
    expect(tf.memory().numTensors).toBe(before);

    const session = await engine.compile(alexNet);
    const compiled = tf.memory().numTensors;
    const controller = new AbortController();
    const running = session.run(new Map([['image', randomData(seededRandom(5), [64, 3, 67, 67])]]), alexNet.outputs, controller.signal);
    // It has begun, and looks for this when it next lets others have their turn.
    controller.abort();
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    expect(tf.memory().numTensors).toBe(compiled);

    const shape = [1, 1, 2, 2];
    const unpool = oneNodeGraph('Unpool', [{ name: 'x', shape: ['batch', 1, 2, 2] }, { name: 's', shape: ['batch', 1, 2, 2], dataType: 'int64' }], { height: 4, width: 4 });
    const unpooling = await engine.compile(unpool);
    const far: Data = { shape, data: BigInt64Array.of(0n, 1n, 2n, 2n ** 40n) };
    await expect(unpooling.run(new Map([['x', floatData(shape, [1, 2, 3, 4])], ['s', far]]), ['y'])).rejects.toThrow('The position 1099511627776 does not fit into the 32 bits');
    expect(tf.memory().numTensors).toBe(compiled);

    await engine.close();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('sessions', () => {
  it('of two backends run at the same time without taking each other for their own', async () => {
    const squeezeNet = squeezeNetShaped(3);
    const pixels = new Map([['image', randomData(seededRandom(4), [2, 3, 48, 48])]]);
    const engines = [createReferenceEngine(), await createTensorflowEngine({ backend: 'wasm' }), await createTensorflowEngine({ backend: 'cpu' })];
    const sessions = await Promise.all(engines.map((engine) => engine.compile(squeezeNet)));
    const [expected, ...others] = await Promise.all(sessions.map((session) => session.run(pixels, ['fire4/concat'])));
    for (const other of others) expect(relativeDifference(other.get('fire4/concat')!, expected!.get('fire4/concat')!)).toBeLessThanOrEqual(1e-4);
    for (const engine of engines) await engine.close();
  });

  it.each([
    ['TensorFlow', () => createTensorflowEngine({ backend: 'wasm' })],
    ['the reference', async () => createReferenceEngine()],
  ])('of %s name what is wrong with feeds and fetches', async (_, create) => {
    const engine = await create();
    const session = await engine.compile(alexNet);
    const refused = (run: Promise<unknown>) => run.then(() => Promise.reject(new Error('it ran')), (error: unknown) => ({ code: (error as AppError).code, message: (error as AppError).message }));
    expect(await refused(session.run(new Map(), ['fc8']))).toMatchObject({ code: 'BAD_REQUEST', message: expect.stringMatching(/^Input "image" of graph small AlexNet .*(not fed|fed was nothing)/) });
    expect(await refused(session.run(new Map([['image', floatData([1, 3, 5, 5], new Float32Array(75))]]), ['fc8']))).toMatchObject({ code: 'BAD_REQUEST', message: expect.stringContaining('[1, 3, 5, 5]') });
    expect(await refused(session.run(feeds, ['conv9']))).toMatchObject({ code: 'BAD_REQUEST', message: expect.stringContaining('has no output "conv9"') });
    await engine.close();
  });

  it('do not start when the signal is already aborted', async () => {
    for (const engine of [createReferenceEngine(), await createTensorflowEngine({ backend: 'wasm' })]) {
      const session = await engine.compile(alexNet);
      await expect(session.run(feeds, ['fc8'], AbortSignal.abort(new AppError('CANCELLED', 'stop')))).rejects.toThrow('stop');
      await engine.close();
    }
  });
});

describe('devices', () => {
  it('say why native TensorFlow is not here and what to do, or run it', async () => {
    const said = await createTensorflowEngine({ device: 'cuda' }).then(
      (engine) => engine.description,
      (error: unknown) => (error as AppError).message,
    );
    expect(said).toMatch(/^(tfjs 4\.22\.0 native TensorFlow cuda|Native TensorFlow is here but found no CUDA GPU; .*|Native TensorFlow is not here because .*custom-binary\.json.*)$/);
  });

  it('that TensorFlow does not have are refused', async () => {
    await expect(createTensorflowEngine({ device: 'dml' })).rejects.toThrow('TensorFlow runs on cpu, cuda or webgpu, not on dml; choose one of these, or the engine onnxruntime.');
  });
});

describe('the process', () => {
  it('keeps its standard output and its own error handlers', async () => {
    const engineFile = fileURLToPath(new URL('../../src-main/inference/tensorflow/engine.ts', import.meta.url));
    const program = `
      const { createTensorflowEngine } = await import(${JSON.stringify(engineFile)});
      for (const backend of ['wasm', 'cpu']) {
        const engine = await createTensorflowEngine({ backend });
        const session = await engine.compile({ name: 'g', inputs: [{ name: 'x', dataType: 'float32', shape: ['batch', 2] }], outputs: ['y'], tensors: new Map(),
          nodes: [{ kind: 'Relu', name: 'n', inputs: ['x'], outputs: ['y'], attributes: {} }],
          values: new Map([['x', { name: 'x', dataType: 'float32', shape: ['batch', 2] }], ['y', { name: 'y', dataType: 'float32', shape: ['batch', 2] }]]) });
        await session.run(new Map([['x', { shape: [1, 2], data: Float32Array.of(-1, 1) }]]), ['y']);
      }
      process.stderr.write('listeners ' + process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection'));`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
    expect(stdout).toBe('');
    expect(stderr).toBe('listeners 00');
  });
});
