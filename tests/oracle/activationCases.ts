/**
 * The activation kinds and the linear maps along an axis as cases for the tables of this folder: by hand (ops.test.ts), on random numbers
 * (ops.random.test.ts), and on the way down (rules.test.ts).
 */
import { createGraphBuilder, type GraphBuilder } from '../../src-main/graph/build.ts';
import type { Graph } from '../../src-main/graph/graph.ts';
import type { OpAttributes, OpKind } from '../../src-main/graph/ops/attributes.ts';
import type { Data } from '../../src-main/inference/engine.ts';
import { floatData, floatTensor, oneNodeGraph, randomTensor, seededRandom, type Operand } from '../support/graphs.ts';

interface HandCase {
  readonly kind: OpKind;
  readonly title: string;
  readonly graph: Graph;
  readonly feeds: Readonly<Record<string, Data>>;
  readonly expected: Readonly<Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>>;
}

interface RuleCase {
  readonly title: string;
  readonly kinds: readonly OpKind[];
  readonly graph: Graph;
  readonly linear: boolean;
}

const x = (...sizes: number[]): Operand => ({ name: 'x', shape: ['batch', ...sizes] });

/** One row of values through one activation without other operands. */
function byHand<K extends OpKind>(kind: K, title: string, attributes: OpAttributes[K], values: readonly number[], expected: readonly number[], constants: readonly Operand[] = []): HandCase {
  const shape = [1, values.length];
  return { kind, title, graph: oneNodeGraph(kind, [x(values.length), ...constants], attributes), feeds: { x: floatData(shape, values) }, expected: { y: { shape, values: expected } } };
}

const window = (size: number, stride = 1, offset = 0) => ({ size, stride, offset });

/** Nearest-neighbour doubling of two rows; reversal of three columns with the last one repeated. */
const doubled = floatTensor('rows', [4, 2], [1, 0, 1, 0, 0, 1, 0, 1]);
const reflected = floatTensor('columns', [4, 3], [0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]);

export const handCases: readonly HandCase[] = [
  {
    kind: 'PRelu', title: 'has a slope for each channel',
    graph: oneNodeGraph('PRelu', [x(2, 1, 3), floatTensor('slope', [2, 1, 1], [0.5, -2])], {}),
    feeds: { x: floatData([1, 2, 1, 3], [-4, 0, 3, -4, 0, 3]) }, expected: { y: { shape: [1, 2, 1, 3], values: [-2, 0, 3, 8, 0, 3] } },
  },
  byHand('PRelu', 'takes one slope for all', {}, [-10, 7], [-2.5, 7], [floatTensor('slope', [1], [0.25])]),
  byHand('Elu', 'levels off at -alpha', { alpha: 2, gamma: 1 }, [-100, -Math.log(2), 0, 3], [-2, -1, 0, 3]),
  byHand('Elu', 'scaled on both sides, as SELU', { alpha: 1.5, gamma: 2 }, [-100, -Math.log(2), 0, 3], [-3, -1.5, 0, 6]),
  byHand('ThresholdedRelu', 'gives 0 up to the threshold, itself included', { alpha: 1 }, [-5, 0.5, 1, 1.5], [0, 0, 0, 1.5]),
  byHand('ThresholdedRelu', 'lets negative values pass above a negative threshold', { alpha: -2 }, [-3, -1, 4], [0, -1, 4]),
  byHand('Sigmoid', 'of logarithms of odds', {}, [0, Math.log(3), -Math.log(3), 100, -100], [0.5, 0.75, 0.25, 1, 0]),
  byHand('HardSigmoid', 'is bounded by 0 and 1', { alpha: 0.2, beta: 0.5 }, [-3, -2.5, 0, 1, 2.5, 9], [0, 0, 0.5, 0.7, 1, 1]),
  byHand('HardSwish', 'is 0 up to -3 and x from 3', {}, [-4, -3, -1.5, 0, 1, 3, 5], [0, 0, -0.375, 0, 2 / 3, 3, 5]),
  byHand('Tanh', 'of logarithms', {}, [0, Math.log(2), -Math.log(3), 50], [0, 0.6, -0.8, 1]),
  byHand('Softplus', 'neither overflows nor underflows', {}, [0, 100, -100, Math.log(3)], [Math.log(2), 100, 0, Math.log(4)]),
  byHand('Erf', 'as tabulated (Abramowitz & Stegun, table 7.1)', {}, [0, 0.5, -1, 2, 3, -5], [0, 0.5204998778, -0.8427007929, 0.995322265, 0.9999779095, -1]),
  byHand('Log', 'is the natural one', {}, [1, Math.E, 0.5], [0, 1, -Math.LN2]),
  {
    kind: 'SpatialLinear', title: 'maps rows: each twice, nearest neighbour',
    graph: oneNodeGraph('SpatialLinear', [x(1, 2, 3), doubled], { axis: 2, size: 4, window: window(1, 0.5) }),
    feeds: { x: floatData([1, 1, 2, 3], [1, 2, 3, 4, 5, 6]) }, expected: { y: { shape: [1, 1, 4, 3], values: [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6] } },
  },
  {
    kind: 'SpatialLinear', title: 'maps columns: padded by reflection on the left, in every image and channel',
    graph: oneNodeGraph('SpatialLinear', [x(2, 1, 3), reflected], { axis: 3, size: 4, window: window(3, 1, -1) }),
    feeds: { x: floatData([2, 2, 1, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]) },
    expected: { y: { shape: [2, 2, 1, 4], values: [2, 1, 2, 3, 5, 4, 5, 6, 8, 7, 8, 9, 11, 10, 11, 12] } },
  },
];

