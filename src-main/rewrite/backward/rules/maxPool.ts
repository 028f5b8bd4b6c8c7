/** Down through max pooling: unpool by this image's switches, summing where windows share their winner (Zeiler & Fergus, "Unpooling"). */
import { first, type Rule } from '../rule.ts';

export const maxPool: Rule<'MaxPool'> = {
  saves: ['switches'],
  backward({ node, signal, switches, shapeOf, emit }) {
    const [, , height, width] = shapeOf(node.inputs[0]!) as number[];
    return first(emit('Unpool', [signal, switches], { height: height!, width: width! }));
  },
};
