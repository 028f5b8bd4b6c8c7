/**
 * What onnxruntime says when it fails, turned into what a person needs: which node of the graph, and why. Its messages name the ONNX node in several
 * forms or not at all, and carry source paths of its own.
 */
import type { Graph, Node } from '../../graph/graph.ts';

export interface Failure {
  /** The graph's node that the message is about; undefined where onnxruntime does not tell. */
  readonly node: Node | undefined;
  /** One line: the node where known, then the reason. */
  readonly text: string;
}

export function failureOf(graph: Graph, error: unknown): Failure {
  const line = (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
  const node = nodeNamed(graph, nameIn(line));
  const reason = line.replace(/^.*\) was false\. /, '').replace(/^.*Status Message: /, '').trim();
  return { node, text: node ? `node ${JSON.stringify(node.name)} (${node.kind}): ${reason}` : reason };
}

/** The forms in which a message names an ONNX node. */
const forms = [/node with name '([^']+)'/i, /\bName:'([^']+)'/, /\bNode \(([^)]+)\)/i, /\bNode, \("([^"]+)"/i];

function nameIn(line: string): string | undefined {
  for (const form of forms) {
    const found = form.exec(line)?.[1];
    if (found) return found;
  }
  return undefined;
}

/** The graph's node behind an ONNX node, which has its name, or its name with a part behind a slash where one op is spelled in several. */
function nodeNamed(graph: Graph, name: string | undefined): Node | undefined {
  if (name === undefined) return undefined;
  const candidates = graph.nodes.filter((node) => name === node.name || name.startsWith(`${node.name}/`));
  return candidates.sort((a, b) => b.name.length - a.name.length)[0];
}