const random = seededRandom(4242);
const map = x(4, 9, 11);

export const randomCases: readonly (readonly [kind: OpKind, title: string, graph: Graph])[] = [
  ['PRelu', 'a slope for each channel', oneNodeGraph('PRelu', [map, randomTensor(random, 'slope', [4, 1, 1])], {})],
  ['PRelu', 'a slope for each unit', oneNodeGraph('PRelu', [map, randomTensor(random, 'slope', [4, 9, 11])], {})],
  ['PRelu', 'after a fully connected layer', oneNodeGraph('PRelu', [x(30), randomTensor(random, 'slope', [30])], {})],
  ['Elu', '', oneNodeGraph('Elu', [map], { alpha: 0.7, gamma: 1 })],
  ['Elu', 'as SELU', oneNodeGraph('Elu', [map], { alpha: 1.6732632423543772, gamma: 1.0507009873554805 })],
  ['ThresholdedRelu', '', oneNodeGraph('ThresholdedRelu', [map], { alpha: 0.4 })],
  ['Sigmoid', '', oneNodeGraph('Sigmoid', [map], {})],
  ['HardSigmoid', '', oneNodeGraph('HardSigmoid', [map], { alpha: 0.6, beta: 0.4 })],
  ['HardSwish', '', oneNodeGraph('HardSwish', [map], {})],
  ['Tanh', '', oneNodeGraph('Tanh', [map], {})],
  ['Softplus', '', oneNodeGraph('Softplus', [map], {})],
  ['Erf', '', oneNodeGraph('Erf', [map], {})],
  ['Log', 'and NaN for what is negative', oneNodeGraph('Log', [map], {})],
  ['SpatialLinear', 'rows', oneNodeGraph('SpatialLinear', [map, randomTensor(random, 'matrix', [13, 9])], { axis: 2, size: 13, window: window(9, 0) })],
  ['SpatialLinear', 'columns', oneNodeGraph('SpatialLinear', [map, randomTensor(random, 'matrix', [5, 11])], { axis: 3, size: 5, window: window(11, 0) })],
];

/** Networks `image [N, sizes]` -> y. */
function network(sizes: readonly number[], make: (builder: GraphBuilder) => string): Graph {
  const builder = createGraphBuilder('network');
  builder.input('image', 'float32', ['batch', ...sizes]);
  return builder.finish([make(builder)]);
}

