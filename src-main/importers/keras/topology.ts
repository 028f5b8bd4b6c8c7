/**
 * A network's description as Keras writes it (Sequential, Model, Functional; Keras 1 to 3, and TensorFlow.js, which took it over) -> layers and which
 * result each is called on. Networks may be layers of networks.
 */
import { AppError } from '../../../src-shared/errors.ts';
import { brief, isList, isObject, type Json, type JsonObject } from './fields.ts';

/** One result of one call of a layer. */
export interface Reference {
  readonly layer: string;
  readonly call: number;
  readonly output: number;
}

export interface LayerDescription {
  readonly name: string;
  readonly type: string;
  readonly config: JsonObject;
  /** What each call of the layer is given. */
  readonly calls: readonly (readonly Reference[])[];
  /** The layers of a network that is used as a layer. */
  readonly inner: Topology | undefined;
}

export interface Topology {
  readonly name: string;
  readonly layers: readonly LayerDescription[];
  readonly inputs: readonly Reference[];
  readonly outputs: readonly Reference[];
  /** `[batch, ...]` of a Sequential that has no input layer; null where a size is open. */
  readonly inputShape: readonly Json[] | undefined;
}

const networkTypes = new Set(['Sequential', 'Model', 'Functional']);
const deepestNesting = 16;

/** Throws AppError UNREADABLE_FILE where the description is not one, UNSUPPORTED for networks of other kinds. */
export function readTopology(description: Json | undefined, fileName: string, depth = 0): Topology {
  const broken = (reason: string): never => {
    throw new AppError('UNREADABLE_FILE', `The network described in ${fileName} is broken: ${reason}. Save or download it again.`, { file: fileName });
  };
  if (!isObject(description)) return broken(`it is ${brief(description)} instead of an object with class_name and config`);
  const type = plainName(description['class_name']);
  if (!networkTypes.has(type)) {
    throw new AppError('UNSUPPORTED', `${fileName} holds a network of the class ${brief(description['class_name'])}, which only its own program can rebuild; Switchback reads Sequential and functional networks. Rebuild it as one of those, or export it to ONNX with tf2onnx.`, { file: fileName });
  }
  if (depth > deepestNesting) return broken(`networks stand within networks more than ${deepestNesting} deep`);
  const { config } = description;
  const settings: JsonObject = isObject(config) ? config : {};
  const list = isList(config) ? config : settings['layers'];
  if (!isList(list) || list.length === 0) return broken(`${type} has no list of layers`);
  const name = typeof settings['name'] === 'string' ? settings['name'] : type.toLowerCase();
  const layers = list.map((entry) => readLayer(entry, fileName, depth, broken));
  const names = new Set(layers.map((layer) => layer.name));
  if (names.size < layers.length) broken('two of its layers have the same name');
  if (type === 'Sequential') return inSequence(name, layers, settings);
  return {
    name,
    layers,
    inputs: references(settings['input_layers'], broken),
    outputs: references(settings['output_layers'], broken),
    inputShape: undefined,
  };
}

type Broken = (reason: string) => never;

function readLayer(entry: Json, fileName: string, depth: number, broken: Broken): LayerDescription {
  if (!isObject(entry)) return broken(`one of its layers is ${brief(entry)}`);
  const type = plainName(entry['class_name']);
  const config = isObject(entry['config']) ? entry['config'] : {};
  const name = entry['name'] ?? config['name'];
  const inner = networkTypes.has(type) ? readTopology(entry, fileName, depth + 1) : undefined;
  const own = typeof name === 'string' ? name : inner?.name;
  if (own === undefined || own === '') return broken(`a layer of type ${type} has no name`);
  const nodes = entry['inbound_nodes'];
  return { name: own, type, config, inner, calls: isList(nodes) ? nodes.map((node) => callOf(node, broken)) : [] };
}

/** Each layer on the result of the one before; the first may be an input layer. */
function inSequence(name: string, layers: readonly LayerDescription[], settings: JsonObject): Topology {
  const [first] = layers as readonly [LayerDescription];
  const hasInput = first.type === 'InputLayer';
  const input = { layer: hasInput ? first.name : `${first.name}_input`, call: 0, output: 0 };
  let previous: Reference = input;
  const chained = layers.map((layer, index): LayerDescription => {
    if (index === 0 && hasInput) return { ...layer, calls: [] };
    const calls = [[previous]];
    previous = { layer: layer.name, call: 0, output: 0 };
    return { ...layer, calls };
  });
  const given = shapeIn(first.config) ?? settings['build_input_shape'] ?? innerShape(first.inner);
  const inputShape = isList(given) ? given : undefined;
  const opening: LayerDescription = { name: input.layer, type: 'InputLayer', config: inputShape ? { batch_input_shape: inputShape } : {}, calls: [], inner: undefined };
  return { name, layers: hasInput ? chained : [opening, ...chained], inputs: [input], outputs: [previous], inputShape };
}

function innerShape(inner: Topology | undefined): Json | undefined {
  const opening = inner?.layers.find(({ type }) => type === 'InputLayer');
  return opening && shapeIn(opening.config);
}

/** `[batch, ...]` as an input layer or the first layer of a sequence says it; null where a size is open. */
export function shapeIn(config: JsonObject): readonly Json[] | undefined {
  const shape = config['batch_input_shape'] ?? config['batch_shape'];
  if (isList(shape)) return shape;
  const withoutBatch = config['input_shape'] ?? config['shape'];
  return isList(withoutBatch) ? [null, ...withoutBatch] : undefined;
}

/** Keras 3 writes the arguments of a call, Keras 1 and 2 a list of [layer, call, output, other arguments]. */
function callOf(node: Json, broken: Broken): readonly Reference[] {
  if (isObject(node)) return historiesIn(node['args'] ?? null, broken, 0);
  if (!isList(node)) return broken(`a call is ${brief(node)}`);
  return isReference(node) ? [reference(node, broken)] : node.map((each) => reference(each, broken));
}

function historiesIn(value: Json, broken: Broken, depth: number): readonly Reference[] {
  if (depth > deepestNesting) return broken('the arguments of a call are nested too deep');
  if (isList(value)) return value.flatMap((each) => historiesIn(each, broken, depth + 1));
  if (!isObject(value)) return [];
  const { class_name: type, config } = value;
  return type === '__keras_tensor__' && isObject(config) ? [reference(config['keras_history'] ?? null, broken)] : [];
}

/** One reference or a list of them. */
function references(value: Json | undefined, broken: Broken): readonly Reference[] {
  if (!isList(value)) return broken(`its inputs or outputs are ${brief(value)}`);
  return isReference(value) ? [reference(value, broken)] : value.map((each) => reference(each, broken));
}

function isReference(value: readonly Json[]): boolean {
  return typeof value[0] === 'string' && typeof value[1] === 'number';
}

function reference(value: Json, broken: Broken): Reference {
  const [layer, call = 0, output = 0] = isList(value) ? value : [];
  if (typeof layer !== 'string' || typeof call !== 'number' || typeof output !== 'number') return broken(`a call refers to ${brief(value)}`);
  return { layer, call, output };
}

/** Class names may carry the package they were registered under. */
function plainName(value: Json | undefined): string {
  return typeof value === 'string' ? value.slice(value.lastIndexOf('>') + 1) : '';
}
