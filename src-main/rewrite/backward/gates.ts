/**
 * What a product of two computed values is at heart. Which is a gate at work (method.md section 3): one factor comes from a sigmoid or a hard sigmoid and only says how much
 * of the other passes, as in squeeze-and-excitation and swish. Other products (a square, the normalisation by a variance, mish) have no gate.
 * And which is local response normalisation within channels, spelled out: x * (k + a * mean of x^2 around it)^-beta.
 */
import type { Graph, Node, NodeOf } from '../../graph/graph.ts';
import type { OpKind } from '../../graph/ops/attributes.ts';

/** What the search may ask of the forward network. */
export interface ForwardView {
  /** Node that produces a value; undefined for inputs and constants. */
  makerOf(name: string): Node | undefined;
  /** The number that a constant of one element holds; undefined for anything else. */
  numberOf(name: string): number | undefined;
  isConstant(name: string): boolean;
}

export function forwardView(graph: Graph, makers: ReadonlyMap<string, Node>): ForwardView {
  return {
    makerOf: (name) => makers.get(name),
    numberOf(name) {
      const tensor = graph.tensors.get(name);
      return tensor?.data.length === 1 ? Number(tensor.data[0]) : undefined;
    },
    isConstant: (name) => graph.tensors.has(name),
  };
}

/** Index of the gate among the two factors, or undefined where neither is one. Where both are, the second. */
export function gateOf({ inputs: [a, b] }: NodeOf<'Mul'>, view: ForwardView): 0 | 1 | undefined {
  if (a === b) return undefined;
  if (isGate(b!, view)) return 1;
  return isGate(a!, view) ? 0 : undefined;
}

/** Ops that carry a gate's values on as they are. */
const carriers: ReadonlySet<OpKind> = new Set<OpKind>(['Identity', 'Reshape', 'Transpose']);

/** Whether a value is a sigmoid's, moved or multiplied by a constant at most. */
function isGate(name: string, view: ForwardView): boolean {
  for (let node = view.makerOf(name); node; node = view.makerOf(name)) {
    if (node.kind === 'Sigmoid' || node.kind === 'HardSigmoid') return true;
    if (node.kind === 'Clip') return isHardSigmoid(node, view);
    if (carriers.has(node.kind)) name = node.inputs[0]!;
    else if (node.kind === 'Mul' && node.inputs.some(view.isConstant)) name = node.inputs.find((input) => !view.isConstant(input)) ?? '';
    else return false;
  }
  return false;
}

/** A hard sigmoid spelled out: bounded to [0, m], with half of m added before, as in Clip(x + 3, 0, 6). */
function isHardSigmoid({ inputs, attributes: { minimum, maximum } }: NodeOf<'Clip'>, view: ForwardView): boolean {
  const shift = view.makerOf(inputs[0]!);
  return minimum === 0 && shift?.kind === 'Add' && shift.inputs.some((input) => view.numberOf(input) === maximum / 2);
}

/** Index of the factor that is normalised by its own squares around it, or undefined where the product is something else. */
export function normalizedFactorOf({ inputs }: NodeOf<'Mul'>, view: ForwardView): 0 | 1 | undefined {
  return ([0, 1] as const).find((index) => isResponseNormalizer(inputs[1 - index]!, inputs[index]!, view));
}

function isResponseNormalizer(name: string, of: string, view: ForwardView): boolean {
  const power = view.makerOf(name);
  if (power?.kind !== 'Pow' || power.attributes.exponent >= 0) return false;
  let node = view.makerOf(power.inputs[0]!);
  while (node && (node.kind === 'Add' || node.kind === 'Mul') && node.inputs.some(view.isConstant)) node = view.makerOf(node.inputs.find((input) => !view.isConstant(input)) ?? '');
  if (node?.kind !== 'AveragePool') return false;
  const squares = view.makerOf(node.inputs[0]!);
  if (squares?.kind === 'Pow') return squares.attributes.exponent === 2 && squares.inputs[0] === of;
  return squares?.kind === 'Mul' && squares.inputs.every((input) => input === of);
}
