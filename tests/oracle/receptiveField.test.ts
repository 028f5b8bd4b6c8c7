/**
 * Receptive fields (method.md section 4): the published numbers of CaffeNet and ZFNet, the union over paths, and the network itself as the judge:
 * a pixel outside a unit's box never changes the unit, and the outermost rows and columns of the box do.
 */
import { expect, describe, it } from 'vitest';
import type { ReceptiveField } from '../../src-shared/domain/geometry.ts';
import { clipBox, receptiveFields, unitWindow } from '../../src-main/geometry/receptiveField.ts';
import { createGraphBuilder, type GraphBuilder } from '../../src-main/graph/build.ts';
import type { Graph } from '../../src-main/graph/graph.ts';
import { createReferenceEngine } from '../../src-main/inference/reference/engine.ts';
import { floatTensor, normalFloats, seededRandom, windowOf } from '../support/graphs.ts';
import { runOnce } from '../parity/allEngines.ts';

const random = seededRandom(77);

interface WindowShape { readonly kernel: number; readonly stride?: number; readonly pad?: number; readonly endPad?: number; readonly dilation?: number; readonly group?: number }

function network(sizes: readonly number[], make: (net: ReturnType<typeof stepsOf>) => string): Graph {
  const builder = createGraphBuilder('network');
  builder.input('image', 'float32', ['batch', ...sizes]);
  return builder.finish([make(stepsOf(builder))]);
}

function stepsOf(builder: GraphBuilder) {
  const windowed = ({ kernel, stride = 1, pad = 0, endPad = pad, dilation = 1 }: WindowShape) =>
    windowOf([kernel, kernel], { strides: [stride, stride], pads: [pad, pad, endPad, endPad], dilations: [dilation, dilation] });
  const channelsOf = (input: string) => builder.valueOf(input).shape[1] as number;
  return {
    builder,
    /** Positive weights, so that nothing cancels and no ReLU goes dead. */
    conv(input: string, output: string, outputs: number, shape: WindowShape): string {
      const group = shape.group ?? 1;
      const size = [outputs, channelsOf(input) / group, shape.kernel, shape.kernel];
      const weights = builder.tensor(floatTensor(`${output}.w`, size, normalFloats(random, size.reduce((a, b) => a * b, 1)).map((value) => Math.abs(value) + 0.1)));
      return builder.add('Conv', [input, weights], { ...windowed(shape), group }, { outputs: [output] })[0]!;
    },
    relu: (input: string) => builder.add('Relu', [input], {})[0]!,
    maxPool: (input: string, shape: WindowShape) => builder.add('MaxPool', [input], windowed(shape))[0]!,
    averagePool: (input: string, shape: WindowShape) => builder.add('AveragePool', [input], { ...windowed(shape), countIncludePad: false })[0]!,
    lrn: (input: string) => builder.add('LRN', [input], { size: 5, alpha: 1e-4, beta: 0.75, bias: 1 })[0]!,
    gemm(input: string, output: string, outputs: number): string {
      const count = (builder.valueOf(input).shape.slice(1) as number[]).reduce((a, b) => a * b, 1);
      const flat = builder.add('Reshape', [input], { shape: ['batch', count] })[0]!;
      return builder.add('Gemm', [flat, builder.tensor(floatTensor(`${output}.w`, [count, outputs], new Float32Array(count * outputs).fill(0.01)))], { transposeB: false }, { outputs: [output] })[0]!;
    },
  };
}

const square = (size: number, stride: number, offset: number): ReceptiveField => ({ size: [size, size], stride: [stride, stride], offset: [offset, offset] });

