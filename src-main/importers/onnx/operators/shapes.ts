/** Converters of ONNX operators that move values about without computing: shapes, axes, pieces. And what runs along one axis: Softmax, mean. */
import type { Shape } from '../../../graph/graph.ts';
import { dimensionsOf, numbersOf } from '../constants.ts';
import { optionalConstant, refuse, requiredConstant, type Conversion, type Converter, type Operator } from '../conversion.ts';
import { axesOf, normalizeAxis, settleReshape } from '../shapes.ts';

const reshape: Converter = (operator, conversion) => {
  const [x, targetName] = operator.inputs as readonly [string, string?];
  const from = conversion.shapeOf(x);
  const target = targetName ? dimensionsOf(requiredConstant(operator, conversion, 1, 'target shape')) : (operator.attributes.integers('shape') ?? []);
  const shape = settleReshape(from, target, conversion.fileBatch, operator.attributes.integer('allowzero', 0) === 1);
  if (!shape) refuse(operator, `reshapes ${text(from)} to ${text(target)}, which mixes the images of a batch or does not fit`);
  conversion.add('Reshape', [x], { shape }, operator.outputs);
};

const flatten: Converter = (operator, conversion) => {
  const from = conversion.shapeOf(operator.inputs[0]!);
  const wish = operator.attributes.integer('axis', 1);
  const axis = wish === from.length ? wish : normalizeAxis(operator, wish, from.length);
  conversion.add('Reshape', [operator.inputs[0]!], { shape: [joined(operator, from.slice(0, axis)), joined(operator, from.slice(axis))] }, operator.outputs);
};

/** One size for several axes; `batch` only by itself. */
function joined(operator: Operator, part: Shape): number | 'batch' {
  const size = part.reduce<number>((product, dimension) => (dimension === 'batch' ? product : product * dimension), 1);
  if (!part.includes('batch')) return size;
  return size === 1 ? 'batch' : refuse(operator, `joins the batch with other axes (${text(part)})`);
}

const unsqueeze: Converter = (operator, conversion) => {
  const shape = [...conversion.shapeOf(operator.inputs[0]!)];
  const axes = axesOf(operator, optionalConstant(operator, conversion, 1, 'axes'), shape.length, 'result') ?? refuse(operator, 'gives no axes');
  for (const axis of axes) shape.splice(axis, 0, 1);
  conversion.add('Reshape', [operator.inputs[0]!], { shape }, operator.outputs);
};

/** Without axes every size of 1 goes, but never the batch, even where the file was made with one image. */
const squeeze: Converter = (operator, conversion) => {
  const from = conversion.shapeOf(operator.inputs[0]!);
  const axes = axesOf(operator, optionalConstant(operator, conversion, 1, 'axes'), from.length, 'operand');
  const bad = axes?.find((axis) => from[axis] !== 1);
  if (bad !== undefined) refuse(operator, from[bad] === 'batch' ? 'removes the batch axis' : `removes axis ${bad} of ${text(from)}, which is not 1`);
  conversion.add('Reshape', [operator.inputs[0]!], { shape: from.filter((size, axis) => (axes ? !axes.includes(axis) : size !== 1)) }, operator.outputs);
};

