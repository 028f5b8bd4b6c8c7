/**
 * Ops that are walked by their plain derivative under every method (method.md section 3): powers, and the activations outside the ReLU family. Where the
 * forward output gives the derivative more cheaply than the input (sigmoid, tanh, ELU), the output is read. At a kink: the slope on the flat side.
 */
import type { OpKind } from '../../../graph/ops/attributes.ts';
import { first, type Rule, type RuleContext } from '../rule.ts';

export const pow: Rule<'Pow'> = {
  saves: ['input'],
  backward(context) {
    const { node, emit } = context;
    const { exponent } = node.attributes;
    return times(context, scaled(context, emit('Pow', [node.inputs[0]!], { exponent: exponent - 1 }), exponent));
  },
};

/** gamma above 0; below, gamma * alpha * e^x, which is the output and gamma * alpha. */
export const elu: Rule<'Elu'> = {
  saves: ['input', 'output'],
  backward(context) {
    const { node, emit } = context;
    const { alpha, gamma } = node.attributes;
    const below = shifted(context, node.outputs[0]!, gamma * alpha);
    return times(context, emit('Where', [above(context, node.inputs[0]!, 0), number(context, gamma), below], {}));
  },
};

export const thresholdedRelu: Rule<'ThresholdedRelu'> = {
  saves: ['input'],
  backward: (context) => first(context.emit('Where', [above(context, context.node.inputs[0]!, context.node.attributes.alpha), context.signal, number(context, 0)], {})),
};

/** y (1 - y). */
export const sigmoid: Rule<'Sigmoid'> = {
  saves: ['output'],
  backward(context) {
    const y = context.node.outputs[0]!;
    return times(context, context.emit('Mul', [y, shifted(context, scaled(context, y, -1), 1)], {}));
  },
};

/** alpha strictly between the bounds 0 and 1 of the output. */
export const hardSigmoid: Rule<'HardSigmoid'> = {
  saves: ['output'],
  backward(context) {
    const { node, signal, emit } = context;
    const y = node.outputs[0]!;
    const belowOne = emit('Where', [above(context, scaled(context, y, -1), -1), scaled(context, signal, node.attributes.alpha), number(context, 0)], {});
    return first(emit('Where', [above(context, y, 0), belowOne, number(context, 0)], {}));
  },
};

/** 0 up to -3, x / 3 + 1/2 between, 1 from 3. */
export const hardSwish: Rule<'HardSwish'> = {
  saves: ['input'],
  backward(context) {
    const { node, emit } = context;
    const x = node.inputs[0]!;
    const rising = shifted(context, scaled(context, x, 1 / 3), 0.5);
    const belowThree = emit('Where', [above(context, scaled(context, x, -1), -3), rising, number(context, 1)], {});
    return times(context, emit('Where', [above(context, x, -3), belowThree, number(context, 0)], {}));
  },
};

/** 1 - y^2. */
export const tanh: Rule<'Tanh'> = {
  saves: ['output'],
  backward(context) {
    const y = context.node.outputs[0]!;
    return times(context, shifted(context, scaled(context, context.emit('Mul', [y, y], {}), -1), 1));
  },
};

export const softplus: Rule<'Softplus'> = {
  saves: ['input'],
  backward: (context) => times(context, context.emit('Sigmoid', [context.node.inputs[0]!], {})),
};

/** 2 / sqrt(pi) * e^-x^2; e^t for t up to 0 is ELU's lower half and 1. */
export const erf: Rule<'Erf'> = {
  saves: ['input'],
  backward(context) {
    const { node, emit } = context;
    const x = node.inputs[0]!;
    const bell = emit('Elu', [scaled(context, emit('Mul', [x, x], {}), -1)], { alpha: 1, gamma: 1 });
    return times(context, scaled(context, shifted(context, bell, 1), 2 / Math.sqrt(Math.PI)));
  },
};

export const log: Rule<'Log'> = {
  saves: ['input'],
  backward: (context) => times(context, context.emit('Pow', [context.node.inputs[0]!], { exponent: -1 })),
};

/** The signal times the derivative. */
function times<K extends OpKind>({ signal, emit }: RuleContext<K>, derivative: string): ReadonlyMap<number, string> {
  return first(emit('Mul', [signal, derivative], {}));
}

function scaled<K extends OpKind>(context: RuleContext<K>, value: string, factor: number): string {
  return context.emit('Mul', [value, number(context, factor)], {});
}

function shifted<K extends OpKind>(context: RuleContext<K>, value: string, shift: number): string {
  return context.emit('Add', [value, number(context, shift)], {});
}

function above<K extends OpKind>({ emit }: RuleContext<K>, value: string, threshold: number): string {
  return emit('Greater', [value], { threshold });
}

/** A constant scalar, shared by all rules that want the same one. */
function number<K extends OpKind>({ constant }: RuleContext<K>, value: number): string {
  return constant(`number ${value}`, [], Float32Array.of(value));
}
