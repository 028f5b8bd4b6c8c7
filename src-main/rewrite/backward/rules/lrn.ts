/**
 * Down through local response normalisation. Deconvnet and guided pass it by (the paper has no inverse step). The derivative, with
 * s_i = bias + alpha/size * sum over the window W(i) of x_j^2 and y_i = x_i s_i^-beta:
 *   dx_j = g_j s_j^-beta - 2 alpha beta / size * x_j * sum over {i : j in W(i)} of g_i x_i s_i^(-beta-1)
 * Both sums over channels are 1 x 1 convolutions with a banded matrix and its transpose.
 */
import { first, type Rule, type RuleContext } from '../rule.ts';

export const lrn: Rule<'LRN'> = {
  saves: ['input'],
  backward(context) {
    const { node, signal, method, emit, constant } = context;
    if (method.lrn === 'identity') return first(signal);
    const { size, alpha, beta, bias } = node.attributes;
    const x = node.inputs[0]!;
    const scaled = emit('Mul', [bandedSum(context, emit('Mul', [x, x], {}), 'window'), constant(`${node.name}:alpha`, [], Float32Array.of(alpha / size))], {});
    const s = emit('Add', [scaled, constant(`${node.name}:bias`, [], Float32Array.of(bias))], {});
    const direct = emit('Mul', [signal, emit('Pow', [s], { exponent: -beta })], {});
    const inner = emit('Mul', [emit('Mul', [signal, x], {}), emit('Pow', [s], { exponent: -beta - 1 })], {});
    const gathered = emit('Mul', [x, bandedSum(context, inner, 'members')], {});
    const through = emit('Mul', [gathered, constant(`${node.name}:factor`, [], Float32Array.of((2 * alpha * beta) / size))], {});
    return first(emit('Sub', [direct, through], {}));
  },
};

/** Sums over channels: `window` over j in W(i), `members` over the i whose window holds j. */
function bandedSum({ node, shapeOf, emit, constant }: RuleContext<'LRN'>, value: string, which: 'window' | 'members'): string {
  const channels = shapeOf(node.inputs[0]!)[1] as number;
  const before = Math.floor((node.attributes.size - 1) / 2);
  const after = Math.ceil((node.attributes.size - 1) / 2);
  const band = new Float32Array(channels * channels);
  for (let i = 0; i < channels; i++) {
    for (let j = Math.max(0, i - before); j <= Math.min(channels - 1, i + after); j++) band[which === 'window' ? i * channels + j : j * channels + i] = 1;
  }
  return emit('Conv', [value, constant(`${node.name}:${which}`, [channels, channels, 1, 1], band)], {
    kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], group: 1,
  });
}
