/**
 * Down through the ReLU family (ReLU, LeakyReLU, PReLU, Clip): where the methods differ. Slopes at x = 0: 0 for ReLU, the lower one for LeakyReLU and
 * PReLU; Clip has slope 1 strictly between its bounds, 0 at and beyond them.
 */
import type { OpKind } from '../../../graph/ops/attributes.ts';
import { first, type Rule, type RuleContext } from '../rule.ts';

/** The kinds that a method gives a row of its own; every other nonlinearity is walked by its derivative. */
export const rectifierKinds: ReadonlySet<OpKind> = new Set<OpKind>(['Relu', 'LeakyRelu', 'PRelu', 'Clip']);

export const relu: Rule<'Relu'> = {
  saves: ['input'],
  backward: (context) => first(rectify(context, (signal) => maskAbove(context, signal, 0))),
};

export const leakyRelu: Rule<'LeakyRelu'> = {
  saves: ['input'],
  backward(context) {
    const { alpha } = context.node.attributes;
    return first(rectify(context, (signal) => slopedBelow(context, signal, context.constant(`slope ${alpha}`, [], Float32Array.of(alpha)))));
  },
};

export const prelu: Rule<'PRelu'> = {
  saves: ['input'],
  backward: (context) => first(rectify(context, (signal) => slopedBelow(context, signal, context.node.inputs[1]!))),
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

/** The signal where x is above 0, times the slope elsewhere. */
function slopedBelow<K extends OpKind>({ node, emit }: RuleContext<K>, signal: string, slope: string): string {
  const above = emit('Greater', [node.inputs[0]!], { threshold: 0 });
  return emit('Where', [above, signal, emit('Mul', [signal, slope], {})], {});
}

function maskAbove<K extends OpKind>({ node, emit, constant }: RuleContext<K>, signal: string, threshold: number): string {
  const above = emit('Greater', [node.inputs[0]!], { threshold });
  return emit('Where', [above, signal, constant('zero', [], Float32Array.of(0))], {});
}
