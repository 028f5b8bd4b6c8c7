/**
 * A TensorFlow.js graph model -> a graph: TensorFlow's own nodes, as its converter leaves them, with weights in the Const nodes. Only what the outputs
 * need is looked at. A value is called like the node that made it.
 */
import { AppError } from '../../../../src-shared/errors.ts';
import type { ConvertedModel, OpenOptions } from '../../format.ts';
import type { DataFormat } from '../../keras/axes.ts';
import { isList, isObject, type Json, type JsonObject } from '../../keras/fields.ts';
import { pictureInput } from '../../keras/imageInput.ts';
import { createNetwork, type Network } from '../../keras/network.ts';
import type { ShardWeight } from '../weights.ts';
import { attributesOf, type Made, type NodeConverter } from './node.ts';
import { shapeOperators } from './shapeOperators.ts';
import { valueOperators } from './valueOperators.ts';
import { windowOperators } from './windowOperators.ts';

export interface GraphDescription {
  readonly nodes: readonly Json[];
  /** `{inputs, outputs}` by name, where the file has it. */
  readonly signature: JsonObject | undefined;
  readonly weights: ReadonlyMap<string, ShardWeight>;
  readonly fileName: string;
  readonly provenance: string;
}

const converters: Readonly<Record<string, NodeConverter>> = { ...windowOperators, ...valueOperators, ...shapeOperators };

interface NodeDescription {
  readonly name: string;
  readonly op: string;
  /** Data inputs; those that only order execution are left out. */
  readonly inputs: readonly string[];
  readonly attributes: Json | undefined;
}

/** Throws AppError UNREADABLE_FILE, UNSUPPORTED or BAD_REQUEST; each message names the node or file. */
export function convertGraphModel(description: GraphDescription, options: OpenOptions): ConvertedModel {
  const { fileName } = description;
  const nodes = readNodes(description.nodes, fileName);
  const outputs = outputsOf(description.signature, nodes, fileName);
  const order = neededNodes(outputs, nodes, fileName);
  refuseUnknown(order, fileName);
  const network = createNetwork(fileName);
  const dataFormat: DataFormat = order.some(({ attributes }) => attributesOf(attributes).text('data_format', '') === 'NCHW') ? 'channels_first' : 'channels_last';
  const made = new Map<string, readonly Made[]>();
  const [placeholder, another] = order.filter(({ op }) => op === 'Placeholder');
  if (!placeholder || another) {
    const names = order.filter(({ op }) => op === 'Placeholder').map(({ name }) => JSON.stringify(name)).join(', ');
    throw new AppError('UNSUPPORTED', `The network in ${fileName} has ${placeholder ? `several inputs (${names})` : 'no input'}; Switchback feeds one picture. Convert it with the picture as its only input.`, { file: fileName });
  }
  const input = pictureInput(network, placeholder.name, placeholderShape(placeholder, description.signature), dataFormat, fileName, options);
  made.set(placeholder.name, [{ kind: 'feature', feature: input }]);
  for (const node of order) if (!made.has(node.name)) made.set(node.name, convertNode(node, network, made, dataFormat, description));
  const results = outputs.map((output) => {
    const result = resultOf(output, made);
    if (result?.kind !== 'feature') throw new AppError('UNSUPPORTED', `The output ${JSON.stringify(output)} of ${fileName} does not depend on the picture.`, { file: fileName });
    return result.feature.value;
  });
  const { graph, operators } = network.finish([...new Set(results)]);
  return { model: { format: 'tensorflowjs', graph, imageInput: input.value, provenance: description.provenance }, report: { operators, warnings: [] } };
}

function convertNode({ name, op, inputs, attributes }: NodeDescription, network: Network, made: ReadonlyMap<string, readonly Made[]>, dataFormat: DataFormat, description: GraphDescription): readonly Made[] {
  if (op === 'Const') {
    const weight = description.weights.get(name);
    if (!weight) throw new AppError('UNREADABLE_FILE', `${description.fileName} holds no numbers for its constant ${JSON.stringify(name)}. Convert the model again.`, { file: description.fileName, node: name });
    const { shape, data } = weight.read();
    return [{ kind: 'known', shape, numbers: data }];
  }
  network.begin(op, name);
  const result = converters[op]!({
    name,
    op,
    network,
    attributes: attributesOf(attributes),
    dataFormat,
    inputCount: inputs.length,
    input: (index) => (inputs[index] === undefined ? network.refuse(`lacks its input ${index + 1}`) : (resultOf(inputs[index], made) ?? network.refuse(`reads ${JSON.stringify(inputs[index])}, which does not exist`))),
  });
  const list: readonly Made[] = 'value' in result ? [{ kind: 'feature', feature: result }] : result;
  return list.map((each, index) => {
    if (each.kind === 'known') return each;
    return { kind: 'feature', feature: { ...each.feature, value: network.publish(each.feature.value, index === 0 ? name : `${name}:${index}`) } };
  });
}

