/** A small network in a file, for tests that need the worker but no real model: two convolutions over 16 x 16 colour pictures. */
import { writeFileSync } from 'node:fs';
import type { Preprocessing } from '../../src-shared/domain/preprocessing.ts';
import { createGraphBuilder } from '../../src-main/graph/build.ts';
import { writeOnnx } from '../../src-main/importers/onnx/write.ts';
import { randomTensor, seededRandom, windowOf } from './graphs.ts';

export const smallModelLayers = ['first', 'second'] as const;

export const smallModelPreprocessing: Preprocessing = { order: 'rgb', crop: [16, 16], resize: { kind: 'exact' }, scale: 1 / 255, mean: [0.5], std: [0.25] };

/** Writes the network; layers `first` (4 channels) and `second` (6 channels). */
export function writeSmallModel(path: string): void {
  const random = seededRandom(7);
  const builder = createGraphBuilder('small');
  builder.input('image', 'float32', ['batch', 3, 16, 16]);
  const convolve = (input: string, weights: readonly [number, number, number, number], output: string) => {
    const convolved = `${output} convolved`;
    builder.add('Conv', [input, builder.tensor(randomTensor(random, `${output} weights`, weights, 0.5)), ''], { ...windowOf([3, 3]), group: 1 }, { outputs: [convolved] });
    builder.add('Relu', [convolved], {}, { outputs: [output] });
  };
  convolve('image', [4, 3, 3, 3], 'first');
  convolve('first', [6, 4, 3, 3], 'second');
  writeFileSync(path, writeOnnx(builder.finish(['second'])));
}
