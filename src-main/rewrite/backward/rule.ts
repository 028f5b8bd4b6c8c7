/** What a backward rule is: it turns the signal at a node's output into signals at its inputs, as nodes of the graph under construction. */
import type { GraphBuilder } from '../../graph/build.ts';
import type { NodeOf, Shape, Tensor } from '../../graph/graph.ts';
import type { OpAttributes, OpKind } from '../../graph/ops/attributes.ts';
import type { ForwardView } from './gates.ts';
import type { MethodRow } from './methods.ts';

export interface RuleContext<K extends OpKind> {
  readonly node: NodeOf<K>;
  /** Name of the signal at the node's first output. */
  readonly signal: string;
  /** For MaxPool: name of the switches that its forward run wrote. */
  readonly switches: string;
  readonly method: MethodRow;
  /** The forward network around the node: what its operands come from. */
  readonly forward: ForwardView;
  /** Whether operand `index` depends on the image: only there a signal is wanted. */
  wants(index: number): boolean;
  shapeOf(name: string): Shape;
  /** A constant operand, undefined where it is computed or absent. */
  tensorOf(index: number): Tensor | undefined;
  /** Adds a node with one output and returns that output's name. */
  emit<A extends OpKind>(kind: A, inputs: readonly string[], attributes: OpAttributes[A]): string;
  /** Adds a float32 constant; equal names are shared. */
  constant(name: string, shape: readonly number[], data: Float32Array): string;
  readonly build: GraphBuilder;
}

export interface Rule<K extends OpKind> {
  /** Which values of the forward pass the rule reads: saved for it, and only for it. */
  readonly saves: readonly ('input' | 'output' | 'switches')[];
  /** Signals for the operands that want one, by operand index. */
  backward(context: RuleContext<K>): ReadonlyMap<number, string>;
}

/** The usual answer: one signal, for the first operand. */
export function first(signal: string): ReadonlyMap<number, string> {
  return new Map([[0, signal]]);
}
