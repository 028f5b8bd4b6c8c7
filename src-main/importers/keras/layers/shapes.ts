/** Keras' layers that move values about: Reshape and Permute in the file's axes. */
import type { Shape } from '../../../graph/graph.ts';
import { fromFileOrder, inFileOrder, turn } from '../axes.ts';
import { isList } from '../fields.ts';
import { only, type LayerConverter } from './layer.ts';

/** `target_shape` without the batch; one size may be -1. */
const reshape: LayerConverter = (layer) => {
  const { network, config } = layer;
  const target = config.raw('target_shape');
  if (!isList(target) || !target.every((size) => Number.isSafeInteger(size))) return network.refuse(`has the target_shape ${JSON.stringify(target)} instead of whole numbers`);
  const value = inFileOrder(network, only(layer));
  const [batch, ...sizes] = network.shapeOf(value);
  const count = sizes.reduce<number>((product, size) => product * (size as number), 1);
  const known = target.reduce<number>((product, size) => (size === -1 ? product : product * (size as number)), 1);
  const shape: Shape = [batch!, ...target.map((size) => (size === -1 ? count / known : (size as number)))];
  if (shape.slice(1).some((size) => !Number.isInteger(size) || (size as number) < 1)) network.refuse(`reshapes ${count} values to [${shape.slice(1).join(', ')}]`);
  return fromFileOrder(network, network.add('Reshape', [value], { shape }), layer.dataFormat);
};

/** `dims`: the file's axes in their new order, counted from 1. */
const permute: LayerConverter = (layer) => {
  const { network, config } = layer;
  const value = inFileOrder(network, only(layer));
  const dims = config.integers('dims', network.shapeOf(value).length - 1);
  if (dims.some((_, index) => !dims.includes(index + 1))) network.refuse(`has dims ${dims.join(', ')}, which is no order of its axes`);
  return fromFileOrder(network, turn(network, value, [0, ...dims]), layer.dataFormat);
};

export const shapeLayers = { Reshape: reshape, Permute: permute } satisfies Readonly<Record<string, LayerConverter>>;
