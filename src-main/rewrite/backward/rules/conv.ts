/**
 * Down through a convolution: the transposed filters, no bias (Zeiler & Fergus, section 2.1 "Filtering"). The output padding makes the transposed
 * convolution reproduce the exact input size: (H + p_begin + p_end - d(k-1) - 1) mod s.
 */
import type { Size2, WindowAttributes } from '../../../graph/ops/attributes.ts';
import { first, type Rule } from '../rule.ts';

export const conv: Rule<'Conv'> = {
  saves: [],
  backward({ node, signal, shapeOf, emit }) {
    const [, , height, width] = shapeOf(node.inputs[0]!) as number[];
    const outputPadding = outputPaddingOf(node.attributes, height!, width!);
    return first(emit('ConvTranspose', [signal, node.inputs[1]!], { ...node.attributes, outputPadding }));
  },
};

export function outputPaddingOf({ kernel, strides, dilations, pads }: WindowAttributes, height: number, width: number): Size2 {
  return [
    (height + pads[0] + pads[2] - dilations[0] * (kernel[0] - 1) - 1) % strides[0],
    (width + pads[1] + pads[3] - dilations[1] * (kernel[1] - 1) - 1) % strides[1],
  ];
}
