/** The networks that carry a name are the ones of method.md section 7; and what is done to a network before it trains. */
import { describe, expect, it } from 'vitest';
import { trainingRecipe } from '../../../src-shared/contract/training.ts';
import { layersOf } from '../../../src-main/geometry/layers.ts';
import { createGraphBuilder } from '../../../src-main/graph/build.ts';
import { elementCount, valueOf, type Graph } from '../../../src-main/graph/graph.ts';
import { createReferenceEngine } from '../../../src-main/inference/reference/engine.ts';
import { rectifyAfterPooling, spellOutBatchNormalization, withDropout } from '../../../src-main/rewrite/training/prepare.ts';
import { seededNormals, shuffled, seededNumbers } from '../../../src-main/rewrite/training/seededNumbers.ts';
import { lastLayerWeights, weightsOf } from '../../../src-main/rewrite/training/trainable.ts';
import { withClasses, withPixelInput } from '../../../src-main/training/adapt.ts';
import { architectures } from '../../../src-main/training/architectures.ts';
import { buildNetwork } from '../../../src-main/training/buildNetwork.ts';
import { initialised } from '../../../src-main/training/initialise.ts';
import { floatTensor, randomData, randomTensor, relativeDifference, seededRandom, windowOf } from '../../support/graphs.ts';
import { runOnce } from '../../parity/allEngines.ts';

const sizesOf = (graph: Graph, names: readonly string[]) => names.map((name) => valueOf(graph, name).shape.slice(1).join('x'));
const parametersOf = (graph: Graph) => [...graph.tensors.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0);

describe('architectures', () => {
  it('ZFNet has the sizes and receptive fields of the paper', () => {
    const graph = architectures.zfnet({ width: 1, input: 224, classes: 1000 });
    expect(sizesOf(graph, ['relu1', 'pool1', 'relu2', 'pool2', 'relu3', 'relu4', 'relu5', 'pool5', 'relu6', 'relu7', 'fc8'])).toEqual([
      '96x110x110', '96x55x55', '256x26x26', '256x13x13', '384x13x13', '384x13x13', '256x13x13', '256x6x6', '4096', '4096', '1000',
    ]);
    const fields = layersOf(graph, 'image').slice(0, 5).map(({ receptiveField: { size, stride, offset } }) => [size[0], stride[0], offset[0]]);
    expect(fields).toEqual([[7, 2, -1], [27, 8, -1], [75, 16, -17], [107, 16, -33], [139, 16, -49]]);
  });

  it('AlexNet has its sizes, groups and number of weights', () => {
    const graph = architectures.alexnet({ width: 1, input: 227, classes: 1000 });
    expect(sizesOf(graph, ['relu1', 'pool1', 'relu2', 'pool2', 'relu5', 'pool5'])).toEqual(['96x55x55', '96x27x27', '256x27x27', '256x13x13', '256x13x13', '256x6x6']);
    expect(graph.nodes.flatMap((node) => (node.kind === 'Conv' ? [node.attributes.group] : []))).toEqual([1, 2, 1, 2, 2]);
    expect(parametersOf(graph)).toBe(60_965_224);
  });

  it('follow width and input, and say where an input is too small', () => {
    expect(sizesOf(architectures.zfnet({ width: 0.25, input: 96, classes: 18 }), ['relu1', 'relu2', 'relu5', 'relu6', 'fc8'])).toEqual(['24x46x46', '64x10x10', '64x5x5', '1024', '18']);
    expect(() => architectures.zfnet({ width: 1, input: 40, classes: 2 })).toThrow('ZFNet does not fit an input of 40 x 40 pixels: pool5 has a 3 x 3 window and only 1 x 1 values left. Use a larger input.');
  });
});

describe('first weights', () => {
  const graph = architectures.zfnet({ width: 0.125, input: 64, classes: 5 });
  const deviation = (data: ArrayLike<number>) => Math.sqrt(Array.from(data).reduce((sum, value) => sum + value * value, 0) / data.length);

  it('have the deviation asked for, biases are 0, and the same seed gives the same', () => {
    const paper = initialised(graph, { initialisation: 'paper', seed: 3 });
    const he = initialised(graph, { initialisation: 'he', seed: 3 });
    expect(deviation(paper.tensors.get('conv2.weight')!.data as Float32Array) / 0.01).toBeCloseTo(1, 1);
    // conv2 sums over 12 channels of 5 x 5.
    expect(deviation(he.tensors.get('conv2.weight')!.data as Float32Array) / Math.sqrt(2 / 300)).toBeCloseTo(1, 1);
    expect(deviation(he.tensors.get('fc8.weight')!.data as Float32Array) / 0.01).toBeCloseTo(1, 1);
    expect(deviation(he.tensors.get('conv2.bias')!.data as Float32Array)).toBe(0);
    expect(initialised(graph, { initialisation: 'he', seed: 3 }).tensors.get('conv3.weight')!.data).toEqual(he.tensors.get('conv3.weight')!.data);
    expect(initialised(graph, { initialisation: 'he', seed: 4 }).tensors.get('conv3.weight')!.data).not.toEqual(he.tensors.get('conv3.weight')!.data);
  });

  it("by He give the first layer larger values and as much smaller weights; the paper's take pixels less their mean", () => {
    const mean = { pixels: new Float32Array(3 * 64 * 64).fill(100), colours: Float32Array.of(90, 100, 110), deviation: 50 };
    const built = (recipe: object) => buildNetwork({ kind: 'zfnet', width: 0.5, input: 64 }, trainingRecipe.parse({ epochs: 1, ...recipe }), 5, mean).graph;
    const he = built({ initialisation: 'he', mean: 'colour' });
    expect([...he.tensors.get('mean')!.data].map(Number)).toEqual([90, 100, 110]);
    expect(Array.from(he.tensors.get('factor')!.data as Float32Array)).toEqual([4 / 50, 4 / 50, 4 / 50].map(Math.fround));
    expect(deviation(he.tensors.get('conv1.weight')!.data as Float32Array) / (Math.sqrt(2 / 147) / 4)).toBeCloseTo(1, 1);
    const paper = built({});
    expect(paper.nodes.slice(0, 2).map((node) => node.kind)).toEqual(['Sub', 'Conv']);
    expect(paper.tensors.get('mean')!.shape).toEqual([3, 64, 64]);
    expect(built({ mean: 'none' }).nodes[0]!.kind).toBe('Conv');
  });

  it('come from numbers that are even and from orders that hold each once', () => {
    const random = seededNumbers(1, 'even');
    const tenths = new Array<number>(10).fill(0);
    for (let at = 0; at < 10_000; at++) tenths[Math.floor(random() * 10)]!++;
    expect(Math.min(...tenths)).toBeGreaterThan(900);
    expect(Math.max(...tenths)).toBeLessThan(1100);
    expect([...shuffled(50, random)].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, at) => at));
    const normal = seededNormals(1, 'normal');
    expect(deviation(Array.from({ length: 10_000 }, normal))).toBeCloseTo(1, 1);
  });
});

