/** Ops that are walked by their plain derivative under every method. */
import { first, type Rule } from '../rule.ts';

export const pow: Rule<'Pow'> = {
  saves: ['input'],
  backward({ node, signal, emit, constant }) {
    const { exponent } = node.attributes;
    const raised = emit('Pow', [node.inputs[0]!], { exponent: exponent - 1 });
    const slope = emit('Mul', [raised, constant(`${node.name}:exponent`, [], Float32Array.of(exponent))], {});
    return first(emit('Mul', [signal, slope], {}));
  },
};
