/** Axes and shapes as ONNX counts them (negative from the end), and the rule that keeps the batch apart when a value is reshaped. */
import type { Dimension, Shape } from '../../graph/graph.ts';
import { shapeText } from '../../graph/ops/spec.ts';
import { numbersOf, type Constant } from './constants.ts';
import { refuse, type Operator } from './conversion.ts';

/** Axis 0..rank-1 from one that may be negative. */
export function normalizeAxis(operator: Operator, axis: number, rank: number): number {
  const settled = axis < 0 ? axis + rank : axis;
  if (settled < 0 || settled >= rank) refuse(operator, `names axis ${axis} of a value with ${rank} axes`);
  return settled;
}

/**
 * The axes of Squeeze or Unsqueeze, ascending: from the second input (opset 13 on) or the attribute; undefined where none are given.
 * `of` says what they count in: the operand, or the result, which has as many axes more.
 */
export function axesOf(operator: Operator, input: Constant | undefined, rank: number, of: 'operand' | 'result'): readonly number[] | undefined {
  const axes = input ? numbersOf(input) : operator.attributes.integers('axes');
  if (!axes) return undefined;
  const counted = of === 'result' ? rank + axes.length : rank;
  return axes.map((axis) => normalizeAxis(operator, axis, counted)).sort((a, b) => a - b);
}

/** One size for several axes; `batch` only by itself. */
export function joinedSize(operator: Operator, part: Shape): number | 'batch' {
  const size = part.reduce<number>((product, dimension) => (dimension === 'batch' ? product : product * dimension), 1);
  if (!part.includes('batch')) return size;
  return size === 1 ? 'batch' : refuse(operator, `joins the batch with other axes (${shapeText(part)})`);
}

/** What a shape holds apart from the batch, and how much of it stands before the batch. */
interface Split {
  readonly count: number;
  readonly before: number;
}

function splitOf(shape: Shape): Split {
  const batch = shape.indexOf('batch');
  const product = (part: Shape): number => part.reduce<number>((result, size) => (size === 'batch' ? result : result * size), 1);
  return { count: product(shape), before: batch < 0 ? 1 : product(shape.slice(0, batch)) };
}

/**
 * The shape that a Reshape target means for any batch. The target may hold 0 (keep this size), one -1 (what is left), `batch`, or the batch
 * that the file was made with. Undefined where the target mixes the batch with other sizes, so that no such shape exists.
 */
export function settleReshape(from: Shape, target: readonly Dimension[], fileBatch: number, keepsZero: boolean): Shape | undefined {
  const wanted = target.map((size, axis) => (size === 0 && !keepsZero ? (from[axis] ?? 0) : size));
  const { count, before } = splitOf(from);
  if (!from.includes('batch')) return solve(wanted, count);
  const candidates = wanted.includes('batch') ? [wanted] : batchPlaces(wanted, fileBatch);
  for (const candidate of candidates) {
    const shape = solve(candidate, count);
    if (shape && splitOf(shape).before === before) return shape;
  }
  return undefined;
}

/** The target with `batch` put in place of each size that may stand for it, the first axis first. */
function batchPlaces(wanted: readonly Dimension[], fileBatch: number): Dimension[][] {
  const places = wanted.flatMap((size, axis) => (size === -1 || size === fileBatch || (fileBatch === 0 && axis === 0) ? [axis] : []));
  return places.map((place) => wanted.map((size, axis) => (axis === place ? 'batch' : size)));
}

/** Puts the one open size in; undefined where the elements do not fit. */
function solve(wanted: readonly Dimension[], count: number): Shape | undefined {
  const open = wanted.indexOf(-1);
  const known = wanted.reduce<number>((product, size) => (size === 'batch' || size === -1 ? product : product * size), 1);
  if (open < 0) return known === count ? wanted : undefined;
  if (known === 0 || count % known !== 0 || wanted.indexOf(-1, open + 1) >= 0) return undefined;
  return wanted.map((size) => (size === -1 ? count / known : size));
}