describe('which weights train', () => {
  it('all filters, matrices and biases of a network, none of its other constants', () => {
    const graph = withPixelInput(architectures.zfnet({ width: 0.05, input: 64, classes: 3 }), 'image', { mean: { shape: [3, 1, 1], data: Float32Array.of(1, 2, 3) } });
    expect(weightsOf(graph).map(({ name }) => name)).toEqual(['conv1', 'conv2', 'conv3', 'conv4', 'conv5', 'fc6', 'fc7', 'fc8'].flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]));
    expect(lastLayerWeights(graph).map(({ name }) => name)).toEqual(['fc8.weight', 'fc8.bias']);
  });
});

describe('another number of classes', () => {
  it('resizes the last layer and what follows it', () => {
    const random = seededRandom(1);
    const build = createGraphBuilder('convolutional classifier');
    build.input('image', 'float32', ['batch', 3, 6, 6]);
    const [scores] = build.add('Conv', ['image', build.tensor(randomTensor(random, 'w', [10, 3, 1, 1])), build.tensor(randomTensor(random, 'b', [10]))], { ...windowOf([1, 1]), group: 1 });
    const [mean] = build.add('GlobalAveragePool', [scores!], {});
    const graph = build.finish(build.add('Reshape', [mean!], { shape: ['batch', 10] }));
    const changed = withClasses(graph, 4);
    expect(valueOf(changed, changed.outputs[0]!).shape).toEqual(['batch', 4]);
    expect(changed.tensors.get('w')!.shape).toEqual([4, 3, 1, 1]);
    expect(changed.tensors.get('b')!.shape).toEqual([4]);
  });
});

describe('passes before training change no number', () => {
  const random = seededRandom(8);
  const build = createGraphBuilder('network');
  build.input('image', 'float32', ['batch', 2, 7, 7]);
  const [conv] = build.add('Conv', ['image', build.tensor(randomTensor(random, 'w', [3, 2, 3, 3])), ''], { ...windowOf([3, 3]), group: 1 });
  const [normal] = build.add('BatchNormalization', [conv!, ...(['gamma', 'beta', 'mean'] as const).map((name) => build.tensor(randomTensor(random, name, [3]))), build.tensor(floatTensor('variance', [3], [0.3, 1, 2]))], { epsilon: 1e-3 });
  const [relu] = build.add('Relu', [normal!], {});
  const [pool] = build.add('MaxPool', [relu!], windowOf([3, 3], { strides: [2, 2], pads: [1, 0, 1, 1] }));
  const [flat] = build.add('Reshape', [pool!], { shape: ['batch', 18] });
  const dense = (name: string, value: string, inputs: number, outputs: number) => build.add('Gemm', [value, build.tensor(randomTensor(random, name, [inputs, outputs])), ''], { transposeB: false })[0]!;
  const graph = build.finish([dense('second', build.add('Relu', [dense('first', flat!, 18, 6)], {})[0]!, 6, 4)]);
  const image = randomData(random, [2, 2, 7, 7]);
  const outputOf = async (network: Graph, feeds = {}) => (await runOnce(createReferenceEngine(), network, { image, ...feeds })).get(graph.outputs[0]!)!;

  it('batch normalisation spelled out', async () => {
    const spelled = spellOutBatchNormalization(graph);
    expect(spelled.nodes.some((node) => node.kind === 'BatchNormalization')).toBe(false);
    expect(relativeDifference(await outputOf(spelled), await outputOf(graph))).toBeLessThan(1e-6);
  });

  it('rectified after pooling', async () => {
    const moved = rectifyAfterPooling(graph);
    expect(moved.nodes.map((node) => node.kind).join(' ')).toBe('Conv BatchNormalization MaxPool Relu Reshape Gemm Relu Gemm');
    expect(await outputOf(moved)).toEqual(await outputOf(graph));
  });

  it('units dropped, where all are kept', async () => {
    const { graph: dropped, masks } = withDropout(graph);
    expect(masks.map(({ units }) => units)).toEqual([6]);
    expect(await outputOf(dropped, { [masks[0]!.name]: { shape: [2, 6], data: new Float32Array(12).fill(1) } })).toEqual(await outputOf(graph));
  });
});