/** `node`, or `node:1` for a later output. */
function resultOf(reference: string, made: ReadonlyMap<string, readonly Made[]>): Made | undefined {
  const [name, index] = divided(reference);
  return made.get(name)?.[index];
}

function divided(reference: string): readonly [string, number] {
  const [, name = reference, index = '0'] = /^(.*?)(?::(\d+))?$/.exec(reference) ?? [];
  return [name, Number(index)];
}

function readNodes(list: readonly Json[], fileName: string): ReadonlyMap<string, NodeDescription> {
  const nodes = new Map<string, NodeDescription>();
  for (const entry of list) {
    if (!isObject(entry) || typeof entry['name'] !== 'string' || entry['name'] === '' || typeof entry['op'] !== 'string') {
      throw new AppError('UNREADABLE_FILE', `A node of the network in ${fileName} has no name or no operator. Convert the model again.`, { file: fileName });
    }
    const inputs = (isList(entry['input']) ? entry['input'] : []).filter((input) => typeof input === 'string').filter((input) => !input.startsWith('^'));
    nodes.set(entry['name'], { name: entry['name'], op: entry['op'], inputs, attributes: entry['attr'] });
  }
  return nodes;
}

/** What the signature names, else every node that nothing reads. */
function outputsOf(signature: JsonObject | undefined, nodes: ReadonlyMap<string, NodeDescription>, fileName: string): readonly string[] {
  const named = Object.values(entriesOf(signature, 'outputs')).flatMap((entry) => (isObject(entry) && typeof entry['name'] === 'string' ? [entry['name']] : []));
  if (named.length > 0) return named;
  const read = new Set([...nodes.values()].flatMap(({ inputs }) => inputs.map((input) => divided(input)[0])));
  const ends = [...nodes.values()].filter(({ name, op }) => !read.has(name) && !['Const', 'NoOp', 'Placeholder'].includes(op)).map(({ name }) => name);
  if (ends.length === 0) throw new AppError('UNREADABLE_FILE', `The network in ${fileName} has no output. Convert the model again.`, { file: fileName });
  return ends;
}

function entriesOf(signature: JsonObject | undefined, name: string): JsonObject {
  const entries = signature?.[name];
  return isObject(entries) ? entries : {};
}

/** The nodes that the outputs need, each behind what it reads. */
function neededNodes(outputs: readonly string[], nodes: ReadonlyMap<string, NodeDescription>, fileName: string): readonly NodeDescription[] {
  const order: NodeDescription[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const stack = outputs.map((output) => divided(output)[0]).reverse();
  for (let name = stack.at(-1); name !== undefined; name = stack.at(-1)) {
    const node = nodes.get(name);
    if (!node) throw new AppError('UNREADABLE_FILE', `The network in ${fileName} reads ${JSON.stringify(name)}, which none of its nodes makes. Convert the model again.`, { file: fileName, node: name });
    const missing = state.get(name) === 'done' ? [] : node.inputs.map((input) => divided(input)[0]).filter((input) => state.get(input) !== 'done');
    if (missing.length === 0) {
      stack.pop();
      if (state.get(name) !== 'done') order.push(node);
      state.set(name, 'done');
    } else if (state.get(name) === 'open') {
      throw new AppError('UNSUPPORTED', `The network in ${fileName} runs in a circle through ${JSON.stringify(name)} (${node.op}); Switchback reads networks without loops.`, { file: fileName, node: name });
    } else {
      state.set(name, 'open');
      stack.push(...missing.reverse());
    }
  }
  return order;
}

function refuseUnknown(order: readonly NodeDescription[], fileName: string): void {
  const unknown = order.filter(({ op }) => op !== 'Placeholder' && op !== 'Const' && !Object.hasOwn(converters, op));
  const [first] = unknown;
  if (!first) return;
  const others = [...new Set(unknown.map(({ op }) => op))].filter((op) => op !== first.op);
  const also = others.length > 0 ? ` Also unknown: ${others.join(', ')}.` : '';
  throw new AppError('UNSUPPORTED', `${fileName} uses the operator ${first.op} in node ${JSON.stringify(first.name)}, which Switchback cannot run.${also} Export the network to ONNX with tf2onnx, or cut it off before that node.`, { file: fileName, op: first.op, node: first.name });
}

/** From the node, else from the signature. Sizes are texts; -1 stands for an open one. */
function placeholderShape({ name, attributes }: NodeDescription, signature: JsonObject | undefined): readonly Json[] | undefined {
  const own = isObject(attributes) && isObject(attributes['shape']) ? attributes['shape']['shape'] : undefined;
  const signed = Object.values(entriesOf(signature, 'inputs')).find((entry) => isObject(entry) && typeof entry['name'] === 'string' && divided(entry['name'])[0] === name);
  for (const shape of [own, isObject(signed) ? signed['tensorShape'] : undefined]) {
    const dimensions = isObject(shape) ? shape['dim'] : undefined;
    if (isList(dimensions) && dimensions.length > 0) return dimensions.map((dimension) => (isObject(dimension) ? Number(dimension['size'] ?? -1) : -1));
  }
  return undefined;
}
