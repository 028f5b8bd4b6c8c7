/**
 * Down through sums, products and choices. A sum sends the signal to both branches; a value that was broadcast gathers it again. In a product of two computed
 * values the derivative goes to both, and a value multiplied by itself gathers both; only a gate (gates.ts) is held constant by deconvnet and guided,
 * and response normalisation within channels is passed by like the one across them.
 * A choice sends the signal, position by position, to whichever operand was chosen.
 */
import type { Shape } from '../../../graph/graph.ts';
import type { OpKind } from '../../../graph/ops/attributes.ts';
import { gateOf, normalizedFactorOf } from '../gates.ts';
import type { Rule, RuleContext } from '../rule.ts';

export const add: Rule<'Add'> = {
  saves: [],
  backward(context) {
    return new Map(wanted(context).map((index) => [index, unbroadcast(context, context.signal, index)]));
  },
};

export const sub: Rule<'Sub'> = {
  saves: [],
  backward(context) {
    const { signal, emit, constant } = context;
    return new Map(
      wanted(context).map((index) => [
        index,
        unbroadcast(context, index === 0 ? signal : emit('Mul', [signal, constant('minus one', [], Float32Array.of(-1))], {}), index),
      ]),
    );
  },
};

export const mul: Rule<'Mul'> = {
  saves: ['input'],
  backward(context) {
    const { node, method, forward, signal, emit } = context;
    const both = wanted(context);
    const normalized = both.length === 2 && method.lrn === 'identity' ? normalizedFactorOf(node, forward) : undefined;
    if (normalized !== undefined) return new Map([[normalized, signal]]);
    const gate = both.length === 2 && method.gate === 'constant' ? gateOf(node, forward) : undefined;
    const targets = both.filter((index) => index !== gate);
    return new Map(targets.map((index) => [index, unbroadcast(context, emit('Mul', [signal, node.inputs[1 - index]!], {}), index)]));
  },
};

export const where: Rule<'Where'> = {
  saves: [],
  backward(context) {
    const { node, signal, wants, emit, constant } = context;
    const condition = node.inputs[0]!;
    const zero = constant('zero', [], Float32Array.of(0));
    const chosen = (index: number) => emit('Where', index === 1 ? [condition, signal, zero] : [condition, zero, signal], {});
    return new Map([1, 2].filter(wants).map((index) => [index, unbroadcast(context, chosen(index), index)]));
  },
};

function wanted<K extends OpKind>({ wants }: RuleContext<K>): number[] {
  return [0, 1].filter(wants);
}

/** Sums a signal over the axes along which the operand had been broadcast. */
function unbroadcast<K extends OpKind>({ node, shapeOf, emit, build }: RuleContext<K>, signal: string, index: number): string {
  const target = shapeOf(node.inputs[index]!);
  const { shape } = build.valueOf(signal);
  const missing = shape.length - target.length;
  const axes = shape.flatMap((dimension, axis) => (axis < missing || (target[axis - missing] === 1 && dimension !== 1) ? [axis] : []));
  const summed = axes.length > 0 ? emit('ReduceSum', [signal], { axes }) : signal;
  return missing > 0 ? emit('Reshape', [summed], { shape: target as Shape }) : summed;
}
