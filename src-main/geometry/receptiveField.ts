/**
 * Receptive fields over any graph (method.md section 4): (size, stride, offset) composed along each path from the image, the union over several paths.
 * Offsets go negative with padding. A value that sees everything (gemm, global pooling) has size [H, W] and stride and offset [0, 0].
 */
import type { Box, ReceptiveField } from '../../src-shared/domain/geometry.ts';
import { valueOf, type Graph } from '../graph/graph.ts';
import type { OpAttributes, OpKind } from '../graph/ops/attributes.ts';
import type { FieldStep } from '../graph/ops/spec.ts';
import { specOf } from '../graph/ops/specs.ts';

/** Receptive field of every value that depends on the image, by value name. */
export function receptiveFields(graph: Graph, imageInput: string): ReadonlyMap<string, ReceptiveField> {
  const [, , height, width] = valueOf(graph, imageInput).shape as number[];
  const whole: ReceptiveField = { size: [height!, width!], stride: [0, 0], offset: [0, 0] };
  const fields = new Map<string, ReceptiveField>([[imageInput, { size: [1, 1], stride: [1, 1], offset: [0, 0] }]]);
  for (const node of graph.nodes) {
    const operands = node.inputs.map((input) => (input === '' ? undefined : valueOf(graph, input)));
    let union: ReceptiveField | undefined;
    node.inputs.forEach((input, index) => {
      const field = fields.get(input);
      if (!field) return;
      const step = specOf(node.kind).field(node.attributes as OpAttributes[OpKind], operands, index);
      const reached = compose(field, step, whole);
      union = union ? unite(union, reached, whole) : reached;
    });
    if (union) for (const output of node.outputs) if (output !== '') fields.set(output, union);
  }
  return fields;
}

function compose(field: ReceptiveField, step: FieldStep, whole: ReceptiveField): ReceptiveField {
  if (step.kind === 'same') return field;
  if (step.kind === 'whole') return whole;
  const axis = (at: 0 | 1) => ({
    size: field.size[at] + (step.size[at] - 1) * field.stride[at],
    stride: field.stride[at] * step.stride[at],
    offset: field.offset[at] + step.offset[at] * field.stride[at],
  });
  const [rows, columns] = [axis(0), axis(1)];
  return { size: [rows.size, columns.size], stride: [rows.stride, columns.stride], offset: [rows.offset, columns.offset] };
}

/** The smallest window that holds both; paths whose strides differ see, together, everything. */
function unite(a: ReceptiveField, b: ReceptiveField, whole: ReceptiveField): ReceptiveField {
  if (a.stride.join() !== b.stride.join()) return whole;
  const axis = (at: 0 | 1) => {
    const offset = Math.min(a.offset[at], b.offset[at]);
    return { offset, size: Math.max(a.offset[at] + a.size[at], b.offset[at] + b.size[at]) - offset };
  };
  const [rows, columns] = [axis(0), axis(1)];
  return { size: [rows.size, columns.size], stride: a.stride, offset: [rows.offset, columns.offset] };
}

/** The whole window of unit (y, x) in input pixels, half-open; it may reach outside the input. Rational strides are widened to whole pixels. */
export function unitWindow(field: ReceptiveField, y: number, x: number): Box {
  const top = field.offset[0] + y * field.stride[0];
  const left = field.offset[1] + x * field.stride[1];
  return [Math.floor(top), Math.floor(left), Math.ceil(top + field.size[0]), Math.ceil(left + field.size[1])];
}

/** The part of a window inside an input of `height` x `width`: the unit's `box`. */
export function clipBox([y0, x0, y1, x1]: Box, height: number, width: number): Box {
  return [clamp(y0, height), clamp(x0, width), clamp(y1, height), clamp(x1, width)];
}

function clamp(value: number, limit: number): number {
  return Math.min(Math.max(value, 0), limit);
}
