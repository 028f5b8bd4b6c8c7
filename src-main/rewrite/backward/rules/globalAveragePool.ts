/** Down through the mean over positions: an equal share for each. */
import { first, type Rule } from '../rule.ts';

export const globalAveragePool: Rule<'GlobalAveragePool'> = {
  saves: [],
  backward({ node, signal, shapeOf, emit, constant }) {
    const [, , height, width] = shapeOf(node.inputs[0]!) as number[];
    const shares = new Float32Array(height! * width!).fill(1 / (height! * width!));
    return first(emit('Mul', [signal, constant(`${node.name}:shares`, [1, 1, height!, width!], shares)], {}));
  },
};
