/** Converters of TensorFlow operators that work value by value: activations and arithmetic, with numpy's broadcasting in the file's axes. */
import { activationNamed } from '../../keras/activations.ts';
import { constantBeside, graphAxis, inOneOrder } from '../../keras/axes.ts';
import type { Feature, Network } from '../../keras/network.ts';
import { larger, scaleBy, smaller } from '../../keras/operations.ts';
import { featureAt, isKnown, weightAt, type GraphNode, type NodeConverter } from './node.ts';

type Binary = (network: Network, a: string, b: string) => string;

const activation = (name: string): NodeConverter => (node) => {
  const feature = featureAt(node, 0);
  const axis = name.endsWith('softmax') ? graphAxis(node.network, feature, -1) : 0;
  return { ...feature, value: activationNamed(node.network, name, 2)(node.network, feature.value, axis) };
};

const leakyRelu: NodeConverter = (node) => {
  const feature = featureAt(node, 0);
  return { ...feature, value: node.network.add('LeakyRelu', [feature.value], { alpha: node.attributes.number('alpha', 0.2) }) };
};

const prelu: NodeConverter = (node) => {
  const feature = featureAt(node, 0);
  const alpha = weightAt(node, 1);
  return { ...feature, value: node.network.add('PRelu', [feature.value, constantBeside(node.network, feature, 'alpha', alpha.shape, alpha.data)], {}) };
};

/** Two operands, one of them perhaps a weight. */
function binary(compute: Binary): NodeConverter {
  return (node) => folded(node, compute);
}

function folded(node: GraphNode, compute: Binary): Feature {
  const { network } = node;
  const indexes = Array.from({ length: node.inputCount }, (_, index) => index);
  const running = indexes.filter((index) => !isKnown(node, index));
  const { values, order } = inOneOrder(network, sameRank(network, running.map((index) => featureAt(node, index))));
  const [first] = values;
  if (first === undefined) return network.refuse('computes with weights alone; convert the network with its constants folded');
  const operands = indexes.map((index) => {
    if (!isKnown(node, index)) return values[running.indexOf(index)]!;
    const { shape, data } = weightAt(node, index);
    return constantBeside(network, { value: first, order }, `constant${index + 1}`, shape, data);
  });
  return { value: operands.reduce((a, b) => compute(network, a, b)), order };
}

/** Fewer axes mean axes of 1 in front, here behind the batch, which stays the first. */
function sameRank(network: Network, features: readonly Feature[]): readonly Feature[] {
  const rank = Math.max(...features.map(({ value }) => network.shapeOf(value).length));
  return features.map((feature) => {
    const shape = network.shapeOf(feature.value);
    if (shape.length === rank) return feature;
    if (shape.includes('batch')) return network.refuse(`combines values with ${shape.length} and ${rank} axes, which mixes the images of a batch`);
    return { value: network.add('Reshape', [feature.value], { shape: [...new Array<number>(rank - shape.length).fill(1), ...shape] }), order: 'file' };
  });
}

const plain = (kind: 'Add' | 'Sub' | 'Mul'): Binary => (network, a, b) => network.add(kind, [a, b], {});

const divided: Binary = (network, a, b) => {
  const data = network.dataOf(b);
  if (data) return network.add('Mul', [a, network.constant('reciprocal', network.shapeOf(b) as number[], data.map((value) => 1 / value))], {});
  return network.add('Mul', [a, network.add('Pow', [b], { exponent: -1 })], {});
};

const squaredDifference: Binary = (network, a, b) => {
  const difference = network.add('Sub', [a, b], {});
  return network.add('Mul', [difference, difference], {});
};

/** The larger with a constant number is a bound of a Clip; Relu where that number is 0. */
function bound(kind: 'Maximum' | 'Minimum'): NodeConverter {
  return (node) => {
    const known = [0, 1].find((index) => isKnown(node, index));
    const constant = known === undefined ? undefined : weightAt(node, known);
    if (!constant || constant.data.length !== 1) return folded(node, kind === 'Maximum' ? larger : smaller);
    const feature = featureAt(node, 1 - known!);
    const [limit] = constant.data as unknown as readonly [number];
    if (kind === 'Maximum' && limit === 0) return { ...feature, value: node.network.add('Relu', [feature.value], {}) };
    return { ...feature, value: node.network.add('Clip', [feature.value], kind === 'Maximum' ? { minimum: limit, maximum: Infinity } : { minimum: -Infinity, maximum: limit }) };
  };
}

const clipByValue: NodeConverter = (node) => {
  const feature = featureAt(node, 0);
  return { ...feature, value: node.network.add('Clip', [feature.value], { minimum: weightAt(node, 1).data[0]!, maximum: weightAt(node, 2).data[0]! }) };
};

const power = (exponentOf: (node: GraphNode) => number): NodeConverter => (node) => {
  const feature = featureAt(node, 0);
  return { ...feature, value: node.network.add('Pow', [feature.value], { exponent: exponentOf(node) }) };
};

const exponent = (node: GraphNode): number => {
  const { data } = weightAt(node, 1);
  return data.length === 1 ? data[0]! : node.network.refuse(`has ${data.length} exponents; only one number is supported`);
};

const plainKind = (kind: 'Erf' | 'Log'): NodeConverter => (node) => {
  const feature = featureAt(node, 0);
  return { ...feature, value: node.network.add(kind, [feature.value], {}) };
};

const square: NodeConverter = (node) => {
  const feature = featureAt(node, 0);
  return { ...feature, value: node.network.add('Mul', [feature.value, feature.value], {}) };
};

const negative: NodeConverter = (node) => {
  const feature = featureAt(node, 0);
  return { ...feature, value: scaleBy(node.network, feature.value, -1) };
};

const passThrough: NodeConverter = (node) => [node.input(0)];

export const valueOperators = {
  Identity: passThrough,
  StopGradient: passThrough,
  PreventGradient: passThrough,
  Snapshot: passThrough,
  Cast: passThrough,
  Relu: activation('relu'),
  Relu6: activation('relu6'),
  LeakyRelu: leakyRelu,
  Prelu: prelu,
  Elu: activation('elu'),
  Selu: activation('selu'),
  Sigmoid: activation('sigmoid'),
  Tanh: activation('tanh'),
  Softplus: activation('softplus'),
  Softmax: activation('softmax'),
  LogSoftmax: activation('log_softmax'),
  Add: binary(plain('Add')),
  AddV2: binary(plain('Add')),
  AddN: binary(plain('Add')),
  Sub: binary(plain('Sub')),
  Mul: binary(plain('Mul')),
  Div: binary(divided),
  RealDiv: binary(divided),
  SquaredDifference: binary(squaredDifference),
  Maximum: bound('Maximum'),
  Minimum: bound('Minimum'),
  ClipByValue: clipByValue,
  Pow: power(exponent),
  Sqrt: power(() => 0.5),
  Rsqrt: power(() => -0.5),
  Reciprocal: power(() => -1),
  Square: square,
  Neg: negative,
  Erf: plainKind('Erf'),
  Log: plainKind('Log'),
} satisfies Readonly<Record<string, NodeConverter>>;
