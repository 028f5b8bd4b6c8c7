/** Building graphs: names, order, shapes that do not fit; and verify, which no broken rewrite gets past. */
import { describe, expect, it } from 'vitest';
import { createGraphBuilder } from '../../../src-main/graph/build.ts';
import { consumers, elementCount, producers, valueOf, withBatch, type Graph } from '../../../src-main/graph/graph.ts';
import { verify } from '../../../src-main/graph/verify.ts';
import { floatTensor, windowOf } from '../../support/graphs.ts';

function small() {
  const builder = createGraphBuilder('small');
  builder.input('image', 'float32', ['batch', 3, 5, 6]);
  builder.add('MaxPool', ['image'], windowOf([2, 3], { strides: [2, 2] }), { name: 'pool', outputs: ['pooled', 'switches'] });
  builder.add('Add', ['pooled', 'pooled'], {}, { name: 'twice', outputs: ['doubled'] });
  return builder;
}

describe('the builder', () => {
  it('infers the type of every value as nodes are added', () => {
    const graph = small().finish(['doubled']);
    expect(graph.values.get('pooled')).toEqual({ name: 'pooled', dataType: 'float32', shape: ['batch', 3, 2, 2] });
    expect(graph.values.get('switches')).toEqual({ name: 'switches', dataType: 'int64', shape: ['batch', 3, 2, 2] });
    expect(producers(graph).get('switches')!.name).toBe('pool');
    expect(consumers(graph).get('pooled')!.map((node) => node.name), 'once, though it reads it twice').toEqual(['twice']);
  });
  it('gives free names to nodes and values', () => {
    const builder = small();
    expect(builder.freeName('pooled')).toBe('pooled_2');
    builder.add('Relu', ['doubled'], {}, { name: 'twice' });
    expect(builder.finish([]).nodes.at(-1)).toMatchObject({ name: 'twice_2', outputs: ['twice_2'] });
  });
  it('names the node whose shapes do not fit', () => {
    expect(() => small().add('Concat', ['image', 'pooled'], { axis: 1 }, { name: 'join' })).toThrow('Node "join" (Concat): cannot join [N, 3, 5, 6] and [N, 3, 2, 2] along axis 1.');
    const weights = floatTensor('w', [4, 2, 1, 1], new Array(8).fill(0));
    const builder = small();
    expect(() => builder.add('Conv', ['image', builder.tensor(weights)], { ...windowOf([1, 1]), group: 1 }, { name: 'c' })).toThrow('Node "c" (Conv): weights [4, 2, 1, 1] do not fit 3 channels in 1 group(s) with a 1 x 1 kernel.');
    expect(() => small().add('MaxPool', ['image'], windowOf([6, 6]), { name: 'p' })).toThrow('Node "p" (MaxPool): a 6 x 6 window does not fit into 5 x 6 with pads 0, 0, 0, 0.');
  });
  it('refuses a name twice and a value that nobody made', () => {
    expect(() => small().add('Relu', ['image'], {}, { outputs: ['pooled'] })).toThrow('The name "pooled" is given to two values of the network.');
    expect(() => small().add('Relu', ['later'], {})).toThrow('"later" is read before anything makes it');
    expect(() => small().finish(['later'])).toThrow('"later" is read before anything makes it');
  });
  it('takes the same tensor twice, but not another of its name', () => {
    const builder = small();
    const tensor = floatTensor('t', [1], [1]);
    expect([builder.tensor(tensor), builder.tensor(tensor)]).toEqual(['t', 't']);
    expect(() => builder.tensor(floatTensor('t', [1], [1]))).toThrow('The name "t" is given to two values of the network.');
  });
});

describe('verify', () => {
  const graph = small().finish(['doubled']);
  const broken = (change: Partial<Graph>): Graph => ({ ...graph, ...change });
  it('returns a sound graph as it is', () => {
    expect(verify(graph)).toBe(graph);
  });
  it('finds nodes out of order', () => {
    expect(() => verify(broken({ nodes: graph.nodes.toReversed() }))).toThrow('graph small: twice reads pooled before it is made');
  });
  it('finds a value whose noted type is not what its node makes', () => {
    const values = new Map(graph.values).set('doubled', { name: 'doubled', dataType: 'float32', shape: ['batch', 3, 2, 1] });
    expect(() => verify(broken({ values }))).toThrow('doubled is noted as float32 [batch, 3, 2, 1], Add makes float32 [batch, 3, 2, 2]');
  });
  it('finds outputs and tensors that are not what they say', () => {
    expect(() => verify(broken({ outputs: ['gone'] }))).toThrow('output gone is never made');
    expect(() => verify(broken({ tensors: new Map([['t', floatTensor('t', [3], [1, 2])]]) }))).toThrow('tensor t holds 2 values, its shape says 3');
  });
});

it('puts the batch into shapes and counts elements', () => {
  expect(withBatch(['batch', 3, 2], 5)).toEqual([5, 3, 2]);
  expect(elementCount([5, 3, 2])).toBe(30);
  expect(elementCount([])).toBe(1);
  expect(() => valueOf(small().finish([]), 'nothing')).toThrow('graph small has no value named "nothing"');
});
