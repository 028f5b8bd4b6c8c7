/** "Which layers" of method.md section 1, sentence by sentence, on the smallest networks that show each. */
import { describe, expect, it } from 'vitest';
import { createGraphBuilder, type GraphBuilder } from '../../../src-main/graph/build.ts';
import type { Graph } from '../../../src-main/graph/graph.ts';
import { layerNamed, selectLayers } from '../../../src-main/graph/layerSelection.ts';
import { floatTensor, windowOf } from '../../support/graphs.ts';

function network(make: (net: ReturnType<typeof stepsOf>) => readonly string[] | string): Graph {
  const builder = createGraphBuilder('network');
  builder.input('image', 'float32', ['batch', 2, 4, 4]);
  const outputs = make(stepsOf(builder));
  return builder.finish(typeof outputs === 'string' ? [outputs] : outputs);
}

/** Every step names its output itself; node names stay what the builder makes of the op kind unless given. */
function stepsOf(builder: GraphBuilder) {
  const constant = (shape: readonly number[]) => builder.tensor(floatTensor(builder.freeName('constant'), shape, new Array(shape.reduce((a, b) => a * b, 1)).fill(1)));
  const channels = (input: string) => builder.valueOf(input).shape[1] as number;
  const named = (output: string, name?: string) => ({ outputs: [output], ...(name === undefined ? {} : { name }) });
  return {
    builder,
    conv: (input: string, output: string, name?: string) => builder.add('Conv', [input, constant([2, channels(input), 1, 1])], { ...windowOf([1, 1]), group: 1 }, named(output, name))[0]!,
    flat: (input: string, output: string) => builder.add('Reshape', [input], { shape: ['batch', (builder.valueOf(input).shape.slice(1) as number[]).reduce((a, b) => a * b, 1)] }, named(output))[0]!,
    gemm: (input: string, output: string, name?: string) => builder.add('Gemm', [input, constant([channels(input), 3])], { transposeB: false }, named(output, name))[0]!,
    relu: (input: string, output: string) => builder.add('Relu', [input], {}, named(output))[0]!,
    clip: (input: string, output: string, minimum: number) => builder.add('Clip', [input], { minimum, maximum: 6 }, named(output))[0]!,
    leaky: (input: string, output: string) => builder.add('LeakyRelu', [input], { alpha: 0.1 }, named(output))[0]!,
    norm: (input: string, output: string, name?: string) => builder.add('BatchNormalization', [input, ...[1, 2, 3, 4].map(() => constant([channels(input)]))], { epsilon: 1e-5 }, named(output, name))[0]!,
    identity: (input: string, output: string) => builder.add('Identity', [input], {}, named(output))[0]!,
    times: (input: string, output: string) => builder.add('Mul', [input, constant([2, 1, 1])], {}, named(output))[0]!,
    plus: (input: string, output: string) => builder.add('Add', [constant([2, 1, 1]), input], {}, named(output))[0]!,
    sum: (a: string, b: string, output: string, name?: string) => builder.add('Add', [a, b], {}, named(output, name))[0]!,
    join: (inputs: readonly string[], output: string) => builder.add('Concat', inputs, { axis: 1 }, named(output))[0]!,
    pool: (input: string, output: string) => builder.add('MaxPool', [input], windowOf([2, 2]), named(output))[0]!,
    average: (input: string, output: string) => builder.add('AveragePool', [input], { ...windowOf([2, 2]), countIncludePad: false }, named(output))[0]!,
    lrn: (input: string, output: string) => builder.add('LRN', [input], { size: 3, alpha: 1, beta: 0.75, bias: 1 }, named(output))[0]!,
  };
}
const names = (graph: Graph) => selectLayers(graph).map((layer) => layer.name);

