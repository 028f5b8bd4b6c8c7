/**
 * Running a network on one unit's window gives the same activation and the same projection as running it on the whole image (method.md section 4), at
 * corners, edges and inside, for every method: borders are put back exactly.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGraphBuilder, type GraphBuilder } from '../../src-main/graph/build.ts';
import { withBatch, type Graph } from '../../src-main/graph/graph.ts';
import type { OpKind, OpAttributes } from '../../src-main/graph/ops/attributes.ts';
import type { Data, Engine } from '../../src-main/inference/engine.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { createReferenceEngine } from '../../src-main/inference/reference/engine.ts';
import { projectionGraph } from '../../src-main/rewrite/backward/projectionGraph.ts';
import { windowGraph } from '../../src-main/rewrite/window/windowGraph.ts';
import { createWindowFeeder, placeOf, type Cut } from '../../src-main/rewrite/window/feeds.ts';
import { methods } from '../../src-shared/domain/projection.ts';
import { runOnce } from '../parity/allEngines.ts';
import { floatTensor, randomData, randomTensor, seededRandom, windowOf } from '../support/graphs.ts';

let engines: Engine[];
beforeAll(async () => {
  engines = [createReferenceEngine(), await createOnnxruntimeEngine({ device: 'cpu' })];
});
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

const random = seededRandom(20131311);

interface Net {
  readonly add: <K extends OpKind>(kind: K, inputs: readonly string[], attributes: OpAttributes[K]) => string;
  readonly conv: (input: string, name: string, channels: readonly [number, number], window: ReturnType<typeof windowOf>, group?: number) => string;
}

function network(sizes: readonly number[], make: (net: Net, builder: GraphBuilder) => string): { readonly graph: Graph; readonly layer: string } {
  const builder = createGraphBuilder('network');
  builder.input('image', 'float32', ['batch', ...sizes]);
  const add: Net['add'] = (kind, inputs, attributes) => builder.add(kind, inputs, attributes)[0]!;
  const conv: Net['conv'] = (input, name, [from, to], window, group = 1) => {
    const weights = builder.tensor(randomTensor(random, `${name}.w`, [to, from / group, ...window.kernel], 0.5));
    // Mostly above zero, so that most units have a picture.
    const bias = builder.tensor(floatTensor(`${name}.b`, [to], Array.from({ length: to }, () => 1 + random())));
    return add('Relu', [add('Conv', [input, weights, bias], { ...window, group })], {});
  };
  const layer = make({ add, conv }, builder);
  return { graph: builder.finish([layer]), layer };
}

const same = windowOf([3, 3], { pads: [1, 1, 1, 1] });
const cases = {
  'padded convolutions': network([2, 11, 12], ({ conv }) => conv(conv('image', 'a', [2, 3], same), 'b', [3, 2], windowOf([5, 3], { pads: [2, 1, 2, 1] }))),
  'strides, a padded pool that overlaps, groups': network([2, 23, 21], ({ add, conv }) =>
    conv(add('MaxPool', [conv('image', 'a', [2, 4], windowOf([3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }))], windowOf([3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] })), 'b', [4, 4], same, 2)),
  'a pool that ceil_mode extends': network([1, 14, 14], ({ add, conv }) => conv(add('MaxPool', [conv('image', 'a', [1, 3], same)], windowOf([3, 3], { strides: [2, 2], pads: [0, 0, 1, 1] })), 'b', [3, 2], same)),
  'a pool on the image itself': network([1, 9, 9], ({ add, conv }) => conv(add('MaxPool', ['image'], windowOf([3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] })), 'a', [1, 2], same)),
  'average pools, with and without pads in the divisor': network([2, 15, 15], ({ add, conv }) => {
    const a = conv('image', 'a', [2, 3], same);
    const without = add('AveragePool', [a], { ...windowOf([3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }), countIncludePad: false });
    const counted = add('AveragePool', [a], { ...windowOf([3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }), countIncludePad: true });
    return conv(add('Add', [without, counted], {}), 'b', [3, 2], same);
  }),
  'branches of different reach, joined': network([2, 13, 13], ({ add, conv }) => {
    const squeeze = conv('image', 's', [2, 3], windowOf([1, 1]));
    const joined = add('Concat', [conv(squeeze, 'e1', [3, 2], windowOf([1, 1])), conv(squeeze, 'e3', [3, 2], same)], { axis: 1 });
    return conv(joined, 'c', [4, 3], same);
  }),
  'a residual add': network([3, 12, 12], ({ add, conv }) => {
    const a = conv('image', 'a', [3, 3], same);
    return add('Relu', [add('Add', [a, conv(a, 'b', [3, 3], windowOf([5, 5], { pads: [2, 2, 2, 2] }))], {})], {});
  }),
  'dilation, LRN, an explicit pad': network([2, 20, 20], ({ add, conv }) =>
    conv(add('Pad', [add('LRN', [conv('image', 'a', [2, 4], windowOf([3, 3], { dilations: [2, 2], pads: [2, 2, 2, 2] }))], { size: 3, alpha: 0.5, beta: 0.75, bias: 1 })], { pads: [1, 0, 2, 1], value: 0.3 }), 'b', [4, 2], windowOf([3, 3], { strides: [2, 2] }))),
} satisfies Record<string, ReturnType<typeof network>>;

describe.each(Object.entries(cases))('%s', (_title, { graph, layer }) => {
  it.each(methods)('by %s', async (method) => {
    const [, channels, height, width] = graph.inputs[0]!.shape as number[];
    const whole = projectionGraph(graph, 'image', layer, method);
    const window = windowGraph(graph, 'image', layer)!;
    const walked = projectionGraph(window.graph, 'image', layer, method);
    const [, , rows, columns] = graph.values.get(layer)!.shape as number[];
    const units = [...new Set([0, 1, Math.floor(rows! / 2), rows! - 1])].flatMap((y) => [...new Set([0, Math.floor(columns! / 2), columns! - 1])].map((x) => ({ y, x })));
    const image = randomData(random, [1, channels!, height!, width!]);

    for (const engine of engines) {
      const cut = cutFrom(image.data as Float32Array, channels!, height!, width!);
      const feeds = createWindowFeeder(window, [channels!, height!, width!], units.length, cut).fill(units);
      const seed: Data = { shape: withBatch(walked.graph.values.get(walked.seed)!.shape, units.length), data: new Float32Array(units.length * (graph.values.get(layer)!.shape[1] as number)) };
      units.forEach((_, index) => ((seed.data as Float32Array)[index * (seed.data.length / units.length) + 1] = 1));
      const found = await runOnce(engine, walked.graph, { ...Object.fromEntries(feeds), [walked.seed]: seed });
      let drawn = 0;
      for (const [index, unit] of units.entries()) {
        const seedOne = new Float32Array((graph.values.get(layer)!.shape[1] as number) * rows! * columns!);
        seedOne[rows! * columns! + unit.y * columns! + unit.x] = 1;
        const expected = await runOnce(engine, whole.graph, { [whole.image]: image, [whole.seed]: { shape: withBatch(whole.graph.values.get(whole.seed)!.shape, 1), data: seedOne } });
        const values = expected.get(whole.projection)!.data as Float32Array;
        const { box, part } = placeOf(window, found.get(walked.projection)!.data as Float32Array, index, unit, [channels!, height!, width!]);
        const absmax = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        if (absmax > 0) drawn++;
        let worst = 0;
        for (let at = 0; at < values.length; at++) {
          const y = Math.floor((at % (height! * width!)) / width!);
          const x = at % width!;
          const inside = y >= box[0] && y < box[2] && x >= box[1] && x < box[3];
          const cut = (box[2] - box[0]) * (box[3] - box[1]);
          const other = inside ? part[Math.floor(at / (height! * width!)) * cut + (y - box[0]) * (box[3] - box[1]) + x - box[1]]! : 0;
          worst = Math.max(worst, Math.abs(other - values[at]!));
        }
        expect(worst, `${engine.description} unit ${unit.y}, ${unit.x}`).toBeLessThanOrEqual(1e-5 * absmax);
        const activation = (expected.get(whole.start)!.data as Float32Array)[rows! * columns! + unit.y * columns! + unit.x]!;
        const windowed = (found.get(walked.start)!.data as Float32Array)[index * (seed.data.length / units.length) + 1]!;
        expect(Math.abs(windowed - activation)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(activation)));
      }
      expect(drawn, 'units with a picture').toBeGreaterThan(units.length / 3);
    }
  });
});

/** Cuts windows out of `[C, H, W]`, one value at a time. */
function cutFrom(image: Float32Array, channels: number, height: number, width: number): Cut<unknown> {
  return (_unit, top, left, rows, columns, target, at) => {
    for (let position = 0; position < channels * rows * columns; position++) {
      const [channel, y, x] = [Math.floor(position / (rows * columns)), top + (Math.floor(position / columns) % rows), left + (position % columns)];
      target[at + position] = y >= 0 && y < height && x >= 0 && x < width ? image[(channel * height + y) * width + x]! : 0;
    }
  };
}

it('leaves layers that see everything to the whole image', () => {
  const { graph } = network([2, 6, 6], ({ add, conv }) => add('GlobalAveragePool', [conv('image', 'a', [2, 3], same)], {}));
  expect(windowGraph(graph, 'image', graph.outputs[0]!)).toBeUndefined();
});
