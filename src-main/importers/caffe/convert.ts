/**
 * A Caffe network and its weights -> a graph. Layers are taken in file order, each through the table of converters. Blobs may be overwritten in place,
 * graph values may not: a value carries the name of the layer that made it (method.md section 1), so what ReLU makes in place of conv1 is `relu1`.
 */
import { AppError } from '../../../src-shared/errors.ts';
import { createGraphBuilder, type GraphBuilder } from '../../graph/build.ts';
import type { Graph } from '../../graph/graph.ts';
import type { OpKind } from '../../graph/ops/attributes.ts';
import type { ImportReport, OpenOptions } from '../format.ts';
import { refuse, type LayerConversion } from './conversion.ts';
import { imageInputOf, type CaffeImageInput } from './imageInput.ts';
import { dataTypes, droppedTypes } from './layerTypes.ts';
import { converters } from './layers/table.ts';
import type { CaffeLayer, CaffeNetwork } from './network.ts';
import { integerOf, textsOf } from './textFields.ts';
import type { WeightSource } from './weightSource.ts';

export interface ConvertedNetwork {
  readonly graph: Graph;
  readonly input: CaffeImageInput;
  readonly report: ImportReport;
}

/** Throws AppError UNSUPPORTED, UNREADABLE_FILE or BAD_REQUEST; each message names the layer and its line. */
export function convertNetwork(network: CaffeNetwork, weights: WeightSource, fileName: string, options: OpenOptions): ConvertedNetwork {
  refuseUnknown(network, fileName);
  const builder = createGraphBuilder(network.name || fileName);
  const input = imageInputOf(network, fileName, options, channelsWanted(network, weights));
  builder.input(input.name, 'float32', input.shape);
  const warnings: string[] = [];
  const counts = new Map<string, { count: number; kinds: Set<OpKind> }>();
  /** The graph's value that stands in each blob now; '' for labels and what is made of them. */
  const blobs = new Map<string, string>([[input.name, input.name], ...input.others.map((name) => [name, ''] as const)]);
  const read = new Set<string>();
  const names = createNames(builder, network);

  for (const layer of network.layers) {
    if (dataTypes.has(layer.type) || droppedTypes.has(layer.type)) continue;
    const entry = counts.get(layer.type) ?? { count: 0, kinds: new Set() };
    counts.set(layer.type, entry);
    const inputs = layer.bottoms.map((blob) => {
      const value = blobs.get(blob);
      if (value !== undefined) return value;
      throw new AppError('UNREADABLE_FILE', `Layer ${JSON.stringify(layer.name)} (line ${layer.line}) of ${fileName} reads the blob ${JSON.stringify(blob)}, which no layer before it makes. Correct the prototxt.`, { file: fileName, layer: layer.name });
    });
    const unfed = inputs.indexOf('');
    if (unfed >= 0) {
      refuse(layer, `reads ${JSON.stringify(layer.bottoms[unfed])}, a second input of the network; Switchback feeds one picture`);
    }
    if (layer.tops.length === 0) refuse(layer, 'has no top');
    entry.count++;
    inputs.forEach((value) => read.add(value));
    const outputs = layer.tops.map((top) => names.claim(layer.tops.length === 1 ? layer.name : top));
    converters[layer.type]!(layerConversion({ layer, inputs, outputs, builder, weights, input, kinds: entry.kinds, warnings, free: names.free }));
    if (!outputs.every(builder.has)) refuse(layer, `has ${outputs.length} tops where one is expected`);
    layer.tops.forEach((top, index) => blobs.set(top, outputs[index]!));
  }
  const ends = [...new Set(blobs.values())].filter((value) => value !== '' && value !== input.name && !read.has(value));
  if (ends.length === 0) throw new AppError('UNSUPPORTED', `The network in ${fileName} has no layer that computes anything in its TEST phase. Open its deploy.prototxt.`, { file: fileName });
  return {
    graph: builder.finish(ends),
    input,
    report: { operators: [...counts].map(([op, { count, kinds }]) => ({ op, count, kinds: [...kinds] })), warnings },
  };
}

