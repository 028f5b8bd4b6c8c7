/** Fully connected layers and what scales and shifts: InnerProduct, BatchNorm, Scale, Bias. */
import { elementCount } from '../../../graph/graph.ts';
import { axisOf, fixedSizes, onlyInput, refuse, type LayerConversion, type LayerConverter } from '../conversion.ts';
import { booleanOf, integerOf, numberOf } from '../textFields.ts';
import type { TextMessage } from '../textFormat.ts';

const innerProduct: LayerConverter = (conversion) => {
  const { layer } = conversion;
  const x = onlyInput(conversion);
  const parameters = layer.parameters('inner_product_param');
  const outputs = integerOf(parameters, 'num_output', undefined, { minimum: 1 });
  if (outputs === undefined) return refuse(layer, 'gives no num_output');
  const shape = conversion.shapeOf(x);
  const axis = axisOf(conversion, integerOf(parameters, 'axis', 1, { minimum: -8 }), shape.length);
  if (axis !== 1) refuse(layer, `begins at axis ${axis}; only axis 1, all values of an image, is supported`);
  const inner = elementCount(fixedSizes(conversion, shape, 1));
  const isTransposed = booleanOf(parameters, 'transpose', false);
  const weights = conversion.weights(0, isTransposed ? [inner, outputs] : [outputs, inner], 'weights');
  const bias = booleanOf(parameters, 'bias_term', true) ? conversion.weights(1, [outputs], 'bias') : '';
  const flat = shape.length === 2 ? x : conversion.step('Reshape', [x], { shape: [shape[0]!, inner] });
  conversion.finish('Gemm', [flat, weights, bias], { transposeB: !isTransposed });
};

/** Caffe stores sums over a moving window and, as a third blob, by what they must be divided (0: the layer was never trained). */
const batchNorm: LayerConverter = (conversion) => {
  const { layer } = conversion;
  const x = onlyInput(conversion);
  const parameters = layer.parameters('batch_norm_param');
  if (!booleanOf(parameters, 'use_global_stats', true)) refuse(layer, 'normalises by each batch (use_global_stats: false); only trained statistics are supported');
  const [channels] = fixedSizes(conversion, conversion.shapeOf(x), 1);
  if (channels === undefined) return refuse(layer, 'needs a bottom with channels');
  const [factor = 0] = conversion.weightValues(2, [1], 'moving average factor');
  const share = factor === 0 ? 0 : 1 / factor;
  const statistics = ['mean', 'variance'].map((what, index) => {
    return conversion.constant(what, [channels], conversion.weightValues(index, [channels], what).map((value) => value * share));
  });
  const scale = conversion.constant('scale', [channels], new Float32Array(channels).fill(1));
  const shift = conversion.constant('shift', [channels], new Float32Array(channels));
  conversion.finish('BatchNormalization', [x, scale, shift, ...statistics], { epsilon: numberOf(parameters, 'eps', 1e-5) });
};

/** Times a trained factor per channel (or per the axes that the file names), plus a trained shift; or times a second bottom. */
const scale: LayerConverter = (conversion) => {
  const parameters = conversion.layer.parameters('scale_param');
  const [x] = conversion.inputs as readonly [string];
  const { operand, shape } = operandOf(conversion, parameters, 'factor');
  if (!booleanOf(parameters, 'bias_term', false)) return conversion.finish('Mul', [x, operand], {});
  if (!shape) return refuse(conversion.layer, 'has a second bottom and a trained shift; only one of them is supported');
  const scaled = conversion.step('Mul', [x, operand], {});
  conversion.finish('Add', [scaled, conversion.weights(1, shape, 'shift')], {});
};

const bias: LayerConverter = (conversion) => {
  const { operand } = operandOf(conversion, conversion.layer.parameters('bias_param'), 'shift');
  conversion.finish('Add', [conversion.inputs[0]!, operand], {});
};

/** The second operand with ones for the axes it does not have, so that it broadcasts as Caffe does it: aligned at `axis`, not at the end. */
function operandOf(conversion: LayerConversion, parameters: TextMessage, what: string): { readonly operand: string; readonly shape?: readonly number[] } {
  const { layer, inputs, shapeOf } = conversion;
  if (inputs.length < 1 || inputs.length > 2) refuse(layer, `has ${inputs.length} bottoms where one or two are expected`);
  const whole = shapeOf(inputs[0]!);
  const axis = axisOf(conversion, integerOf(parameters, 'axis', 1, { minimum: -8 }), whole.length);
  const second = inputs[1];
  if (second !== undefined) {
    const own = shapeOf(second);
    const shape = [...new Array<number>(axis).fill(1), ...own, ...new Array<number>(Math.max(0, whole.length - axis - own.length)).fill(1)];
    return { operand: shape.join() === own.join() ? second : conversion.step('Reshape', [second], { shape }) };
  }
  const count = integerOf(parameters, 'num_axes', 1, { minimum: -1 });
  const end = count === -1 ? whole.length : axis + count;
  const sizes = fixedSizes(conversion, whole.slice(axis, end), 0);
  const shape = [...sizes, ...new Array<number>(Math.max(0, whole.length - end)).fill(1)];
  return { operand: conversion.weights(0, shape, what), shape };
}

export const linearConverters = {
  InnerProduct: innerProduct,
  BatchNorm: batchNorm,
  Scale: scale,
  Bias: bias,
} satisfies Readonly<Record<string, LayerConverter>>;
