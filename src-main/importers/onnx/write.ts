/**
 * Any graph of Switchback as the bytes of an ONNX file: what the onnxruntime engine compiles, and what can be saved and run anywhere.
 * Opset 17 (19 where a dilated average pool needs it). The batch stays free: dimension `batch` becomes the symbolic dimension N.
 * How each op kind is spelled in ONNX is the table of operatorWriters.ts.
 */
import { AppError } from '../../../src-shared/errors.ts';
import { consumers, producers, valueOf, type Graph, type Node, type Tensor, type Value } from '../../graph/graph.ts';
import { writeMessage } from '../protobuf/writeMessage.ts';
import { dataTypeNumbers, onnxSchema, type OnnxAttribute, type OnnxGraph, type OnnxModel, type OnnxNode, type OnnxTensor, type OnnxValueInfo } from './messages.ts';
import type { NodeWriter } from './nodeWriter.ts';
import { networkWriters } from './networkWriters.ts';
import { operatorWriters } from './operatorWriters.ts';
import { webgpuWriters } from './webgpuWriters.ts';

/** Protocol Buffers cannot hold more. */
const maximumBytes = 2 ** 31 - 1;

/** What is written of a model file; the lists that Switchback leaves empty are absent. */
export interface WritableOnnxModel extends Omit<OnnxModel, 'graph' | 'functions' | 'metadataProps'> {
  readonly graph: Omit<OnnxGraph, 'sparseInitializers'>;
}

/**
 * `standard` for files and processors; `webgpu` avoids what onnxruntime's WebGPU kernels lack (webgpuWriters.ts); `network` names operators where ONNX has one, for a
 * file that is read again (networkWriters.ts). All mean the same.
 */
export type OnnxSpelling = 'standard' | 'webgpu' | 'network';

/** Throws AppError UNSUPPORTED where the weights exceed what one ONNX file can hold (2 GiB). */
export function writeOnnx(graph: Graph, spelling: OnnxSpelling = 'standard'): Uint8Array {
  return writeMessage(onnxSchema, 'Model', onnxModel(graph, spelling));
}

/** The messages of that file, for a writer that has something to add to them. Throws as writeOnnx. */
export function onnxModel(graph: Graph, spelling: OnnxSpelling = 'standard'): WritableOnnxModel {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [...graph.tensors.values()].map(tensorMessage);
  refuseOversize(graph);
  const names = new Set<string>([...graph.values.keys(), ...graph.tensors.keys()]);
  const writers = { ...operatorWriters, ...(spelling === 'webgpu' ? webgpuWriters : spelling === 'network' ? networkWriters : {}) };
  const surroundings = surroundingsOf(graph);
  for (const node of graph.nodes) {
    const writer = { ...surroundings, ...createNodeWriter(graph, node, names, nodes, initializers) };
    (writers[node.kind] as (node: Node, writer: NodeWriter) => void)(node, writer);
  }
  // A writer may have put weights of its own in the place of the graph's.
  const read = new Set([...graph.outputs, ...nodes.flatMap((node) => node.inputs)]);
  const opset = graph.nodes.some(isDilatedAveragePool) ? 19 : 17;
  return {
    irVersion: opset === 17 ? 8 : 9,
    producerName: 'Switchback',
    graph: {
      name: graph.name,
      nodes,
      initializers: initializers.filter((tensor) => read.has(tensor.name!)),
      inputs: graph.inputs.map(valueInfo),
      outputs: graph.outputs.map((name) => valueInfo(valueOf(graph, name))),
    },
    opsetImports: [{ domain: '', version: opset }],
  };
}

/** What every operator writer may ask about the graph. */
function surroundingsOf(graph: Graph): Pick<NodeWriter, 'tensor' | 'producer' | 'readers' | 'isOutput' | 'shared'> {
  const [makers, readers, outputs] = [producers(graph), consumers(graph), new Set(graph.outputs)];
  return {
    tensor: (name) => graph.tensors.get(name),
    producer: (name) => makers.get(name),
    readers: (name) => readers.get(name) ?? [],
    isOutput: (name) => outputs.has(name),
    shared: new Map(),
  };
}

/** What it may do at its own node: read the types around it, add constants and ONNX nodes. */
function createNodeWriter(graph: Graph, node: Node, names: Set<string>, nodes: OnnxNode[], initializers: OnnxTensor[]): Omit<NodeWriter, keyof ReturnType<typeof surroundingsOf>> {
  let added = 0;
  const freeName = (wish: string): string => {
    let name = wish;
    for (let count = 2; names.has(name); count++) name = `${wish}_${count}`;
    names.add(name);
    return name;
  };
  const base = node.outputs.find((output) => output !== '') ?? node.name;
  return {
    input: (index) => valueOf(graph, node.inputs[index]!),
    output: (index) => valueOf(graph, node.outputs[index]!),
    intermediate: (suffix) => freeName(`${base}/${suffix}`),
    constant(suffix, dataType, shape, data) {
      const name = freeName(`${base}/${suffix}`);
      initializers.push(tensorMessage({ name, dataType, shape, data }));
      return name;
    },
    add(opType, inputs, outputs, attributes = {}) {
      const name = added === 0 ? node.name : `${node.name}/${opType}_${added}`;
      added++;
      nodes.push({ opType, name, inputs: withoutTrailingGaps(inputs), outputs, attributes: attributeMessages(attributes) });
    },
  };
}

function isDilatedAveragePool(node: Node): boolean {
  return node.kind === 'AveragePool' && node.attributes.dilations.some((dilation) => dilation > 1);
}

function refuseOversize(graph: Graph): void {
  const bytes = [...graph.tensors.values()].reduce((total, tensor) => total + tensor.data.byteLength, 0);
  if (bytes < maximumBytes) return;
  throw new AppError('UNSUPPORTED', `The constants of ${graph.name} take ${bytes} bytes; one ONNX file holds less than 2 GiB. Use a smaller network.`, { bytes });
}

function withoutTrailingGaps(inputs: readonly string[]): string[] {
  const kept = [...inputs];
  while (kept.at(-1) === '') kept.pop();
  return kept;
}

export function tensorMessage(tensor: Tensor): OnnxTensor {
  const { data } = tensor;
  return {
    name: tensor.name,
    dims: tensor.shape,
    dataType: dataTypeNumbers[tensor.dataType],
    rawData: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength),
  } as unknown as OnnxTensor;
}

function valueInfo(value: Value): OnnxValueInfo {
  const dimensions = value.shape.map((dimension) => (dimension === 'batch' ? { parameter: 'N' } : { value: dimension }));
  return { name: value.name, type: { tensorType: { elementType: dataTypeNumbers[value.dataType], shape: { dimensions } } } };
}

/** Integers by name: lists become INTS, whole numbers INT; `{ float }` marks a FLOAT, as 1 alone does not say which it is. */
function attributeMessages(attributes: Parameters<NodeWriter['add']>[3] & object): OnnxAttribute[] {
  return Object.entries(attributes).map(([name, value]): OnnxAttribute => {
    const empty = { name, floats: [], ints: [], strings: [] };
    if (typeof value === 'number') return { ...empty, type: 2, i: value };
    if (typeof value === 'string') return { ...empty, type: 3, s: new TextEncoder().encode(value) };
    if ('float' in value) return { ...empty, type: 1, f: value.float };
    return { ...empty, type: 7, ints: value };
  });
}
