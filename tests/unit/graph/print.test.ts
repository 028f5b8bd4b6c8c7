/** The drawing of a network, whole: what a person reads in a terminal. */
import { describe, expect, it } from 'vitest';
import { createGraphBuilder, type GraphBuilder } from '../../../src-main/graph/build.ts';
import type { Graph } from '../../../src-main/graph/graph.ts';
import { drawNetwork, printNetwork } from '../../../src-main/graph/print.ts';
import { openModel } from '../../../src-main/importers/open.ts';
import { describeWalk } from '../../../src-main/rewrite/backward/describeWalk.ts';
import { projectionGraph } from '../../../src-main/rewrite/backward/projectionGraph.ts';
import type { Method } from '../../../src-shared/domain/projection.ts';
import { floatTensor, windowOf } from '../../support/graphs.ts';
import { dataPath, describeWithData } from '../../support/testData.ts';

function network(sizes: readonly number[], make: (builder: GraphBuilder) => void): Graph {
  const builder = createGraphBuilder('network');
  builder.input('image', 'float32', ['batch', ...sizes]);
  make(builder);
  return builder.finish(['y']);
}

function conv(b: GraphBuilder, input: string, outputs: number, size: number, output: string, rest: { stride?: number; group?: number } = {}): string {
  const inputs = b.valueOf(input).shape[1] as number;
  const { stride = 1, group = 1 } = rest;
  const weights = b.tensor(floatTensor(`${output}/w`, [outputs, inputs / group, size, size], new Float32Array((outputs * inputs * size * size) / group)));
  const pad = Math.floor(size / 2);
  return b.add('Conv', [input, weights, ''], { ...windowOf([size, size], { strides: [stride, stride], pads: [pad, pad, pad, pad] }), group }, { outputs: [output] })[0]!;
}
const relu = (b: GraphBuilder, input: string, output: string) => b.add('Relu', [input], {}, { outputs: [output] })[0]!;
const norm = (b: GraphBuilder, input: string, output: string) => {
  const channels = b.valueOf(input).shape[1] as number;
  const constants = ['gamma', 'beta', 'mean', 'variance'].map((name) => b.tensor(floatTensor(`${output}/${name}`, [channels], new Float32Array(channels).fill(1))));
  return b.add('BatchNormalization', [input, ...constants], { epsilon: 1e-5 }, { outputs: [output] })[0]!;
};

/** A fire module of SqueezeNet behind a pool. */
const fire = network([64, 9, 9], (b) => {
  b.add('MaxPool', ['image'], windowOf([3, 3], { strides: [2, 2] }), { outputs: ['pool'] });
  relu(b, conv(b, 'pool', 16, 1, 'squeeze'), 'squeezed');
  relu(b, conv(b, 'squeezed', 64, 1, 'expand1'), 'expanded1');
  relu(b, conv(b, 'squeezed', 64, 3, 'expand3'), 'expanded3');
  b.add('Concat', ['expanded1', 'expanded3'], { axis: 1 }, { outputs: ['y'] });
});

/** A residual block of ResNet. */
const residual = network([64, 8, 8], (b) => {
  relu(b, norm(b, conv(b, 'image', 64, 3, 'a'), 'an'), 'ar');
  norm(b, conv(b, 'ar', 64, 3, 'c'), 'cn');
  b.add('Add', ['cn', 'image'], {}, { outputs: ['sum'] });
  relu(b, 'sum', 'y');
});

function printed(graph: Graph, layer?: string, method: Method = 'deconvnet'): string {
  const wayDown = layer === undefined ? undefined : describeWalk(graph, projectionGraph(graph, graph.inputs[0]!.name, layer, method));
  return `\n${printNetwork(drawNetwork(graph, wayDown))}`;
}

