/**
 * Down through max pooling: unpool by this image's switches, summing where windows share their winner (Zeiler & Fergus, "Unpooling"). Without switches each
 * signal goes to the centre of its window, of the part inside the input: rows and columns can be placed one after the other, each by a matrix of zeros and ones.
 */
import type { WindowAttributes } from '../../../graph/ops/attributes.ts';
import { first, type Rule, type RuleContext } from '../rule.ts';

export const maxPool: Rule<'MaxPool'> = {
  saves: ['switches'],
  backward(context) {
    const { node, method, signal, switches, shapeOf, emit } = context;
    if (method.unpool === 'centre') return first(placed(context, placed(context, signal, 0), 1));
    const [, , height, width] = shapeOf(node.inputs[0]!) as number[];
    return first(emit('Unpool', [signal, switches], { height: height!, width: width! }));
  },
};

/** Spreads the signal along one spatial axis to the centres of its windows. */
function placed({ node, shapeOf, emit, constant }: RuleContext<'MaxPool'>, signal: string, axis: 0 | 1): string {
  const size = shapeOf(node.inputs[0]!)[axis + 2] as number;
  const steps = shapeOf(node.outputs[0]!)[axis + 2] as number;
  const matrix = new Float32Array(size * steps);
  for (let at = 0; at < steps; at++) {
    const centre = centreOf(node.attributes, axis, at, size);
    if (centre !== undefined) matrix[centre * steps + at] = 1;
  }
  return emit('SpatialLinear', [signal, constant(`${node.name}:centres:${axis}`, [size, steps], matrix)], {
    axis: axis === 0 ? 2 : 3,
    size,
    // Each input position looks at the windows over it; the field of a backward pass is never asked for.
    window: { size: steps, stride: 0, offset: 0 },
  });
}

/** The middle one of a window's taps that lie inside the input; of an even number the first of the two. A window in the padding alone has none. */
function centreOf({ kernel, strides, dilations, pads }: WindowAttributes, axis: 0 | 1, at: number, size: number): number | undefined {
  const taps = Array.from({ length: kernel[axis] }, (_, tap) => at * strides[axis] - pads[axis] + tap * dilations[axis]).filter((position) => position >= 0 && position < size);
  return taps[Math.floor((taps.length - 1) / 2)];
}
