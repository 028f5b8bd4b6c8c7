/** Layers that work value by value, and those that normalise: activations, powers, sums of bottoms, LRN, softmax. */
import { axisOf, featureMap, onlyInput, refuse, type LayerConversion, type LayerConverter } from '../conversion.ts';
import { booleanOf, integerOf, numberOf, numbersOf, wordOf } from '../textFields.ts';

const relu: LayerConverter = (conversion) => {
  const slope = numberOf(conversion.layer.parameters('relu_param'), 'negative_slope', 0);
  if (slope === 0) conversion.finish('Relu', [onlyInput(conversion)], {});
  else conversion.finish('LeakyRelu', [onlyInput(conversion)], { alpha: slope });
};

const relu6: LayerConverter = (conversion) => conversion.finish('Clip', [onlyInput(conversion)], { minimum: 0, maximum: 6 });

const prelu: LayerConverter = (conversion) => {
  const x = onlyInput(conversion);
  const shape = conversion.shapeOf(x);
  const isShared = booleanOf(conversion.layer.parameters('prelu_param'), 'channel_shared', false);
  const channels = isShared ? 1 : (shape[1] as number);
  conversion.finish('PRelu', [x, conversion.weights(0, [channels, ...new Array<number>(Math.max(0, shape.length - 2)).fill(1)], 'slopes')], {});
};

const elu: LayerConverter = (conversion) => {
  conversion.finish('Elu', [onlyInput(conversion)], { alpha: numberOf(conversion.layer.parameters('elu_param'), 'alpha', 1), gamma: 1 });
};

const clip: LayerConverter = (conversion) => {
  const parameters = conversion.layer.parameters('clip_param');
  conversion.finish('Clip', [onlyInput(conversion)], { minimum: numberOf(parameters, 'min', -Infinity), maximum: numberOf(parameters, 'max', Infinity) });
};

/** (shift + scale * x) ^ power; factors of one and shifts of zero leave no node. */
const power: LayerConverter = (conversion) => {
  const parameters = conversion.layer.parameters('power_param');
  const exponent = numberOf(parameters, 'power', 1);
  const inner = affine(conversion, onlyInput(conversion), numberOf(parameters, 'scale', 1), numberOf(parameters, 'shift', 0));
  if (exponent === 1) conversion.finish('Identity', [inner], {});
  else conversion.finish('Pow', [inner], { exponent });
};

/** log_base(shift + scale * x); base -1 stands for e. */
const logarithm: LayerConverter = (conversion) => {
  const parameters = conversion.layer.parameters('log_param');
  const base = numberOf(parameters, 'base', -1);
  if (base !== -1 && base <= 0) refuse(conversion.layer, `has the base ${base}; a logarithm needs one above 0`);
  const inner = affine(conversion, onlyInput(conversion), numberOf(parameters, 'scale', 1), numberOf(parameters, 'shift', 0));
  if (base === -1) return conversion.finish('Log', [inner], {});
  conversion.finish('Mul', [conversion.step('Log', [inner], {}), scalar(conversion, 'per base', 1 / Math.log(base))], {});
};

function affine(conversion: LayerConversion, x: string, factor: number, shift: number): string {
  const scaled = factor === 1 ? x : conversion.step('Mul', [x, scalar(conversion, 'factor', factor)], {});
  return shift === 0 ? scaled : conversion.step('Add', [scaled, scalar(conversion, 'shift', shift)], {});
}

function scalar(conversion: LayerConversion, what: string, value: number): string {
  return conversion.constant(what, [], Float32Array.of(value));
}

const operations = ['PROD', 'SUM', 'MAX'];

