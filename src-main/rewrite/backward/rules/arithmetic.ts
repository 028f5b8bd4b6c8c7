/**
 * Down through sums and products. A sum sends the signal to both branches; a value that was broadcast gathers it again. In a product of two computed
 * values the derivative goes to both; deconvnet and guided hold the gate constant: the factor that was broadcast over positions, else the second.
 * A value multiplied by itself has no gate.
 */
import type { Shape } from '../../../graph/graph.ts';
import type { OpKind } from '../../../graph/ops/attributes.ts';
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
    const { node, method, signal, emit, wants } = context;
    let targets = wanted(context);
    if (wants(0) && wants(1) && node.inputs[0] !== node.inputs[1] && method.gate === 'constant') targets = [gateOf(context) === 0 ? 1 : 0];
    return new Map(targets.map((index) => [index, unbroadcast(context, emit('Mul', [signal, node.inputs[1 - index]!], {}), index)]));
  },
};

function wanted<K extends OpKind>({ wants }: RuleContext<K>): number[] {
  return [0, 1].filter(wants);
}

function gateOf({ node, shapeOf }: RuleContext<'Mul'>): 0 | 1 {
  const positions = (name: string) => (shapeOf(name).slice(2) as number[]).reduce((product, size) => product * size, 1);
  return positions(node.inputs[0]!) < positions(node.inputs[1]!) ? 0 : 1;
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