describe('a network as a person would draw it', () => {
  it('forks and joins a fire module', () => {
    expect(printed(fire)).toBe(`
●    input            64 x 9 x 9   image
●    max pool 3x3/2   64 x 4 x 4   pool
●    conv 1x1 → relu  16 x 4 x 4   squeezed
├─┐
● │  conv 1x1 → relu  64 x 4 x 4   expanded1
│ ●  conv 3x3 → relu  64 x 4 x 4   expanded3
├─┘
●    concat of 2      128 x 4 x 4  y`);
  });

  it('takes the shortcut of a residual block past the block', () => {
    expect(printed(residual)).toBe(`
●    input                         64 x 8 x 8  image
├─┐
● │  conv 3x3 → batch norm → relu  64 x 8 x 8  ar
● │  conv 3x3 → batch norm         64 x 8 x 8  cn
├─┘
●    add → relu                    64 x 8 x 8  y`);
  });

  it('crosses a lane that is only passed', () => {
    const crossing = network([4, 4, 4], (b) => {
      conv(b, 'image', 4, 1, 'a');
      conv(b, 'image', 4, 1, 'b');
      conv(b, 'image', 4, 1, 'c');
      b.add('Add', ['a', 'c'], {}, { outputs: ['ac'] });
      b.add('Mul', ['ac', 'b'], {}, { outputs: ['y'] });
    });
    expect(printed(crossing)).toBe(`
●      input     4 x 4 x 4  image
├─┐
● │    conv 1x1  4 x 4 x 4  a
│ ├─┐
│ ● │  conv 1x1  4 x 4 x 4  b
│ │ ●  conv 1x1  4 x 4 x 4  c
├─┼─┘
● │    add       4 x 4 x 4  ac
├─┘
●      multiply  4 x 4 x 4  y`);
  });

  it('gives a value a row of its own where it is asked to', () => {
    expect(`\n${printNetwork(drawNetwork(residual, undefined, new Set(['an', 'sum'])))}`).toBe(`
●    input                  64 x 8 x 8  image
├─┐
● │  conv 3x3 → batch norm  64 x 8 x 8  an
● │  relu                   64 x 8 x 8  ar
● │  conv 3x3 → batch norm  64 x 8 x 8  cn
├─┘
●    add                    64 x 8 x 8  sum
●    relu                   64 x 8 x 8  y`);
  });

  it('ends a lane that nobody reads, and keeps one that is also an output', () => {
    const builder = createGraphBuilder('two outputs');
    builder.input('image', 'float32', ['batch', 4, 4, 4]);
    relu(builder, conv(builder, 'image', 8, 3, 'x', { stride: 2, group: 4 }), 'y');
    expect(`\n${printNetwork(drawNetwork(builder.finish(['x', 'y'])))}`).toBe(`
●  input                 4 x 4 x 4  image
●  conv 3x3/2, 4 groups  8 x 2 x 2  x
●  relu                  8 x 2 x 2  y`);
  });
});

describe('the way down beside it', () => {
  it('reads from below: seed, slices, transposed filters, the sum of both branches, unpooling', () => {
    expect(printed(fire, 'y')).toBe(`
●    input            64 x 9 x 9   image      ↑ projection
●    max pool 3x3/2   64 x 4 x 4   pool       ↑ unpool to 9x9 by switches
●    conv 1x1 → relu  16 x 4 x 4   squeezed   ↑ transposed conv 1x1 ← relu
├─┐                                           ↑ sum
● │  conv 1x1 → relu  64 x 4 x 4   expanded1  ↑ transposed conv 1x1 ← relu
│ ●  conv 3x3 → relu  64 x 4 x 4   expanded3  ↑ transposed conv 3x3 ← relu
├─┘
●    concat of 2      128 x 4 x 4  y          ↑ channels 0..63, channels 64..127 ← seed`);
  });

  it('starts at its layer and shows what the method does at the rectifiers', () => {
    expect(printed(residual, 'ar', 'gradientInput')).toBe(`
●    input                         64 x 8 x 8  image  ↑ projection ← times the image
├─┐
● │  conv 3x3 → batch norm → relu  64 x 8 x 8  ar     ↑ transposed conv 3x3 ← times constants ← kept where x > 0 ← seed
● │  conv 3x3 → batch norm         64 x 8 x 8  cn
├─┘
●    add → relu                    64 x 8 x 8  y`);
  });
});

describeWithData('AlexNet', ['models/alexnet-conv1-pool5.onnx'], () => {
  it('is eleven rows, groups and normalisation named, and nothing beside the last pool', async () => {
    const { model } = await openModel(dataPath('models/alexnet-conv1-pool5.onnx'));
    expect(printed(model.graph, 'relu5')).toBe(`
●  input                      3 x 227 x 227  data   ↑ projection
●  conv 11x11/4 → relu        96 x 55 x 55   relu1  ↑ transposed conv 11x11/4 ← relu
●  LRN over 5                 96 x 55 x 55   norm1  ↑ unchanged
●  max pool 3x3/2             96 x 27 x 27   pool1  ↑ unpool to 55x55 by switches
●  conv 5x5, 2 groups → relu  256 x 27 x 27  relu2  ↑ transposed conv 5x5, 2 groups ← relu
●  LRN over 5                 256 x 27 x 27  norm2  ↑ unchanged
●  max pool 3x3/2             256 x 13 x 13  pool2  ↑ unpool to 27x27 by switches
●  conv 3x3 → relu            384 x 13 x 13  relu3  ↑ transposed conv 3x3 ← relu
●  conv 3x3, 2 groups → relu  384 x 13 x 13  relu4  ↑ transposed conv 3x3, 2 groups ← relu
●  conv 3x3, 2 groups → relu  256 x 13 x 13  relu5  ↑ transposed conv 3x3, 2 groups ← relu ← seed
●  max pool 3x3/2             256 x 6 x 6    pool5`);
  });
});
