/** Down through ops that only move values: reshape, transpose, concat, slice, pad, identity, sums over axes. */
import { AppError } from '../../../../src-shared/errors.ts';
import type { Pads } from '../../../graph/ops/attributes.ts';
import { first, type Rule, type RuleContext } from '../rule.ts';

export const identity: Rule<'Identity'> = { saves: [], backward: ({ signal }) => first(signal) };

export const reshape: Rule<'Reshape'> = {
  saves: [],
  backward: ({ node, signal, shapeOf, emit }) => first(emit('Reshape', [signal], { shape: shapeOf(node.inputs[0]!) })),
};

export const transpose: Rule<'Transpose'> = {
  saves: [],
  backward({ node, signal, emit }) {
    const permutation: number[] = [];
    node.attributes.permutation.forEach((from, to) => (permutation[from] = to));
    return first(emit('Transpose', [signal], { permutation }));
  },
};

export const concat: Rule<'Concat'> = {
  saves: [],
  backward({ node, signal, wants, shapeOf, emit }) {
    const { axis } = node.attributes;
    const signals = new Map<number, string>();
    let start = 0;
    node.inputs.forEach((input, index) => {
      const end = start + (shapeOf(input)[axis] as number);
      if (wants(index)) signals.set(index, emit('Slice', [signal], { axis, start, end }));
      start = end;
    });
    return signals;
  },
};

export const slice: Rule<'Slice'> = {
  saves: [],
  backward(context) {
    const { node, signal, shapeOf, emit } = context;
    const { axis, start, end } = node.attributes;
    const shape = shapeOf(node.inputs[0]!);
    const after = (shape[axis] as number) - end;
    if (shape.length !== 4 || axis === 0) throw new AppError('UNSUPPORTED', `Slice ${JSON.stringify(node.name)} along axis ${axis} of ${shape.length} dimensions cannot be projected through.`);
    if (axis === 2) return first(zeroPad(context, signal, [start, 0, after, 0]));
    if (axis === 3) return first(zeroPad(context, signal, [0, start, 0, after]));
    // Channels are padded as rows: the op pads the two last axes only.
    const asRows = emit('Transpose', [signal], { permutation: [0, 2, 1, 3] });
    return first(emit('Transpose', [zeroPad(context, asRows, [start, 0, after, 0])], { permutation: [0, 2, 1, 3] }));
  },
};

export const pad: Rule<'Pad'> = {
  saves: [],
  backward({ node, signal, shapeOf, emit }) {
    const [top, left] = node.attributes.pads;
    const [, , height, width] = shapeOf(node.inputs[0]!) as number[];
    const rows = emit('Slice', [signal], { axis: 2, start: top, end: top + height! });
    return first(emit('Slice', [rows], { axis: 3, start: left, end: left + width! }));
  },
};

export const reduceSum: Rule<'ReduceSum'> = {
  saves: [],
  backward({ node, signal, shapeOf, emit, constant }) {
    const shape = shapeOf(node.inputs[0]!).map((dimension, axis) => (node.attributes.axes.includes(axis) && dimension !== 'batch' ? dimension : 1));
    const ones = constant(`${node.name}:ones`, shape, new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(1));
    return first(emit('Mul', [signal, ones], {}));
  },
};

function zeroPad({ emit }: RuleContext<'Slice'>, signal: string, pads: Pads): string {
  return emit('Pad', [signal], { pads, value: 0 });
}
