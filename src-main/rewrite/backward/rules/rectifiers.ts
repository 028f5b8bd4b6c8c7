/**
 * Down through the ReLU family (ReLU, LeakyReLU, Clip): where the methods differ. Slopes at x = 0: 0 for ReLU, alpha for LeakyReLU; Clip has slope 1
 * strictly between its bounds, 0 at and beyond them.
 */
import type { OpKind } from '../../../graph/ops/attributes.ts';
import { first, type Rule, type RuleContext } from '../rule.ts';

export const relu: Rule<'Relu'> = {
  saves: ['input'],
  backward: (context) => first(rectify(context, (signal) => maskAbove(context, signal, 0))),
};

export const leakyRelu: Rule<'LeakyRelu'> = {
  saves: ['input'],
  backward: (context) =>
    first(
      rectify(context, (signal) => {
        const { node, emit, constant } = context;
        const { alpha } = node.attributes;
        const above = emit('Greater', [node.inputs[0]!], { threshold: 0 });
        const damped = emit('Mul', [signal, constant(`slope ${alpha}`, [], Float32Array.of(alpha))], {});
        return emit('Where', [above, signal, damped], {});
      }),
    ),
};

export const clip: Rule<'Clip'> = {
  saves: ['input'],
  backward: (context) =>
    first(
      rectify(context, (signal) => {
        const { node, emit, constant } = context;
        const { minimum, maximum } = node.attributes;
        let masked = signal;
        if (minimum !== -Infinity) masked = maskAbove(context, masked, minimum);
        if (maximum !== Infinity) {
          const negated = emit('Mul', [node.inputs[0]!, constant('minus one', [], Float32Array.of(-1))], {});
          const below = emit('Greater', [negated], { threshold: -maximum });
          masked = emit('Where', [below, masked, constant('zero', [], Float32Array.of(0))], {});
        }
        return masked;
      }),
    ),
};

/** Applies the method's row: positive signals only, the forward derivative, or both. */
function rectify<K extends OpKind>(context: RuleContext<K>, derivative: (signal: string) => string): string {
  const { method, emit } = context;
  const kept = method.rectifySignal ? emit('Relu', [context.signal], {}) : context.signal;
  return method.maskByForward ? derivative(kept) : kept;
}

function maskAbove<K extends OpKind>({ node, emit, constant }: RuleContext<K>, signal: string, threshold: number): string {
  const above = emit('Greater', [node.inputs[0]!], { threshold });
  return emit('Where', [above, signal, constant('zero', [], Float32Array.of(0))], {});
}