const eltwise: LayerConverter = (conversion) => {
  const { layer, inputs } = conversion;
  const parameters = layer.parameters('eltwise_param');
  const operation = wordOf(parameters, 'operation', 'SUM', operations);
  if (inputs.length < 2) refuse(layer, `has ${inputs.length} bottom(s) where two or more are expected`);
  if (operation !== 'SUM' && operation !== 'PROD') refuse(layer, `combines its bottoms by ${operation}; SUM and PROD are supported`);
  const coefficients = numbersOf(parameters, 'coeff');
  if (coefficients.length > 0 && (operation === 'PROD' || coefficients.length !== inputs.length)) {
    refuse(layer, `has ${coefficients.length} coefficients for ${inputs.length} bottoms${operation === 'PROD' ? ' of a product, which takes none' : ''}`);
  }
  for (const input of inputs) {
    if (conversion.shapeOf(input).join() !== conversion.shapeOf(inputs[0]!).join()) refuse(layer, 'combines bottoms of different shapes');
  }
  const terms = inputs.map((input, index) => affine(conversion, input, coefficients[index] ?? 1, 0));
  const kind = operation === 'SUM' ? 'Add' : 'Mul';
  const all = terms.slice(1, -1).reduce((sum, term) => conversion.step(kind, [sum, term], {}), terms[0]!);
  conversion.finish(kind, [all, terms.at(-1)!], {});
};

/**
 * Across channels: x / (k + alpha / n * sum of squares over n channels) ^ beta. Within a channel, over an n x n square of positions, Caffe makes it of a
 * power, an average pool that counts its pads, and a product, with 1 in place of k; so does this. Source: lrn_layer.cpp.
 */
const lrn: LayerConverter = (conversion) => {
  const { layer } = conversion;
  const x = onlyInput(conversion);
  const parameters = layer.parameters('lrn_param');
  const size = integerOf(parameters, 'local_size', 5, { minimum: 1, maximum: 65_535 });
  if (size % 2 === 0) refuse(layer, `has the local_size ${size}; Caffe takes odd ones only`);
  const [alpha, beta] = [numberOf(parameters, 'alpha', 1), numberOf(parameters, 'beta', 0.75)];
  if (wordOf(parameters, 'norm_region', 'ACROSS_CHANNELS', ['ACROSS_CHANNELS', 'WITHIN_CHANNEL']) === 'ACROSS_CHANNELS') {
    return conversion.finish('LRN', [x], { size, alpha, beta, bias: numberOf(parameters, 'k', 1) });
  }
  featureMap(conversion, x);
  const pad = (size - 1) / 2;
  const squares = conversion.step('Pow', [x], { exponent: 2 });
  const means = conversion.step('AveragePool', [squares], { kernel: [size, size], strides: [1, 1], dilations: [1, 1], pads: [pad, pad, pad, pad], countIncludePad: true });
  const divisors = conversion.step('Pow', [affine(conversion, means, alpha, 1)], { exponent: -beta });
  conversion.finish('Mul', [x, divisors], {});
};

const softmax: LayerConverter = (conversion) => {
  const x = onlyInput(conversion);
  const rank = conversion.shapeOf(x).length;
  conversion.finish('Softmax', [x], { axis: axisOf(conversion, integerOf(conversion.layer.parameters('softmax_param'), 'axis', 1, { minimum: -8 }), rank) });
};

/** |x| = max(x, 0) + max(-x, 0). */
const absolute: LayerConverter = (conversion) => {
  const x = onlyInput(conversion);
  const negated = conversion.step('Mul', [x, scalar(conversion, 'minus one', -1)], {});
  conversion.finish('Add', [conversion.step('Relu', [x], {}), conversion.step('Relu', [negated], {})], {});
};

export const elementwiseConverters = {
  ReLU: relu,
  ReLU6: relu6,
  PReLU: prelu,
  ELU: elu,
  Clip: clip,
  Sigmoid: (conversion) => conversion.finish('Sigmoid', [onlyInput(conversion)], {}),
  TanH: (conversion) => conversion.finish('Tanh', [onlyInput(conversion)], {}),
  BNLL: (conversion) => conversion.finish('Softplus', [onlyInput(conversion)], {}),
  Swish: (conversion) => {
    const x = onlyInput(conversion);
    const inner = affine(conversion, x, numberOf(conversion.layer.parameters('swish_param'), 'beta', 1), 0);
    conversion.finish('Mul', [x, conversion.step('Sigmoid', [inner], {})], {});
  },
  AbsVal: absolute,
  Power: power,
  Log: logarithm,
  Dropout: (conversion) => conversion.finish('Identity', [onlyInput(conversion)], {}),
  Eltwise: eltwise,
  LRN: lrn,
  Softmax: softmax,
} satisfies Readonly<Record<string, LayerConverter>>;
