/**
 * The slow twin: deconvnet, guided backpropagation and the gradient written once more with plain loops, straight from Zeiler & Fergus 2013
 * (section 2.1: unpool, rectify, filter) and Springenberg et al. 2014 (Fig. 1), with nothing of src-main/rewrite. A network is data that both
 * sides read: the twin walks it in float64, the graph goes through projectionGraph and an engine.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGraphBuilder, type GraphBuilder } from '../../src-main/graph/build.ts';
import { withBatch, type Graph } from '../../src-main/graph/graph.ts';
import type { Engine } from '../../src-main/inference/engine.ts';
import { createOnnxruntimeEngine } from '../../src-main/inference/onnxruntime/engine.ts';
import { createReferenceEngine } from '../../src-main/inference/reference/engine.ts';
import { projectionGraph } from '../../src-main/rewrite/backward/projectionGraph.ts';
import { floatTensor, normalFloats, seededRandom, windowOf, type Random } from '../support/graphs.ts';
import { runOnce } from '../parity/allEngines.ts';

/** The methods of the papers that the twin knows. */
const methods = ['deconvnet', 'guided', 'gradient'] as const;
type Method = (typeof methods)[number];

/** [channel][row][column] */
type Maps = readonly (readonly (readonly number[])[])[];

type Step =
  | { readonly kind: 'conv'; readonly filters: readonly Maps[]; readonly biases: readonly number[]; readonly stride: number; readonly pad: number; readonly groups: number }
  | { readonly kind: 'relu' }
  | { readonly kind: 'pool'; readonly size: number; readonly stride: number; readonly pad: number; readonly ceil: boolean }
  | { readonly kind: 'concat' | 'add'; readonly branches: readonly (readonly Step[])[] }
  | { readonly kind: 'connected'; readonly matrix: readonly (readonly number[])[]; readonly biases: readonly number[] };

interface Walked {
  readonly output: Maps;
  down(signal: Maps, method: Method): Maps;
}

let engines: Engine[];
beforeAll(async () => {
  engines = [createReferenceEngine(), await createOnnxruntimeEngine({ device: 'cpu' })];
});
afterAll(async () => {
  for (const engine of engines) await engine.close();
});

const one = (value: number): Step => ({ kind: 'conv', filters: [[[[value]]]], biases: [0], stride: 1, pad: 0, groups: 1 });
const pool = (size: number, stride: number, rest: { pad?: number; ceil?: boolean } = {}): Step => ({ kind: 'pool', size, stride, pad: 0, ceil: false, ...rest });
const relu: Step = { kind: 'relu' };

