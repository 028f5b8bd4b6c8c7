/** Keras' layers that work value by value on one value: activations, normalisation, scaling, and those that only act in training. */
import { activationNamed } from '../activations.ts';
import { constantBeside, fileShape, graphAxis } from '../axes.ts';
import { isList, type Json } from '../fields.ts';
import type { Feature } from '../network.ts';
import { standardize, type FileTensor } from '../operations.ts';
import { activated, only, type Layer, type LayerConverter } from './layer.ts';

const activation: LayerConverter = (layer) => activated(layer, only(layer));

/** Nothing happens when a network is used, not trained. */
const passThrough: LayerConverter = (layer) => only(layer);

/** x from `threshold` on and at most `max_value`; below, `negative_slope` * (x - threshold). */
const relu: LayerConverter = (layer) => {
  const { network, config } = layer;
  const feature = only(layer);
  const maximum = config.raw('max_value') === undefined ? Infinity : config.number('max_value', Infinity);
  const slope = slopeOf(layer, 'negative_slope', 0);
  const threshold = slopeOf(layer, 'threshold', 0);
  if (threshold !== 0 && slope !== 0) network.refuse(`has both a threshold (${threshold}) and a negative slope (${slope})`);
  let { value } = feature;
  if (threshold === 0 && slope === 0) {
    return { ...feature, value: maximum === Infinity ? network.add('Relu', [value], {}) : network.add('Clip', [value], { minimum: 0, maximum }) };
  }
  value = threshold === 0 ? network.add('LeakyRelu', [value], { alpha: slope }) : network.add('ThresholdedRelu', [value], { alpha: threshold });
  return { ...feature, value: maximum === Infinity ? value : network.add('Clip', [value], { minimum: -Infinity, maximum }) };
};

const leakyRelu: LayerConverter = (layer) => {
  const alpha = layer.config.raw('negative_slope') === undefined ? slopeOf(layer, 'alpha', 0.3) : slopeOf(layer, 'negative_slope', 0.3);
  const feature = only(layer);
  return { ...feature, value: layer.network.add('LeakyRelu', [feature.value], { alpha }) };
};

const thresholdedRelu: LayerConverter = (layer) => {
  const feature = only(layer);
  return { ...feature, value: layer.network.add('ThresholdedRelu', [feature.value], { alpha: slopeOf(layer, 'theta', 1) }) };
};

const elu: LayerConverter = (layer) => {
  const feature = only(layer);
  return { ...feature, value: layer.network.add('Elu', [feature.value], { alpha: slopeOf(layer, 'alpha', 1), gamma: 1 }) };
};

/** A learned slope for each value, or where axes are shared for each channel. */
const prelu: LayerConverter = (layer) => {
  const feature = only(layer);
  const alpha = layer.weight('alpha', 0);
  const slope = constantBeside(layer.network, feature, 'alpha', alpha.shape, alpha.data);
  return { ...feature, value: layer.network.add('PRelu', [feature.value, slope], {}) };
};

/** Numbers that some versions wrote as one-element arrays in an object. */
function slopeOf(layer: Layer, name: string, fallback: number): number {
  const value = layer.config.raw(name);
  if (typeof value === 'object' && value !== null && !isList(value) && typeof value['value'] === 'number') return value['value'];
  return layer.config.number(name, fallback);
}

const softmax: LayerConverter = (layer) => {
  const feature = only(layer);
  const axis = graphAxis(layer.network, feature, soleAxis(layer, layer.config.raw('axis') ?? -1));
  return { ...feature, value: activationNamed(layer.network, 'softmax', layer.kerasVersion)(layer.network, feature.value, axis) };
};

const batchNormalization: LayerConverter = (layer) => {
  const { network, config } = layer;
  const feature = only(layer);
  const axis = graphAxis(network, feature, soleAxis(layer, config.raw('axis') ?? -1));
  const channels = network.shapeOf(feature.value)[axis] as number;
  const [scales, centres] = [config.flag('scale', true), config.flag('center', true)];
  let position = 0;
  const gamma = scales ? layer.weight('gamma', position++) : filled(channels, 1);
  const beta = centres ? layer.weight('beta', position++) : filled(channels, 0);
  const mean = layer.weight('moving_mean', position);
  const variance = layer.weight('moving_variance', position + 1);
  const epsilon = config.number('epsilon', 1e-3);
  const parameters = { gamma, beta, mean, variance };
  for (const [what, { data }] of Object.entries(parameters)) if (data.length !== channels) network.refuse(`has ${data.length} values of ${what} for ${channels} channels`);
  if (axis === 1) {
    const constants = Object.entries(parameters).map(([what, { data }]) => network.constant(what, [channels], data));
    return { ...feature, value: network.add('BatchNormalization', [feature.value, ...constants], { epsilon }) };
  }
  const factor = gamma.data.map((value, at) => value / Math.sqrt(variance.data[at]! + epsilon));
  const shift = beta.data.map((value, at) => value - mean.data[at]! * factor[at]!);
  const shape = network.shapeOf(feature.value).slice(1).map((_, at) => (at + 1 === axis ? channels : 1));
  const scaled = network.add('Mul', [feature.value, network.constant('factor', shape, factor)], {});
  return { ...feature, value: network.add('Add', [scaled, network.constant('shift', shape, shift)], {}) };
};

