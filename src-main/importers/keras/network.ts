/**
 * The graph under construction while a Keras or TensorFlow network is read. Both compute on `[N, H, W, C]`, the graph on `[N, C, H, W]`; a Feature
 * says how a value of the graph is to be read in the file's axes, so that pictures are turned once, at the input, and never again inside the network.
 *
 * Nodes are only written down here; they get their names at the end, when it is known which value is the result of which layer.
 */
import { AppError } from '../../../src-shared/errors.ts';
import { createGraphBuilder } from '../../graph/build.ts';
import type { Graph, Shape, Tensor } from '../../graph/graph.ts';
import type { OpAttributes, OpKind } from '../../graph/ops/attributes.ts';
import type { OperandType } from '../../graph/ops/spec.ts';
import { specOf } from '../../graph/ops/specs.ts';
import type { OperatorCount } from '../format.ts';

/** A value of the graph. `file`: its axes are the file's. `channelsLast`: the file's axes are `[N, H, W, C]`, the value is `[N, C, H, W]`. */
export interface Feature {
  readonly value: string;
  readonly order: 'file' | 'channelsLast';
}

export interface Network {
  /** Everything added from here on belongs to this operator (its type, for the report) and layer (its name). */
  begin(operator: string, layer: string): void;
  input(name: string, shape: Shape): string;
  /** Adds a constant `[...shape]`, named after the layer and `what`. */
  constant(what: string, shape: readonly number[], data: Float32Array): string;
  /** Adds a node of one output; returns the value. `what` names value and node in the layer, else the op kind does; '' is the layer's own node. */
  add<K extends OpKind>(kind: K, inputs: readonly string[], attributes: OpAttributes[K], what?: string): string;
  shapeOf(value: string): Shape;
  /** Data of a constant, undefined for a running value. */
  dataOf(value: string): Float32Array | undefined;
  /** Gives the value its name in the graph; where it has one already, a copy of it. Returns the value that carries the name. */
  publish(value: string, name: string): string;
  /** The error for the layer at hand: `reason` goes on after its title. */
  refuse(reason: string): never;
  finish(outputs: readonly string[]): { readonly graph: Graph; readonly operators: readonly OperatorCount[] };
}

interface Step {
  readonly kind: OpKind;
  readonly inputs: readonly string[];
  readonly attributes: unknown;
  readonly output: string;
  readonly layer: string;
  readonly what: string;
}

/** Node kinds that carry their layer's own name, which a person looks for. */
const weighted: ReadonlySet<OpKind> = new Set<OpKind>(['Conv', 'ConvTranspose', 'Gemm']);

export function createNetwork(graphName: string): Network {
  const steps: Step[] = [];
  const tensors = new Map<string, Tensor>();
  const inputs = new Map<string, Shape>();
  const types = new Map<string, OperandType>();
  const published = new Map<string, string>();
  const counts = new Map<string, { layers: Set<string>; kinds: Set<OpKind> }>();
  let operator = '';
  let layer = '';
  /** Inside, values are called `layer|what`, with a number where that is taken. */
  const fresh = (what: string): string => {
    const wish = `${layer}|${what}`;
    let name = wish;
    for (let count = 2; types.has(name); count++) name = `${wish}_${count}`;
    return name;
  };

  const network: Network = {
    begin(nextOperator, nextLayer) {
      operator = nextOperator;
      layer = nextLayer;
      const entry = counts.get(operator) ?? { layers: new Set(), kinds: new Set() };
      entry.layers.add(layer);
      counts.set(operator, entry);
    },
    input(name, shape) {
      inputs.set(name, shape);
      types.set(name, { dataType: 'float32', shape });
      published.set(name, name);
      return name;
    },
    constant(what, shape, data) {
      const name = fresh(what);
      tensors.set(name, { name, dataType: 'float32', shape, data });
      types.set(name, { dataType: 'float32', shape });
      return name;
    },
    add(kind, nodeInputs, attributes, what) {
      const operands = nodeInputs.map((input) => (input === '' ? undefined : types.get(input)));
      const [type] = attempt(() => specOf(kind).infer(operands, attributes as OpAttributes[OpKind], 1), network.refuse);
      const output = fresh(what || kind);
      steps.push({ kind, inputs: nodeInputs, attributes, output, layer, what: what ?? (weighted.has(kind) ? '' : kind) });
      types.set(output, type!);
      counts.get(operator)?.kinds.add(kind);
      return output;
    },
    shapeOf: (value) => types.get(value)!.shape,
    dataOf: (value) => tensors.get(value)?.data as Float32Array | undefined,
    publish(value, name) {
      const own = published.has(value) || tensors.has(value) ? network.add('Identity', [value], {}) : value;
      published.set(own, name);
      return own;
    },
    refuse(reason) {
      throw new AppError('UNSUPPORTED', `Layer ${JSON.stringify(layer)} (${operator}) ${reason}.`, { layer, op: operator });
    },
    finish(outputs) {
      const names = nameAll(steps, tensors, published);
      const operators = [...counts].map(([op, { layers, kinds }]) => ({ op, count: layers.size, kinds: [...kinds] }));
      return { graph: assemble(graphName, inputs, steps, tensors, names, outputs), operators };
    },
  };
  return network;
}

function attempt<T>(infer: () => T, refuse: (reason: string) => never): T {
  try {
    return infer();
  } catch (error) {
    if (error instanceof AppError) return refuse(`does not fit: ${error.message}`);
    throw error;
  }
}

/** Names in the graph: first those that layers have, then `layer/what` for everything between. */
function nameAll(steps: readonly Step[], tensors: ReadonlyMap<string, Tensor>, published: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const names = new Map(published);
  const taken = new Set(published.values());
  for (const inner of [...tensors.keys(), ...steps.map(({ output }) => output)]) {
    if (names.has(inner)) continue;
    const wish = inner.replace('|', '/');
    let name = wish;
    for (let count = 2; taken.has(name); count++) name = `${wish}_${count}`;
    taken.add(name);
    names.set(inner, name);
  }
  return names;
}

function assemble(graphName: string, inputs: ReadonlyMap<string, Shape>, steps: readonly Step[], tensors: ReadonlyMap<string, Tensor>, names: ReadonlyMap<string, string>, outputs: readonly string[]): Graph {
  const builder = createGraphBuilder(graphName);
  for (const [name, shape] of inputs) builder.input(name, 'float32', shape);
  const titled = new Set(steps.filter(({ what }) => what === '').map((step) => step.layer));
  for (const step of steps) {
    for (const input of step.inputs) {
      const tensor = tensors.get(input);
      if (tensor && !builder.has(names.get(input)!)) builder.tensor({ ...tensor, name: names.get(input)! });
    }
    const output = names.get(step.output)!;
    const isResult = step.what === '' || (output === step.layer && !titled.has(step.layer));
    const operands = step.inputs.map((input) => (input === '' ? '' : names.get(input)!));
    builder.add(step.kind, operands, step.attributes as never, { name: isResult ? step.layer : `${step.layer}/${step.what || step.kind}`, outputs: [output] });
  }
  return builder.finish(outputs.map((output) => names.get(output)!));
}
