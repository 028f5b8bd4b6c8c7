/** Converters of ONNX matrix products: fully connected layers. Factors and transpositions are settled into the constants. */
import { elementCount, type Tensor } from '../../../graph/graph.ts';
import { numbersOf, type Constant } from '../constants.ts';
import { optionalConstant, refuse, requiredConstant, type Conversion, type Converter, type Operator } from '../conversion.ts';

/** alpha * A B + beta * C. C may be `[M]`, `[1, M]`, one number, or a matrix (then it is added behind). */
const gemm: Converter = (operator, conversion) => {
  const { attributes, inputs, outputs } = operator;
  const weights = requiredConstant(operator, conversion, 1, 'matrix');
  if (weights.shape.length !== 2) refuse(operator, `has a matrix with ${weights.shape.length} axes instead of 2`);
  const transposeB = attributes.integer('transB', 0) === 1;
  const columns = weights.shape[transposeB ? 0 : 1]!;
  const bias = optionalConstant(operator, conversion, 2, 'bias');
  const beta = attributes.float('beta', 1);
  let a = inputs[0]!;
  if (attributes.integer('transA', 0) === 1) {
    const transposed = conversion.intermediate(`${outputs[0]!}/transposed`);
    conversion.add('Transpose', [a], { permutation: [1, 0] }, [transposed]);
    a = transposed;
  }
  const b = scaled(operator, conversion, inputs[1]!, weights, attributes.float('alpha', 1));
  if (!bias || beta === 0) return conversion.add('Gemm', [a, b, ''], { transposeB }, outputs);
  if (isRow(bias, columns)) {
    const row = biasRow(operator, conversion, inputs[2]!, bias, columns, beta);
    return conversion.add('Gemm', [a, b, row], { transposeB }, outputs);
  }
  const product = conversion.intermediate(`${outputs[0]!}/product`);
  conversion.add('Gemm', [a, b, ''], { transposeB }, [product]);
  conversion.add('Add', [product, scaled(operator, conversion, inputs[2]!, bias, beta)], {}, outputs);
};

/** MatMul with a constant matrix; the Add of a constant row that alone reads it becomes the bias. */
const matrixProduct: Converter = (operator, conversion) => {
  const [a, b] = operator.inputs as readonly [string, string];
  if (b !== undefined && !conversion.constant(a) && !conversion.constant(b)) {
    refuse(operator, 'multiplies two values that are both computed from the picture, as the attention of a transformer does; only a product with a fixed matrix is supported');
  }
  const weights = requiredConstant(operator, conversion, 1, 'matrix');
  const rank = conversion.shapeOf(a).length;
  if (rank !== 2 || weights.shape.length !== 2) refuse(operator, `multiplies values with ${rank} and ${weights.shape.length} axes; only matrices [N, K] by [K, M] are supported`);
  const columns = weights.shape[1]!;
  const [output] = operator.outputs as readonly [string];
  const reader = conversion.onlyReader(output);
  const biasName = reader?.type === 'Add' ? reader.inputs.find((input) => input !== output) : undefined;
  const bias = biasName ? conversion.constant(biasName) : undefined;
  if (reader && biasName && bias && isRow(bias, columns)) {
    conversion.absorb(reader, 'Gemm');
    const row = biasRow(operator, conversion, biasName, bias, columns, 1);
    conversion.add('Gemm', [a, b, row], { transposeB: false }, reader.outputs);
    return;
  }
  conversion.add('Gemm', [a, b, ''], { transposeB: false }, operator.outputs);
};

/** True for a constant that adds the same row to every image. */
function isRow({ shape }: Constant, columns: number): boolean {
  const count = elementCount(shape);
  return (count === columns || count === 1) && shape.slice(0, -1).every((size) => size === 1) && shape.length <= 2;
}

function biasRow(operator: Operator, conversion: Conversion, name: string, bias: Constant, columns: number, factor: number): string {
  if (factor === 1 && bias.shape.length === 1 && bias.shape[0] === columns) return name;
  const numbers = floatsOf(operator, bias);
  const data = Float32Array.from({ length: columns }, (_, index) => factor * numbers[numbers.length === 1 ? 0 : index]!);
  return conversion.tensor(`${name}/row`, { dataType: 'float32', shape: [columns], data });
}

function scaled(operator: Operator, conversion: Conversion, name: string, constant: Constant, factor: number): string {
  if (factor === 1) return name;
  const data: Tensor['data'] = Float32Array.from(floatsOf(operator, constant), (value) => factor * value);
  return conversion.tensor(`${name}/scaled`, { dataType: 'float32', shape: constant.shape, data });
}

function floatsOf(operator: Operator, constant: Constant): readonly number[] {
  const numbers = constant.dataType === 'float32' ? numbersOf(constant) : undefined;
  return numbers ?? refuse(operator, `multiplies ${constant.dataType} values; only floats are supported`);
}

export const linearConverters = { Gemm: gemm, MatMul: matrixProduct } satisfies Readonly<Record<string, Converter>>;
