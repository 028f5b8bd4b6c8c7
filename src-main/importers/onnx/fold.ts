/**
 * Operators computed at import because all they read is known: on weights (exporters store them reshaped, transposed or in pieces) and on sizes
 * (Shape, Gather, Concat in front of a Reshape). Sizes may hold `batch`; moving it about is fine, computing with it is not.
 */
import { elementCount, stridesOf, type Dimension } from '../../graph/graph.ts';
import { constantOf, dataTypeName, graphDataType, integerVector, numbersOf, type Constant } from './constants.ts';
import { refuse, type Conversion, type Operator } from './conversion.ts';
import { arithmeticFolds, broadcastShape, stridesWithin, type Fold } from './foldArithmetic.ts';
import { constantFrom, gather, pick, pickAlong, positions } from './rearrange.ts';
import { axesOf, normalizeAxis } from './shapes.ts';

/** The operator's value, where it can be computed now. */
export function foldOperator(operator: Operator, conversion: Conversion): Constant | undefined {
  if (operator.type === 'Shape') return foldShape(operator, conversion);
  const fold = folds[operator.type];
  if (!fold || operator.outputs.length > 1 && operator.outputs[1] !== '') return undefined;
  const inputs: Constant[] = [];
  for (const input of operator.inputs) {
    const constant = conversion.constant(input);
    if (!constant) return undefined;
    inputs.push(constant);
  }
  if (inputs.length < (leastInputs[operator.type] ?? 1)) refuse(operator, 'lacks an input');
  const value = fold(operator, inputs, conversion);
  // Each step may make a copy of its input; many of them in a row must not fill the memory.
  if (value && !sharing.has(operator.type)) conversion.spend(operator, elementCount(value.shape));
  return value;
}

/** Types whose values are no copies, or were counted before they were made. */
const sharing = new Set(['Constant', 'ConstantOfShape', 'Identity', 'Dropout', 'Reshape', 'Flatten', 'Unsqueeze', 'Squeeze']);

/** Inputs that an operator cannot do without, where that is not one. */
const leastInputs: Readonly<Record<string, number>> = { Constant: 0, Gather: 2, Expand: 2, Tile: 2, Where: 3, Range: 3, Add: 2, Sub: 2, Mul: 2, Div: 2, Pow: 2, Mod: 2, Equal: 2, Less: 2, Greater: 2, And: 2, Or: 2 };