/** Channels that the network's first convolution takes, for data layers that do not say how many they give. */
function channelsWanted({ layers }: CaffeNetwork, weights: WeightSource): number | undefined {
  const first = layers.find(({ type }) => type === 'Convolution');
  const perGroup = first && weights.shapeOf(first.name, 0)?.at(-3);
  return perGroup && perGroup * integerOf(first.parameters('convolution_param'), 'group', 1, { minimum: 1 });
}

function layerConversion(context: {
  readonly layer: CaffeLayer;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly builder: GraphBuilder;
  readonly weights: WeightSource;
  readonly input: CaffeImageInput;
  readonly kinds: Set<OpKind>;
  readonly warnings: string[];
  readonly free: (wish: string) => string;
}): LayerConversion {
  const { layer, inputs, outputs, builder, weights, kinds, free } = context;
  const constant: LayerConversion['constant'] = (what, shape, data) => builder.tensor({ name: free(`${layer.name}/${what}`), dataType: 'float32', shape, data });
  const weightValues: LayerConversion['weightValues'] = (index, shape, what) => weights.read(layer, index, shape, what);
  return {
    layer,
    inputs,
    fileBatch: context.input.fileBatch,
    shapeOf: (value) => builder.valueOf(value).shape,
    weights: (index, shape, what) => constant(what, shape, weightValues(index, shape, what)),
    weightValues,
    constant,
    step(kind, operands, attributes) {
      kinds.add(kind);
      const output = free(`${layer.name}/${kind}`);
      return builder.add(kind, operands, attributes, { name: output, outputs: [output] })[0]!;
    },
    finish(kind, operands, attributes, top = 0) {
      kinds.add(kind);
      builder.add(kind, operands, attributes, { name: outputs.length === 1 ? layer.name : outputs[top]!, outputs: [outputs[top]!] });
    },
    warn(sentence) {
      if (!context.warnings.includes(sentence)) context.warnings.push(sentence);
    },
  };
}

/** Names of values: a layer's name is kept free until that layer comes; where two layers share one, the second gets a number. */
function createNames(builder: GraphBuilder, network: CaffeNetwork) {
  const reserved = new Set(network.layers.flatMap(({ name, tops }) => [name, ...tops]));
  const given = new Set<string>();
  const firstFree = (wish: string, taken: (name: string) => boolean): string => {
    let name = wish;
    for (let count = 2; taken(name); count++) name = `${wish}_${count}`;
    given.add(name);
    return name;
  };
  return {
    claim: (wish: string) => firstFree(wish || 'layer', (name) => builder.has(name) || given.has(name)),
    free: (wish: string) => firstFree(wish, (name) => builder.has(name) || given.has(name) || reserved.has(name)),
  };
}

/** Names the first layer whose type Switchback does not know, and the other types. */
function refuseUnknown(network: CaffeNetwork, fileName: string): void {
  const isKnown = ({ type }: CaffeLayer) => Object.hasOwn(converters, type) || dataTypes.has(type) || droppedTypes.has(type);
  const unknown = network.layers.filter((layer) => !isKnown(layer));
  const [first] = unknown;
  if (!first) return;
  const others = [...new Set(unknown.map(({ type }) => type))].filter((type) => type !== first.type);
  const also = others.length > 0 ? ` Also unknown: ${others.join(', ')}.` : '';
  const python = first.type === 'Python' ? textsOf(first.parameters('python_param'), 'layer').at(-1) : undefined;
  const what = python ? `Python (${python})` : first.type || '(none)';
  throw new AppError('UNSUPPORTED', `${fileName} uses the layer type ${what} in layer ${JSON.stringify(first.name)} (line ${first.line}), which Switchback cannot run.${also} Take such layers out of the prototxt, or end the network before them.`, {
    file: fileName, op: first.type, layer: first.name, line: first.line,
  });
}

