/**
 * Which values of a network a person looks at (method.md section 1): after each conv or gemm the value behind its activation, after an Add its
 * activation; anything else with channels only when asked for by name.
 */
import { AppError } from '../../src-shared/errors.ts';
import type { LayerKind } from '../../src-shared/domain/layers.ts';
import { consumers, producers, valueOf, type Graph, type Node } from './graph.ts';
import type { OpKind } from './ops/attributes.ts';

export interface SelectedLayer {
  /** Value name. */
  readonly name: string;
  readonly title: string;
  readonly kind: LayerKind;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly nonNegative: boolean;
}

export const activationKinds: ReadonlySet<OpKind> = new Set<OpKind>([
  'Relu', 'LeakyRelu', 'Clip', 'PRelu', 'Elu', 'ThresholdedRelu', 'Sigmoid', 'HardSigmoid', 'HardSwish', 'Tanh', 'Softplus',
]);

const kindOfLayer: Partial<Record<OpKind, LayerKind>> = {
  Conv: 'conv', ConvTranspose: 'conv', Gemm: 'gemm', Add: 'add', Concat: 'concat',
  MaxPool: 'pool', AveragePool: 'pool', GlobalAveragePool: 'pool', LRN: 'lrn', BatchNormalization: 'norm',
};

/** The default layers, in graph order. Values that do not depend on the image are no layers. */
export function selectLayers(graph: Graph): readonly SelectedLayer[] {
  const titles = layerTitles(graph);
  const readers = consumers(graph);
  const layers: SelectedLayer[] = [];
  for (const node of graph.nodes) {
    const isWeighted = node.kind === 'Conv' || node.kind === 'ConvTranspose' || node.kind === 'Gemm';
    const isActivatedAdd = node.kind === 'Add' && !isConstantOperand(graph, node) && activationAfter(graph, readers, node.outputs[0]!) !== undefined;
    if (!isWeighted && !isActivatedAdd) continue;
    const name = isWeighted ? endOfChain(graph, readers, node.outputs[0]!) : activationAfter(graph, readers, node.outputs[0]!)!;
    if (layers.some((layer) => layer.name === name)) continue;
    layers.push(describe(graph, name, titles.get(node.outputs[0]!)!, kindOfLayer[node.kind]!));
  }
  const position = new Map(graph.nodes.flatMap((node, index) => node.outputs.map((output) => [output, index] as const)));
  return layers.sort((a, b) => position.get(a.name)! - position.get(b.name)!);
}

/** A layer asked for by its value name: a default layer, or any value with channels. Throws NOT_FOUND or UNSUPPORTED with the reason. */
export function layerNamed(graph: Graph, name: string): SelectedLayer {
  const chosen = selectLayers(graph).find((layer) => layer.name === name);
  if (chosen) return chosen;
  const node = producers(graph).get(name);
  if (!node) {
    throw new AppError('NOT_FOUND', `The network has no layer named ${JSON.stringify(name)}. "switchback import" lists its layers.`, { layer: name });
  }
  const { shape } = valueOf(graph, name);
  if (shape.length !== 4 && shape.length !== 2) {
    throw new AppError('UNSUPPORTED', `The value ${JSON.stringify(name)} has ${shape.length} dimensions; a layer has channels, or channels, rows and columns.`, { layer: name });
  }
  const source = firstLayerLike(graph, node);
  return describe(graph, name, ownName(node) ?? name, source);
}

function describe(graph: Graph, name: string, title: string, kind: LayerKind): SelectedLayer {
  const { shape } = valueOf(graph, name);
  const [, channels = 0, height = 1, width = 1] = shape as number[];
  return { name, title, kind, channels, height, width, nonNegative: isNonNegative(graph, name) };
}

