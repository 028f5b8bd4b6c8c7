/**
 * Arithmetic on constants at import, with broadcasting: exporters leave it in front of Reshape and Resize. Sizes may hold `batch`, which only what
 * changes nothing (times 1, plus 0) leaves standing.
 */
import { elementCount, stridesOf } from '../../graph/graph.ts';
import { numbersOf, type Constant } from './constants.ts';
import { refuse, type Conversion, type Operator } from './conversion.ts';
import { constantFrom, positions } from './rearrange.ts';

/** Returns the value of the first output, or undefined where this operator must run after all. */
export type Fold = (operator: Operator, inputs: readonly Constant[], conversion: Conversion) => Constant | undefined;

export const arithmeticFolds: Readonly<Record<string, Fold>> = {
  Add: arithmetic((a, b) => a + b, 0),
  Sub: arithmetic((a, b) => a - b, 0),
  Mul: arithmetic((a, b) => a * b, 1),
  Div: arithmetic((a, b, whole) => (whole ? Math.trunc(a / b) : a / b), 1),
  Pow: arithmetic((a, b) => a ** b, 1),
  Mod: arithmetic((a, b) => a - b * Math.floor(a / b)),
  Max: arithmetic((a, b) => Math.max(a, b)),
  Min: arithmetic((a, b) => Math.min(a, b)),
  Equal: arithmetic((a, b) => Number(a === b), undefined, 'bool'),
  Less: arithmetic((a, b) => Number(a < b), undefined, 'bool'),
  Greater: arithmetic((a, b) => Number(a > b), undefined, 'bool'),
  And: arithmetic((a, b) => a && b, undefined, 'bool'),
  Or: arithmetic((a, b) => a || b, undefined, 'bool'),
  Not: (operator, [x]) => foldEach(operator, x!, (value) => 1 - value),
  Sqrt: (operator, [x]) => foldEach(operator, x!, Math.sqrt),
  Neg: (operator, [x]) => foldEach(operator, x!, (value) => -value),
  Abs: (operator, [x]) => foldEach(operator, x!, Math.abs),
  Exp: (operator, [x]) => foldEach(operator, x!, Math.exp),
  Log: (operator, [x]) => foldEach(operator, x!, Math.log),
  Reciprocal: (operator, [x]) => foldEach(operator, x!, (value) => 1 / value),
  Floor: (operator, [x]) => foldEach(operator, x!, Math.floor),
  Ceil: (operator, [x]) => foldEach(operator, x!, Math.ceil),
};

/** Two constants with broadcasting; `neutral` is the right-hand number that leaves even the batch as it is (for Add and Mul the left-hand one, too). */
function arithmetic(compute: (a: number, b: number, whole: boolean) => number, neutral?: number, result?: Constant['dataType']): Fold {
  return (operator, inputs, conversion) => {
    const [a, ...others] = inputs as readonly [Constant, ...Constant[]];
    const twoWays = operator.type === 'Add' || operator.type === 'Mul';
    return others.reduce((left, right): Constant => {
      const shape = broadcastShape(left.shape, right.shape);
      const count = elementCount(shape);
      if (count > left.data.length && count > right.data.length) conversion.spend(operator, count);
      const whole = left.dataType !== 'float32';
      const places = positions(shape, stridesWithin(left.shape, shape), 0);
      const otherPlaces = positions(shape, stridesWithin(right.shape, shape), 0);
      const elements = Array.from({ length: count }, (_, at): number | 'batch' => {
        const [x, y] = [left.data[places(at)]!, right.data[otherPlaces(at)]!];
        if (x !== 'batch' && y !== 'batch') return compute(Number(x), Number(y), whole);
        if (result === 'bool' && operator.type === 'Equal') return Number(x === y);
        if (x === 'batch' && y !== 'batch' && Number(y) === neutral) return x;
        if (y === 'batch' && x !== 'batch' && Number(x) === neutral && twoWays) return y;
        return refuse(operator, 'computes with the batch size, which is only chosen at run time');
      });
      const dataType = result ?? left.dataType;
      if (!elements.includes('batch')) return constantFrom(dataType, shape, elements as number[]);
      return { dataType, shape, data: elements.map((element) => (element === 'batch' ? element : BigInt(Math.trunc(element)))) };
    }, a);
  };
}

/** numpy broadcasting of two shapes of constants. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const sizeAt = (shape: readonly number[], axis: number): number => shape[axis - rank + shape.length] ?? 1;
  return Array.from({ length: rank }, (_, axis) => (sizeAt(a, axis) === 1 ? sizeAt(b, axis) : sizeAt(a, axis)));
}

/** Steps through a constant of shape `own` along the axes of `shape`; 0 where it is repeated. */
export function stridesWithin(own: readonly number[], shape: readonly number[]): number[] {
  const strides = stridesOf(own);
  return shape.map((_, axis) => {
    const at = axis - shape.length + own.length;
    return (own[at] ?? 1) === 1 ? 0 : strides[at]!;
  });
}

function foldEach(operator: Operator, x: Constant, compute: (value: number) => number): Constant {
  const numbers = numbersOf(x);
  if (!numbers) return refuse(operator, 'computes with the batch size, which is only chosen at run time');
  return constantFrom(x.dataType, x.shape, numbers.map(compute));
}
