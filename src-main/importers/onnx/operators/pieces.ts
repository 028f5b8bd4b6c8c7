/**
 * Converters of ONNX operators that take pieces of a value: Slice, Split, Gather. On height and width every other position is a max pool with a
 * 1 x 1 window; on other axes single pieces are joined again, so that positions keep their place.
 */
import { shapeText } from '../../../graph/ops/spec.ts';
import { numbersOf } from '../constants.ts';
import { optionalConstant, refuse, requiredConstant, runStages, type Conversion, type Converter, type Operator, type Stage } from '../conversion.ts';
import { normalizeAxis } from '../shapes.ts';

/** One stretch of one axis, half-open. */
interface Piece {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
}

/** Pieces that one operator may fall into: a node each. */
const mostPieces = 4096;

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

/** Axis by axis: a stretch, or every so-manieth place. */
const slice: Converter = (operator, conversion) => {
  const [x] = operator.inputs as readonly [string];
  const shape = conversion.shapeOf(x);
  const given = (index: number, name: string): readonly number[] | undefined => {
    const constant = optionalConstant(operator, conversion, index, name);
    return constant ? (numbersOf(constant) ?? refuse(operator, `takes its ${name} from the batch size`)) : operator.attributes.integers(name);
  };
  const starts = given(1, 'starts') ?? refuse(operator, 'gives no starts');
  const ends = given(2, 'ends') ?? refuse(operator, 'gives no ends');
  const axes = given(3, 'axes') ?? starts.map((_, index) => index);
  const steps = given(4, 'steps') ?? starts.map(() => 1);
  const stages = axes.flatMap((wish, index) => {
    const axis = normalizeAxis(operator, wish, shape.length);
    const [start, end, step] = [starts[index] ?? refuse(operator, 'has fewer starts than axes'), ends[index] ?? refuse(operator, 'has fewer ends than axes'), steps[index] ?? 1];
    const size = shape[axis]!;
    if (size === 'batch') {
      if (start === 0 && end >= 2 ** 31 - 1 && step === 1) return [];
      return refuse(operator, 'takes a part of the batch');
    }
    return taken(operator, conversion, axis, size, placesOf(operator, size, start, end, step), shape.length);
  });
  runStages(operator, conversion, stages);
};

/** Places that a Slice takes, in order, `step` apart. */
interface Places {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** Bounds beyond the axis are cut to it, negative ones count from its end. */
function placesOf(operator: Operator, size: number, start: number, end: number, step: number): Places {
  if (step === 0) return refuse(operator, 'has a step of 0');
  const counted = (value: number): number => (value < 0 ? value + size : value);
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const [first, stop] = [start, end].map((value) => Math.min(Math.max(counted(value), low), high)) as [number, number];
  const count = Math.ceil((stop - first) / step);
  return count > 0 ? { first, step, count } : refuse(operator, 'takes nothing: its result would be empty');
}

/** The given places of an axis of `size`, as one stretch, a strided pool, or pieces joined again. */
function taken(operator: Operator, conversion: Conversion, axis: number, size: number, places: Places, rank: number): readonly Stage[] {
  const { first, count } = places;
  const step = count > 1 ? places.step : 1;
  const end = first + (count - 1) * step + 1;
  if (step === 1 && count === size) return [];
  if (step < 1 || (step > 1 && (rank !== 4 || axis < 2))) {
    if (count > mostPieces) refuse(operator, `takes ${count} separate pieces of axis ${axis}; up to ${mostPieces} are supported`);
    return [gathered(operator, conversion, axis, Array.from({ length: count }, (_, index) => first + index * step))];
  }
  const stretch: Stage = (x, output) => conversion.add('Slice', [x], { axis, start: first, end }, [output]);
  const every: Stage = (x, output) =>
    conversion.add('MaxPool', [x], { kernel: [1, 1], strides: axis === 2 ? [step, 1] : [1, step], dilations: [1, 1], pads: [0, 0, 0, 0] }, [output]);
  const cuts = first !== 0 || end !== size;
  return [...(cuts ? [stretch] : []), ...(step > 1 ? [every] : [])];
}

/** Any places of an axis: runs of neighbours are cut out and joined in the wanted order. */
function gathered(operator: Operator, conversion: Conversion, axis: number, places: readonly number[]): Stage {
  const pieces: Piece[] = [];
  for (const place of places) {
    const last = pieces.at(-1);
    if (last?.end === place) pieces[pieces.length - 1] = { ...last, end: place + 1 };
    else pieces.push({ axis, start: place, end: place + 1 });
  }
  if (pieces.length > mostPieces) refuse(operator, `takes ${pieces.length} separate pieces of axis ${axis}; up to ${mostPieces} are supported`);
  const [only] = pieces;
  return (x, output) => {
    if (pieces.length === 1) return conversion.add('Slice', [x], only!, [output]);
    const parts = pieces.map((piece, index) => conversion.step('Slice', [x], piece, `piece${index + 1}`));
    conversion.add('Concat', parts, { axis }, [output]);
  };
}

/** Fixed places of one axis; a single number as index removes the axis. */
const gather: Converter = (operator, conversion) => {
  const [x] = operator.inputs as readonly [string];
  const shape = conversion.shapeOf(x);
  const axis = normalizeAxis(operator, operator.attributes.integer('axis', 0), shape.length);
  const indices = requiredConstant(operator, conversion, 1, 'indices');
  const size = shape[axis];
  if (typeof size !== 'number') return refuse(operator, 'picks images from the batch');
  const places = (numbersOf(indices) ?? refuse(operator, 'picks by the batch size')).map((place) => (place < 0 ? place + size : place));
  const outside = places.find((place) => !(place >= 0 && place < size));
  if (outside !== undefined || places.length === 0) return refuse(operator, `picks ${outside === undefined ? 'nothing' : `place ${outside}`} of axis ${axis} of ${shapeText(shape)}`);
  const settled = [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)];
  const arranged: Stage = (value, output) => conversion.add('Reshape', [value], { shape: settled }, [output]);
  runStages(operator, conversion, [gathered(operator, conversion, axis, places), ...(indices.shape.length === 1 ? [] : [arranged])]);
};

export const pieceConverters = { Split: split, Slice: slice, Gather: gather } satisfies Readonly<Record<string, Converter>>;
