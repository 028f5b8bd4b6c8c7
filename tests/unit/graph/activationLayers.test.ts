/** A layer ends at an activation of any kind; which of them can be exactly 0 everywhere decides whether a channel can be dead (method.md sections 1 and 2). */
import { describe, expect, it } from 'vitest';
import { createGraphBuilder, type GraphBuilder } from '../../../src-main/graph/build.ts';
import { selectLayers } from '../../../src-main/graph/layerSelection.ts';
import type { OpAttributes, OpKind } from '../../../src-main/graph/ops/attributes.ts';
import { floatTensor, windowOf } from '../../support/graphs.ts';

function layersAfterConv(activate: (builder: GraphBuilder, value: string) => string) {
  const builder = createGraphBuilder('network');
  builder.input('image', 'float32', ['batch', 1, 2, 2]);
  const [value] = builder.add('Conv', ['image', builder.tensor(floatTensor('w', [1, 1, 1, 1], [1]))], { ...windowOf([1, 1]), group: 1 }, { outputs: ['conv'] }) as [string];
  return selectLayers(builder.finish([activate(builder, value)])).map(({ name, nonNegative }) => ({ name, nonNegative }));
}
const one = <K extends OpKind>(kind: K, attributes: OpAttributes[K]) => [kind, (b: GraphBuilder, value: string) => b.add(kind, [value], attributes, { outputs: ['activated'] })[0]!] as const;

describe('a convolution and its activation are one layer', () => {
  it.each([
    one('Elu', { alpha: 1, gamma: 1 }), one('Sigmoid', {}), one('HardSwish', {}), one('Tanh', {}), one('Softplus', {}), one('ThresholdedRelu', { alpha: -1 }),
    ['PRelu', (b: GraphBuilder, value: string) => b.add('PRelu', [value, b.tensor(floatTensor('slope', [1, 1, 1], [0.1]))], {}, { outputs: ['activated'] })[0]!] as const,
  ])('%s, which knows no dead channels', (_, activate) => {
    expect(layersAfterConv(activate)).toEqual([{ name: 'activated', nonNegative: false }]);
  });

  it.each([one('HardSigmoid', { alpha: 0.2, beta: 0.5 }), one('ThresholdedRelu', { alpha: 1 })])('%s, whose channels can be dead', (_, activate) => {
    expect(layersAfterConv(activate)).toEqual([{ name: 'activated', nonNegative: true }]);
  });

  it.each([one('Erf', {}), one('Log', {})])('%s is no activation: the layer is the value before it', (_, follow) => {
    expect(layersAfterConv(follow)).toEqual([{ name: 'conv', nonNegative: false }]);
  });
});