const transpose: Converter = (operator, conversion) => {
  const rank = conversion.shapeOf(operator.inputs[0]!).length;
  const permutation = operator.attributes.integers('perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  conversion.add('Transpose', [operator.inputs[0]!], { permutation }, operator.outputs);
};

const concat: Converter = (operator, conversion) => {
  const rank = conversion.shapeOf(operator.inputs[0]!).length;
  const axis = normalizeAxis(operator, operator.attributes.integer('axis', 1), rank);
  if (operator.inputs.length === 1) return conversion.add('Identity', [operator.inputs[0]!], {}, operator.outputs);
  conversion.add('Concat', operator.inputs, { axis }, operator.outputs);
};

/** One Slice per output; sizes from the input (opset 13 on), the attribute, or equal parts. */
const split: Converter = (operator, conversion) => {
  const [x] = operator.inputs as readonly [string];
  const shape = conversion.shapeOf(x);
  const axis = normalizeAxis(operator, operator.attributes.integer('axis', 0), shape.length);
  const total = shape[axis];
  if (typeof total !== 'number') return refuse(operator, 'splits the batch');
  const given = optionalConstant(operator, conversion, 1, 'sizes');
  const part = Math.ceil(total / operator.outputs.length);
  const sizes = (given ? numbersOf(given) : operator.attributes.integers('split')) ?? operator.outputs.map((_, index) => Math.max(0, Math.min(part, total - index * part)));
  let start = 0;
  operator.outputs.forEach((output, index) => {
    const end = start + (sizes[index] ?? 0);
    if (output && conversion.isUsed(output)) conversion.add('Slice', [x], { axis, start, end }, [output]);
    start = end;
  });
};

/** One Slice per axis, step 1. */
const slice: Converter = (operator, conversion) => {
  const shape = conversion.shapeOf(operator.inputs[0]!);
  const given = (index: number, name: string): readonly number[] | undefined => {
    const constant = optionalConstant(operator, conversion, index, name);
    return constant ? numbersOf(constant) : operator.attributes.integers(name);
  };
  const starts = given(1, 'starts') ?? refuse(operator, 'gives no starts');
  const ends = given(2, 'ends') ?? refuse(operator, 'gives no ends');
  const axes = given(3, 'axes') ?? starts.map((_, index) => index);
  if (given(4, 'steps')?.some((step) => step !== 1)) refuse(operator, 'takes every other value (steps); only steps of 1 are supported');
  const pieces = axes.flatMap((wish, index) => {
    const axis = normalizeAxis(operator, wish, shape.length);
    const size = shape[axis]!;
    if (size === 'batch') return refuse(operator, 'takes a part of the batch');
    const clamp = (value: number): number => Math.min(Math.max(value < 0 ? value + size : value, 0), size);
    const piece = { axis, start: clamp(starts[index]!), end: clamp(ends[index]!) };
    return piece.start === 0 && piece.end === size ? [] : [piece];
  });
  let source = operator.inputs[0]!;
  if (pieces.length === 0) return conversion.add('Identity', [source], {}, operator.outputs);
  pieces.forEach((piece, index) => {
    const output = index === pieces.length - 1 ? operator.outputs[0]! : conversion.intermediate(`${operator.outputs[0]!}/part${index + 1}`);
    conversion.add('Slice', [source], piece, [output]);
    source = output;
  });
};

/** Before opset 13 all axes from `axis` on were one long axis; where more than one of them is larger than 1, a Reshape makes it so. */
const softmax: Converter = (operator, conversion) => {
  const [x] = operator.inputs as readonly [string];
  const shape = conversion.shapeOf(x);
  const old = conversion.opset < 13;
  const axis = normalizeAxis(operator, operator.attributes.integer('axis', old ? 1 : -1), shape.length);
  if (!old) return softmaxAlong(operator, conversion, x, axis, operator.outputs[0]!);
  const long = shape.flatMap((size, at) => (at >= axis && size !== 1 ? [at] : []));
  if (long.length <= 1) return softmaxAlong(operator, conversion, x, long[0] ?? axis, operator.outputs[0]!);
  const flat = conversion.intermediate(`${operator.outputs[0]!}/flat`);
  const probability = conversion.intermediate(`${operator.outputs[0]!}/probability`);
  conversion.add('Reshape', [x], { shape: [...shape.slice(0, axis), joined(operator, shape.slice(axis))] }, [flat]);
  softmaxAlong(operator, conversion, flat, axis, probability);
  conversion.add('Reshape', [probability], { shape }, operator.outputs);
};

function softmaxAlong(operator: Operator, conversion: Conversion, x: string, axis: number, output: string): void {
  if (conversion.shapeOf(x)[axis] === 'batch') refuse(operator, 'runs over the batch');
  conversion.add('Softmax', [x], { axis }, [output]);
}

/** The mean over height and width is how many exporters write global average pooling. */
const mean: Converter = (operator, conversion) => {
  const [x] = operator.inputs as readonly [string];
  const shape = conversion.shapeOf(x);
  const axes = axesOf(operator, optionalConstant(operator, conversion, 1, 'axes'), shape.length, 'operand');
  if (shape.length !== 4 || axes?.join() !== '2,3') refuse(operator, `takes the mean over axes ${axes?.join(', ') ?? 'all'} of ${text(shape)}; only the mean over height and width is supported`);
  if (operator.attributes.integer('keepdims', 1) === 1) return conversion.add('GlobalAveragePool', [x], {}, operator.outputs);
  const pooled = conversion.intermediate(`${operator.outputs[0]!}/pooled`);
  conversion.add('GlobalAveragePool', [x], {}, [pooled]);
  conversion.add('Reshape', [pooled], { shape: shape.slice(0, 2) }, operator.outputs);
};

function text(shape: Shape): string {
  return `[${shape.map((size) => (size === 'batch' ? 'N' : size)).join(', ')}]`;
}

export const shapeConverters = {
  Reshape: reshape,
  Flatten: flatten,
  Unsqueeze: unsqueeze,
  Squeeze: squeeze,
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Slice: slice,
  Softmax: softmax,
  ReduceMean: mean,
} satisfies Readonly<Record<string, Converter>>;
