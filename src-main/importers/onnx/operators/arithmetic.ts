/** Converters of ONNX arithmetic with broadcasting. The graph knows Add, Sub, Mul and a constant power; the rest is made of these. */
import { elementCount, type Shape, type Tensor } from '../../../graph/graph.ts';
import { dataTypeName, graphDataType, numbersOf, type Constant } from '../constants.ts';
import { optionalConstant, refuse, requiredConstant, type Conversion, type Converter, type Operator } from '../conversion.ts';
import { normalizeAxis } from '../shapes.ts';

export const identity: Converter = (operator, conversion) => conversion.add('Identity', [operator.inputs[0]!], {}, operator.outputs.slice(0, 1));

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

/** Add, Sub or Mul of two values. Before opset 7 the second operand's axes began at `axis` of the first. */
function binary(kind: 'Add' | 'Sub' | 'Mul'): Converter {
  return (operator, conversion) => conversion.add(kind, operands(operator, conversion), {}, operator.outputs);
}

function operands(operator: Operator, conversion: Conversion): readonly [string, string] {
  const [a, b] = operator.inputs as readonly [string, string?];
  if (b === undefined) return refuse(operator, 'lacks an input');
  return [a, conversion.opset < 7 ? oldOperand(operator, conversion, a, b) : b];
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
  return conversion.step('Reshape', [b], { shape: widened }, 'broadcast');
}

/** Dividing is multiplying by the reciprocal, which a constant divisor gives at import. */
const divide: Converter = (operator, conversion) => {
  const [a, b] = operands(operator, conversion);
  const divisor = conversion.constant(b);
  const reciprocal = divisor ? reciprocalOf(operator, conversion, b, divisor) : conversion.step('Pow', [b], { exponent: -1 }, 'reciprocal');
  conversion.add('Mul', [a, reciprocal], {}, operator.outputs);
};

function reciprocalOf(operator: Operator, conversion: Conversion, name: string, divisor: Constant): string {
  const numbers = numbersOf(divisor);
  if (!numbers || divisor.dataType !== 'float32') return refuse(operator, 'divides whole numbers');
  return conversion.tensor(`${name}/reciprocal`, { dataType: 'float32', shape: divisor.shape, data: Float32Array.from(numbers, (value) => 1 / value) });
}

/** Any number of values: a chain of Adds; for the mean times one over their number. */
function chain(average: boolean): Converter {
  return (operator, conversion) => {
    const [first, ...others] = operator.inputs;
    if (others.length === 0) return identity(operator, conversion);
    let total = first!;
    others.forEach((other, index) => {
      const last = index === others.length - 1 && !average;
      const output = last ? operator.outputs[0]! : conversion.intermediate(`${operator.outputs[0]!}/sum${index + 1}`);
      conversion.add('Add', [total, other], {}, [output]);
      total = output;
    });
    if (average) conversion.add('Mul', [total, conversion.number(1 / operator.inputs.length)], {}, operator.outputs);
  };
}

const power: Converter = (operator, conversion) => {
  const exponent = requiredConstant(operator, conversion, 1, 'exponent');
  const [value = 0, ...others] = numbersOf(exponent) ?? refuse(operator, 'raises to the power of the batch size');
  if (others.some((other) => other !== value)) refuse(operator, 'has several exponents; only one number is supported');
  if (exponent.shape.length > conversion.shapeOf(operator.inputs[0]!).length) refuse(operator, 'has an exponent with more axes than its base');
  conversion.add('Pow', [operator.inputs[0]!], { exponent: value }, operator.outputs);
};

function toPower(exponent: number): Converter {
  return (operator, conversion) => conversion.add('Pow', [operator.inputs[0]!], { exponent }, operator.outputs);
}

const negate: Converter = (operator, conversion) => conversion.add('Mul', [operator.inputs[0]!, conversion.number(-1)], {}, operator.outputs);

/** The larger or smaller of a value and one constant number is a Clip. */
function bounded(side: 'minimum' | 'maximum'): Converter {
  return (operator, conversion) => {
    const running = operator.inputs.filter((input) => !conversion.constant(input));
    const limits = operator.inputs.flatMap((input) => conversion.constant(input) ?? []);
    if (running.length !== 1) return refuse(operator, 'compares several running values; only the comparison of one value with constants is supported');
    const numbers = limits.flatMap((limit) => numbersOf(limit) ?? refuse(operator, 'compares with the batch size'));
    const each = limits.map((limit) => new Set(numbersOf(limit)));
    const rank = conversion.shapeOf(running[0]!).length;
    if (each.some(({ size }) => size !== 1) || limits.some(({ shape }) => shape.length > rank || elementCount(shape) !== 1)) {
      return refuse(operator, 'compares with several constants; only one number for all places is supported');
    }
    const bounds = side === 'minimum' ? { minimum: Math.max(-Infinity, ...numbers), maximum: Infinity } : { minimum: -Infinity, maximum: Math.min(Infinity, ...numbers) };
    conversion.add('Clip', running, bounds, operator.outputs);
  };
}

export function fixed(operator: Operator, data: Constant['data']): Tensor['data'] {
  if (Array.isArray(data)) return refuse(operator, 'computes with the batch size, which is only chosen at run time');
  return data as Tensor['data'];
}

export const arithmeticConverters = {
  Identity: identity,
  Dropout: dropout,
  Cast: cast,
  Add: binary('Add'),
  Sub: binary('Sub'),
  Mul: binary('Mul'),
  Div: divide,
  Sum: chain(false),
  Mean: chain(true),
  Pow: power,
  Sqrt: toPower(0.5),
  Reciprocal: toPower(-1),
  Neg: negate,
  Max: bounded('minimum'),
  Min: bounded('maximum'),
} satisfies Readonly<Record<string, Converter>>;
