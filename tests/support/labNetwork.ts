/** A network in a file as the studies of single pictures see it, computed in this process: by the worker's own calls, without its process. */
import { writeFileSync } from 'node:fs';
import type { Placement } from '../../src-main/inference/engine.ts';
import { openModel } from '../../src-main/importers/open.ts';
import { preprocessingOf } from '../../src-main/importers/preprocessing.ts';
import { createGraphBuilder } from '../../src-main/graph/build.ts';
import { writeOnnx } from '../../src-main/importers/onnx/write.ts';
import { createCalls } from '../../src-main/inference/worker/calls.ts';
import type { InferenceClient } from '../../src-main/inference/worker/client.ts';
import { createEngines } from '../../src-main/inference/worker/engines.ts';
import { openSubject, type LabSubject } from '../../src-main/services/labSubject.ts';
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';
import { randomTensor, seededRandom, windowOf } from './graphs.ts';

/** Only `call` is there. */
export function callsHere(): InferenceClient {
  const calls = createCalls(createEngines(), () => undefined) as unknown as Record<string, (parameters: unknown, signal: AbortSignal) => Promise<unknown>>;
  return { call: (name: string, parameters: unknown, signal = new AbortController().signal) => calls[name]!(parameters, signal) } as unknown as InferenceClient;
}

export async function openLabSubject(inference: InferenceClient, modelPath: string, placement: Placement, changed: (base: Preprocessing) => Preprocessing = (base) => base): Promise<LabSubject> {
  const { model, modelHash } = await openModel(modelPath);
  return openSubject(inference, { modelName: 'net', modelPath, modelHash, preprocessing: changed(preprocessingOf(model).preprocessing), placement, names: null, layers: [] });
}

export const smallClassifierPreprocessing: Preprocessing = { order: 'rgb', crop: [12, 12], resize: { kind: 'exact' }, scale: 1 / 255, mean: [0.5, 0.4, 0.3], std: [0.25, 0.25, 0.5] };

/** Layers `first` (4 maps of 12 x 12) and `second` (6 of 6 x 6), logits of five classes behind a mean over positions, and their softmax. */
export function writeSmallClassifier(path: string): void {
  const random = seededRandom(11);
  const builder = createGraphBuilder('small classifier');
  builder.input('image', 'float32', ['batch', 3, 12, 12]);
  const weights = (name: string, shape: readonly number[], deviation: number) => builder.tensor(randomTensor(random, name, shape, deviation));
  builder.add('Conv', ['image', weights('w1', [4, 3, 3, 3], 0.4), weights('b1', [4], 0.1)], { ...windowOf([3, 3], { pads: [1, 1, 1, 1] }), group: 1 }, { outputs: ['c1'] });
  builder.add('Relu', ['c1'], {}, { outputs: ['first'] });
  builder.add('MaxPool', ['first'], windowOf([2, 2], { strides: [2, 2] }), { outputs: ['pooled'] });
  builder.add('Conv', ['pooled', weights('w2', [6, 4, 3, 3], 0.4), weights('b2', [6], 0.1)], { ...windowOf([3, 3], { pads: [1, 1, 1, 1] }), group: 1 }, { outputs: ['c2'] });
  builder.add('Relu', ['c2'], {}, { outputs: ['second'] });
  builder.add('GlobalAveragePool', ['second'], {}, { outputs: ['mean'] });
  builder.add('Reshape', ['mean'], { shape: ['batch', 6] }, { outputs: ['flat'] });
  builder.add('Gemm', ['flat', weights('w3', [6, 5], 1.5), weights('b3', [5], 0.1)], { transposeB: false }, { outputs: ['logits'] });
  builder.add('Softmax', ['logits'], { axis: 1 }, { outputs: ['probabilities'] });
  writeFileSync(path, writeOnnx(builder.finish(['probabilities'])));
}
