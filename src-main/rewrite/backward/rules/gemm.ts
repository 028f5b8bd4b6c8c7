/** Down through a fully connected layer: the transposed matrix, no bias. */
import { first, type Rule } from '../rule.ts';

export const gemm: Rule<'Gemm'> = {
  saves: [],
  backward: ({ node, signal, emit }) => first(emit('Gemm', [signal, node.inputs[1]!, ''], { transposeB: !node.attributes.transposeB })),
};
