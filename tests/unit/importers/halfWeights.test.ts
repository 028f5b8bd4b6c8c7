/** A checkpoint in float16: half the bytes, and the same network but for the rounding of its filters and matrices, in our importer and in onnxruntime itself. */
/// <reference lib="esnext.float16" />
import { writeFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trainingRecipe } from '../../../src-shared/contract/training.ts';
import type { Graph } from '../../../src-main/graph/graph.ts';
import { openModel } from '../../../src-main/importers/open.ts';
import { writePixelNetwork } from '../../../src-main/importers/onnx/pixelMetadata.ts';
import { createReferenceEngine } from '../../../src-main/inference/reference/engine.ts';
import { buildNetwork } from '../../../src-main/training/buildNetwork.ts';
import { temporaryFolder } from '../../support/commandLine.ts';
import { randomData, relativeDifference, seededRandom } from '../../support/graphs.ts';
import { runOnce } from '../../parity/allEngines.ts';

describe('weights in float16', () => {
  const folder = temporaryFolder('half');
  const mean = { pixels: new Float32Array(3 * 64 * 64).fill(100.123), colours: new Float32Array(3).fill(100.123), deviation: 50 };
  const recipe = trainingRecipe.parse({ epochs: 1, initialisation: 'he' });
  const { graph } = buildNetwork({ kind: 'zfnet', width: 0.1, input: 64 }, recipe, 5, mean);
  const bytes = (precision: 'float32' | 'float16', of: Graph = graph) => writePixelNetwork(of, { order: 'rgb', resize: { kind: 'exact' }, text: '', precision });
  const path = join(folder, 'half.onnx');
  beforeAll(() => writeFile(path, bytes('float16')));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('take half the room', () => {
    expect(bytes('float16').length / bytes('float32').length).toBeLessThan(0.51);
  });

  it('are read as the rounded values; short lists are not rounded', async () => {
    const { model } = await openModel(path);
    expect(model.graph.nodes.map(({ kind }) => kind)).toEqual(graph.nodes.map(({ kind }) => kind));
    const kinds = new Map<string, string>();
    for (const [name, { data, shape }] of graph.tensors) {
      const found = model.graph.tensors.get(name)!;
      const isRounded = shape.length > 1 && data.length >= 1024;
      expect(found.data, name).toEqual(isRounded ? Float32Array.from(data as Float32Array, Math.f16round) : data);
      kinds.set(name, isRounded ? 'rounded' : 'exact');
    }
    expect([kinds.get('conv1.weight'), kinds.get('conv1.bias'), kinds.get('mean'), kinds.get('factor'), kinds.get('fc7.weight')]).toEqual(['rounded', 'exact', 'rounded', 'exact', 'rounded']);
  });

  it('compute the same in onnxruntime itself', async () => {
    const { model } = await openModel(path);
    const pixels = Float32Array.from(randomData(seededRandom(1), [1, 3, 64, 64]).data as Float32Array, (value) => 127.5 + 60 * value);
    const session = await InferenceSession.create(bytes('float16'), { logSeverityLevel: 3, intraOpNumThreads: 1 });
    const found = await session.run({ image: new RuntimeTensor('float32', pixels, [1, 3, 64, 64]) });
    await session.release();
    const expected = await runOnce(createReferenceEngine(), model.graph, { image: { shape: [1, 3, 64, 64], data: pixels } });
    const [output] = model.graph.outputs;
    expect(relativeDifference({ shape: [1, 5], data: found[output!]!.data as Float32Array }, expected.get(output!)!)).toBeLessThan(1e-5);
  });

  it('stay as they are where float16 cannot hold them', async () => {
    const weights = graph.tensors.get('fc7.weight')!;
    const large = { ...graph, tensors: new Map(graph.tensors).set('fc7.weight', { ...weights, data: Float32Array.from(weights.data as Float32Array, (value) => value * 1e7) }) };
    await writeFile(join(folder, 'large.onnx'), bytes('float16', large));
    const { model } = await openModel(join(folder, 'large.onnx'));
    expect(model.graph.tensors.get('fc7.weight')!.data).toEqual(large.tensors.get('fc7.weight')!.data);
  });
});
