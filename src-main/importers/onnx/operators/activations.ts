/**
 * Converters of ONNX activations. What the graph has no kind for is spelled out: GELU by the error function (Hendrycks & Gimpel 2016), Swish and
 * Mish as gated products, CELU as a scaled ELU.
 */
import type { OpAttributes, OpKind } from '../../../graph/ops/attributes.ts';
import { optionalConstant, refuse, requiredConstant, type Attributes, type Converter } from '../conversion.ts';

/** Constants of SELU as the operator's definition gives them. */
const seluAlpha = 1.6732631921768188;
const seluGamma = 1.0507010221481323;

/** Kinds that take one value and settled attributes. */
function activation<K extends OpKind>(kind: K, attributes: (given: Attributes) => OpAttributes[K]): Converter {
  return (operator, conversion) => conversion.add(kind, [operator.inputs[0]!], attributes(operator.attributes), operator.outputs.slice(0, 1));
}

/** Bounds are attributes before opset 11, inputs since. The largest float32 stands for no bound in old files. */
const clip: Converter = (operator, conversion) => {
  const bound = (index: number, name: string, absent: number): number => {
    const constant = optionalConstant(operator, conversion, index, name);
    const value = constant ? Number(constant.data[0]) : operator.attributes.float(name, absent);
    return Math.abs(value) >= 3.4028234e38 ? absent : value;
  };
  conversion.add('Clip', [operator.inputs[0]!], { minimum: bound(1, 'min', -Infinity), maximum: bound(2, 'max', Infinity) }, operator.outputs);
};

/** One slope, or one per channel. Before opset 7 a vector of slopes belonged to the channels without saying so by its shape. */
const prelu: Converter = (operator, conversion) => {
  const [x, slope] = operator.inputs as readonly [string, string];
  const { shape, data, dataType } = requiredConstant(operator, conversion, 1, 'slope');
  const from = conversion.shapeOf(x);
  if (shape.length > from.length) refuse(operator, `has slopes with ${shape.length} axes for a value with ${from.length}`);
  if (conversion.opset >= 7 || shape.length !== 1 || shape[0] === 1) return conversion.add('PRelu', [x, slope], {}, operator.outputs);
  const widened = [...shape, ...new Array<number>(from.length - 2).fill(1)];
  conversion.add('PRelu', [x, conversion.tensor(`${slope}/broadcast`, { dataType, shape: widened, data: data as Float32Array })], {}, operator.outputs);
};

/** alpha * (e^(x / alpha) - 1) below 0: an ELU of x / alpha, times alpha. */
const celu: Converter = (operator, conversion) => {
  const alpha = operator.attributes.float('alpha', 1);
  const [x] = operator.inputs as readonly [string];
  const scaled = conversion.step('Mul', [x, conversion.number(1 / alpha)], {}, 'scaled');
  const curved = conversion.step('Elu', [scaled], { alpha: 1, gamma: 1 }, 'elu');
  conversion.add('Mul', [curved, conversion.number(alpha)], {}, operator.outputs);
};

/** x * (1 + erf(x / sqrt 2)) / 2, or the approximation by tanh where the file asks for it. */
const gelu: Converter = (operator, conversion) => {
  const [x] = operator.inputs as readonly [string];
  const approximation = operator.attributes.text('approximate', 'none');
  if (approximation !== 'none' && approximation !== 'tanh') refuse(operator, `approximates by ${JSON.stringify(approximation)}; known are none and tanh`);
  const { step, number } = conversion;
  let bent: string;
  if (approximation === 'none') {
    bent = step('Erf', [step('Mul', [x, number(Math.SQRT1_2)], {}, 'scaled')], {}, 'erf');
  } else {
    const cubic = step('Mul', [step('Pow', [x], { exponent: 3 }, 'cube'), number(0.044715)], {}, 'cubic');
    const argument = step('Mul', [step('Add', [x, cubic], {}, 'sum'), number(Math.sqrt(2 / Math.PI))], {}, 'argument');
    bent = step('Tanh', [argument], {}, 'tanh');
  }
  const gated = step('Mul', [x, step('Add', [bent, number(1)], {}, 'gate')], {}, 'gated');
  conversion.add('Mul', [gated, number(0.5)], {}, operator.outputs);
};

/** x * sigmoid(alpha * x). */
const swish: Converter = (operator, conversion) => {
  const [x] = operator.inputs as readonly [string];
  const alpha = operator.attributes.float('alpha', 1);
  const scaled = alpha === 1 ? x : conversion.step('Mul', [x, conversion.number(alpha)], {}, 'scaled');
  conversion.add('Mul', [x, conversion.step('Sigmoid', [scaled], {}, 'gate')], {}, operator.outputs);
};

/** x * tanh(softplus(x)) (Misra 2019). */
const mish: Converter = (operator, conversion) => {
  const [x] = operator.inputs as readonly [string];
  const gate = conversion.step('Tanh', [conversion.step('Softplus', [x], {}, 'softplus')], {}, 'gate');
  conversion.add('Mul', [x, gate], {}, operator.outputs);
};

export const activationConverters = {
  Relu: activation('Relu', () => ({})),
  LeakyRelu: activation('LeakyRelu', (given) => ({ alpha: given.float('alpha', 0.01) })),
  Clip: clip,
  PRelu: prelu,
  Elu: activation('Elu', (given) => ({ alpha: given.float('alpha', 1), gamma: 1 })),
  Selu: activation('Elu', (given) => ({ alpha: given.float('alpha', seluAlpha), gamma: given.float('gamma', seluGamma) })),
  Celu: celu,
  ThresholdedRelu: activation('ThresholdedRelu', (given) => ({ alpha: given.float('alpha', 1) })),
  Sigmoid: activation('Sigmoid', () => ({})),
  HardSigmoid: activation('HardSigmoid', (given) => ({ alpha: given.float('alpha', 0.2), beta: given.float('beta', 0.5) })),
  HardSwish: activation('HardSwish', () => ({})),
  Tanh: activation('Tanh', () => ({})),
  Softplus: activation('Softplus', () => ({})),
  Erf: activation('Erf', () => ({})),
  Log: activation('Log', () => ({})),
  Gelu: gelu,
  Swish: swish,
  Mish: mish,
} satisfies Readonly<Record<string, Converter>>;
