/**
 * Parity on real networks: two with trained weights here, and with SWITCHBACK_PARITY (`npm run parity`) nine more with seeded weights, every layer of each. The
 * reference joins where a forward pass takes at most a billion multiplications: forward in full, down from three layers, as it takes a second for 200 million.
 * SWITCHBACK_PARITY=6 takes six layers of each network instead of all.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openModel } from '../../src-main/importers/open.ts';
import type { Engine } from '../../src-main/inference/engine.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { createReferenceEngine } from '../../src-main/inference/reference/engine.ts';
import { createTensorflowEngine } from '../../src-main/inference/tensorflow/engine.ts';
import type { Graph, Model } from '../../src-main/graph/graph.ts';
import { filledLightNetwork, lightNetworks } from '../support/lightNetworks.ts';
import { dataPath, describeWithData } from '../support/testData.ts';
import { processorTolerance } from './compare.ts';
import { describeParity, expectSameForward, expectSameProjections, someLayers, subjectOf, type Subject } from './expectParity.ts';

const wish = process.env['SWITCHBACK_PARITY'];
const isLong = wish !== undefined;
/** Layers that are projected from. */
const layerCount = wish === undefined ? 2 : wish === 'all' ? Infinity : Number(wish);
const largestForReference = 1e9;
/** A long form may take as long as it takes. */
const limitMs = isLong ? 4 * 3_600_000 : 120_000;

interface Real {
  readonly name: string;
  readonly file: string;
  open(): Promise<Model>;
}

const trained: readonly Real[] = ['squeezenet1.1', 'alexnet-conv1-pool5'].map((name) => {
  const file = `models/${name}.onnx`;
  return { name, file, open: async () => (await openModel(dataPath(file))).model };
});
const seeded: readonly Real[] = lightNetworks.map((name) => ({ name: `${name} with seeded weights`, file: `onnx-light/light_${name}.onnx`, open: () => filledLightNetwork(name, 20131311) }));

for (const { name, file, open } of isLong ? [...trained, ...seeded] : trained) {
  describeWithData(name, [file], () => {
    let [onnxruntime, tensorflow] = [] as unknown as [Engine, Engine];
    let subject: Subject;
    beforeAll(async () => {
      onnxruntime = await createOnnxruntimeEngine({ device: 'cpu' });
      tensorflow = await createTensorflowEngine({ backend: 'wasm' });
      const { graph, imageInput } = await open();
      subject = subjectOf(graph, imageInput, 7);
    }, limitMs);
    afterAll(async () => {
      await onnxruntime.close();
      await tensorflow.close();
    });

    it('has the same values in every layer on onnxruntime and TensorFlow.js', { timeout: limitMs }, async () => {
      const worst = await expectSameForward(onnxruntime, tensorflow, subject, processorTolerance);
      if (isLong) console.log(`${name}: forward, worst ${worst.toExponential(1)} of ${subject.graph.nodes.length} nodes`);
    });

    it('has the same projections', { timeout: limitMs }, async () => {
      const layers = someLayers(subject.graph, subject.imageInput, layerCount);
      const parity = await expectSameProjections(onnxruntime, tensorflow, subject, layers, processorTolerance);
      expect(parity.compared).toBe(3 * layers.length);
      if (isLong) console.log(`${name}: ${layers.length} layers, ${describeParity(parity)}`);
    });

    if (isLong) {
      it('agrees with the reference where that can keep up', { timeout: limitMs }, async () => {
        const work = multiplications(subject.graph);
        if (work > largestForReference) return console.log(`${name}: ${(work / 1e9).toFixed(1)} billion multiplications, too many for the reference`);
        const reference = createReferenceEngine();
        const worst = await expectSameForward(reference, onnxruntime, subject, processorTolerance);
        const parity = await expectSameProjections(reference, onnxruntime, subject, someLayers(subject.graph, subject.imageInput, Math.min(3, layerCount)), processorTolerance);
        console.log(`${name} against the reference: forward, worst ${worst.toExponential(1)}; ${describeParity(parity)}`);
      });
    }
  });
}

/** Of convolutions and fully connected layers, for one image. */
function multiplications({ nodes, values, tensors }: Graph): number {
  return nodes.reduce((sum, node) => {
    if (node.kind !== 'Conv' && node.kind !== 'Gemm') return sum;
    const weights = tensors.get(node.inputs[1]!)!;
    const positions = node.kind === 'Conv' ? (values.get(node.outputs[0]!)!.shape.slice(2) as number[]).reduce((product, size) => product * size, 1) : 1;
    return sum + weights.data.length * positions;
  }, 0);
}
