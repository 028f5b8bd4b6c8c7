/**
 * What one unit needs of every value below it: a stretch of rows and columns whose size is the same for all units of a layer and whose start moves with
 * the unit's position (method.md section 4: the unit depends on its receptive field only). Stretches may reach outside a value: there the real network
 * has padding.
 */
import { valueOf, type Graph, type Node } from '../../graph/graph.ts';
import type { OpAttributes, OpKind } from '../../graph/ops/attributes.ts';
import { specOf } from '../../graph/ops/specs.ts';

/** Along one axis: unit position p needs `[stride * p + offset, stride * p + offset + size)`. */
export interface Stretch {
  readonly stride: number;
  readonly offset: number;
  readonly size: number;
}

/** Rows, then columns. */
export type Range = readonly [Stretch, Stretch];

/** Ops that compute each output position from the same place, or a sliding window, of their inputs. */
const windowable: ReadonlySet<OpKind> = new Set<OpKind>([
  'Conv', 'MaxPool', 'AveragePool', 'Pad', 'Relu', 'LeakyRelu', 'PRelu', 'Elu', 'ThresholdedRelu', 'Sigmoid', 'HardSigmoid', 'HardSwish', 'Tanh', 'Softplus', 'Erf', 'Log',
  'Clip', 'LRN', 'BatchNormalization', 'Add', 'Sub', 'Mul', 'Pow', 'Concat', 'Slice', 'Identity',
]);

/**
 * The range of every value on the way from the image to `layer`, by value name; undefined where some op on the way sees more than a window (a gemm, a
 * global pool) or moves positions by fractions.
 */
export function neededRanges(forward: Graph, layer: string, onPath: ReadonlySet<string>): ReadonlyMap<string, Range> | undefined {
  if (valueOf(forward, layer).shape.length !== 4) return undefined;
  const unit: Stretch = { stride: 1, offset: 0, size: 1 };
  const ranges = new Map<string, Range>([[layer, [unit, unit]]]);
  for (let index = forward.nodes.length - 1; index >= 0; index--) {
    const node = forward.nodes[index]!;
    const range = ranges.get(node.outputs[0]!);
    if (!range || !onPath.has(node.outputs[0]!)) continue;
    if (!isWindowable(forward, node, onPath)) return undefined;
    for (const [operand, input] of node.inputs.entries()) {
      if (!onPath.has(input)) continue;
      const needed = operandRange(forward, node, operand, range);
      const united = needed && unite(ranges.get(input), needed);
      if (!united) return undefined;
      ranges.set(input, united);
    }
  }
  return ranges;
}

/** The stretch of an operand that a node needs for a range of its output; undefined where it is no window. */
export function operandRange(forward: Graph, node: Node, operand: number, [rows, columns]: Range): Range | undefined {
  const operands = node.inputs.map((input) => (input === '' ? undefined : valueOf(forward, input)));
  const step = specOf(node.kind).field(node.attributes as OpAttributes[OpKind], operands, operand);
  if (step.kind === 'whole') return undefined;
  if (step.kind === 'same') return [rows, columns];
  const along = (stretch: Stretch, axis: 0 | 1): Stretch => ({
    stride: stretch.stride * step.stride[axis],
    offset: stretch.offset * step.stride[axis] + step.offset[axis],
    size: (stretch.size - 1) * step.stride[axis] + step.size[axis],
  });
  return [along(rows, 0), along(columns, 1)];
}

function isWindowable(forward: Graph, node: Node, onPath: ReadonlySet<string>): boolean {
  if (!windowable.has(node.kind)) return false;
  if (node.kind === 'Concat') return node.attributes.axis === 1;
  if (node.kind === 'Slice') return node.attributes.axis === 1;
  // A constant that differs from position to position would have to be cut like the image.
  return node.inputs.every((input, operand) => {
    if (input === '' || (operand === 0 && onPath.has(input)) || node.kind === 'Conv' || node.kind === 'BatchNormalization') return true;
    const { shape } = valueOf(forward, input);
    return onPath.has(input) ? shape.length === 4 : forward.tensors.has(input) && (shape.at(-1) ?? 1) === 1 && (shape.at(-2) ?? 1) === 1;
  });
}

function unite(a: Range | undefined, b: Range): Range | undefined {
  if (!a) return b;
  const along = (left: Stretch, right: Stretch): Stretch | undefined => {
    if (left.stride !== right.stride) return undefined;
    const offset = Math.min(left.offset, right.offset);
    return { stride: left.stride, offset, size: Math.max(left.offset + left.size, right.offset + right.size) - offset };
  };
  const rows = along(a[0], b[0]);
  const columns = along(a[1], b[1]);
  return rows && columns && [rows, columns];
}
