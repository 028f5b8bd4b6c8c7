/** Whether two networks are one architecture: the same nodes with the same attributes and sizes, whatever their weights. */
import type { DataType, Graph, Node, Shape } from './graph.ts';

/** One node, or the networks' inputs, as words that can be compared; plain data, so that it travels. */
export interface ArchitecturePart {
  /** For a person: `Conv conv2`. */
  readonly name: string;
  readonly facts: readonly (readonly [fact: string, value: string])[];
}

export function describeArchitecture(graph: Graph): readonly ArchitecturePart[] {
  const inputs = graph.inputs.map(({ name, dataType, shape }): ArchitecturePart => ({ name: `input ${name}`, facts: [['name', name], ['size', sizeWords(dataType, shape)]] }));
  return [...inputs, ...graph.nodes.map((node) => describe(graph, node))];
}

/** In words, for a sentence such as "b.onnx differs from a.onnx: ..."; null where they are one architecture. */
export function firstDifference(left: readonly ArchitecturePart[], right: readonly ArchitecturePart[]): string | null {
  for (const [at, part] of left.entries()) {
    const other = right[at];
    if (!other) return `it ends before ${part.name}`;
    for (const [place, [fact, value]] of part.facts.entries()) {
      const [otherFact, otherValue] = other.facts[place] ?? ['', ''];
      if (fact === otherFact && value === otherValue) continue;
      if (fact !== otherFact || fact === 'kind') return `${part.name} there, ${other.name} here`;
      return `${part.name} has ${fact} ${value} there, ${otherValue} here`;
    }
  }
  const more = right[left.length];
  return more ? `it has ${more.name} after the other's end` : null;
}

/** Names of weights are left out: exporters number them anew. Names of values are how layers are found. */
function describe(graph: Graph, node: Node): ArchitecturePart {
  const inputs = node.inputs.map((input): readonly [string, string] => {
    const tensor = graph.tensors.get(input);
    return tensor ? ['weights', sizeWords(tensor.dataType, tensor.shape)] : ['input', input];
  });
  const attributes = Object.entries(node.attributes).map(([fact, value]): readonly [string, string] => [fact, JSON.stringify(value)]);
  return { name: `${node.kind} ${node.name}`.trim(), facts: [['kind', node.kind], ...attributes, ...inputs, ...node.outputs.map((output): readonly [string, string] => ['output', output])] };
}

function sizeWords(dataType: DataType, shape: Shape): string {
  return `${shape.join(' x ') || 'single'} ${dataType}`;
}
