/** Which channels feed a channel: back from its value to the filter, and from each channel that the filter reads to the layer a person knows. */
import { describe, expect, test } from 'vitest';
import { createGraphBuilder } from '../../../src-main/graph/build.ts';
import { feedingChannels } from '../../../src-main/graph/feedingChannels.ts';
import type { Graph } from '../../../src-main/graph/graph.ts';
import { floatTensor, windowOf } from '../../support/graphs.ts';

const model = (graph: Graph) => ({ graph, imageInput: 'x' });

/** conv1 (2 filters of 1 x 2 over 3 colours), relu, max pool; conv2 (2 filters of 1 x 1 over these), batch norm with a negative scale for channel 1, relu; a concat of the pool and conv2, which conv3 reads. */
function network(): Graph {
  const builder = createGraphBuilder('feeding');
  builder.input('x', 'float32', ['batch', 3, 4, 4]);
  builder.tensor(floatTensor('w1', [2, 3, 1, 2], [3, 4, 0, 0, -1, 0, 0, 1, 0, -5, 0, 0]));
  builder.tensor(floatTensor('w2', [2, 2, 1, 1], [2, -1, -3, 4]));
  builder.tensor(floatTensor('w3', [1, 4, 1, 1], [0.1, -0.4, 0.2, 0.3]));
  for (const [name, values] of [['gamma', [1, -2]], ['beta', [0, 0]], ['mean', [0, 0]], ['variance', [1, 1]]] as const) builder.tensor(floatTensor(name, [2], values));
  builder.add('Conv', ['x', 'w1', ''], { ...windowOf([1, 2]), group: 1 }, { outputs: ['c1'] });
  builder.add('Relu', ['c1'], {}, { outputs: ['relu1'] });
  builder.add('MaxPool', ['relu1'], windowOf([2, 1]), { outputs: ['pool1'] });
  builder.add('Conv', ['pool1', 'w2', ''], { ...windowOf([1, 1]), group: 1 }, { outputs: ['c2'] });
  builder.add('BatchNormalization', ['c2', 'gamma', 'beta', 'mean', 'variance'], { epsilon: 0 }, { outputs: ['n2'] });
  builder.add('Relu', ['n2'], {}, { outputs: ['relu2'] });
  builder.add('Concat', ['pool1', 'relu2'], { axis: 1 }, { outputs: ['joined'] });
  builder.add('Conv', ['joined', 'w3', ''], { ...windowOf([1, 1]), group: 1 }, { outputs: ['c3'] });
  builder.add('Add', ['c3', 'c3'], {}, { outputs: ['sum'] });
  return builder.finish(['sum']);
}

const layers = ['relu1', 'relu2', 'c3'];

describe('feedingChannels', () => {
  test('the colours of the picture, strongest slice first', () => {
    const { readsPicture, kernel, inputs, norm, absmax, channels } = feedingChannels(model(network()), { layer: 'relu1', channel: 0, layers }, 2);
    expect({ readsPicture, kernel, inputs, absmax }).toEqual({ readsPicture: true, kernel: [1, 2], inputs: 3, absmax: 4 });
    expect(norm).toBeCloseTo(Math.sqrt(26), 12);
    expect(channels).toEqual([
      { input: 0, norm: 5, sum: 7, weights: [3, 4], source: null },
      { input: 2, norm: 1, sum: -1, weights: [-1, 0], source: null },
    ]);
  });

  test('through a pool to the layer below, and a negative scale behind the filter turns the sign', () => {
    const plain = feedingChannels(model(network()), { layer: 'relu2', channel: 0, layers }, 9);
    expect(plain.readsPicture).toBe(false);
    expect(plain.channels.map(({ input, sum, source }) => [input, sum, source])).toEqual([[0, 2, { layer: 'relu1', channel: 0 }], [1, -1, { layer: 'relu1', channel: 1 }]]);
    const turned = feedingChannels(model(network()), { layer: 'relu2', channel: 1, layers }, 9);
    expect(turned.channels.map(({ input, sum, weights }) => [input, sum, weights])).toEqual([[1, -4, [-4]], [0, 3, [3]]]);
  });

  test('a concatenation leads to the channel of the right part, past layers that nobody indexed', () => {
    const { channels } = feedingChannels(model(network()), { layer: 'c3', channel: 0, layers: ['relu1', 'c3'] }, 9);
    expect(channels.map(({ input, source }) => [input, source])).toEqual([[1, { layer: 'relu1', channel: 1 }], [3, null], [2, null], [0, { layer: 'relu1', channel: 0 }]]);
  });

  test('an addition has no weights of its own', () => {
    expect(feedingChannels(model(network()), { layer: 'sum', channel: 0, layers }, 9)).toMatchObject({ kind: 'none', channels: [] });
  });

  test('groups, and slices too large to travel', () => {
    const builder = createGraphBuilder('groups');
    builder.input('x', 'float32', ['batch', 4, 16, 16]);
    builder.tensor(floatTensor('w', [2, 2, 16, 16], Array.from({ length: 1024 }, (_, at) => (at < 768 ? 0 : 1))));
    builder.add('Conv', ['x', 'w', ''], { ...windowOf([16, 16]), group: 2 }, { outputs: ['y'] });
    const { channels } = feedingChannels(model(builder.finish(['y'])), { layer: 'y', channel: 1, layers: [] }, 9);
    expect(channels).toEqual([{ input: 3, norm: 16, sum: 256, weights: [], source: null }, { input: 2, norm: 0, sum: 0, weights: [], source: null }]);
  });

  test('a matrix over a flattened map: one slice of the map for each channel, either way round', () => {
    for (const transposeB of [true, false]) {
      const builder = createGraphBuilder('matrix');
      builder.input('x', 'float32', ['batch', 2, 1, 2]);
      // Unit 1 weighs channel 0 by (1, 2) and channel 1 by (-3, 4).
      builder.tensor(floatTensor('w', transposeB ? [2, 4] : [4, 2], transposeB ? [9, 9, 9, 9, 1, 2, -3, 4] : [9, 1, 9, 2, 9, -3, 9, 4]));
      builder.add('Relu', ['x'], {}, { outputs: ['map'] });
      builder.add('Reshape', ['map'], { shape: ['batch', 4] }, { outputs: ['flat'] });
      builder.add('Gemm', ['flat', 'w', ''], { transposeB }, { outputs: ['y'] });
      const { kernel, channels } = feedingChannels(model(builder.finish(['y'])), { layer: 'y', channel: 1, layers: ['map'] }, 9);
      expect(kernel).toEqual([1, 2]);
      expect(channels).toEqual([
        { input: 1, norm: 5, sum: 1, weights: [-3, 4], source: { layer: 'map', channel: 1 } },
        { input: 0, norm: Math.sqrt(5), sum: 3, weights: [1, 2], source: { layer: 'map', channel: 0 } },
      ]);
    }
  });
});
