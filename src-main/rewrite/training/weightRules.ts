/**
 * What an op's weights are told by the signal at its output: the derivative by each trained operand, summed over the batch. The rules of the walk down
 * (rewrite/backward) carry the signal to whatever depends on the image; these add the operands that a projection never asks for. Sums and products need none:
 * there a weight is an operand like any other.
 */
import type { OpKind } from '../../graph/ops/attributes.ts';
import type { Rule, RuleContext } from '../backward/rule.ts';
import { ruleOf } from '../backward/rules/rules.ts';

type WeightRule<K extends OpKind> = (context: RuleContext<K>) => ReadonlyMap<number, string>;

const conv: WeightRule<'Conv'> = (context) => {
  const { node, signal, emit } = context;
  const { kernel, strides, dilations, pads, group } = node.attributes;
  return forWanted(context, {
    1: () => emit('ConvWeightGradient', [node.inputs[0]!, signal], { kernel, strides, dilations, pads, group }),
    2: () => perChannel(context, signal),
  });
};

/** A transposed convolution is the way back through a convolution: signal and input trade places. */
const convTranspose: WeightRule<'ConvTranspose'> = (context) => {
  const { node, signal, emit } = context;
  const { kernel, strides, dilations, pads, group } = node.attributes;
  return forWanted(context, {
    1: () => emit('ConvWeightGradient', [signal, node.inputs[0]!], { kernel, strides, dilations, pads, group }),
    2: () => perChannel(context, signal),
  });
};

const gemm: WeightRule<'Gemm'> = (context) => {
  const { node, signal, emit } = context;
  const product = (a: string, b: string) => emit('Gemm', [emit('Transpose', [a], { permutation: [1, 0] }), b, ''], { transposeB: false });
  return forWanted(context, {
    1: () => (node.attributes.transposeB ? product(signal, node.inputs[0]!) : product(node.inputs[0]!, signal)),
    2: () => perChannel(context, signal),
  });
};

/** y = slope * x below 0: the slope is told x times the signal, there alone. */
const prelu: WeightRule<'PRelu'> = (context) => {
  const { node, signal, emit, constant } = context;
  const x = node.inputs[0]!;
  return forWanted(context, {
    1() {
      const above = emit('Greater', [x], { threshold: 0 });
      const below = emit('Where', [above, constant('zero', [], Float32Array.of(0)), emit('Mul', [signal, x], {})], {});
      return summedTo(context, below, 1);
    },
  });
};

const weightRules: { readonly [K in OpKind]?: WeightRule<K> } = { Conv: conv, ConvTranspose: convTranspose, Gemm: gemm, PRelu: prelu };

/** The rule of the walk down, with signals for the weights added to those that it sends on. */
export function trainingRuleOf(kind: OpKind): Rule<OpKind> | null {
  const rule = ruleOf(kind);
  const weightRule = weightRules[kind] as WeightRule<OpKind> | undefined;
  if (!rule || !weightRule) return rule;
  return {
    saves: rule.saves,
    backward(context) {
      const down = context.wants(0) ? rule.backward(context) : [];
      return new Map([...down, ...weightRule(context)]);
    },
  };
}

function forWanted<K extends OpKind>({ wants }: RuleContext<K>, signals: Readonly<Record<number, () => string>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(signals).flatMap(([index, signal]) => (wants(Number(index)) ? [[Number(index), signal()] as const] : [])));
}

/** A bias is told the sum of its channel's signal: `[N, M, ...]` to `[M]`. */
function perChannel<K extends OpKind>({ emit, build }: RuleContext<K>, signal: string): string {
  const { shape } = build.valueOf(signal);
  const sums = emit('ReduceSum', [signal], { axes: shape.flatMap((_, axis) => (axis === 1 ? [] : [axis])) });
  return emit('Reshape', [sums], { shape: [shape[1]!] });
}

/** Sums over the axes along which the operand was broadcast. */
function summedTo<K extends OpKind>({ node, emit, shapeOf, build }: RuleContext<K>, value: string, operand: number): string {
  const target = shapeOf(node.inputs[operand]!);
  const { shape } = build.valueOf(value);
  const missing = shape.length - target.length;
  const axes = shape.flatMap((size, axis) => (axis < missing || (target[axis - missing] === 1 && size !== 1) ? [axis] : []));
  return emit('Reshape', [emit('ReduceSum', [value], { axes })], { shape: target });
}