describe('for each conv or gemm the layer is', () => {
  it.each(['relu', 'leaky'] as const)('the output of its activation: %s', (kind) => {
    expect(names(network((n) => n[kind](n.conv('image', 'c'), 'a')))).toEqual(['a']);
  });
  it('the output of its activation: Clip', () => {
    expect(names(network((n) => n.clip(n.conv('image', 'c'), 'a', 0)))).toEqual(['a']);
  });
  it('the activation behind batch normalisation, scale and shift for each channel, and identity (dropout)', () => {
    expect(names(network((n) => n.relu(n.identity(n.plus(n.times(n.norm(n.conv('image', 'c'), 'n'), 's'), 'b'), 'i'), 'a')))).toEqual(['a']);
  });
  it('the last value of that chain where there is no activation', () => {
    expect(names(network((n) => n.pool(n.times(n.norm(n.conv('image', 'c'), 'n'), 's'), 'p')))).toEqual(['s']);
    expect(names(network((n) => n.conv('image', 'c')))).toEqual(['c']);
  });
  it('the value before an add, a concat or a pool, where the chain stops', () => {
    expect(names(network((n) => n.sum(n.norm(n.conv('image', 'c1'), 'n1'), n.conv('image', 'c2'), 'sum')))).toEqual(['n1', 'c2']);
    expect(names(network((n) => n.relu(n.join([n.conv('image', 'c1'), 'image'], 'joined'), 'a')))).toEqual(['c1']);
    expect(names(network((n) => n.relu(n.pool(n.conv('image', 'c1'), 'p'), 'a')))).toEqual(['c1']);
  });
  it('the value itself where somebody else reads it too: only single consumers are followed', () => {
    expect(names(network((n) => [n.relu(n.conv('image', 'c'), 'a'), n.pool('c', 'p')]))).toEqual(['c']);
    expect(names(network((n) => [n.relu(n.norm(n.conv('image', 'c'), 'n'), 'a'), n.pool('n', 'p')]))).toEqual(['n']);
  });
  it('the value itself where it is an output of the network as well', () => {
    expect(names(network((n) => [n.relu(n.conv('image', 'c'), 'a'), 'c']))).toEqual(['c']);
  });
  it('not behind a product of two computed values', () => {
    expect(names(network((n) => n.relu(n.builder.add('Mul', [n.conv('image', 'c'), 'image'], {}, { outputs: ['m'] })[0]!, 'a')))).toEqual(['c']);
  });
  it('not behind a constant that is more than one value for each channel', () => {
    const byPlace = (shape: readonly number[]) => network((n) => n.relu(n.builder.add('Mul', [n.conv('image', 'c'), n.builder.tensor(floatTensor('map', shape, new Array(shape.reduce((a, b) => a * b, 1)).fill(1)))], {}, { outputs: ['m'] })[0]!, 'a'));
    expect(names(byPlace([1, 2, 4, 4]))).toEqual(['c']);
    expect(names(byPlace([4]))).toEqual(['c']);
    expect(names(byPlace([1, 2, 1, 1]))).toEqual(['a']);
    expect(names(byPlace([]))).toEqual(['a']);
  });
  it('one for a fully connected layer, of 1 x 1', () => {
    const graph = network((n) => n.relu(n.gemm(n.flat('image', 'f'), 'g'), 'a'));
    expect(selectLayers(graph)).toEqual([{ name: 'a', title: 'fc1', kind: 'gemm', channels: 3, height: 1, width: 1, nonNegative: true }]);
  });
});

describe('the activation after an add', () => {
  it('is a layer of kind add, in the order of the network', () => {
    const graph = network((n) => n.conv(n.relu(n.sum(n.conv('image', 'c1'), 'image', 'sum'), 'a'), 'c2'));
    expect(selectLayers(graph).map(({ name, kind }) => [name, kind])).toEqual([['c1', 'conv'], ['a', 'add'], ['c2', 'conv']]);
  });
  it('may stand behind a normalisation', () => {
    expect(names(network((n) => n.relu(n.norm(n.sum('image', 'image', 'sum'), 'n'), 'a')))).toEqual(['a']);
  });
  it('is no layer where the add has no activation, or adds a constant', () => {
    expect(names(network((n) => n.pool(n.sum('image', 'image', 'sum'), 'p')))).toEqual([]);
    expect(names(network((n) => n.relu(n.plus('image', 'shifted'), 'a')))).toEqual([]);
  });
});