export const folds: Readonly<Record<string, Fold>> = {
  Constant: foldConstant,
  ConstantOfShape(operator, [sizes], conversion) {
    const shape = numbersOf(sizes!);
    if (!shape) return refuse(operator, 'makes a constant as large as the batch, which is only chosen at run time');
    const count = elementCount(shape);
    if (shape.some((size) => size < 0)) refuse(operator, `makes a constant of ${shape.join(' x ')} values`);
    conversion.spend(operator, count);
    const value = operator.attributes.raw('value')?.t;
    const filler = value ? constantOf(value) : undefined;
    if (filler && filler.dataType !== 'float32') return pick(filler, shape, () => 0);
    return { dataType: 'float32', shape, data: new Float32Array(count).fill(Number(filler?.data[0] ?? 0)) };
  },
  Identity: (_operator, [x]) => x,
  Dropout: (_operator, [x]) => x,
  Cast(operator, [x]) {
    const dataType = operator.attributes.integer('to', 1);
    const target = ['int32', 'int16', 'int8'].includes(dataTypeName(dataType)) ? 'int64' : graphDataType(dataType);
    if (!target) return refuse(operator, `casts to ${dataTypeName(dataType)}`);
    if (target === x!.dataType) return x;
    const numbers = numbersOf(x!);
    if (!numbers) return target === 'bool' ? refuse(operator, 'computes with the batch size, which is only chosen at run time') : { ...x!, dataType: target };
    return constantFrom(target, x!.shape, target === 'bool' ? numbers.map((value) => Number(value !== 0)) : numbers);
  },
  Reshape(operator, [x, target]) {
    const wanted = numbersOf(target ?? integerVector(operator.attributes.integers('shape') ?? []));
    if (!wanted) return refuse(operator, 'shapes a constant by the batch, which is only chosen at run time');
    const keepsZero = operator.attributes.integer('allowzero', 0) === 1;
    const filled = wanted.map((size, axis) => (size === 0 && !keepsZero ? (x!.shape[axis] ?? 0) : size));
    const open = filled.indexOf(-1);
    const known = filled.reduce((product, size) => (size === -1 ? product : product * size), 1);
    if (open >= 0) filled[open] = known === 0 ? 0 : elementCount(x!.shape) / known;
    if (elementCount(filled) !== elementCount(x!.shape)) return refuse(operator, `cannot give ${x!.shape.join(' x ')} values the shape ${wanted.join(' x ')}`);
    return { ...x!, shape: filled };
  },
  Flatten(operator, [x]) {
    const wish = operator.attributes.integer('axis', 1);
    const axis = wish === x!.shape.length ? wish : normalizeAxis(operator, wish, x!.shape.length);
    return { ...x!, shape: [elementCount(x!.shape.slice(0, axis)), elementCount(x!.shape.slice(axis))] };
  },
  Unsqueeze(operator, [x, axesInput]) {
    const axes = axesOf(operator, axesInput, x!.shape.length, 'result') ?? [];
    const shape = [...x!.shape];
    for (const axis of axes) shape.splice(axis, 0, 1);
    return { ...x!, shape };
  },
  Squeeze(operator, [x, axesInput]) {
    const axes = axesOf(operator, axesInput, x!.shape.length, 'operand');
    return { ...x!, shape: x!.shape.filter((size, axis) => (axes ? !axes.includes(axis) : size !== 1)) };
  },
  Transpose(operator, [x]) {
    const rank = x!.shape.length;
    const permutation = operator.attributes.integers('perm') ?? x!.shape.map((_, axis) => rank - 1 - axis);
    const strides = stridesOf(x!.shape);
    return pickAlong(x!, permutation.map((axis) => x!.shape[axis]!), permutation.map((axis) => strides[axis]!), 0);
  },
  Concat(operator, inputs) {
    const [first] = inputs;
    const axis = normalizeAxis(operator, operator.attributes.integer('axis', 1), first!.shape.length);
    const shape = first!.shape.map((size, at) => (at === axis ? inputs.reduce((sum, input) => sum + input.shape[axis]!, 0) : size));
    const before = elementCount(shape.slice(0, axis));
    const elements: (number | bigint | 'batch')[] = [];
    for (let row = 0; row < before; row++) {
      for (const { data, shape: part } of inputs) {
        const length = elementCount(part.slice(axis));
        for (let index = row * length; index < (row + 1) * length; index++) elements.push(data[index]!);
      }
    }
    return gather(first!.dataType, shape, elements);
  },
  Gather(operator, [x, indices], conversion) {
    const axis = normalizeAxis(operator, operator.attributes.integer('axis', 0), x!.shape.length);
    const size = x!.shape[axis]!;
    const wanted = (numbersOf(indices!) ?? []).map((index) => (index < 0 ? index + size : index));
    const after = elementCount(x!.shape.slice(axis + 1));
    const shape = [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)];
    conversion.spend(operator, elementCount(shape));
    return pick(x!, shape, (position) => {
      const inner = position % after;
      const rest = Math.floor(position / after);
      const index = wanted[rest % wanted.length]!;
      return (Math.floor(rest / wanted.length) * size + index) * after + inner;
    });
  },
  Slice: foldSlice,
  ...arithmeticFolds,
  Where(operator, [condition, a, b], conversion) {
    const shape = [condition!, a!, b!].map((each) => each.shape).reduce(broadcastShape);
    conversion.spend(operator, elementCount(shape));
    const [choose, left, right] = [condition!, a!, b!].map((each) => positions(shape, stridesWithin(each.shape, shape), 0));
    return gather(a!.dataType, shape, Array.from({ length: elementCount(shape) }, (_, at) => (condition!.data[choose!(at)] ? a!.data[left!(at)]! : b!.data[right!(at)]!)));
  },
  Expand(operator, [x, target], conversion) {
    const wanted = numbersOf(target!);
    if (!wanted) return refuse(operator, 'repeats a constant once per image of the batch');
    const shape = broadcastShape(x!.shape, wanted);
    conversion.spend(operator, elementCount(shape));
    return pickAlong(x!, shape, stridesWithin(x!.shape, shape), 0);
  },
  Tile(operator, [x, repeats], conversion) {
    const times = numbersOf(repeats!);
    if (!times || times.some((count) => !(count >= 0))) return refuse(operator, 'repeats a constant once per image of the batch');
    const shape = x!.shape.map((size, axis) => size * (times[axis] ?? 1));
    conversion.spend(operator, elementCount(shape));
    const [outer, inner] = [stridesOf(shape), stridesOf(x!.shape)];
    return pick(x!, shape, (at) => shape.reduce((place, size, axis) => place + ((Math.floor(at / outer[axis]!) % size) % x!.shape[axis]!) * inner[axis]!, 0));
  },
  Range(operator, inputs, conversion) {
    const [start, limit, step] = inputs.map((input) => numbersOf(input)?.[0] ?? NaN) as [number, number, number];
    const count = Math.max(0, Math.ceil((limit - start) / step));
    conversion.spend(operator, count);
    return constantFrom(inputs[0]!.dataType, [count], Array.from({ length: count }, (_, index) => start + index * step));
  },
  ReduceProd(operator, [x, axesInput]) {
    const axes = axesOf(operator, axesInput, x!.shape.length, 'operand') ?? x!.shape.map((_, axis) => axis);
    const numbers = numbersOf(x!);
    if (!numbers || axes.length !== x!.shape.length) return refuse(operator, numbers ? 'multiplies over some axes of a constant; only over all of them is supported' : 'computes with the batch size, which is only chosen at run time');
    const shape = operator.attributes.integer('keepdims', 1) === 1 ? x!.shape.map(() => 1) : [];
    return constantFrom(x!.dataType, shape, [numbers.reduce((product, value) => product * value, 1)]);
  },
};