function onImage<K extends OpKind>(kind: K, title: string, attributes: OpAttributes[K], linear = false, constant?: (builder: GraphBuilder) => string): RuleCase {
  return { title: `${kind}: ${title}`, kinds: [kind], linear, graph: network([2, 3, 4], (b) => b.add(kind, constant ? ['image', constant(b)] : ['image'], attributes)[0]!) };
}

const composed = (title: string, kinds: readonly OpKind[], make: (b: GraphBuilder) => string): RuleCase => ({ title, kinds, linear: false, graph: network([2, 2, 3], make) });
const scalar = (b: GraphBuilder, value: number) => b.tensor(floatTensor(b.freeName('number'), [], [value]));

export const ruleCases: readonly RuleCase[] = [
  onImage('PRelu', 'a slope for each channel, one of them negative', {}, false, (b) => b.tensor(floatTensor('slope', [2, 1, 1], [0.3, -0.7]))),
  onImage('Elu', 'both sides', { alpha: 0.7, gamma: 1 }),
  onImage('Elu', 'as SELU', { alpha: 1.6732632423543772, gamma: 1.0507009873554805 }),
  onImage('ThresholdedRelu', 'away from its jump', { alpha: 0.2 }),
  onImage('Sigmoid', 'everywhere', {}),
  onImage('HardSigmoid', 'slope and both bounds', { alpha: 2.5, beta: 0.5 }),
  composed('HardSwish: all three stretches', ['HardSwish'], (b) => b.add('HardSwish', [b.add('Mul', ['image', scalar(b, 15)], {})[0]!], {})[0]!),
  onImage('Tanh', 'everywhere', {}),
  onImage('Softplus', 'everywhere', {}),
  onImage('Erf', 'everywhere', {}),
  composed('Log: of what is above 1', ['Log'], (b) => b.add('Log', [b.add('Add', [b.add('Mul', ['image', 'image'], {})[0]!, scalar(b, 1)], {})[0]!], {})[0]!),
  composed('Mul: swish', ['Mul', 'Sigmoid'], (b) => b.add('Mul', ['image', b.add('Sigmoid', ['image'], {})[0]!], {})[0]!),
  composed('Mul: mish', ['Mul', 'Tanh', 'Softplus'], (b) => b.add('Mul', ['image', b.add('Tanh', b.add('Softplus', ['image'], {}), {})[0]!], {})[0]!),
  composed('Mul: GELU by the error function', ['Mul', 'Erf'], (b) => {
    const [bell] = b.add('Erf', b.add('Mul', ['image', scalar(b, Math.SQRT1_2)], {}), {}) as [string];
    const [open] = b.add('Mul', [b.add('Add', [bell, scalar(b, 1)], {})[0]!, scalar(b, 0.5)], {}) as [string];
    return b.add('Mul', ['image', open], {})[0]!;
  }),
  composed('Mul: normalised by mean and variance over positions, as InstanceNormalization', ['Mul', 'Pow', 'ReduceSum', 'Sub'], (b) => {
    const mean = (value: string) => b.add('Mul', [b.add('ReduceSum', [value], { axes: [2, 3] })[0]!, scalar(b, 1 / 6)], {})[0]!;
    const [centred] = b.add('Sub', ['image', mean('image')], {}) as [string];
    const variance = mean(b.add('Mul', [centred, centred], {})[0]!);
    const [inverse] = b.add('Pow', b.add('Add', [variance, scalar(b, 0.1)], {}), { exponent: -0.5 }) as [string];
    return b.add('Mul', [centred, inverse], {})[0]!;
  }),
  onImage('SpatialLinear', 'rows', { axis: 2, size: 5, window: window(3, 0) }, true, (b) => b.tensor(randomTensor(random, 'matrix', [5, 3]))),
  onImage('SpatialLinear', 'columns', { axis: 3, size: 3, window: window(4, 0) }, true, (b) => b.tensor(randomTensor(random, 'matrix', [3, 4]))),
];
