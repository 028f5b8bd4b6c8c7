/**
 * Graph -> graph, before a network trains: the same numbers in a form that can be trained, and trained fast. Each pass is one function.
 */
import { rewrite, type GraphBuilder } from '../../graph/build.ts';
import { consumers, producers, type Graph, type Node, type NodeOf } from '../../graph/graph.ts';
import type { OpKind } from '../../graph/ops/attributes.ts';
import { verify } from '../../graph/verify.ts';

/**
 * Batch normalisation by stored statistics as what it is, a product and a sum: (x - mean) / sqrt(variance + epsilon) * scale + shift. So scale and shift
 * train like any weight; the statistics stay as they are stored.
 */
export function spellOutBatchNormalization(network: Graph): Graph {
  return rewritten(network, (node, build) => {
    if (node.kind !== 'BatchNormalization') return build.copy(node);
    const [x, scale, shift, mean, variance] = node.inputs as readonly [string, string, string, string, string];
    const means = network.tensors.get(mean);
    const variances = network.tensors.get(variance);
    if (!means || !variances) return build.copy(node);
    const channels = means.shape[0]!;
    const shape = [1, channels, ...build.valueOf(x).shape.slice(2).map(() => 1)];
    const factors = Float32Array.from({ length: channels }, (_, channel) => 1 / Math.sqrt(Number(variances.data[channel]) + node.attributes.epsilon));
    const constant = (suffix: string, data: Float32Array) => build.tensor({ name: build.freeName(`${node.name}:${suffix}`), dataType: 'float32', shape, data });
    const step = <K extends OpKind>(kind: K, inputs: readonly string[], attributes: Parameters<typeof build.add<K>>[2]) => build.add(kind, inputs, attributes, { name: build.freeName(`${node.name}:${kind}`) })[0]!;
    const centred = step('Sub', [x, constant('mean', Float32Array.from(means.data, Number))], {});
    const normal = step('Mul', [centred, constant('factors', factors)], {});
    const scaled = step('Mul', [normal, step('Reshape', [scale], { shape })], {});
    build.add('Add', [scaled, step('Reshape', [shift], { shape })], {}, { name: node.name, outputs: [node.outputs[0]!] });
  });
}

/**
 * max(0, largest) is the largest of max(0, each): a ReLU that only a max pool reads is moved behind it, where there are fewer values to rectify, forward and
 * back. No other value changes.
 */
export function rectifyAfterPooling(network: Graph): Graph {
  const makers = producers(network);
  const readers = consumers(network);
  const rectifierBefore = (node: Node): NodeOf<'Relu'> | undefined => {
    const maker = node.kind === 'MaxPool' && !node.outputs[1] ? makers.get(node.inputs[0]!) : undefined;
    return maker?.kind === 'Relu' && readers.get(maker.outputs[0]!)!.length === 1 && !network.outputs.includes(maker.outputs[0]!) ? maker : undefined;
  };
  const moved = new Set(network.nodes.map(rectifierBefore).filter((node) => node !== undefined));
  return rewritten(network, (node, build) => {
    if (node.kind === 'Relu' && moved.has(node)) return;
    const rectifier = rectifierBefore(node);
    if (!rectifier) return build.copy(node);
    const [pooled] = build.add('MaxPool', rectifier.inputs, (node as NodeOf<'MaxPool'>).attributes, { name: node.name, outputs: [build.freeName(`${node.name}:signed`)] });
    build.add('Relu', [pooled!], {}, { name: rectifier.name, outputs: [node.outputs[0]!] });
  });
}

export interface DropoutMask {
  /** Name of the graph input `[N, units]`: 0 where a unit is dropped, 1 / (1 - share) elsewhere. */
  readonly name: string;
  readonly units: number;
}

/** Multiplies what every fully connected layer reads from another one by a mask that is fed, so that all engines drop the same units. */
export function withDropout(network: Graph): { readonly graph: Graph; readonly masks: readonly DropoutMask[] } {
  const makers = producers(network);
  const masks: DropoutMask[] = [];
  const masked = new Map<string, string>();
  const graph = rewritten(network, (node, build) => {
    const value = node.inputs[0]!;
    if (node.kind !== 'Gemm' || !comesFromGemm(value, makers)) return build.copy(node);
    let product = masked.get(value);
    if (product === undefined) {
      const units = Number(build.valueOf(value).shape[1]);
      const mask = build.input(build.freeName(`mask:${value}`), 'float32', ['batch', units]);
      masks.push({ name: mask, units });
      product = build.add('Mul', [value, mask], {}, { name: build.freeName(`dropout:${value}`) })[0]!;
      masked.set(value, product);
    }
    build.add('Gemm', [product, ...node.inputs.slice(1)], node.attributes, { name: node.name, outputs: node.outputs });
  });
  return { graph, masks };
}

/** Through activations and what only moves values. */
function comesFromGemm(value: string, makers: ReadonlyMap<string, Node>): boolean {
  const passed: ReadonlySet<OpKind> = new Set<OpKind>(['Identity', 'Reshape', 'Relu', 'LeakyRelu', 'PRelu', 'Clip', 'Tanh', 'Sigmoid', 'Elu']);
  let node = makers.get(value);
  while (node && passed.has(node.kind)) node = makers.get(node.inputs[0]!);
  return node?.kind === 'Gemm';
}

/** The network node by node, with the same inputs, constants and outputs. */
function rewritten(network: Graph, write: (node: Node, build: GraphBuilder) => void): Graph {
  const build = rewrite(network);
  for (const node of network.nodes) write(node, build);
  return verify(build.finish(network.outputs));
}
