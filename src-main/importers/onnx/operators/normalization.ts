/**
 * Converters of ONNX normalisations. Those by the statistics of the value itself (instance, layer, group) are spelled out as
 * (x - mean) * (variance + epsilon)^-1/2, then scale and shift, so that every engine and backward rule has them.
 */
import type { Conversion, Converter, Operator } from '../conversion.ts';
import { refuse, requiredConstant } from '../conversion.ts';
import { normalizeAxis } from '../shapes.ts';
import { averageOver } from './reductions.ts';

const lrn: Converter = (operator, conversion) => {
  const { attributes } = operator;
  const size = attributes.integer('size', 0);
  if (size < 1) refuse(operator, 'gives no window size');
  conversion.add('LRN', [operator.inputs[0]!], { size, alpha: attributes.float('alpha', 1e-4), beta: attributes.float('beta', 0.75), bias: attributes.float('bias', 1) }, operator.outputs);
};

const batchNormalization: Converter = (operator, conversion) => {
  const { attributes, inputs, outputs } = operator;
  const training =
    attributes.integer('training_mode', 0) === 1 ||
    (conversion.opset < 7 && attributes.integer('is_test', 0) === 0) ||
    outputs.slice(1).some((output) => output !== '' && conversion.isUsed(output));
  if (training) refuse(operator, 'is in training mode; export the network for inference (model.eval())');
  if (attributes.integer('spatial', 1) === 0) refuse(operator, 'normalises each position by itself (spatial 0); only one scale per channel is supported');
  const parameters = ['scale', 'bias', 'mean', 'variance'].map((what, index) => {
    requiredConstant(operator, conversion, index + 1, what);
    return inputs[index + 1]!;
  });
  conversion.add('BatchNormalization', [inputs[0]!, ...parameters], { epsilon: attributes.float('epsilon', 1e-5) }, outputs.slice(0, 1));
};

/** Each channel of each image by its own mean and variance over all positions. */
const instanceNormalization: Converter = (operator, conversion) => {
  const [x] = operator.inputs as readonly [string];
  const rank = conversion.shapeOf(x).length;
  if (rank < 3) refuse(operator, `normalises a value with ${rank} axes; it needs positions`);
  const axes = Array.from({ length: rank - 2 }, (_, index) => index + 2);
  const normal = standardized(conversion, x, axes, operator.attributes.float('epsilon', 1e-5));
  const perChannel = (index: number, what: string): string => widened(operator, conversion, index, what, rank - 2);
  const scaled = conversion.step('Mul', [normal, perChannel(1, 'scale')], {}, 'scaled');
  conversion.add('Add', [scaled, perChannel(2, 'bias')], {}, operator.outputs);
};

/** All axes from `axis` on together; scale and shift stand per place of these axes. */
const layerNormalization: Converter = (operator, conversion) => {
  const [x] = operator.inputs as readonly [string];
  const rank = conversion.shapeOf(x).length;
  const first = normalizeAxis(operator, operator.attributes.integer('axis', -1), rank);
  layerNormalizationOver(operator, conversion, Array.from({ length: rank - first }, (_, index) => first + index), 0);
};

/** `trailing`: axes of size 1 that scale and shift get behind their own, where channels do not stand last. */
export function layerNormalizationOver(operator: Operator, conversion: Conversion, axes: readonly number[], trailing: number): void {
  const [x, , bias] = operator.inputs as readonly [string, string, string?];
  if (conversion.shapeOf(x).some((size, axis) => size === 'batch' && axes.includes(axis))) refuse(operator, 'normalises over the batch');
  if (operator.outputs.slice(1).some((output) => output !== '' && conversion.isUsed(output))) refuse(operator, 'has its mean or deviation read; only the normalised value is supported');
  const normal = standardized(conversion, x, axes, operator.attributes.float('epsilon', 1e-5));
  const scale = widened(operator, conversion, 1, 'scale', trailing);
  const outputs = operator.outputs.slice(0, 1);
  if (!bias) return conversion.add('Mul', [normal, scale], {}, outputs);
  conversion.add('Add', [conversion.step('Mul', [normal, scale], {}, 'scaled'), widened(operator, conversion, 2, 'bias', trailing)], {}, outputs);
}

/** Groups of channels (Wu & He 2018): as layer normalisation of `[N, groups, rest]`. Scale and shift stood per group before opset 21, per channel since. */
const groupNormalization: Converter = (operator, conversion) => {
  const [x] = operator.inputs as readonly [string];
  const shape = conversion.shapeOf(x);
  const [batch, channels, ...positions] = shape;
  const groups = operator.attributes.integer('num_groups', 0);
  if (typeof channels !== 'number' || groups < 1 || channels % groups !== 0) return refuse(operator, `divides ${String(channels)} channels into ${groups} groups`);
  const rest = positions.reduce<number>((product, size) => product * Number(size), channels / groups);
  conversion.spend(operator, 2 * channels);
  const grouped = conversion.step('Reshape', [x], { shape: [batch!, groups, rest] }, 'groups');
  const normal = standardized(conversion, grouped, [2], operator.attributes.float('epsilon', 1e-5));
  const perChannel = (index: number, what: string): string => {
    const constant = requiredConstant(operator, conversion, index, what);
    const repeat = constant.shape[0] === channels ? 1 : channels / groups;
    const data = Float32Array.from({ length: channels }, (_, channel) => Number(constant.data[Math.floor(channel / repeat)]));
    return conversion.tensor(`${operator.inputs[index]!}/channels`, { dataType: 'float32', shape: [channels, ...positions.map(() => 1)], data });
  };
  const restored = conversion.step('Reshape', [normal], { shape }, 'normal');
  const scaled = conversion.step('Mul', [restored, perChannel(1, 'scale')], {}, 'scaled');
  conversion.add('Add', [scaled, perChannel(2, 'bias')], {}, operator.outputs);
};

/** (x - mean) * (variance + epsilon)^-1/2 over the given axes. */
function standardized(conversion: Conversion, x: string, axes: readonly number[], epsilon: number): string {
  const { step } = conversion;
  const [mean, variance] = [conversion.intermediate(`${x}/mean`), conversion.intermediate(`${x}/variance`)];
  averageOver(conversion, x, axes, mean);
  const centred = step('Sub', [x, mean], {}, 'centred');
  averageOver(conversion, step('Pow', [centred], { exponent: 2 }, 'square'), axes, variance);
  const factor = step('Pow', [step('Add', [variance, conversion.number(epsilon)], {}, 'stabilized')], { exponent: -0.5 }, 'factor');
  return step('Mul', [centred, factor], {}, 'normal');
}

/** A constant input with axes of size 1 behind its own. */
function widened(operator: Operator, conversion: Conversion, index: number, what: string, trailing: number): string {
  const constant = requiredConstant(operator, conversion, index, what);
  const name = operator.inputs[index]!;
  if (trailing === 0) return name;
  const shape = [...constant.shape, ...new Array<number>(trailing).fill(1)];
  return conversion.tensor(`${name}/broadcast`, { dataType: constant.dataType, shape, data: constant.data as Float32Array });
}

export const normalizationConverters = {
  LRN: lrn,
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNormalization,
  GroupNormalization: groupNormalization,
} satisfies Readonly<Record<string, Converter>>;
