/**
 * Checks a graph after every rewrite: topological order, known names, and types that equal what the op kinds infer.
 * A failed check is a bug of the rewrite, so it throws a plain Error.
 */
import type { Graph } from './graph.ts';
import { valueOf } from './graph.ts';
import type { OpAttributes, OpKind } from './ops/attributes.ts';
import { specOf } from './ops/specs.ts';

/** Returns the graph itself, so that a rewrite can end with `return verify(graph)`. */
export function verify(graph: Graph): Graph {
  const known = new Set<string>([...graph.tensors.keys(), ...graph.inputs.map((input) => input.name)]);
  const fail = (reason: string): never => {
    throw new Error(`graph ${graph.name}: ${reason}`);
  };
  for (const tensor of graph.tensors.values()) {
    const count = tensor.shape.reduce((product, size) => product * size, 1);
    if (tensor.data.length !== count) fail(`tensor ${tensor.name} holds ${tensor.data.length} values, its shape says ${count}`);
  }
  for (const node of graph.nodes) {
    for (const input of node.inputs) if (input !== '' && !known.has(input)) fail(`${node.name} reads ${input} before it is made`);
    const operands = node.inputs.map((input) => (input === '' ? undefined : valueOf(graph, input)));
    const types = specOf(node.kind).infer(operands, node.attributes as OpAttributes[OpKind], node.outputs.length);
    node.outputs.forEach((output, index) => {
      if (output === '') return;
      if (known.has(output)) fail(`${output} is made twice`);
      known.add(output);
      const value = valueOf(graph, output);
      const type = types[index]!;
      if (value.dataType !== type.dataType || value.shape.join() !== type.shape.join()) {
        fail(`${output} is noted as ${value.dataType} [${value.shape.join(', ')}], ${node.kind} makes ${type.dataType} [${type.shape.join(', ')}]`);
      }
    });
  }
  for (const output of graph.outputs) if (!known.has(output)) fail(`output ${output} is never made`);
  return graph;
}