/** The sizes of any value are known but for the batch. */
function foldShape(operator: Operator, conversion: Conversion): Constant {
  const shape = conversion.shapeOf(operator.inputs[0]!);
  const clamp = (index: number): number => Math.min(Math.max(index < 0 ? index + shape.length : index, 0), shape.length);
  const sizes = shape.slice(clamp(operator.attributes.integer('start', 0)), clamp(operator.attributes.integer('end', shape.length)));
  return gather('int64', [sizes.length], sizes.map((size: Dimension) => (size === 'batch' ? size : BigInt(size))));
}

function foldConstant(operator: Operator): Constant {
  const { attributes } = operator;
  const tensor = attributes.raw('value')?.t;
  if (tensor) return constantOf(tensor);
  const floats = attributes.floats('value_floats');
  if (floats) return { dataType: 'float32', shape: [floats.length], data: Float32Array.from(floats) };
  const integers = attributes.integers('value_ints');
  if (integers) return integerVector(integers);
  if (attributes.raw('value_float')) return { dataType: 'float32', shape: [], data: Float32Array.of(attributes.float('value_float', 0)) };
  if (attributes.raw('value_int')) return { dataType: 'int64', shape: [], data: BigInt64Array.of(BigInt(attributes.integer('value_int', 0))) };
  return refuse(operator, 'holds its constant in a form (text or sparse) that no network weights need');
}

function foldSlice(operator: Operator, [x, ...bounds]: readonly Constant[]): Constant {
  const given = (index: number, attribute: string): readonly number[] | undefined => (bounds[index] ? numbersOf(bounds[index]) : operator.attributes.integers(attribute));
  const starts = given(0, 'starts') ?? [];
  const ends = given(1, 'ends') ?? [];
  const axes = given(2, 'axes') ?? starts.map((_, index) => index);
  const steps = given(3, 'steps') ?? starts.map(() => 1);
  const shape = [...x!.shape];
  const strides = stridesOf(x!.shape);
  let offset = 0;
  axes.forEach((wish, index) => {
    const axis = normalizeAxis(operator, wish, shape.length);
    const size = shape[axis]!;
    const step = steps[index]!;
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const clamp = (value: number): number => Math.min(Math.max(value < 0 ? value + size : value, low), high);
    const start = step > 0 ? clamp(starts[index]!) : Math.min(Math.max(starts[index]! < 0 ? starts[index]! + size : starts[index]!, 0), size - 1);
    const end = clamp(ends[index]!);
    shape[axis] = Math.max(0, Math.ceil((end - start) / step));
    offset += start * strides[axis]!;
    strides[axis] = strides[axis]! * step;
  });
  return pickAlong(x!, shape, strides, offset);
}
