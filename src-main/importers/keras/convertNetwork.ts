/**
 * Keras' description of a network and its weights -> a graph. Shared by Keras files and TensorFlow.js layers models, which differ only in where
 * description and weights are kept. A value is called like the layer that produced it.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { Model } from '../../graph/graph.ts';
import type { ConvertedModel, OpenOptions } from '../format.ts';
import type { DataFormat } from './axes.ts';
import { fieldsOf, type Json } from './fields.ts';
import { pictureInput } from './imageInput.ts';
import type { Layer } from './layers/layer.ts';
import { layerConverters } from './layers/table.ts';
import { createNetwork, type Feature, type Network } from './network.ts';
import { readTopology, shapeIn, type LayerDescription, type Reference, type Topology } from './topology.ts';
import type { WeightSource } from './weights.ts';

export interface KerasDescription {
  readonly format: Model['format'];
  readonly fileName: string;
  readonly provenance: string;
  /** `{class_name, config}`. */
  readonly network: Json | undefined;
  /** Major version of the Keras that wrote it. */
  readonly kerasVersion: number;
  readonly weights: WeightSource;
}

/** Throws AppError UNREADABLE_FILE, UNSUPPORTED or BAD_REQUEST; each message names the layer or file. */
export function convertNetwork(description: KerasDescription, options: OpenOptions): ConvertedModel {
  const { fileName } = description;
  const topology = readTopology(description.network, fileName);
  refuseUnknown(topology, fileName);
  if (topology.inputs.length !== 1) {
    const names = topology.inputs.map(({ layer }) => JSON.stringify(layer)).join(', ');
    throw new AppError('UNSUPPORTED', `The network in ${fileName} has ${topology.inputs.length} inputs (${names}); Switchback feeds one picture. Save it with the picture as its only input.`, { file: fileName });
  }
  const run: Run = { description, network: createNetwork(topology.name), dataFormat: dataFormatIn(topology) ?? 'channels_last', names: new Set() };
  const { layer: inputName } = topology.inputs[0]!;
  const opening = topology.layers.find(({ name }) => name === inputName);
  const input = pictureInput(run.network, inputName, shapeIn(opening?.config ?? {}), run.dataFormat, fileName, options);
  run.names.add(input.value);
  const outputs = runTopology(run, topology, [input], [], '');
  const { graph, operators } = run.network.finish([...new Set(outputs.map(({ value }) => value))]);
  const model: Model = { format: description.format, graph, imageInput: input.value, provenance: description.provenance };
  return { model, report: { operators, warnings: warningsAbout(topology, description.format) } };
}

interface Run {
  readonly description: KerasDescription;
  readonly network: Network;
  readonly dataFormat: DataFormat;
  /** Names given to values so far. */
  readonly names: Set<string>;
}

interface Call {
  readonly layer: LayerDescription;
  readonly index: number;
  readonly given: readonly Reference[];
}

/** Calls each layer as soon as what it is given is there. Returns the features of the network's outputs. */
function runTopology(run: Run, topology: Topology, inputs: readonly Feature[], path: readonly string[], checkpoint: string): readonly Feature[] {
  const { fileName } = run.description;
  const layers = new Map(topology.layers.map((layer) => [layer.name, layer]));
  const places = checkpointPlaces(topology, checkpoint);
  const results = new Map<string, readonly Feature[]>();
  const waiting = new Map<string, Call[]>();
  /** Networks used as layers count their calls from 1: their call 0 is the one they were built with. */
  const keyOf = ({ layer: name, call }: Reference): string => {
    const layer = layers.get(name);
    if (!layer) throw new AppError('UNREADABLE_FILE', `The network ${JSON.stringify(topology.name)} in ${fileName} refers to a layer ${JSON.stringify(name)} that it does not have. Save it again.`, { file: fileName, layer: name });
    const index = layer.calls.length <= 1 ? 0 : layer.inner ? call - 1 : call;
    return `${index}:${name}`;
  };
  topology.inputs.forEach((reference, index) => results.set(keyOf(reference), [inputs[index]!]));
  const ready = topology.layers.flatMap((layer) => layer.calls.map((given, index): Call => ({ layer, index, given }))).reverse();
  for (let call = ready.pop(); call; call = ready.pop()) {
    const key = `${call.index}:${call.layer.name}`;
    if (results.has(key)) continue;
    const missing = call.given.map(keyOf).find((each) => !results.has(each));
    if (missing !== undefined) {
      waiting.set(missing, [...(waiting.get(missing) ?? []), call]);
      continue;
    }
    const given = call.given.map((reference) => resultOf(results.get(keyOf(reference))!, reference, fileName));
    results.set(key, callLayer(run, call, given, [...path, call.layer.name], places.get(call.layer.name)!));
    ready.push(...(waiting.get(key) ?? []).reverse());
  }
  return topology.outputs.map((reference) => {
    const features = results.get(keyOf(reference));
    if (!features) throw new AppError('UNREADABLE_FILE', `The output ${JSON.stringify(reference.layer)} of the network in ${fileName} does not follow from its input. Save it again.`, { file: fileName, layer: reference.layer });
    return resultOf(features, reference, fileName);
  });
}

