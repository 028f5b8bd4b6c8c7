/** Down through a transposed convolution: the plain convolution with the same weights. */
import { first, type Rule } from '../rule.ts';

export const convTranspose: Rule<'ConvTranspose'> = {
  saves: [],
  backward({ node, signal, emit }) {
    const { kernel, strides, dilations, pads, group } = node.attributes;
    return first(emit('Conv', [signal, node.inputs[1]!], { kernel, strides, dilations, pads, group }));
  },
};
