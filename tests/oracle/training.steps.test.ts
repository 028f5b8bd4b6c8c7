/** Training over several steps: the same seed leads to the same weights whatever engine computes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGraphBuilder } from '../../src-main/graph/build.ts';
import type { Engine } from '../../src-main/inference/engine.ts';
import { beginTraining } from '../../src-main/inference/worker/trainSteps.ts';
import { weightsOf } from '../../src-main/rewrite/training/trainable.ts';
import { initialised } from '../../src-main/training/initialise.ts';
import { allEngines } from '../parity/allEngines.ts';
import { floatData, floatTensor, relativeDifference, seededRandom, windowOf } from '../support/graphs.ts';

let engines: Engine[];
beforeAll(async () => {
  engines = await allEngines();
});
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

const [batch, edge, classes, steps] = [4, 20, 3, 20];

/** What ZFNet and AlexNet are made of, small: strided, padded and grouped convolutions, pools with and without a rest, LRN, dropped units. */
function smallNetwork() {
  const build = createGraphBuilder('small');
  const zeros = (name: string, shape: readonly number[]) => build.tensor(floatTensor(name, shape, new Float32Array(shape.reduce((product, size) => product * size, 1))));
  const add = (kind: Parameters<typeof build.add>[0], inputs: readonly string[], attributes: object) => build.add(kind, inputs, attributes as never)[0]!;
  let value = build.input('image', 'float32', ['batch', 3, edge, edge]);
  value = add('Mul', [add('Sub', [value, build.tensor(floatTensor('mean', [3, 1, 1], [120, 125, 130]))], {}), build.tensor(floatTensor('factor', [1], [1 / 64]))], {});
  value = add('Relu', [add('Conv', [value, zeros('conv1.weight', [8, 3, 5, 5]), zeros('conv1.bias', [8])], { ...windowOf([5, 5], { strides: [2, 2], pads: [1, 1, 1, 1] }), group: 1 })], {});
  value = add('LRN', [add('MaxPool', [value], windowOf([3, 3], { strides: [2, 2], pads: [0, 0, 0, 0] }))], { size: 5, alpha: 0.1, beta: 0.75, bias: 1 });
  value = add('Relu', [add('Conv', [value, zeros('conv2.weight', [12, 4, 3, 3]), zeros('conv2.bias', [12])], { ...windowOf([3, 3], { pads: [1, 1, 1, 1] }), group: 2 })], {});
  value = add('Reshape', [add('MaxPool', [value], windowOf([3, 3], { strides: [2, 2], pads: [0, 0, 1, 1] }))], { shape: ['batch', 48] });
  value = add('Relu', [add('Gemm', [value, zeros('fc3.weight', [16, 48]), zeros('fc3.bias', [16])], { transposeB: true })], {});
  const logits = add('Gemm', [value, zeros('fc4.weight', [classes, 16]), zeros('fc4.bias', [classes])], { transposeB: true });
  return initialised(build.finish([logits]), { initialisation: 'he', seed: 7 });
}

describe('twenty steps', () => {
  it('from one seed agree between engines to 1e-3', { timeout: 60_000 }, async () => {
    const network = smallNetwork();
    const setup = { network, image: 'image', order: 'rgb', dropout: 0.5, momentum: 0.9, weightDecay: 5e-4, filterRms: 0.35, trained: weightsOf(network).map(({ name }) => name) } as const;
    const results = [];
    for (const engine of engines) {
      const random = seededRandom(99);
      const training = await beginTraining(engine, setup);
      const losses: number[] = [];
      for (let step = 0; step < steps; step++) {
        const pixels = Uint8Array.from({ length: batch * edge * edge * 3 }, () => Math.floor(random() * 256));
        losses.push((await training.step({ pixels, labels: Int32Array.from({ length: batch }, (_, row) => (row + step) % classes) }, 0.02, step)).loss);
      }
      results.push({ engine: engine.description, losses, weights: training.state().weights });
      await training.close();
    }
    const [first, ...others] = results as [(typeof results)[0], ...typeof results];
    expect(new Set(first.losses).size).toBe(steps);
    for (const [name, values] of first.weights) {
      expect(network.tensors.get(name)!.data.some((value, at) => value !== values[at]), `${name} moved`).toBe(true);
      for (const other of others) {
        expect(relativeDifference(floatData([values.length], other.weights.get(name)!), floatData([values.length], values)), `${name} on ${other.engine}`).toBeLessThan(1e-3);
      }
    }
    for (const other of others) expect(relativeDifference(floatData([steps], other.losses), floatData([steps], first.losses)), `losses on ${other.engine}`).toBeLessThan(1e-3);
  });
});
