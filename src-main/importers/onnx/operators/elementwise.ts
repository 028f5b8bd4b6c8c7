/** Converters of ONNX operators that work value by value: activations, arithmetic with broadcasting, normalisation. */
import { elementCount, type Shape } from '../../../graph/graph.ts';
import { graphDataType, dataTypeName, numbersOf } from '../constants.ts';
import { optionalConstant, refuse, requiredConstant, type Conversion, type Converter, type Operator } from '../conversion.ts';
import { normalizeAxis } from '../shapes.ts';

const identity: Converter = (operator, conversion) => conversion.add('Identity', [operator.inputs[0]!], {}, operator.outputs.slice(0, 1));

/** At inference dropout does nothing, whatever an old file's is_test says. Its mask would be all ones; nobody should read it. */
const dropout: Converter = (operator, conversion) => {
  const [, mask] = operator.outputs;
  if (mask && conversion.isUsed(mask)) refuse(operator, 'has its dropout mask read; export the network for inference (model.eval())');
  const training = optionalConstant(operator, conversion, 2, 'training mode');
  if (training && Number(training.data[0]) === 1) refuse(operator, 'is in training mode; export the network for inference (model.eval())');
  identity(operator, conversion);
};

/** All floating types are float32 in the graph, so a cast between them keeps the value. */
const cast: Converter = (operator, conversion) => {
  const to = operator.attributes.integer('to', 1);
  if (graphDataType(to) !== 'float32') refuse(operator, `casts a running value to ${dataTypeName(to)}`);
  identity(operator, conversion);
};

const relu: Converter = (operator, conversion) => conversion.add('Relu', [operator.inputs[0]!], {}, operator.outputs);

const leakyRelu: Converter = (operator, conversion) => conversion.add('LeakyRelu', [operator.inputs[0]!], { alpha: operator.attributes.float('alpha', 0.01) }, operator.outputs);

/** Bounds are attributes before opset 11, inputs since. The largest float32 stands for no bound in old files. */
const clip: Converter = (operator, conversion) => {
  const bound = (index: number, name: string, absent: number): number => {
    const constant = optionalConstant(operator, conversion, index, name);
    const value = constant ? Number(constant.data[0]) : operator.attributes.float(name, absent);
    return Math.abs(value) >= 3.4028234e38 ? absent : value;
  };
  conversion.add('Clip', [operator.inputs[0]!], { minimum: bound(1, 'min', -Infinity), maximum: bound(2, 'max', Infinity) }, operator.outputs);
};

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

/** Add, Sub or Mul of two values. Before opset 7 the second operand's axes began at `axis` of the first. */
function binary(kind: 'Add' | 'Sub' | 'Mul'): Converter {
  return (operator, conversion) => {
    const [a, b] = operator.inputs as readonly [string, string];
    conversion.add(kind, [a, conversion.opset < 7 ? oldOperand(operator, conversion, a, b) : b], {}, operator.outputs);
  };
}

function oldOperand(operator: Operator, conversion: Conversion, a: string, b: string): string {
  const rank = conversion.shapeOf(a).length;
  const shape = conversion.shapeOf(b);
  if (operator.attributes.integer('broadcast', 0) !== 1 || !operator.attributes.raw('axis') || shape.length === 0) return b;
  const axis = normalizeAxis(operator, operator.attributes.integer('axis', 0), rank);
  const missing = rank - axis - shape.length;
  if (missing < 0) refuse(operator, `broadcasts a value with ${shape.length} axes from axis ${axis} of one with ${rank}`);
  if (missing === 0) return b;
  const widened: Shape = [...shape, ...new Array<number>(missing).fill(1)];
  const constant = conversion.constant(b);
  if (constant) return conversion.tensor(`${b}/broadcast`, { dataType: constant.dataType, shape: widened as number[], data: fixed(operator, constant.data) });
  const name = conversion.intermediate(`${operator.outputs[0]!}/broadcast`);
  conversion.add('Reshape', [b], { shape: widened }, [name]);
  return name;
}

/** Dividing by a constant is multiplying by its reciprocal: the graph needs no division. */
const divide: Converter = (operator, conversion) => {
  const divisor = requiredConstant(operator, conversion, 1, 'divisor');
  const numbers = numbersOf(divisor);
  if (!numbers || divisor.dataType !== 'float32') return refuse(operator, 'divides whole numbers');
  const reciprocal = conversion.tensor(`${operator.inputs[1]!}/reciprocal`, { dataType: 'float32', shape: divisor.shape, data: Float32Array.from(numbers, (value) => 1 / value) });
  conversion.add('Mul', [operator.inputs[0]!, reciprocal], {}, operator.outputs);
};

/** Any number of values: a chain of Adds. */
const sum: Converter = (operator, conversion) => {
  const [first, ...others] = operator.inputs;
  if (others.length === 0) return identity(operator, conversion);
  let total = first!;
  others.forEach((other, index) => {
    const last = index === others.length - 1;
    const output = last ? operator.outputs[0]! : conversion.intermediate(`${operator.outputs[0]!}/sum${index + 1}`);
    conversion.add('Add', [total, other], {}, [output]);
    total = output;
  });
};

const power: Converter = (operator, conversion) => {
  const exponent = requiredConstant(operator, conversion, 1, 'exponent');
  if (elementCount(exponent.shape) !== 1) refuse(operator, 'has several exponents; only one number is supported');
  conversion.add('Pow', [operator.inputs[0]!], { exponent: Number(exponent.data[0]) }, operator.outputs);
};

const squareRoot: Converter = (operator, conversion) => conversion.add('Pow', [operator.inputs[0]!], { exponent: 0.5 }, operator.outputs);

function fixed(operator: Operator, data: Parameters<typeof numbersOf>[0]['data']): Float32Array | BigInt64Array | Uint8Array {
  if (Array.isArray(data)) return refuse(operator, 'computes with the batch size, which is only chosen at run time');
  return data as Float32Array | BigInt64Array | Uint8Array;
}

export const elementwiseConverters = {
  Identity: identity,
  Dropout: dropout,
  Cast: cast,
  Relu: relu,
  LeakyRelu: leakyRelu,
  Clip: clip,
  LRN: lrn,
  BatchNormalization: batchNormalization,
  Add: binary('Add'),
  Sub: binary('Sub'),
  Mul: binary('Mul'),
  Div: divide,
  Sum: sum,
  Pow: power,
  Sqrt: squareRoot,
} satisfies Readonly<Record<string, Converter>>;