/** Follows normalisation, scaling and pass-through to the activation, or to the last value before something else begins. */
function endOfChain(graph: Graph, readers: ReadonlyMap<string, readonly Node[]>, start: string): string {
  let current = start;
  for (;;) {
    const next = onlyReader(graph, readers, current);
    if (!next) return current;
    if (activationKinds.has(next.kind)) return next.outputs[0]!;
    const passes = next.kind === 'BatchNormalization' || next.kind === 'Identity' || ((next.kind === 'Mul' || next.kind === 'Add' || next.kind === 'Sub') && isPerChannel(graph, next));
    if (!passes) return current;
    current = next.outputs[0]!;
  }
}

function activationAfter(graph: Graph, readers: ReadonlyMap<string, readonly Node[]>, value: string): string | undefined {
  const end = endOfChain(graph, readers, value);
  const producer = producers(graph).get(end);
  return producer && activationKinds.has(producer.kind) ? end : undefined;
}

/** The one node that reads a value, if it is the only one and the value is not read twice. */
function onlyReader(graph: Graph, readers: ReadonlyMap<string, readonly Node[]>, value: string): Node | undefined {
  const list = readers.get(value) ?? [];
  return list.length === 1 && !graph.outputs.includes(value) ? list[0] : undefined;
}

function isConstantOperand(graph: Graph, node: Node): boolean {
  return node.inputs.some((input) => graph.tensors.has(input));
}

/** Whether one of the operands is a constant with at most one value for each channel (axis 1). */
function isPerChannel(graph: Graph, node: Node): boolean {
  const rank = valueOf(graph, node.outputs[0]!).shape.length;
  return node.inputs.some((input) => graph.tensors.get(input)?.shape.every((size, axis, shape) => size === 1 || axis + rank - shape.length === 1));
}

/** Non-negative by construction and often exactly 0: ReLU, hard sigmoid, Clip from 0, and what keeps the sign of such. */
function isNonNegative(graph: Graph, name: string): boolean {
  const makers = producers(graph);
  const check = (value: string): boolean => {
    const node = makers.get(value);
    if (!node) return false;
    switch (node.kind) {
      case 'Relu': case 'HardSigmoid':
        return true;
      case 'ThresholdedRelu':
        return node.attributes.alpha >= 0;
      case 'Clip':
        return node.attributes.minimum >= 0;
      case 'MaxPool': case 'AveragePool': case 'GlobalAveragePool': case 'LRN': case 'Identity': case 'Reshape': case 'Transpose': case 'Slice':
        return check(node.inputs[0]!);
      case 'Concat':
        return node.inputs.every(check);
      default:
        return false;
    }
  };
  return check(name);
}

function firstLayerLike(graph: Graph, from: Node): LayerKind {
  const makers = producers(graph);
  let node: Node | undefined = from;
  while (node) {
    const isShift = node.kind === 'Add' && isConstantOperand(graph, node);
    const kind = isShift ? undefined : kindOfLayer[node.kind];
    if (kind) return kind;
    node = node.inputs.map((input) => makers.get(input)).find((maker) => maker !== undefined);
  }
  return 'norm';
}

/** A node's own name, unless it is only its op kind with a number, as exporters write it. */
function ownName(node: Node): string | undefined {
  return node.name === '' || /^(Conv|ConvTranspose|Gemm|MatMul|Add|Sum)?_?\d*$/.test(node.name) ? undefined : node.name;
}

/** Titles by output value of conv, gemm and add nodes: their own name, or conv1..convN, fcN, addN in order. */
function layerTitles(graph: Graph): ReadonlyMap<string, string> {
  const titles = new Map<string, string>();
  let weighted = 0;
  let adds = 0;
  for (const node of graph.nodes) {
    const output = node.outputs[0]!;
    if (node.kind === 'Conv' || node.kind === 'ConvTranspose') titles.set(output, ownName(node) ?? `conv${++weighted}`);
    else if (node.kind === 'Gemm') titles.set(output, ownName(node) ?? `fc${++weighted}`);
    else if (node.kind === 'Add') titles.set(output, ownName(node) ?? `add${++adds}`);
  }
  return titles;
}
