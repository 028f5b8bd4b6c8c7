/**
 * What the graph needs to know of an op kind: the shapes it makes, and how it moves a receptive field. One OpSpec per kind, one file each;
 * `specs.ts` gathers them so that a forgotten op does not compile.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { DataType, Dimension, Shape } from '../graph.ts';
import type { OpAttributes, OpKind, WindowAttributes } from './attributes.ts';

export interface OperandType {
  readonly dataType: DataType;
  readonly shape: Shape;
}

/**
 * How a unit of the output sees the (first) input, per axis: a sliding window in input steps, the same position, or all of it.
 * `inputs`: which operands carry the image's field (weights never do).
 */
export type FieldStep =
  | { readonly kind: 'same' }
  | { readonly kind: 'whole' }
  | { readonly kind: 'window'; readonly size: readonly [number, number]; readonly stride: readonly [number, number]; readonly offset: readonly [number, number] };

export interface OpSpec<K extends OpKind> {
  /** Types of the outputs; throws AppError UNSUPPORTED with a sentence about the shapes where they do not fit. `''` operands are undefined. */
  infer(operands: readonly (OperandType | undefined)[], attributes: OpAttributes[K], outputs: number): readonly OperandType[];
  /** Receptive-field step from output to input `operand`. */
  field(attributes: OpAttributes[K], operands: readonly (OperandType | undefined)[], operand: number): FieldStep;
}

export function required(operands: readonly (OperandType | undefined)[], index: number): OperandType {
  const operand = operands[index];
  if (!operand) throw new AppError('UNSUPPORTED', `input ${index + 1} is missing`);
  return operand;
}

/** A feature map operand as `[N, C, H, W]`. */
export function featureMap(operand: OperandType): readonly [Dimension, number, number, number] {
  const [batch, channels, height, width] = operand.shape;
  if (operand.shape.length !== 4 || typeof channels !== 'number' || typeof height !== 'number' || typeof width !== 'number') {
    throw new AppError('UNSUPPORTED', `expected a feature map [N, C, H, W], got ${shapeText(operand.shape)}`);
  }
  return [batch!, channels, height, width];
}

export function shapeText(shape: Shape): string {
  return `[${shape.map((dimension) => (dimension === 'batch' ? 'N' : dimension)).join(', ')}]`;
}

/** Sizes after a sliding window; refuses windows that fit nowhere. */
export function windowOutput(height: number, width: number, attributes: WindowAttributes): [number, number] {
  const [top, left, bottom, right] = attributes.pads;
  const rows = steps(height + top + bottom, attributes.kernel[0], attributes.strides[0], attributes.dilations[0]);
  const columns = steps(width + left + right, attributes.kernel[1], attributes.strides[1], attributes.dilations[1]);
  if (rows < 1 || columns < 1) {
    throw new AppError('UNSUPPORTED', `a ${attributes.kernel.join(' x ')} window does not fit into ${height} x ${width} with pads ${attributes.pads.join(', ')}`);
  }
  return [rows, columns];
}

function steps(padded: number, kernel: number, stride: number, dilation: number): number {
  return Math.floor((padded - (dilation * (kernel - 1) + 1)) / stride) + 1;
}

/** Field step of a sliding window: it starts at stride * y - top and spans the dilated kernel. */
export function windowField(attributes: WindowAttributes): FieldStep {
  const { kernel, strides, dilations, pads } = attributes;
  return {
    kind: 'window',
    size: [dilations[0] * (kernel[0] - 1) + 1, dilations[1] * (kernel[1] - 1) + 1],
    stride: strides,
    offset: [-pads[0], -pads[1]],
  };
}

/** numpy broadcasting of two shapes. */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const result: Dimension[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left === right || right === 1) result.push(left);
    else if (left === 1) result.push(right);
    else throw new AppError('UNSUPPORTED', `shapes ${shapeText(a)} and ${shapeText(b)} do not broadcast`);
  }
  return result;
}

/** Elementwise ops keep the first operand's type and place. */
export function elementwise<K extends OpKind>(dataType?: DataType): OpSpec<K> {
  return {
    infer: (operands) => [{ dataType: dataType ?? required(operands, 0).dataType, shape: required(operands, 0).shape }],
    field: () => ({ kind: 'same' }),
  };
}

/** Two operands with numpy broadcasting; an operand that is 1 x 1 where the result is larger was seen whole. */
export function broadcasting<K extends OpKind>(first: number): OpSpec<K> {
  return {
    infer: (operands) => [
      { dataType: required(operands, first).dataType, shape: operands.map((_, index) => required(operands, index).shape).reduce(broadcastShapes) },
    ],
    field: (_attributes, operands, operand) => (isStretched(operands, operand) ? { kind: 'whole' } : { kind: 'same' }),
  };
}

/** Whether an operand has one row or column where another has more: its place says nothing about the result's. */
function isStretched(operands: readonly (OperandType | undefined)[], operand: number): boolean {
  const size = (at: number, fromEnd: number) => operands[at]?.shape.at(-fromEnd) ?? 1;
  return [1, 2].some((fromEnd) => size(operand, fromEnd) === 1 && operands.some((_, other) => size(other, fromEnd) !== 1));
}
