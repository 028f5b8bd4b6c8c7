/** Which values can never be NaN: a bound carried through the weights. */
import { expect, it } from 'vitest';
import { createGraphBuilder } from '../../../src-main/graph/build.ts';
import { boundedValues } from '../../../src-main/rewrite/probe/boundedValues.ts';
import { profileGraph } from '../../../src-main/rewrite/probe/profileGraph.ts';
import { floatTensor } from '../../support/graphs.ts';

const square = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] } as const;

/** Two filters over two channels, with a bias, and a ReLU behind them. */
function network(weights: readonly number[]) {
  const build = createGraphBuilder('network');
  build.input('image', 'float32', ['batch', 2, 3, 3]);
  build.add('Conv', ['image', build.tensor(floatTensor('weights', [2, 2, 1, 1], weights)), build.tensor(floatTensor('bias', [2], [1, -2]))], { ...square, group: 1 }, { outputs: ['conv'] });
  build.add('Relu', ['conv'], {}, { outputs: ['relu'] });
  build.add('Softplus', ['relu'], {}, { outputs: ['softplus'] });
  return build.finish(['relu', 'softplus']);
}

it('vouches for what weights cannot make overflow', () => {
  expect([...boundedValues(network([1, -2, 3, 4]), 5)]).toEqual(['image', 'conv', 'relu']);
});

it.each([
  ['overflow', [1e30, 0, 0, 0]],
  ['are infinite', [Infinity, 0, 0, 0]],
  ['are no numbers', [0, NaN, 0, 0]],
])('vouches for nothing behind weights that %s', (_title, weights) => {
  expect([...boundedValues(network(weights), 5)]).toEqual(['image']);
});

it('takes the sum of a filter, not its largest weight', () => {
  // 2 * 3e29 stays below 1e30, and (3e29 + 8e29) does not.
  expect(boundedValues(network([3e29, 3e29, 0, 0]), 1).has('conv')).toBe(true);
  expect(boundedValues(network([3e29, -8e29, 0, 0]), 1).has('conv')).toBe(false);
});

it('asks for the mean, which shows a NaN, only where a layer is not vouched for', () => {
  const { heads, graph } = profileGraph(network([1, -2, 3, 4]), ['relu', 'softplus'], 5);
  expect(heads).toEqual([
    { kind: 'map', rows: 'relu:rows', columns: 'relu:columns', mean: null },
    { kind: 'map', rows: 'softplus:rows', columns: 'softplus:columns', mean: 'softplus:mean' },
  ]);
  expect(graph.outputs).toEqual(['relu:rows', 'relu:columns', 'softplus:rows', 'softplus:columns', 'softplus:mean']);
});