describe('the numbers of the nets that everyone knows', () => {
  it('CaffeNet: 11, 51, 99, 131, 163 pixels at 4, 8, 16, 16, 16, from 0, -16, -32, -48, -64', () => {
    const graph = network([3, 227, 227], (net) => {
      let at = net.lrn(net.maxPool(net.relu(net.conv('image', 'conv1', 2, { kernel: 11, stride: 4 })), { kernel: 3, stride: 2 }));
      at = net.lrn(net.maxPool(net.relu(net.conv(at, 'conv2', 2, { kernel: 5, pad: 2, group: 2 })), { kernel: 3, stride: 2 }));
      at = net.relu(net.conv(at, 'conv3', 2, { kernel: 3, pad: 1 }));
      at = net.relu(net.conv(at, 'conv4', 2, { kernel: 3, pad: 1, group: 2 }));
      at = net.maxPool(net.relu(net.conv(at, 'conv5', 2, { kernel: 3, pad: 1, group: 2 })), { kernel: 3, stride: 2 });
      return net.gemm(at, 'fc6', 2);
    });
    const fields = receptiveFields(graph, 'image');
    expect(['conv1', 'conv2', 'conv3', 'conv4', 'conv5'].map((name) => fields.get(name))).toEqual([
      square(11, 4, 0), square(51, 8, -16), square(99, 16, -32), square(131, 16, -48), square(163, 16, -64),
    ]);
    expect(fields.get('fc6')).toEqual({ size: [227, 227], stride: [0, 0], offset: [0, 0] });
    expect(graph.values.get('conv5')!.shape).toEqual(['batch', 2, 13, 13]);
  });

  it('ZFNet: 7, 27, 75, 107, 139 pixels at 2, 8, 16, 16, 16, from -1, -1, -17, -33, -49', () => {
    const graph = network([3, 224, 224], (net) => {
      let at = net.lrn(net.maxPool(net.relu(net.conv('image', 'conv1', 2, { kernel: 7, stride: 2, pad: 1 })), { kernel: 3, stride: 2, endPad: 1 }));
      at = net.lrn(net.maxPool(net.relu(net.conv(at, 'conv2', 2, { kernel: 5, stride: 2 })), { kernel: 3, stride: 2, endPad: 1 }));
      at = net.relu(net.conv(at, 'conv3', 2, { kernel: 3, pad: 1 }));
      at = net.relu(net.conv(at, 'conv4', 2, { kernel: 3, pad: 1 }));
      return net.relu(net.conv(at, 'conv5', 2, { kernel: 3, pad: 1 }));
    });
    const fields = receptiveFields(graph, 'image');
    expect(['conv1', 'conv2', 'conv3', 'conv4', 'conv5'].map((name) => fields.get(name))).toEqual([
      square(7, 2, -1), square(27, 8, -1), square(75, 16, -17), square(107, 16, -33), square(139, 16, -49),
    ]);
    expect(graph.values.get('conv5')!.shape).toEqual(['batch', 2, 13, 13]);
  });
});

describe('over several paths', () => {
  it('is the union: the expansions of a fire module, of different reach', () => {
    const graph = network([1, 20, 20], (net) =>
      net.builder.add('Concat', [net.conv('image', 'one', 1, { kernel: 1 }), net.conv('image', 'five', 1, { kernel: 5, pad: 2 }), net.conv('image', 'left', 1, { kernel: 3, pad: 2, endPad: 0 })], { axis: 1 }, { outputs: ['y'] })[0]!,
    );
    expect(receptiveFields(graph, 'image').get('y')).toEqual(square(5, 1, -2));
  });

  it('holds both ends where neither path holds the other', () => {
    const graph = network([1, 20, 20], (net) => net.builder.add('Add', [net.conv('image', 'before', 1, { kernel: 3, pad: 2, endPad: 0 }), net.conv('image', 'after', 1, { kernel: 3, pad: 0, endPad: 2 })], {}, { outputs: ['y'] })[0]!);
    expect(receptiveFields(graph, 'image').get('y')).toEqual(square(5, 1, -2));
  });

  it('is everything behind a gate that has seen everything', () => {
    const graph = network([2, 9, 8], (net) => net.builder.add('Mul', ['image', net.builder.add('GlobalAveragePool', ['image'], {})[0]!], {}, { outputs: ['y'] })[0]!);
    expect(receptiveFields(graph, 'image').get('y')).toEqual({ size: [9, 8], stride: [0, 0], offset: [0, 0] });
  });

  it('is everything behind a value of one position that is spread over all', () => {
    const graph = network([1, 5, 5], (net) => net.builder.add('Add', ['image', net.conv('image', 'all', 1, { kernel: 5 })], {}, { outputs: ['y'] })[0]!);
    expect(receptiveFields(graph, 'image').get('y')).toEqual({ size: [5, 5], stride: [0, 0], offset: [0, 0] });
  });

  it('is everything where maps are laid one below the other', () => {
    const graph = network([1, 4, 4], (net) => net.builder.add('Concat', ['image', 'image'], { axis: 2 }, { outputs: ['y'] })[0]!);
    expect(receptiveFields(graph, 'image').get('y')).toEqual({ size: [4, 4], stride: [0, 0], offset: [0, 0] });
  });

  it('knows no field of what does not depend on the image', () => {
    const graph = network([1, 4, 4], (net) => {
      net.builder.add('Relu', [net.builder.tensor(floatTensor('c', [1], [1]))], {}, { outputs: ['constant'] });
      return net.relu('image');
    });
    expect(receptiveFields(graph, 'image').has('constant')).toBe(false);
  });
});

interface Judged { readonly title: string; readonly graph: Graph; /** The window is as small as it can be: its border rows and columns matter. */ readonly tight: boolean }