const layerNormalization: LayerConverter = (layer) => {
  const { network, config } = layer;
  const feature = only(layer);
  const raw = config.raw('axis') ?? -1;
  const fileAxes = (isList(raw) ? raw : [raw]).map((axis) => (typeof axis === 'number' ? axis : network.refuse(`has axis ${JSON.stringify(axis)}`)));
  const axes = fileAxes.map((axis) => graphAxis(network, feature, axis));
  let value = standardize(network, feature.value, axes, config.number('epsilon', 1e-3));
  let position = 0;
  const rank = network.shapeOf(value).length;
  const shape = fileShape(network, feature).slice(1).map((size, at) => (fileAxes.some((axis) => (axis + rank) % rank === at + 1) ? (size as number) : 1));
  const beside = (what: string, tensor: FileTensor): string => constantBeside(network, feature, what, shape, tensor.data);
  if (config.flag('scale', true)) value = network.add('Mul', [value, beside('gamma', layer.weight('gamma', position++))], {});
  if (config.flag('center', true)) value = network.add('Add', [value, beside('beta', layer.weight('beta', position))], {});
  return { ...feature, value };
};

function filled(count: number, value: number): FileTensor {
  return { shape: [count], data: new Float32Array(count).fill(value) };
}

function soleAxis(layer: Layer, raw: Json): number {
  const [axis, second] = isList(raw) ? raw : [raw];
  return typeof axis === 'number' && second === undefined ? axis : layer.network.refuse(`works along axes ${JSON.stringify(raw)}; only one is supported`);
}

const rescaling: LayerConverter = (layer) => {
  const { network } = layer;
  const feature = only(layer);
  const scaled = network.add('Mul', [feature.value, settingBeside(layer, feature, 'scale', 1)], {});
  const offset = layer.config.raw('offset') ?? 0;
  return { ...feature, value: offset === 0 ? scaled : network.add('Add', [scaled, settingBeside(layer, feature, 'offset', 0)], {}) };
};

function settingBeside(layer: Layer, feature: Feature, name: string, fallback: number): string {
  const raw = layer.config.raw(name) ?? fallback;
  const list = isList(raw) ? raw : [raw];
  const numbers = list.map((value) => (typeof value === 'number' ? value : layer.network.refuse(`has ${name} ${JSON.stringify(raw)} instead of numbers`)));
  return constantBeside(layer.network, feature, name, [numbers.length], Float32Array.from(numbers));
}

/** (x - mean) / sqrt(variance), or back; from the settings or learned by `adapt`. */
const normalization: LayerConverter = (layer) => {
  const { network, config } = layer;
  const feature = only(layer);
  if (config.flag('invert', false)) network.refuse('normalises backwards (invert)');
  const given = (name: string, position: number): Float32Array => {
    const raw = config.raw(name);
    if (raw === undefined) return layer.weight(name, position).data;
    const numbers = (isList(raw) ? raw : [raw]).flat(4);
    return Float32Array.from(numbers, (value) => (typeof value === 'number' ? value : network.refuse(`has ${name} ${JSON.stringify(raw).slice(0, 60)} instead of numbers`)));
  };
  const [mean, variance] = [given('mean', 0), given('variance', 1)];
  const centred = network.add('Sub', [feature.value, constantBeside(network, feature, 'mean', [mean.length], mean)], {});
  const factor = variance.map((value) => 1 / Math.max(Math.sqrt(value), 1e-7));
  return { ...feature, value: network.add('Mul', [centred, constantBeside(network, feature, 'factor', [factor.length], factor)], {}) };
};

const unary = (name: string): LayerConverter => (layer) => {
  const feature = only(layer);
  return { ...feature, value: activationNamed(layer.network, name, layer.kerasVersion)(layer.network, feature.value, 0) };
};

/** Layers that change pictures or values only while a network is trained. */
const trainingOnly = ['Dropout', 'SpatialDropout2D', 'AlphaDropout', 'GaussianDropout', 'GaussianNoise', 'ActivityRegularization', 'RandomFlip', 'RandomRotation', 'RandomZoom',
  'RandomTranslation', 'RandomContrast', 'RandomBrightness', 'RandomHeight', 'RandomWidth', 'Identity'];

export const elementwiseLayers: Readonly<Record<string, LayerConverter>> = {
  ...Object.fromEntries(trainingOnly.map((type) => [type, passThrough])),
  Activation: activation,
  ReLU: relu,
  LeakyReLU: leakyRelu,
  ThresholdedReLU: thresholdedRelu,
  ELU: elu,
  PReLU: prelu,
  Softmax: softmax,
  Swish: unary('swish'),
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  Rescaling: rescaling,
  Normalization: normalization,
};

