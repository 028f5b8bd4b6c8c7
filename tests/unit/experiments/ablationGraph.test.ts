/** Layers removed and changed in width: shapes, counts of weights written out, and what is refused. */
import { describe, expect, it } from 'vitest';
import { variantGraph } from '../../../src-main/experiments/ablationGraph.ts';
import { paperVariants } from '../../../src-main/experiments/paperVariants.ts';
import { createGraphBuilder } from '../../../src-main/graph/build.ts';
import { elementCount, type Graph } from '../../../src-main/graph/graph.ts';
import { weightsOf } from '../../../src-main/rewrite/training/trainable.ts';
import { architectures } from '../../../src-main/training/architectures.ts';
import { withoutPixelInput, withPixelInput } from '../../../src-main/training/adapt.ts';
import { windowOf } from '../../support/graphs.ts';

const zfnet = architectures.zfnet({ width: 1, input: 224, classes: 1000 });
const small = architectures.alexnet({ width: 0.1, units: 40, input: 99, classes: 7 });

describe('variants of a network', () => {
  it('the whole network stays as it is', () => {
    const same = variantGraph(small, { remove: [], widths: {} });
    expect(same.nodes).toEqual(small.nodes);
    expect([...same.tensors.values()].every((tensor) => small.tensors.get(tensor.name) === tensor)).toBe(true);
  });

  it.each([
    // 3x3 filters: conv3 256 -> 384 and conv4 384 -> 384 go, conv5 takes 256 in place of 384.
    [{ remove: ['conv3', 'conv4'], widths: {} }, 62_357_608 - (256 * 384 * 9 + 384) - (384 * 384 * 9 + 384) - 128 * 256 * 9],
    [{ remove: ['fc7'], widths: {} }, 62_357_608 - (4096 * 4096 + 4096)],
    // conv5's 6 x 6 x 256 values reach the classes at once.
    [{ remove: ['fc6', 'fc7'], widths: {} }, 62_357_608 - (9216 * 4096 + 4096) - (4096 * 4096 + 4096) - 4096 * 1000 + 9216 * 1000],
    [{ remove: [], widths: { fc6: 2048, fc7: 2048 } }, 62_357_608 - (9216 * 2048 + 2048) - (4096 * 4096 - 2048 * 2048 + 2048) - 2048 * 1000],
  ])('%j of ZFNet has its number of weights', (variant, parameters) => {
    expect(parametersOf(zfnet)).toBe(62_357_608);
    expect(parametersOf(variantGraph(zfnet, variant))).toBe(parameters);
  });

  it('layers go by value name too, and what only follows a channel count is resized', () => {
    const graph = network();
    const variant = variantGraph(graph, { remove: ['second'], widths: { 'first activated': 5 } });
    expect(variant.nodes.map(({ name }) => name)).toEqual(['first', 'first normalised', 'first activated', 'mean', 'flat', 'classes']);
    expect([...variant.tensors.values()].map(({ name, shape }) => [name, ...shape])).toEqual([['w1', 5, 3, 3, 3], ['gamma', 5], ['beta', 5], ['running mean', 5], ['running variance', 5], ['w3', 2, 5]]);
  });

  it('refuses what cannot be, with the layers that could', () => {
    expect(() => variantGraph(small, { remove: ['conv9'], widths: {} })).toThrow('The network has no layer "conv9" with weights. It has conv1, conv2, conv3, conv4, conv5, fc6, fc7.');
    expect(() => variantGraph(small, { remove: [], widths: { fc8: 12 } })).toThrow('"fc8" is the last layer, which makes the class scores: it can be neither removed nor given another width. Choose among conv1, conv2, conv3, conv4, conv5, fc6, fc7.');
    expect(() => variantGraph(small, { remove: [], widths: { conv3: 15 } })).toThrow('conv4 works in 2 groups, which cannot share 15 channels coming in and 38 going out evenly. Choose widths that 2 divides, or other layers.');
  });

  it('the paper’s variants follow the width of the network', () => {
    const variants = paperVariants(architectures.zfnet({ width: 0.25, units: 256, input: 96, classes: 18 }))!;
    expect(variants.map(({ name }) => name)).toEqual(['Without layers 3, 4', 'Without layer 7', 'Without layers 6, 7', 'Without layers 3, 4, 6, 7', 'Layers 6, 7: 128 units', 'Layers 6, 7: 512 units', 'Layers 3, 4, 5: 128, 256, 128 maps', 'Layers 6, 7: 512 units; 3, 4, 5: 128, 256, 128 maps']);
    expect(variants[6]!.widths).toEqual({ conv3: 128, conv4: 256, conv5: 128 });
    expect(variants.every((variant) => variantGraph(small, { ...variant, widths: {} }).nodes.length > 0)).toBe(true);
    expect(paperVariants(network())).toBeNull();
  });
});

describe('what a trained network does to its pictures', () => {
  it('is taken off before it is trained from scratch', () => {
    const prepared = withPixelInput(small, 'image', { mean: { shape: [3, 1, 1], data: Float32Array.of(1, 2, 3) }, factor: [2, 2, 2] });
    const bare = withoutPixelInput(prepared, 'image');
    expect(prepared.nodes.length).toBe(small.nodes.length + 2);
    expect(bare.nodes).toEqual(small.nodes);
    expect([...bare.tensors.keys()]).toEqual([...small.tensors.keys()]);
    expect(withoutPixelInput(small, 'image')).toBe(small);
  });
});

function parametersOf(graph: Graph): number {
  return weightsOf(graph).reduce((sum, { name }) => sum + elementCount(graph.tensors.get(name)!.shape), 0);
}

/** Two convolutions, the first with batch normalisation, a mean over the map and a matrix. */
function network(): Graph {
  const build = createGraphBuilder('two convolutions');
  const zeros = (name: string, ...shape: number[]) => build.tensor({ name, dataType: 'float32', shape, data: new Float32Array(elementCount(shape)) });
  build.input('image', 'float32', ['batch', 3, 8, 8]);
  build.add('Conv', ['image', zeros('w1', 4, 3, 3, 3), ''], { ...windowOf([3, 3]), group: 1 }, { name: 'first', outputs: ['first'] });
  build.add('BatchNormalization', ['first', zeros('gamma', 4), zeros('beta', 4), zeros('running mean', 4), zeros('running variance', 4)], { epsilon: 1e-5 }, { name: 'first normalised', outputs: ['first normalised'] });
  build.add('Relu', ['first normalised'], {}, { name: 'first activated', outputs: ['first activated'] });
  build.add('Conv', ['first activated', zeros('w2', 6, 4, 3, 3), ''], { ...windowOf([3, 3]), group: 1 }, { name: 'second', outputs: ['second'] });
  build.add('Relu', ['second'], {}, { name: 'second activated', outputs: ['second activated'] });
  build.add('GlobalAveragePool', ['second activated'], {}, { name: 'mean', outputs: ['mean'] });
  build.add('Reshape', ['mean'], { shape: ['batch', 6] }, { name: 'flat', outputs: ['flat'] });
  build.add('Gemm', ['flat', zeros('w3', 2, 6), ''], { transposeB: true }, { name: 'classes', outputs: ['classes'] });
  return build.finish(['classes']);
}