function resultOf(features: readonly Feature[], { layer, output }: Reference, fileName: string): Feature {
  const feature = features[output];
  if (feature) return feature;
  throw new AppError('UNREADABLE_FILE', `The network in ${fileName} asks for result ${output} of layer ${JSON.stringify(layer)}, which has ${features.length}. Save it again.`, { file: fileName, layer });
}

function callLayer(run: Run, { layer, index }: Call, inputs: readonly Feature[], path: readonly string[], checkpoint: string): readonly Feature[] {
  if (layer.inner) return runTopology(run, layer.inner, inputs, path, checkpoint);
  if (layer.type === 'InputLayer') return inputs;
  const { network } = run;
  const wish = index === 0 ? layer.name : `${layer.name}/${index + 1}`;
  const name = run.names.has(wish) ? [...path.slice(0, -1), wish].join('/') : wish;
  network.begin(layer.type, name);
  const feature = layerConverters[layer.type]!(layerView(run, layer, inputs, path, checkpoint));
  run.names.add(name);
  return [{ ...feature, value: network.publish(feature.value, name) }];
}

function layerView(run: Run, layer: LayerDescription, inputs: readonly Feature[], path: readonly string[], checkpoint: string): Layer {
  const { network, description } = run;
  const optionalWeight = (role: string, position: number) => description.weights.find({ path, checkpoint }, role, position);
  return {
    name: layer.name,
    type: layer.type,
    config: fieldsOf(layer.config, network.refuse),
    inputs,
    network,
    kerasVersion: description.kerasVersion,
    dataFormat: run.dataFormat,
    optionalWeight,
    weight(role, position) {
      const weight = optionalWeight(role, position);
      if (weight) return weight;
      throw new AppError('UNREADABLE_FILE', `${description.fileName} holds no ${role} for its layer ${JSON.stringify(layer.name)} (${layer.type}). Save the whole trained model again.`, { file: description.fileName, layer: layer.name });
    },
  };
}

/** Keras 3 keeps weights under the layers' class names in snake case, numbered from the second of a class on. */
function checkpointPlaces(topology: Topology, checkpoint: string): ReadonlyMap<string, string> {
  const used = new Map<string, number>();
  return new Map(
    topology.layers.map(({ name, type }) => {
      const plain = type.replace(/(.)([A-Z][a-z]+)/g, '$1_$2').replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase();
      const count = used.get(plain) ?? 0;
      used.set(plain, count + 1);
      return [name, `${checkpoint}${checkpoint === '' ? '' : '/'}layers/${plain}${count === 0 ? '' : `_${count}`}`];
    }),
  );
}

/** Names the first layer type that Switchback does not know, and the others. */
function refuseUnknown(topology: Topology, fileName: string): void {
  const unknown = allLayers(topology).filter(({ type, inner }) => !inner && type !== 'InputLayer' && !Object.hasOwn(layerConverters, type));
  const [first] = unknown;
  if (!first) return;
  const others = [...new Set(unknown.map(({ type }) => type))].filter((type) => type !== first.type);
  const also = others.length > 0 ? ` Also unknown: ${others.join(', ')}.` : '';
  const reason = first.type === 'Lambda' ? 'whose code is not in the file' : 'which Switchback cannot run';
  throw new AppError('UNSUPPORTED', `${fileName} uses the layer type ${first.type} in layer ${JSON.stringify(first.name)}, ${reason}.${also} Export the network to ONNX with tf2onnx, or cut it off before that layer.`, { file: fileName, op: first.type, layer: first.name });
}

function allLayers({ layers }: Topology): readonly LayerDescription[] {
  return layers.flatMap((layer) => (layer.inner ? [layer, ...allLayers(layer.inner)] : [layer]));
}

/** The order of the axes as the first layer that has one says it. */
function dataFormatIn(topology: Topology): DataFormat | undefined {
  for (const { config } of allLayers(topology)) {
    const format = config['data_format'] ?? config['dim_ordering'];
    if (format === 'channels_first' || format === 'th') return 'channels_first';
    if (format === 'channels_last' || format === 'tf') return 'channels_last';
  }
  return undefined;
}

function warningsAbout(topology: Topology, format: Model['format']): readonly string[] {
  const layers = allLayers(topology);
  const scaling = layers.slice(0, 3).find(({ type }) => type === 'Rescaling' || type === 'Normalization');
  const warnings: string[] = [];
  if (scaling) warnings.push(`The layer ${JSON.stringify(scaling.name)} scales the pictures inside the network: probably it takes values from 0 to 255, so set the scale to 1.`);
  const enlarging = layers.find(({ type, config }) => type === 'UpSampling2D' && config['interpolation'] === 'bilinear');
  if (enlarging && format === 'tensorflowjs') {
    warnings.push(`The layer ${JSON.stringify(enlarging.name)} enlarges with pixel centres at half coordinates, as Keras does; TensorFlow.js itself places them at whole ones.`);
  }
  return warnings;
}
