/** What a converter of one Keras layer works with: its configuration, its weights, the features it is called on, the network under construction. */
import type { DataFormat } from '../axes.ts';
import { activationNamed } from '../activations.ts';
import { graphAxis } from '../axes.ts';
import { isObject, type Fields } from '../fields.ts';
import type { Feature, Network } from '../network.ts';
import type { FileTensor } from '../operations.ts';
import type { Padding } from '../windows.ts';

export interface Layer {
  readonly name: string;
  readonly type: string;
  readonly config: Fields;
  readonly inputs: readonly Feature[];
  readonly network: Network;
  /** Major version of the Keras that wrote the file. */
  readonly kerasVersion: number;
  /** How the network's pictures lie where a layer does not say it. */
  readonly dataFormat: DataFormat;
  /** A weight of the layer by its role (`kernel`, `gamma` ...); refuses the layer where the file holds none. `position`: its place among the layer's weights. */
  weight(role: string, position: number): FileTensor;
  /** As `weight`, undefined where the file holds none. */
  optionalWeight(role: string, position: number): FileTensor | undefined;
}

/** Adds what the layer computes and returns its result. Throws AppError UNSUPPORTED by `network.refuse`. */
export type LayerConverter = (layer: Layer) => Feature;

/** The one feature of a layer that takes one. */
export function only(layer: Layer): Feature {
  const [feature, second] = layer.inputs;
  if (!feature || second) return layer.network.refuse(`is called on ${layer.inputs.length} values instead of one`);
  return feature;
}

/** `data_format`; Keras 1 called it `dim_ordering`. */
export function dataFormatOf(layer: Layer): DataFormat {
  const text = layer.config.text('data_format', layer.config.text('dim_ordering', ''));
  if (text === 'channels_first' || text === 'th') return 'channels_first';
  if (text === 'channels_last' || text === 'tf') return 'channels_last';
  return text === '' || text === 'default' ? layer.dataFormat : layer.network.refuse(`has the data_format ${JSON.stringify(text)}; known are channels_last and channels_first`);
}

/** `padding`; Keras 1 called it `border_mode`. */
export function paddingOf(layer: Layer): Padding {
  const text = layer.config.text('padding', layer.config.text('border_mode', 'valid')).toLowerCase();
  return text === 'same' || text === 'valid' ? text : layer.network.refuse(`has the padding ${JSON.stringify(text)}; known are same and valid`);
}

/** Two whole numbers above 0. */
export function pair(layer: Layer, name: string, fallback?: readonly [number, number]): readonly [number, number] {
  const [rows, columns] = layer.config.integers(name, 2, fallback) as readonly [number, number];
  if (rows < 1 || columns < 1) layer.network.refuse(`has ${name} ${rows}, ${columns}; both must be at least 1`);
  return [rows, columns];
}

/** The layer's own `activation`, applied to a feature: a name, or in Keras 3 an object that holds one. */
export function activated(layer: Layer, feature: Feature): Feature {
  const { name, settings } = activationSetting(layer);
  if (settings) return settings(feature);
  const axis = name.endsWith('softmax') ? graphAxis(layer.network, feature, -1) : 0;
  return { ...feature, value: activationNamed(layer.network, name, layer.kerasVersion)(layer.network, feature.value, axis) };
}

function activationSetting(layer: Layer): { readonly name: string; readonly settings?: (feature: Feature) => Feature } {
  const value = layer.config.raw('activation');
  if (value === undefined) return { name: 'linear' };
  if (typeof value === 'string') return { name: value };
  if (isObject(value)) {
    const { registered_name: registered, config, class_name: type } = value;
    if (type === 'function' && typeof config === 'string') return { name: config };
    if (typeof registered === 'string' && registered !== 'function') return { name: lowerName(registered) };
    if (typeof type === 'string') return { name: lowerName(type) };
  }
  return layer.network.refuse(`has an activation that is no name: ${JSON.stringify(value).slice(0, 80)}`);
}

/** `ReLU`, `builtins>relu`: as activations are named. */
function lowerName(name: string): string {
  return name.slice(name.lastIndexOf('>') + 1).toLowerCase();
}