const judged: readonly Judged[] = [
  { title: 'convolutions and pools, padded and strided', tight: true, graph: network([1, 23, 25], (net) => net.conv(net.averagePool(net.conv('image', 'a', 2, { kernel: 5, stride: 2, pad: 2 }), { kernel: 3, stride: 2, endPad: 1 }), 'y', 1, { kernel: 3, pad: 1 })) },
  { title: 'dilation and uneven pads', tight: true, graph: network([1, 18, 17], (net) => net.conv(net.conv('image', 'a', 1, { kernel: 3, dilation: 2, pad: 3, endPad: 1 }), 'y', 1, { kernel: 2, stride: 3, pad: 0, endPad: 2 })) },
  {
    title: 'branches of different reach, then a residual add', tight: true,
    graph: network([1, 15, 15], (net) => net.conv(net.builder.add('Add', [net.conv(net.conv('image', 'a', 1, { kernel: 3, pad: 1 }), 'b', 1, { kernel: 3, pad: 1 }), 'image'], {})[0]!, 'y', 1, { kernel: 3, stride: 2 })),
  },
  { title: 'padding and cropping by ops of their own', tight: true, graph: network([1, 12, 12], (net) => net.conv(net.builder.add('Slice', [net.builder.add('Pad', ['image'], { pads: [3, 1, 2, 0], value: 0 })[0]!], { axis: 2, start: 2, end: 15 })[0]!, 'y', 1, { kernel: 3, stride: 2 })) },
  {
    title: 'a transposed convolution above strides', tight: false,
    graph: network([1, 21, 21], (net) => {
      const low = net.conv('image', 'a', 1, { kernel: 3, stride: 4 });
      const weights = net.builder.tensor(floatTensor('up', [1, 1, 2, 3], [1, 2, 3, 4, 5, 6]));
      return net.builder.add('ConvTranspose', [low, weights], { ...windowOf([2, 3], { strides: [2, 2], pads: [0, 1, 0, 0] }), group: 1, outputPadding: [0, 0] }, { outputs: ['y'] })[0]!;
    }),
  },
  {
    title: 'a transposed convolution that leaves gaps', tight: false,
    graph: network([1, 9, 9], (net) => net.builder.add('ConvTranspose', ['image', net.builder.tensor(floatTensor('up', [1, 1, 2, 2], [1, 2, 3, 4]))], { ...windowOf([2, 2], { strides: [3, 3] }), group: 1, outputPadding: [1, 0] }, { outputs: ['y'] })[0]!),
  },
];

describe('the network itself is the judge', () => {
  it.each(judged)('$title', async ({ graph, tight }) => {
    const layer = graph.outputs[0]!;
    const [, , height, width] = graph.inputs[0]!.shape as [unknown, unknown, number, number];
    const [, channels, rows, columns] = graph.values.get(layer)!.shape as [unknown, number, number, number];
    const field = receptiveFields(graph, 'image').get(layer)!;
    const reach = await pixelsThatMatter(graph, layer, height, width);
    let checked = 0;
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        const [y0, x0, y1, x1] = clipBox(unitWindow(field, y, x), height, width);
        const seen = reach[y * columns + x]!;
        for (const [row, column] of seen) {
          expect(row >= y0 && row < y1 && column >= x0 && column < x1, `unit (${y}, ${x}) of ${channels} channel(s) sees pixel (${row}, ${column}), its box is ${y0}..${y1}, ${x0}..${x1}`).toBe(true);
        }
        // A window that reaches outside may see inner padding in place of pixels; one that lies inside sees all four of its sides.
        if (!tight || unitWindow(field, y, x).join() !== [y0, x0, y1, x1].join()) continue;
        checked++;
        const seenRows = seen.map(([row]) => row);
        const seenColumns = seen.map(([, column]) => column);
        expect([Math.min(...seenRows), Math.min(...seenColumns), Math.max(...seenRows) + 1, Math.max(...seenColumns) + 1], `hull of what unit (${y}, ${x}) sees`).toEqual([y0, x0, y1, x1]);
      }
    }
    expect(tight ? checked : reach.flat().length).toBeGreaterThan(2);
  });
});

/** Per position of the layer: the pixels whose change changes it. All pixels are tried in one batch. */
async function pixelsThatMatter(graph: Graph, layer: string, height: number, width: number): Promise<(readonly [number, number])[][]> {
  const pixels = height * width;
  const base = normalFloats(random, pixels).map(Math.abs);
  const data = new Float32Array((pixels + 1) * pixels);
  for (let row = 0; row <= pixels; row++) {
    data.set(base, row * pixels);
    if (row < pixels) data[row * pixels + row]! += 5;
  }
  const values = (await runOnce(createReferenceEngine(), graph, { image: { shape: [pixels + 1, 1, height, width], data } }, [layer])).get(layer)!;
  const [, channels, rows, columns] = values.shape as [number, number, number, number];
  const size = channels * rows * columns;
  return Array.from({ length: rows * columns }, (_, position) => {
    const matter: (readonly [number, number])[] = [];
    for (let pixel = 0; pixel < pixels; pixel++) {
      if (values.data[pixel * size + position] !== values.data[pixels * size + position]) matter.push([Math.floor(pixel / width), pixel % width]);
    }
    return matter;
  });
}
