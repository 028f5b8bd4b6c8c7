/** Keras' layers with weights: convolutions of all kinds and fully connected layers. Keras 1's names for the same settings are understood, too. */
import { asPicture, inFileOrder, pictureOf, turn } from '../axes.ts';
import { convolve, convolveDepthwise, convolveTransposed, multiplyMatrix, pictureSize, type FileTensor } from '../operations.ts';
import type { Size2 } from '../../../graph/ops/attributes.ts';
import { transposedWindow, windowOn } from '../windows.ts';
import { activated, dataFormatOf, only, paddingOf, pair, type Layer, type LayerConverter } from './layer.ts';

const convolution: LayerConverter = (layer) => {
  const { value, format, size } = pictureFor(layer);
  const kernel = layer.weight('kernel', 0);
  const window = windowOn(size, paddingOf(layer), kernelSize(layer, kernel), strides(layer), pair(layer, 'dilation_rate', [1, 1]));
  const groups = layer.config.number('groups', 1);
  return activated(layer, pictureOf(convolve(layer.network, value, kernel, bias(layer, 1), window, groups), format));
};

const depthwiseConvolution: LayerConverter = (layer) => {
  const { value, format, size } = pictureFor(layer);
  const kernel = layer.optionalWeight('depthwise_kernel', 0) ?? layer.weight('kernel', 0);
  const window = windowOn(size, paddingOf(layer), kernelSize(layer, kernel), strides(layer), pair(layer, 'dilation_rate', [1, 1]));
  return activated(layer, pictureOf(convolveDepthwise(layer.network, value, kernel, bias(layer, 1), window), format));
};

/** Each channel by itself, then 1 x 1 across channels. */
const separableConvolution: LayerConverter = (layer) => {
  const { value, format, size } = pictureFor(layer);
  const depthwise = layer.weight('depthwise_kernel', 0);
  const window = windowOn(size, paddingOf(layer), kernelSize(layer, depthwise), strides(layer), pair(layer, 'dilation_rate', [1, 1]));
  const separate = convolveDepthwise(layer.network, value, depthwise, undefined, window, 'depthwise');
  const point = windowOn([1, 1], 'valid', [1, 1], [1, 1]);
  return activated(layer, pictureOf(convolve(layer.network, separate, layer.weight('pointwise_kernel', 1), bias(layer, 2), point, 1), format));
};

/** `same` makes size * stride; `valid` what the kernel reaches, at least size * stride; an output_padding says it exactly. */
const transposedConvolution: LayerConverter = (layer) => {
  const { value, format, size } = pictureFor(layer);
  const kernel = layer.weight('kernel', 0);
  const [kernels, steps, dilations, padding] = [kernelSize(layer, kernel), strides(layer), pair(layer, 'dilation_rate', [1, 1]), paddingOf(layer)];
  const extra = layer.config.raw('output_padding') === undefined ? undefined : layer.config.integers('output_padding', 2);
  const output = ([0, 1] as const).map((axis) => {
    const span = dilations[axis] * (kernels[axis] - 1) + 1;
    if (extra) return (size[axis] - 1) * steps[axis] + span - 2 * (padding === 'same' ? Math.floor(span / 2) : 0) + extra[axis]!;
    return size[axis] * steps[axis] + (padding === 'valid' ? Math.max(span - steps[axis], 0) : 0);
  });
  const window = transposedWindow(size, output as [number, number], padding, kernels, steps, dilations);
  return activated(layer, pictureOf(convolveTransposed(layer.network, value, kernel, bias(layer, 1), window), format));
};

/** A matrix product over the last axis: of a picture that is a 1 x 1 convolution. */
const dense: LayerConverter = (layer) => {
  const { network } = layer;
  const feature = only(layer);
  const kernel = layer.weight('kernel', 0);
  if (kernel.shape.length !== 2) network.refuse(`has a kernel with ${kernel.shape.length} axes instead of 2`);
  const rank = network.shapeOf(feature.value).length;
  if (rank === 2) return activated(layer, { value: multiplyMatrix(network, feature.value, kernel, bias(layer, 1)), order: 'file' });
  if (rank !== 4) network.refuse(`works on a value with ${rank} axes; only pictures and flat values are supported`);
  const point = windowOn([1, 1], 'valid', [1, 1], [1, 1]);
  const value = asPicture(network, feature, 'channels_last');
  return activated(layer, pictureOf(convolve(network, value, { shape: [1, 1, ...kernel.shape], data: kernel.data }, bias(layer, 1), point, 1), 'channels_last'));
};

function pictureFor(layer: Layer) {
  if (layer.config.text('dim_ordering', '') === 'th') layer.network.refuse("has weights in Theano's order (dim_ordering th), as Keras 1 wrote them; load and save the network with Keras 2");
  const format = dataFormatOf(layer);
  const value = asPicture(layer.network, only(layer), format);
  return { format, value, size: pictureSize(layer.network, value) };
}

function bias(layer: Layer, position: number): FileTensor | undefined {
  return layer.config.flag('use_bias', layer.config.flag('bias', true)) ? layer.weight('bias', position) : undefined;
}

/** From the weights, which must agree with the graph anyway. */
function kernelSize(layer: Layer, kernel: FileTensor): Size2 {
  const [rows, columns] = kernel.shape;
  if (kernel.shape.length !== 4) layer.network.refuse(`has a kernel with ${kernel.shape.length} axes instead of 4`);
  return [rows!, columns!];
}

function strides(layer: Layer): Size2 {
  return layer.config.raw('subsample') === undefined ? pair(layer, 'strides', [1, 1]) : pair(layer, 'subsample');
}

/** In channels-last order, whatever the network's: so the weights of the next Dense fit both. */
const flatten: LayerConverter = (layer) => {
  const inOrder = inFileOrder(layer.network, only(layer));
  const isPicture = layer.config.text('data_format', '') === 'channels_first' && layer.network.shapeOf(inOrder).length === 4;
  const value = isPicture ? turn(layer.network, inOrder, [0, 2, 3, 1]) : inOrder;
  const [batch, ...sizes] = layer.network.shapeOf(value);
  const count = sizes.reduce<number>((product, size) => product * (size as number), 1);
  if (sizes.length === 1) return { value, order: 'file' };
  return { value: layer.network.add('Reshape', [value], { shape: [batch!, count] }, 'Flat'), order: 'file' };
};

export const convolutionLayers = {
  Conv2D: convolution,
  Convolution2D: convolution,
  DepthwiseConv2D: depthwiseConvolution,
  SeparableConv2D: separableConvolution,
  SeparableConvolution2D: separableConvolution,
  Conv2DTranspose: transposedConvolution,
  Convolution2DTranspose: transposedConvolution,
  Dense: dense,
  Flatten: flatten,
} satisfies Readonly<Record<string, LayerConverter>>;