describe('asked for by name', () => {
  const graph = network((n) => {
    n.builder.add('SpatialMax', ['image'], {}, { outputs: ['score', 'position'] });
    const joined = n.join([n.relu(n.norm(n.conv('image', 'c'), 'n'), 'a'), 'image'], 'joined');
    const sum = n.sum(joined, joined, 'sum');
    n.builder.add('Reshape', [sum], { shape: ['batch', 2, 2, 4, 4] }, { outputs: ['five'] });
    return ['five', n.lrn(n.pool(sum, 'p'), 'l'), n.plus('c', 'shifted')];
  });

  it.each([['n', 'norm'], ['p', 'pool'], ['l', 'lrn'], ['sum', 'add'], ['joined', 'concat'], ['c', 'conv']] as const)('%s is a layer of kind %s', (name, kind) => {
    expect(layerNamed(graph, name)).toMatchObject({ name, kind });
  });
  it('is of the kind of what made it where the op itself is none: a shift for each channel belongs to its conv', () => {
    expect(layerNamed(graph, 'shifted').kind).toBe('conv');
  });
  it('is the same as the default layer of that name', () => {
    const simple = network((n) => n.relu(n.conv('image', 'c', 'first'), 'a'));
    expect(layerNamed(simple, 'a')).toEqual(selectLayers(simple)[0]);
  });
  it('must exist', () => {
    expect(() => layerNamed(graph, 'conv99')).toThrow('The network has no layer named "conv99". "switchback import" lists its layers.');
  });
  it('must have channels', () => {
    expect(() => layerNamed(graph, 'five')).toThrow('The value "five" has 5 dimensions; a layer has channels, or channels, rows and columns.');
  });
});

describe('titles', () => {
  it('are conv1..convN and fcN in one count where nodes have no name of their own', () => {
    const graph = network((n) => n.gemm(n.flat(n.relu(n.conv(n.relu(n.conv('image', 'c1'), 'a1'), 'c2', 'Conv_17'), 'a2'), 'f'), 'g', ''));
    expect(selectLayers(graph).map(({ name, title }) => [name, title])).toEqual([['a1', 'conv1'], ['a2', 'conv2'], ['g', 'fc3']]);
  });
  it('are the node\'s own name where it has one', () => {
    const graph = network((n) => n.conv(n.relu(n.sum(n.relu(n.conv('image', 'c1', 'stem/conv'), 'a1'), 'image', 'sum', 'block1/add'), 'a2'), 'c2'));
    expect(selectLayers(graph).map(({ title }) => title)).toEqual(['stem/conv', 'block1/add', 'conv1']);
  });
  it('count adds apart', () => {
    const graph = network((n) => n.relu(n.sum(n.relu(n.sum('image', 'image', 's1'), 'a1'), 'image', 's2'), 'a2'));
    expect(selectLayers(graph).map(({ title }) => title)).toEqual(['add1', 'add2']);
  });
});

describe('non-negative by construction', () => {
  const graph = network((n) => {
    n.relu('image', 'relu');
    n.clip('image', 'from 0', 0);
    n.clip('image', 'from below 0', -1);
    n.leaky('image', 'leaky');
    n.pool('relu', 'pool of relu');
    n.average('from 0', 'average of clip');
    n.pool('image', 'pool of image');
    n.join(['relu', 'from 0'], 'join of both');
    n.join(['relu', 'leaky'], 'join with leaky');
    n.pool('join of both', 'pool of join');
    n.lrn('relu', 'lrn of relu');
    n.identity('relu', 'identity of relu');
    n.norm('relu', 'norm of relu');
    n.times('relu', 'scaled relu');
    return ['relu'];
  });
  it.each(['relu', 'from 0', 'pool of relu', 'average of clip', 'join of both', 'pool of join', 'lrn of relu', 'identity of relu'])('%s is', (name) => {
    expect(layerNamed(graph, name).nonNegative).toBe(true);
  });
  it.each(['from below 0', 'leaky', 'pool of image', 'join with leaky', 'norm of relu', 'scaled relu'])('%s is not', (name) => {
    expect(layerNamed(graph, name).nonNegative).toBe(false);
  });
});
