/**
 * The walk back through a network: from a signal at one value to signals at everything before it that wants one. The walker only carries signals and adds
 * them up where branches meet; what happens at an op is its rule's business. Projections walk to the image, training walks to the weights.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { GraphBuilder } from '../../graph/build.ts';
import { producers, type Graph, type Node } from '../../graph/graph.ts';
import type { OpKind } from '../../graph/ops/attributes.ts';
import { forwardView } from './gates.ts';
import type { MethodRow } from './methods.ts';
import type { Rule, RuleContext } from './rule.ts';
import { ruleOf } from './rules/rules.ts';

export interface Walk {
  /** The network as it was copied into the graph under construction. */
  readonly forward: Graph;
  /** Values that want a signal: those on the way from the start to what is asked for. */
  readonly path: ReadonlySet<string>;
  /** What the max pools wrote, by their output. */
  readonly switches: ReadonlyMap<string, string>;
  readonly method: MethodRow;
  /** The rule of an op kind; the table of rules unless something is added to it. */
  readonly ruleOf?: (kind: OpKind) => Rule<OpKind> | null;
}

export interface Walked {
  /** The signal at each value that one reached. */
  readonly signals: ReadonlyMap<string, string>;
  /** Values made on the way down through a node of the network, in order, by that node's name. */
  readonly steps: ReadonlyMap<string, readonly string[]>;
}

/** Copies the forward pass; pools on the path also write their switches where they are wanted. Returns the switches by pool output. */
export function copyForward(build: GraphBuilder, forward: Graph, path: ReadonlySet<string>, withSwitches: boolean): ReadonlyMap<string, string> {
  const switches = new Map<string, string>();
  for (const node of forward.nodes) {
    const output = node.outputs[0]!;
    if (node.kind === 'MaxPool' && withSwitches && path.has(output)) {
      const name = node.outputs[1] || build.freeName(`${output}:switches`);
      switches.set(output, name);
      build.add('MaxPool', node.inputs, node.attributes, { name: node.name, outputs: [output, name] });
    } else build.copy(node);
  }
  return switches;
}

/** Carries the signal `seed` from the value `start` down. A value with several readers accumulates. Throws AppError UNSUPPORTED naming a node without a way down. */
export function walk(build: GraphBuilder, { forward, path, switches, method, ruleOf: ruleFor = ruleOf }: Walk, start: string, seed: string): Walked {
  const signals = new Map<string, string>([[start, seed]]);
  const constants = new Map<string, string>();
  const steps = new Map<string, string[]>();
  const view = forwardView(forward, producers(forward));
  for (let index = forward.nodes.length - 1; index >= 0; index--) {
    const node = forward.nodes[index]!;
    const signal = signals.get(node.outputs[0]!);
    if (signal === undefined || !path.has(node.outputs[0]!)) continue;
    const rule = ruleFor(node.kind);
    if (!rule) throw noWayDown(node);
    const added: string[] = [];
    steps.set(node.name, added);
    const context = {
      node,
      signal,
      switches: switches.get(node.outputs[0]!) ?? '',
      method,
      forward: view,
      wants: (operand: number) => path.has(node.inputs[operand] ?? ''),
      shapeOf: (name: string) => build.valueOf(name).shape,
      tensorOf: (operand: number) => forward.tensors.get(node.inputs[operand] ?? ''),
      emit: (kind: OpKind, inputs: readonly string[], attributes: object) => {
        const name = build.freeName(`back:${node.name}${added.length > 0 ? `:${added.length + 1}` : ''}`);
        added.push(name);
        return build.add(kind, inputs, attributes as never, { name, outputs: [name] })[0]!;
      },
      constant: (name: string, shape: readonly number[], data: Float32Array) => {
        // Shared among rules only: a value of the network or a signal may have the same name.
        const shared = constants.get(name) ?? build.tensor({ name: build.freeName(`back:${name}`), dataType: 'float32', shape, data });
        constants.set(name, shared);
        return shared;
      },
      build,
    } as unknown as RuleContext<OpKind>;
    for (const [operand, down] of rule.backward(context)) {
      const target = node.inputs[operand]!;
      const other = signals.get(target);
      signals.set(target, other === undefined ? down : build.add('Add', [other, down], {}, { name: build.freeName(`back:${target}:sum`) })[0]!);
    }
  }
  return { signals, steps };
}

function noWayDown(node: Node): AppError {
  const advice = node.kind === 'Softmax' ? 'Choose the layer before it: the logits are projected, never the probabilities.' : 'Choose a layer before it.';
  return new AppError('UNSUPPORTED', `There is no way down through ${node.kind} (node ${JSON.stringify(node.name)}). ${advice}`, { node: node.name, op: node.kind });
}
