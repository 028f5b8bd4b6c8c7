/**
 * Between the file's axes and the graph's: reading a value in either order, shapes and axis numbers, constants turned along. A turn that only moves
 * axes of size 1 is a Reshape, so that it costs nothing and is no stop for whoever walks the graph.
 */
import { elementCount, type Shape } from '../../graph/graph.ts';
import type { Feature, Network } from './network.ts';

/** `[N, H, W, C]` -> `[N, C, H, W]`: axis i of the result is axis `toChannelsFirst[i]` of the operand. */
const toChannelsFirst = [0, 3, 1, 2] as const;
const toChannelsLast = [0, 2, 3, 1] as const;

export type DataFormat = 'channels_last' | 'channels_first';

/** The value with the file's axes. */
export function inFileOrder(network: Network, feature: Feature): string {
  return feature.order === 'file' ? feature.value : turn(network, feature.value, toChannelsLast);
}

/** A picture `[N, C, H, W]`, whatever the file calls its axes. Refuses values without two spatial axes. */
export function asPicture(network: Network, feature: Feature, format: DataFormat): string {
  const { length } = network.shapeOf(feature.value);
  if (length !== 4) network.refuse(`works on a value with ${length} axes; Switchback handles pictures, which have 4`);
  if (format === 'channels_first') return inFileOrder(network, feature);
  return feature.order === 'channelsLast' ? feature.value : turn(network, feature.value, toChannelsFirst);
}

/** What `asPicture` and an operation on it made, as the file sees it. */
export function pictureOf(value: string, format: DataFormat): Feature {
  return { value, order: format === 'channels_last' ? 'channelsLast' : 'file' };
}

/** A value with the file's axes; with four of them in a channels-last network it is turned into a picture, so that what follows works on pictures. */
export function fromFileOrder(network: Network, value: string, format: DataFormat): Feature {
  if (format === 'channels_first' || network.shapeOf(value).length !== 4) return { value, order: 'file' };
  return { value: turn(network, value, toChannelsFirst), order: 'channelsLast' };
}

/** Shape in the file's axes. */
export function fileShape(network: Network, feature: Feature): Shape {
  const shape = network.shapeOf(feature.value);
  return feature.order === 'file' ? shape : toChannelsLast.map((axis) => shape[axis]!);
}

/** The graph's axis for one of the file's; negative ones count from the end. */
export function graphAxis(network: Network, feature: Feature, axis: number): number {
  const rank = network.shapeOf(feature.value).length;
  const counted = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || counted < 0 || counted >= rank) network.refuse(`names axis ${axis} of a value with ${rank} axes`);
  return feature.order === 'file' ? counted : toChannelsFirst.indexOf(counted as 0 | 1 | 2 | 3);
}

/** Several values in one order, that of pictures where one of them is a picture and all have four axes. */
export function inOneOrder(network: Network, features: readonly Feature[]): { readonly values: readonly string[]; readonly order: Feature['order'] } {
  const anyPicture = features.some(({ order }) => order === 'channelsLast');
  if (anyPicture && features.every(({ value }) => network.shapeOf(value).length === 4)) {
    return { values: features.map((feature) => asPicture(network, feature, 'channels_last')), order: 'channelsLast' };
  }
  return { values: features.map((feature) => inFileOrder(network, feature)), order: 'file' };
}

/** A constant in the file's axes, made to broadcast against the value of a feature as numpy would in the file's axes. */
export function constantBeside(network: Network, feature: Feature, what: string, shape: readonly number[], data: Float32Array): string {
  if (feature.order === 'file' || elementCount(shape) === 1) return network.constant(what, elementCount(shape) === 1 ? [1] : shape, data);
  if (shape.length > 4) network.refuse(`has a constant with ${shape.length} axes beside a picture`);
  const full = [...new Array<number>(4 - shape.length).fill(1), ...shape];
  const turned = permuted(full, data, toChannelsFirst);
  return network.constant(what, full[0] === 1 ? turned.shape.slice(1) : turned.shape, turned.data);
}

/** Axes in another order: axis i of the result is axis `permutation[i]` of the operand. */
export function turn(network: Network, value: string, permutation: readonly number[]): string {
  const shape = network.shapeOf(value);
  const moved = permutation.filter((axis) => shape[axis] !== 1);
  if (moved.every((axis, index) => index === 0 || axis > moved[index - 1]!)) {
    return network.add('Reshape', [value], { shape: permutation.map((axis) => shape[axis]!) }, 'Turn');
  }
  return network.add('Transpose', [value], { permutation }, 'Turn');
}

/** Row-major data with its axes in another order. */
export function permuted(shape: readonly number[], data: Float32Array, permutation: readonly number[]): { readonly shape: number[]; readonly data: Float32Array } {
  const target = permutation.map((axis) => shape[axis]!);
  const stride = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) stride[axis] = stride[axis + 1]! * shape[axis + 1]!;
  const steps = permutation.map((axis) => stride[axis]!);
  const result = new Float32Array(data.length);
  const place = new Array<number>(target.length).fill(0);
  let from = 0;
  for (let at = 0; at < result.length; at++) {
    result[at] = data[from]!;
    for (let axis = target.length - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++place[axis]! < target[axis]!) break;
      from -= steps[axis]! * target[axis]!;
      place[axis] = 0;
    }
  }
  return { shape: target, data: result };
}