describe('mistakes that others made, on numbers worked out by hand', () => {
  it('adds no bias on the way down', async () => {
    const net: Step[] = [{ kind: 'conv', filters: [[[[2]]]], biases: [5], stride: 1, pad: 0, groups: 1 }];
    await both(net, [[[1, 1, 1]]], [0, 0, 1], { deconvnet: [[[0, 2, 0]]], guided: [[[0, 2, 0]]], gradient: [[[0, 2, 0]]] });
  });

  it('rectifies on the way down, at the ReLU below a negative filter', async () => {
    // x = 3 -> ReLU 3 -> conv (-1, 2): the signal above the ReLU is (-1, 2).
    const net: Step[] = [relu, { kind: 'conv', filters: [[[[-1, 2]]]], biases: [0], stride: 1, pad: 0, groups: 1 }];
    await both(net, [[[3, 4]]], [0, 0, 0], { deconvnet: [[[0, 2]]], guided: [[[0, 2]]], gradient: [[[-1, 2]]] });
  });

  it('is no guided backpropagation under another name: deconvnet passes where the forward ReLU was off', async () => {
    const net: Step[] = [relu, { kind: 'conv', filters: [[[[1, 1]]]], biases: [0], stride: 1, pad: 0, groups: 1 }];
    await both(net, [[[-3, 4]]], [0, 0, 0], { deconvnet: [[[1, 1]]], guided: [[[0, 1]]], gradient: [[[0, 1]]] });
  });

  it('stops the gradient at x = 0, not only below', async () => {
    await both([relu], [[[0, 4]]], [0, 0, 0], { deconvnet: [[[1, 0]]], guided: [[[0, 0]]], gradient: [[[0, 0]]] });
  });

  it('sums where overlapping windows share their winner', async () => {
    // Both windows of (1, 9, 2) choose the 9; the filter above weighs them by 1 and 10.
    const net: Step[] = [pool(2, 1), { kind: 'conv', filters: [[[[1, 10], [0, 0]]]], biases: [0], stride: 1, pad: 0, groups: 1 }];
    await both(net, [[[1, 9, 2], [0, 0, 0], [0, 0, 0]]], [0, 0, 0], {
      deconvnet: [[[0, 11, 0], [0, 0, 0], [0, 0, 0]]], guided: [[[0, 11, 0], [0, 0, 0], [0, 0, 0]]], gradient: [[[0, 11, 0], [0, 0, 0], [0, 0, 0]]],
    });
  });

  it('lets the first maximum in row-major order win a tie', async () => {
    await both([pool(2, 2)], [[[1, 7], [7, 7]]], [0, 0, 0], { deconvnet: [[[0, 1], [0, 0]]], guided: [[[0, 1], [0, 0]]], gradient: [[[0, 1], [0, 0]]] });
  });

  it('routes the deconvnet signal through the first position of an all-zero window', async () => {
    const zeros = [[[0, 0], [0, 0]]];
    await both([relu, pool(2, 2)], [[[-1, -2], [-3, -4]]], [0, 0, 0], { deconvnet: [[[1, 0], [0, 0]]], guided: zeros, gradient: zeros });
  });

  it('never lets padding win, even among negative values', async () => {
    await both([pool(3, 2, { pad: 1 })], [[[-5, -1], [-2, -3]]], [0, 0, 0], { deconvnet: [[[0, 1], [0, 0]]], guided: [[[0, 1], [0, 0]]], gradient: [[[0, 1], [0, 0]]] });
  });

  it('counts the last, partly covered window of a pool that rounds up', async () => {
    // 4 columns, windows of 3 at stride 2: rounded up there are two, the second covers columns 2 and 3 only.
    const maps = [[[1, 2, 3, 8], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]];
    const expected = [[[0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]];
    await both([pool(3, 2, { ceil: true })], maps, [0, 0, 1], { deconvnet: expected, guided: expected, gradient: expected });
  });

  it('keeps groups apart on the way down', async () => {
    const net: Step[] = [{ kind: 'conv', filters: [[[[1]], [[10]]], [[[100]], [[1000]]]], biases: [0, 0], stride: 1, pad: 0, groups: 2 }];
    await both(net, [[[1]], [[1]], [[1]], [[1]]], [1, 0, 0], {
      deconvnet: [[[0]], [[0]], [[100]], [[1000]]], guided: [[[0]], [[0]], [[100]], [[1000]]], gradient: [[[0]], [[0]], [[100]], [[1000]]],
    });
  });

  it('rectifies once after an add, before the split, and sums what comes down both branches', async () => {
    // y = ReLU(2x + -3x), then -1: the signal above the ReLU is -1. Rectified first it is 0; rectified inside the branches it would be 3.
    const net: Step[] = [{ kind: 'add', branches: [[one(2)], [one(-3)]] }, relu, one(-1)];
    await both(net, [[[-5]]], [0, 0, 0], { deconvnet: [[[0]]], guided: [[[0]]], gradient: [[[1]]] });
    await both([...net.slice(0, 2), one(4)], [[[-5]]], [0, 0, 0], { deconvnet: [[[-4]]], guided: [[[-4]]], gradient: [[[-4]]] });
  });

  it('leaves the signal at the pixels signed', async () => {
    await both([one(-2)], [[[1, 1]]], [0, 0, 1], { deconvnet: [[[0, -2]]], guided: [[[0, -2]]], gradient: [[[0, -2]]] });
  });

  it('gives each branch of a concat its own channels', async () => {
    const net: Step[] = [{ kind: 'concat', branches: [[one(2)], [one(3)], []] }];
    await both(net, [[[1]]], [1, 0, 0], { deconvnet: [[[3]]], guided: [[[3]]], gradient: [[[3]]] });
  });

  it('reaches the last pixels that a stride leaves over, with zeros', async () => {
    const net: Step[] = [{ kind: 'conv', filters: [[[[1, 2], [3, 4]]]], biases: [0], stride: 3, pad: 0, groups: 1 }];
    const maps = [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]];
    const expected = [[[1, 2, 0, 0], [3, 4, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]];
    await both(net, [maps], [0, 0, 0], { deconvnet: expected, guided: expected, gradient: expected });
  });

  async function both(net: readonly Step[], image: Maps, unit: Unit, expected: Readonly<Record<Method, Maps>>): Promise<void> {
    const walked = forward(net, image);
    const seed = seedAt(walked.output, unit);
    for (const method of methods) {
      expect(withoutMinusZero(walked.down(seed, method)), `twin, ${method}`).toEqual(expected[method]);
      for (const engine of engines) {
        expect([...(await projected(engine, net, image, [unit], method))[0]!].map((value) => value + 0), `${engine.description}, ${method}`).toEqual(expected[method].flat(2));
      }
    }
  }
});

interface Net {
  readonly title: string;
  readonly image: readonly [channels: number, height: number, width: number];
  readonly steps: (random: Random) => readonly Step[];
  /** Small whole numbers everywhere: windows tie often, and every engine is exact. */
  readonly whole?: boolean;
}

const nets: readonly Net[] = [
  {
    title: 'strided convolution, overlapping pool that rounds up, groups, two fully connected layers (AlexNet)', image: [3, 23, 25],
    steps: (r) => [conv(r, 3, 6, 5, { stride: 2 }), relu, pool(3, 2, { ceil: true }), conv(r, 6, 8, 3, { pad: 1, groups: 2 }), relu, pool(3, 2), connected(r, 8 * 2 * 2, 7), relu, connected(r, 7, 5)],
  },
  {
    title: 'fire modules between pools that round up (SqueezeNet)', image: [3, 20, 22],
    steps: (r) => [conv(r, 3, 6, 3, { stride: 2 }), relu, pool(3, 2, { ceil: true }), ...fire(r, 6, 3, 4), pool(3, 2, { ceil: true }), ...fire(r, 8, 3, 4), conv(r, 8, 5, 1)],
  },
  {
    title: 'residual blocks, one with a convolution as its shortcut (ResNet)', image: [3, 13, 12],
    steps: (r) => [
      conv(r, 3, 4, 3, { stride: 2, pad: 1 }), relu, pool(3, 2, { pad: 1 }),
      { kind: 'add', branches: [[conv(r, 4, 4, 3, { pad: 1 }), relu, conv(r, 4, 4, 3, { pad: 1 })], []] }, relu,
      { kind: 'add', branches: [[conv(r, 4, 6, 3, { stride: 2, pad: 1 }), relu, conv(r, 6, 6, 3, { pad: 1 })], [conv(r, 4, 6, 1, { stride: 2 })]] }, relu,
    ],
  },
  {
    title: 'depthwise and pointwise convolutions, strides that leave a remainder', image: [3, 14, 17],
    steps: (r) => [conv(r, 3, 4, 3, { stride: 3 }), relu, conv(r, 4, 8, 3, { pad: 1, groups: 4 }), relu, conv(r, 8, 5, 1), relu],
  },
  {
    title: 'tied and all-zero windows everywhere', image: [2, 12, 12], whole: true,
    steps: (r) => [pool(2, 1), wholeConv(r, 2, 4, 3), relu, pool(3, 2, { ceil: true }), wholeConv(r, 4, 4, 2), relu, pool(2, 1), wholeConv(r, 4, 3, 1)],
  },
];

describe('a whole network comes down as the slow twin says', () => {
  describe.each(nets)('$title', ({ image: [channels, height, width], steps, whole }) => {
    const random = seededRandom(channels * 1000 + height * 100 + width);
    const net = steps(random);
    const values = whole ? Float32Array.from({ length: channels * height * width }, () => Math.floor(random() * 3) - 1) : normalFloats(random, channels * height * width);
    const image = mapsOf(values, channels, height, width);

    it.each(methods)('%s', async (method) => {
      const walked = forward(net, image);
      const units = someUnits(random, walked.output, 12);
      expect(whole ? 0 : smallestGap(net, image), 'no winner hangs on rounding').toBeGreaterThanOrEqual(whole ? 0 : 1e-6);
      const expected = units.map((unit) => Float64Array.from(walked.down(seedAt(walked.output, unit), method).flat(2)));
      expect(expected.filter((one) => one.some((value) => value !== 0)).length, 'most units have a picture').toBeGreaterThan(units.length / 3);
      for (const engine of engines) {
        const actual = await projected(engine, net, image, units, method);
        units.forEach((unit, index) => {
          const largest = Math.max(...expected[index]!.map(Math.abs));
          const worst = Math.max(...expected[index]!.map((value, at) => Math.abs(value - actual[index]![at]!)));
          expect(worst, `${engine.description}, unit ${unit.join(', ')}`).toBeLessThanOrEqual(whole ? 0 : 1e-5 * largest);
        });
      }
    });
  });

  it('tells the three methods apart on every one of these networks', () => {
    for (const { title, image: [channels, height, width], steps, whole } of nets) {
      const random = seededRandom(channels * 1000 + height * 100 + width);
      const net = steps(random);
      const values = whole ? Float32Array.from({ length: channels * height * width }, () => Math.floor(random() * 3) - 1) : normalFloats(random, channels * height * width);
      const walked = forward(net, mapsOf(values, channels, height, width));
      const seeds = someUnits(random, walked.output, 12).map((unit) => seedAt(walked.output, unit));
      const pictures = methods.map((method) => JSON.stringify(seeds.map((seed) => walked.down(seed, method))));
      expect(new Set(pictures).size, title).toBe(3);
    }
  });
});

// ---------------------------------------------------------------- the twin

function forward(steps: readonly Step[], image: Maps): Walked {
  let output = image;
  const downs: Walked['down'][] = [];
  for (const step of steps) {
    const walked = forwardStep(step, output);
    downs.unshift(walked.down);
    output = walked.output;
  }
  return { output, down: (signal, method) => downs.reduce((current, down) => down(current, method), signal) };
}

function forwardStep(step: Step, x: Maps): Walked {
  switch (step.kind) {
    case 'conv':
      return convolved(step, x);
    case 'pool':
      return pooled(step, x);
    case 'connected':
      return multiplied(step, x);
    case 'relu':
      return {
        output: mapped(x, (value) => (value > 0 ? value : 0)),
        down: (signal, method) =>
          mapped(signal, (g, c, i, j) => {
            const wasOn = x[c]![i]![j]! > 0;
            const positive = g > 0 ? g : 0;
            return method === 'deconvnet' ? positive : wasOn ? (method === 'guided' ? positive : g) : 0;
          }),
      };
    case 'concat':
    case 'add': {
      const walked = step.branches.map((branch) => forward(branch, x));
      const output = step.kind === 'concat' ? walked.flatMap((one) => one.output) : walked.map((one) => one.output).reduce(summed);
      let start = 0;
      const starts = walked.map((one) => (start += one.output.length) - one.output.length);
      const share = (signal: Maps, at: number) => (step.kind === 'add' ? signal : signal.slice(starts[at]!, starts[at]! + walked[at]!.output.length));
      return { output, down: (signal, method) => walked.map((one, at) => one.down(share(signal, at), method)).reduce(summed) };
    }
  }
}

function convolved({ filters, biases, stride, pad, groups }: Extract<Step, { kind: 'conv' }>, x: Maps): Walked {
  const perGroup = filters.length / groups;
  const [height, width] = [x[0]!.length, x[0]![0]!.length];
  const [rows, columns] = [filters[0]![0]!.length, filters[0]![0]![0]!.length];
  const [outRows, outColumns] = [Math.floor((height + 2 * pad - rows) / stride) + 1, Math.floor((width + 2 * pad - columns) / stride) + 1];
  /** Every product of the convolution: output place, input place, weight. */
  const eachTap = (visit: (m: number, y: number, c: number, i: number, j: number, xx: number, weight: number) => void) => {
    for (let m = 0; m < filters.length; m++)
      for (let y = 0; y < outRows; y++)
        for (let xx = 0; xx < outColumns; xx++)
          for (let c = 0; c < filters[m]!.length; c++)
            for (let a = 0; a < rows; a++)
              for (let b = 0; b < columns; b++) {
                const [i, j] = [y * stride - pad + a, xx * stride - pad + b];
                if (i >= 0 && i < height && j >= 0 && j < width) visit(m, y, Math.floor(m / perGroup) * filters[m]!.length + c, i, j, xx, filters[m]![c]![a]![b]!);
              }
  };
  const output = filled(filters.length, outRows, outColumns, (m) => biases[m]!);
  eachTap((m, y, c, i, j, xx, weight) => (output[m]![y]![xx]! += weight * x[c]![i]![j]!));
  return {
    output,
    down(signal) {
      const below = filled(x.length, height, width, () => 0);
      eachTap((m, y, c, i, j, xx, weight) => (below[c]![i]![j]! += weight * signal[m]![y]![xx]!));
      return below;
    },
  };
}

function pooled(step: Extract<Step, { kind: 'pool' }>, x: Maps): Walked {
  const [height, width] = [x[0]!.length, x[0]![0]!.length];
  const winners = x.map((map) => windowsOf(step, height, width).map((row) => row.map((places) => places.reduce((best, place) => (map[place[0]]![place[1]]! > map[best[0]]![best[1]]! ? place : best)))));
  return {
    output: winners.map((map, c) => map.map((row) => row.map(([i, j]) => x[c]![i]![j]!))),
    down(signal) {
      const below = filled(x.length, height, width, () => 0);
      winners.forEach((map, c) => map.forEach((row, y) => row.forEach(([i, j], xx) => (below[c]![i]![j]! += signal[c]![y]![xx]!))));
      return below;
    },
  };
}

/** The input places of each window, in row-major order. A window that would start beyond the input is none. */
function windowsOf({ size, stride, pad, ceil }: Extract<Step, { kind: 'pool' }>, height: number, width: number): (readonly [number, number])[][][] {
  const starts = (length: number) => {
    const found: number[] = [];
    for (let start = -pad; ceil ? start < length && (start === -pad || start - stride + size < length + pad) : start + size <= length + pad; start += stride) found.push(start);
    return found;
  };
  return starts(height).map((top) =>
    starts(width).map((left) => {
      const places: (readonly [number, number])[] = [];
      for (let i = top; i < top + size; i++) for (let j = left; j < left + size; j++) if (i >= 0 && i < height && j >= 0 && j < width) places.push([i, j]);
      return places;
    }),
  );
}

function multiplied({ matrix, biases }: Extract<Step, { kind: 'connected' }>, x: Maps): Walked {
  const vector = x.flat(2);
  const [height, width] = [x[0]!.length, x[0]![0]!.length];
  return {
    output: matrix.map((row, m) => [[row.reduce((sum, weight, at) => sum + weight * vector[at]!, biases[m]!)]]),
    down: (signal) => mapped(x, (_, c, i, j) => matrix.reduce((sum, row, m) => sum + row[(c * height + i) * width + j]! * signal[m]![0]![0]!, 0)),
  };
}

/** The smallest relative gap by which any pooling window or ReLU was decided, so that a rounding error cannot decide otherwise. */
function smallestGap(steps: readonly Step[], image: Maps): number {
  let x = image;
  let smallest = Infinity;
  for (const step of steps) {
    if (step.kind === 'relu') for (const value of x.flat(2)) smallest = Math.min(smallest, Math.abs(value));
    if (step.kind === 'pool') {
      for (const map of x)
        for (const places of windowsOf(step, map.length, map[0]!.length).flat()) {
          const [best, second] = places.map(([i, j]) => map[i]![j]!).sort((a, b) => b - a);
          // All-zero windows are tied exactly, behind a ReLU; no rounding moves them.
          if (second !== undefined && best !== 0) smallest = Math.min(smallest, best! - second);
        }
    }
    if (step.kind === 'concat' || step.kind === 'add') for (const branch of step.branches) smallest = Math.min(smallest, smallestGap(branch, x));
    x = forwardStep(step, x).output;
  }
  return smallest;
}

// ---------------------------------------------------------------- the graph of the same network

function graphOf(net: readonly Step[], image: Maps): Graph {
  const builder = createGraphBuilder('net');
  builder.input('image', 'float32', ['batch', image.length, image[0]!.length, image[0]![0]!.length]);
  return builder.finish([addSteps(builder, net, 'image')]);
}

function addSteps(builder: GraphBuilder, steps: readonly Step[], input: string): string {
  return steps.reduce((at, step) => addStep(builder, step, at), input);
}

function addStep(builder: GraphBuilder, step: Step, input: string): string {
  const shape = builder.valueOf(input).shape as readonly ['batch', number, number, number];
  switch (step.kind) {
    case 'conv': {
      const { filters, biases, stride, pad, groups } = step;
      const kernel = [filters[0]![0]!.length, filters[0]![0]![0]!.length] as const;
      const w = builder.tensor(floatTensor(builder.freeName('w'), [filters.length, filters[0]!.length, ...kernel], filters.flat(3)));
      const b = builder.tensor(floatTensor(builder.freeName('b'), [biases.length], biases));
      return builder.add('Conv', [input, w, b], { ...windowOf(kernel, { strides: [stride, stride], pads: [pad, pad, pad, pad] }), group: groups })[0]!;
    }
    case 'relu':
      return builder.add('Relu', [input], {})[0]!;
    case 'pool': {
      const { size, stride, pad } = step;
      const windows = windowsOf(step, shape[2], shape[3]);
      // Rounding up is an end pad that makes room for the last window.
      const end = (count: number, length: number) => Math.max(pad, (count - 1) * stride + size - length - pad);
      const pads = [pad, pad, end(windows.length, shape[2]), end(windows[0]!.length, shape[3])] as const;
      return builder.add('MaxPool', [input], windowOf([size, size], { strides: [stride, stride], pads }))[0]!;
    }
    case 'concat':
    case 'add': {
      const ends = step.branches.map((branch) => addSteps(builder, branch, input));
      return step.kind === 'concat' ? builder.add('Concat', ends, { axis: 1 })[0]! : builder.add('Add', ends, {})[0]!;
    }
    case 'connected': {
      const count = shape.slice(1).reduce<number>((product, size) => product * (size as number), 1);
      const flat = builder.add('Reshape', [input], { shape: ['batch', count] })[0]!;
      const w = builder.tensor(floatTensor(builder.freeName('w'), [step.matrix.length, count], step.matrix.flat()));
      const b = builder.tensor(floatTensor(builder.freeName('b'), [step.biases.length], step.biases));
      return builder.add('Gemm', [flat, w, b], { transposeB: true })[0]!;
    }
  }
}

type Unit = readonly [channel: number, row: number, column: number];

/** One picture per unit, all in one batch of the same image. */
async function projected(engine: Engine, net: readonly Step[], image: Maps, units: readonly Unit[], method: Method): Promise<readonly Float32Array[]> {
  const graph = graphOf(net, image);
  const layer = graph.outputs[0]!;
  const down = projectionGraph(graph, 'image', layer, method);
  const seedShape = withBatch(down.graph.values.get(down.seed)!.shape, units.length);
  const [, , rows = 1, columns = 1] = seedShape;
  const perUnit = seedShape.slice(1).reduce((product, size) => product * size, 1);
  const seed = new Float32Array(units.length * perUnit);
  units.forEach(([c, y, x], index) => (seed[index * perUnit + (c * rows + y) * columns + x] = 1));
  const pixels = image.flat(2);
  const feed = { shape: [units.length, image.length, image[0]!.length, image[0]![0]!.length], data: Float32Array.from({ length: units.length * pixels.length }, (_, at) => pixels[at % pixels.length]!) };
  const { data } = (await runOnce(engine, down.graph, { image: feed, [down.seed]: { shape: seedShape, data: seed } }, [down.projection])).get(down.projection)!;
  return units.map((_, index) => (data as Float32Array).slice(index * pixels.length, (index + 1) * pixels.length));
}

// ---------------------------------------------------------------- maps and weights

function conv(random: Random, inputs: number, outputs: number, size: number, { stride = 1, pad = 0, groups = 1 } = {}): Step {
  const perFilter = inputs / groups;
  const deviation = Math.sqrt(2 / (perFilter * size * size));
  const filters = Array.from({ length: outputs }, () => mapsOf(normalFloats(random, perFilter * size * size, deviation), perFilter, size, size));
  return { kind: 'conv', filters, biases: [...normalFloats(random, outputs, 0.1)], stride, pad, groups };
}

function wholeConv(random: Random, inputs: number, outputs: number, size: number): Step {
  const whole = () => Math.floor(random() * 3) - 1;
  const filters = Array.from({ length: outputs }, () => mapsOf(Array.from({ length: inputs * size * size }, whole), inputs, size, size));
  return { kind: 'conv', filters, biases: Array.from({ length: outputs }, whole), stride: 1, pad: 0, groups: 1 };
}

function connected(random: Random, inputs: number, outputs: number): Step {
  return { kind: 'connected', matrix: Array.from({ length: outputs }, () => [...normalFloats(random, inputs, Math.sqrt(2 / inputs))]), biases: [...normalFloats(random, outputs, 0.1)] };
}

function fire(random: Random, inputs: number, squeezed: number, expanded: number): readonly Step[] {
  return [
    conv(random, inputs, squeezed, 1), relu,
    { kind: 'concat', branches: [[conv(random, squeezed, expanded, 1), relu], [conv(random, squeezed, expanded, 3, { pad: 1 }), relu]] },
  ];
}

function someUnits(random: Random, output: Maps, count: number): Unit[] {
  const below = (limit: number) => Math.floor(random() * limit);
  return Array.from({ length: count }, () => [below(output.length), below(output[0]!.length), below(output[0]![0]!.length)] as const);
}

function seedAt(output: Maps, [channel, row, column]: Unit): Maps {
  return mapped(output, (_, c, i, j) => (c === channel && i === row && j === column ? 1 : 0));
}

function mapsOf(values: ArrayLike<number>, channels: number, height: number, width: number): Maps {
  return filled(channels, height, width, (c, i, j) => values[(c * height + i) * width + j]!);
}

function filled(channels: number, height: number, width: number, value: (c: number, i: number, j: number) => number): number[][][] {
  return Array.from({ length: channels }, (_, c) => Array.from({ length: height }, (__, i) => Array.from({ length: width }, (___, j) => value(c, i, j))));
}

function mapped(maps: Maps, value: (value: number, c: number, i: number, j: number) => number): Maps {
  return maps.map((map, c) => map.map((row, i) => row.map((at, j) => value(at, c, i, j))));
}

function summed(a: Maps, b: Maps): Maps {
  return mapped(a, (value, c, i, j) => value + b[c]![i]![j]!);
}

function withoutMinusZero(maps: Maps): Maps {
  return mapped(maps, (value) => value + 0);
}
