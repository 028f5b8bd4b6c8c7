/** Converters of ONNX operators that run over axes: sums, means, maxima, Softmax and its logarithm. The batch is never one of the axes. */
import type { Shape } from '../../../graph/graph.ts';
import { shapeText } from '../../../graph/ops/spec.ts';
import { optionalConstant, refuse, type Conversion, type Converter, type Operator } from '../conversion.ts';
import { axesOf, joinedSize, normalizeAxis } from '../shapes.ts';

/** Adds a reduced value under the name `output`; the reduced axes stay with size 1. */
type Reduction = (conversion: Conversion, x: string, axes: readonly number[], output: string) => void;

/** The mean over axes, which stay with size 1; over height and width it is global average pooling. */
export const averageOver: Reduction = (conversion, x, axes, output) => {
  const shape = conversion.shapeOf(x);
  if (shape.length === 4 && axes.join() === '2,3') return conversion.add('GlobalAveragePool', [x], {}, [output]);
  const total = conversion.step('ReduceSum', [x], { axes }, 'total');
  conversion.add('Mul', [total, conversion.number(1 / sizeOf(shape, axes))], {}, [output]);
};

/** The maximum over axes: a max pool over one row that holds all of them, so that switches lead back. */
const maximumOver: Reduction = (conversion, x, axes, output) => {
  const shape = conversion.shapeOf(x);
  const window = (height: number, width: number) => ({ kernel: [height, width], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] }) as const;
  if (shape.length === 4 && axes.join() === '2,3') return conversion.add('MaxPool', [x], window(Number(shape[2]), Number(shape[3])), [output]);
  const kept = shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const permutation = [...kept, ...axes];
  const moved = permutation.every((axis, at) => axis === at) ? x : conversion.step('Transpose', [x], { permutation }, 'last');
  const length = sizeOf(shape, axes);
  const others = sizeOf(shape, kept.filter((axis) => shape[axis] !== 'batch'));
  const row = conversion.step('Reshape', [moved], { shape: [shape.includes('batch') ? 'batch' : 1, others, 1, length] }, 'row');
  const pooled = conversion.step('MaxPool', [row], window(1, length), 'pooled');
  conversion.add('Reshape', [pooled], { shape: shape.map((size, axis) => (axes.includes(axis) ? 1 : size)) }, [output]);
};

const sumOver: Reduction = (conversion, x, axes, output) => conversion.add('ReduceSum', [x], { axes }, [output]);

const squaresOver: Reduction = (conversion, x, axes, output) => sumOver(conversion, conversion.step('Pow', [x], { exponent: 2 }, 'squares'), axes, output);

const rootOfSquaresOver: Reduction = (conversion, x, axes, output) => {
  const squares = conversion.intermediate(`${output}/sum`);
  squaresOver(conversion, x, axes, squares);
  conversion.add('Pow', [squares], { exponent: 0.5 }, [output]);
};

/** The maximum of the negated value, negated. */
const minimumOver: Reduction = (conversion, x, axes, output) => {
  const largest = conversion.intermediate(`${output}/largest`);
  maximumOver(conversion, conversion.step('Mul', [x, conversion.number(-1)], {}, 'negated'), axes, largest);
  conversion.add('Mul', [largest, conversion.number(-1)], {}, [output]);
};

function sizeOf(shape: Shape, axes: readonly number[]): number {
  return axes.reduce((product, axis) => product * Number(shape[axis]), 1);
}

/** Axes are an attribute, in newer sets an input; without any it is all of them, or none where noop_with_empty_axes says so. */
function reduction(make: Reduction): Converter {
  return (operator, conversion) => {
    const [x] = operator.inputs as readonly [string];
    const shape = conversion.shapeOf(x);
    const given = axesOf(operator, optionalConstant(operator, conversion, 1, 'axes'), shape.length, 'operand');
    if (!given?.length && operator.attributes.integer('noop_with_empty_axes', 0) === 1) return conversion.add('Identity', [x], {}, operator.outputs);
    const axes = given?.length ? given : shape.map((_, axis) => axis);
    if (axes.some((axis) => shape[axis] === 'batch')) refuse(operator, `runs over the batch (axes ${axes.join(', ')} of ${shapeText(shape)})`);
    const [output] = operator.outputs as readonly [string];
    if (operator.attributes.integer('keepdims', 1) === 1) return make(conversion, x, axes, output);
    const kept = conversion.intermediate(`${output}/kept`);
    make(conversion, x, axes, kept);
    conversion.add('Reshape', [kept], { shape: shape.filter((_, axis) => !axes.includes(axis)) }, operator.outputs);
  };
}

/** Before opset 13 all axes from `axis` on were one long axis; where more than one of them is larger than 1, a Reshape makes it so. */
function alongAxis(write: (operator: Operator, conversion: Conversion, x: string, axis: number, output: string) => void): Converter {
  return (operator, conversion) => {
    const [x] = operator.inputs as readonly [string];
    const shape = conversion.shapeOf(x);
    const old = conversion.opset < 13;
    const axis = normalizeAxis(operator, operator.attributes.integer('axis', old ? 1 : -1), shape.length);
    const along = (value: string, at: number, output: string): void => {
      if (conversion.shapeOf(value)[at] === 'batch') refuse(operator, 'runs over the batch');
      write(operator, conversion, value, at, output);
    };
    const [output] = operator.outputs as readonly [string];
    if (!old) return along(x, axis, output);
    const long = shape.flatMap((size, at) => (at >= axis && size !== 1 ? [at] : []));
    if (long.length <= 1) return along(x, long[0] ?? axis, output);
    const joined: Shape = [...shape.slice(0, axis), joinedSize(operator, shape.slice(axis))];
    const flat = conversion.step('Reshape', [x], { shape: joined }, 'flat');
    const result = conversion.intermediate(`${output}/result`);
    along(flat, axis, result);
    conversion.add('Reshape', [result], { shape }, operator.outputs);
  };
}

/**
 * x - m + log softmax(x)[where x is m], m the maximum: the same as the logarithm of Softmax, but it does not drown where a
 * probability is too small for a float. The largest probability is at least 1 / n, so its logarithm is safe.
 */
function logSoftmax(_operator: Operator, conversion: Conversion, x: string, axis: number, output: string): void {
  const [maximum, largest] = [conversion.intermediate(`${output}/maximum`), conversion.intermediate(`${output}/largest`)];
  maximumOver(conversion, x, [axis], maximum);
  const shifted = conversion.step('Sub', [x, maximum], {}, 'shifted');
  maximumOver(conversion, conversion.step('Softmax', [x], { axis }, 'probability'), [axis], largest);
  conversion.add('Add', [shifted, conversion.step('Log', [largest], {}, 'logarithm')], {}, [output]);
}

export const reductionConverters = {
  ReduceSum: reduction(sumOver),
  ReduceMean: reduction(averageOver),
  ReduceMax: reduction(maximumOver),
  ReduceMin: reduction(minimumOver),
  ReduceSumSquare: reduction(squaresOver),
  ReduceL2: reduction(rootOfSquaresOver),
  Softmax: alongAxis((_operator, conversion, x, axis, output) => conversion.add('Softmax', [x], { axis }, [output])),
  LogSoftmax: alongAxis(logSoftmax),
} satisfies Readonly<Record<string, Converter>>;
