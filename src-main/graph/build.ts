/**
 * The one way to make a graph: nodes are added in order, the types of their outputs are inferred and checked at once.
 * Importers and rewrites both use it, so that no graph exists whose shapes nobody looked at.
 */
import { AppError } from '../../src-shared/errors.ts';
import type { DataType, Graph, Node, Shape, Tensor, Value } from './graph.ts';
import type { OpAttributes, OpKind } from './ops/attributes.ts';
import type { OperandType } from './ops/spec.ts';
import { specOf } from './ops/specs.ts';

export interface GraphBuilder {
  /** Declares what is fed at run time. */
  input(name: string, dataType: DataType, shape: Shape): string;
  /** Adds a constant; the same name twice is allowed only for the same tensor object. */
  tensor(tensor: Tensor): string;
  /** Adds a node after all it reads from and returns the names of its outputs. Throws AppError UNSUPPORTED naming the node when shapes do not fit. */
  add<K extends OpKind>(kind: K, inputs: readonly string[], attributes: OpAttributes[K], names?: { readonly name?: string; readonly outputs?: readonly string[] }): string[];
  /** Copies a node of another graph with its names. */
  copy(node: Node): void;
  has(name: string): boolean;
  valueOf(name: string): Value;
  /** A name that is not taken yet, made from the wish. */
  freeName(wish: string): string;
  finish(outputs: readonly string[]): Graph;
}

export function createGraphBuilder(graphName: string): GraphBuilder {
  const inputs: Value[] = [];
  const nodes: Node[] = [];
  const tensors = new Map<string, Tensor>();
  const values = new Map<string, Value>();
  const nodeNames = new Set<string>();

  const typeOf = (name: string): OperandType | undefined => (name === '' ? undefined : builder.valueOf(name));

  const builder: GraphBuilder = {
    input(name, dataType, shape) {
      claim(name);
      const value: Value = { name, dataType, shape };
      values.set(name, value);
      inputs.push(value);
      return name;
    },
    tensor(tensor) {
      if (tensors.get(tensor.name) === tensor) return tensor.name;
      claim(tensor.name);
      tensors.set(tensor.name, tensor);
      return tensor.name;
    },
    add(kind, nodeInputs, attributes, names = {}) {
      const name = freeNodeName(names.name ?? `${kind}_${nodes.length + 1}`);
      const outputs = names.outputs ?? [builder.freeName(name)];
      const operands = nodeInputs.map(typeOf);
      let types: readonly OperandType[];
      try {
        types = specOf(kind).infer(operands, attributes as OpAttributes[OpKind], outputs.length);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        throw new AppError(error.code, `Node ${JSON.stringify(name)} (${kind}): ${error.message}.`, { node: name, op: kind }, error);
      }
      outputs.forEach((output, index) => {
        if (output === '') return;
        const type = types[index];
        if (!type) throw new Error(`${kind} has no output ${index + 1}`);
        claim(output);
        values.set(output, { name: output, dataType: type.dataType, shape: type.shape });
      });
      nodeNames.add(name);
      nodes.push({ kind, name, inputs: nodeInputs, outputs, attributes } as unknown as Node);
      return [...outputs];
    },
    copy(node) {
      builder.add(node.kind, node.inputs, node.attributes as never, { name: node.name, outputs: node.outputs });
    },
    has: (name) => values.has(name) || tensors.has(name),
    valueOf(name) {
      const value = values.get(name);
      if (value) return value;
      const tensor = tensors.get(name);
      if (tensor) return { name, dataType: tensor.dataType, shape: tensor.shape };
      throw new Error(`graph ${graphName}: ${JSON.stringify(name)} is read before anything makes it`);
    },
    freeName: (wish) => firstFree(wish, builder.has),
    finish(outputs) {
      for (const output of outputs) builder.valueOf(output);
      return { name: graphName, inputs, outputs: [...outputs], nodes, tensors, values };
    },
  };

  function claim(name: string): void {
    if (name === '') throw new Error(`graph ${graphName}: a value needs a name`);
    if (builder.has(name)) throw new AppError('UNSUPPORTED', `The name ${JSON.stringify(name)} is given to two values of the network.`);
  }

  function freeNodeName(wish: string): string {
    return firstFree(wish, (name) => nodeNames.has(name));
  }

  return builder;
}

/** A builder with a graph's inputs and constants, for who goes through its nodes and copies or replaces each. */
export function rewrite({ inputs, tensors, name }: Graph, newName = name): GraphBuilder {
  const build = createGraphBuilder(newName);
  for (const input of inputs) build.input(input.name, input.dataType, input.shape);
  for (const tensor of tensors.values()) build.tensor(tensor);
  return build;
}

/** A builder with all of a graph, for who adds nodes behind its values. */
export function extend(graph: Graph, newName: string): GraphBuilder {
  const build = rewrite(graph, newName);
  for (const node of graph.nodes) build.copy(node);
  return build;
}

function firstFree(wish: string, taken: (name: string) => boolean): string {
  if (!taken(wish)) return wish;
  for (let count = 2; ; count++) {
    const name = `${wish}_${count}`;
    if (!taken(name)) return name;
  }
}
