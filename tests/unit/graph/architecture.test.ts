/** Which networks are one architecture, and which weights belong to which layer. */
import { describe, expect, it } from 'vitest';
import { describeArchitecture, firstDifference } from '../../../src-main/graph/architecture.ts';
import { createGraphBuilder } from '../../../src-main/graph/build.ts';
import type { Graph } from '../../../src-main/graph/graph.ts';
import { weightedLayers } from '../../../src-main/graph/weightedLayers.ts';
import { floatTensor, windowOf } from '../../support/graphs.ts';

interface Shape {
  readonly weight?: number;
  readonly filters?: number;
  readonly stride?: number;
  readonly tensor?: string;
  readonly pools?: boolean;
  readonly output?: string;
  readonly edge?: number;
}

/** conv - ReLU (- max pool), its facts as given. */
function network({ weight = 1, filters = 2, stride = 1, tensor = 'weights', pools = false, output = 'relu', edge = 8 }: Shape = {}): Graph {
  const builder = createGraphBuilder('any');
  builder.input('image', 'float32', ['batch', 1, edge, edge]);
  const weights = builder.tensor(floatTensor(tensor, [filters, 1, 1, 1], new Array<number>(filters).fill(weight)));
  builder.add('Conv', ['image', weights, ''], { ...windowOf([1, 1], { strides: [stride, stride] }), group: 1 }, { name: 'conv1', outputs: ['convolved'] });
  builder.add('Relu', ['convolved'], {}, { name: 'relu1', outputs: [output] });
  if (pools) builder.add('MaxPool', [output], windowOf([2, 2]), { name: 'pool1', outputs: ['pooled'] });
  return builder.finish([pools ? 'pooled' : output]);
}

describe('one architecture', () => {
  const compared = (left: Shape, right: Shape) => firstDifference(describeArchitecture(network(left)), describeArchitecture(network(right)));
  it('has any weights under any name', () => {
    expect(compared({}, { weight: 7, tensor: 'onnx::Conv_12' })).toBeNull();
  });
  it('differs by its first fact that is not the same', () => {
    expect(compared({}, { filters: 3 })).toBe('Conv conv1 has weights 2 x 1 x 1 x 1 float32 there, 3 x 1 x 1 x 1 float32 here');
    expect(compared({}, { stride: 2 })).toBe('Conv conv1 has strides [1,1] there, [2,2] here');
    expect(compared({}, { output: 'other' })).toBe('Relu relu1 has output relu there, other here');
    expect(compared({}, { edge: 9 })).toBe('input image has size batch x 1 x 8 x 8 float32 there, batch x 1 x 9 x 9 float32 here');
  });
  it('differs by what one has and the other has not', () => {
    expect(compared({ pools: true }, {})).toBe('it ends before MaxPool pool1');
    expect(compared({}, { pools: true })).toBe("it has MaxPool pool1 after the other's end");
  });
});

describe('weights of layers', () => {
  it('are found behind activation, normalisation and a bias of its own, and not across an addition of two values', () => {
    const builder = createGraphBuilder('chain');
    builder.input('image', 'float32', ['batch', 1, 4, 4]);
    const ones = (name: string, shape: readonly number[]) => builder.tensor(floatTensor(name, shape, new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(1)));
    builder.add('Conv', ['image', ones('w1', [2, 1, 1, 1]), ''], { ...windowOf([1, 1]), group: 1 }, { outputs: ['a'] });
    builder.add('Add', ['a', ones('bias', [1, 2, 1, 1])], {}, { outputs: ['b'] });
    builder.add('BatchNormalization', ['b', ones('scale', [2]), ones('shift', [2]), ones('mean', [2]), ones('variance', [2])], { epsilon: 1e-5 }, { outputs: ['c'] });
    builder.add('Relu', ['c'], {}, { outputs: ['first'] });
    builder.add('Conv', ['first', ones('w2', [2, 2, 1, 1]), ''], { ...windowOf([1, 1]), group: 1 }, { outputs: ['second'] });
    builder.add('Add', ['first', 'second'], {}, { outputs: ['sum'] });
    builder.add('Relu', ['sum'], {}, { outputs: ['third'] });
    expect(weightedLayers(builder.finish(['third'])).map(({ layer, title, weights, node }) => [layer, title, weights.name, node.kind])).toEqual([
      ['first', 'conv1', 'w1', 'Conv'],
      ['second', 'conv2', 'w2', 'Conv'],
    ]);
  });
});
