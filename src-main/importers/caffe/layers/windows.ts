/** Layers with a sliding window: convolutions and pools. */
import type { Pads, Size2, WindowAttributes } from '../../../graph/ops/attributes.ts';
import { featureMap, onlyInput, pairOf, refuse, type LayerConversion, type LayerConverter } from '../conversion.ts';
import type { CaffeLayer } from '../network.ts';
import { poolEnds } from '../poolingRule.ts';
import { booleanOf, integerOf, integersOf, wordOf } from '../textFields.ts';
import type { TextMessage } from '../textFormat.ts';

const convolution: LayerConverter = (conversion) => {
  const x = onlyInput(conversion);
  const { channels } = featureMap(conversion, x);
  const { window, outputs, group, hasBias } = convolutionOf(conversion, channels);
  const weights = conversion.weights(0, [outputs, channels / group, ...window.kernel], 'weights');
  const bias = hasBias ? conversion.weights(1, [outputs], 'bias') : '';
  conversion.finish('Conv', [x, weights, bias], { ...window, group });
};

/** The transpose of a convolution: stride * (h - 1) + dilated kernel - 2 * pad rows. */
const deconvolution: LayerConverter = (conversion) => {
  const x = onlyInput(conversion);
  const { channels } = featureMap(conversion, x);
  const { window, outputs, group, hasBias } = convolutionOf(conversion, channels);
  const weights = conversion.weights(0, [channels, outputs / group, ...window.kernel], 'weights');
  const bias = hasBias ? conversion.weights(1, [outputs], 'bias') : '';
  conversion.finish('ConvTranspose', [x, weights, bias], { ...window, group, outputPadding: [0, 0] });
};

function convolutionOf({ layer }: LayerConversion, channels: number) {
  const parameters = layer.parameters('convolution_param');
  const kernel = sizesOf(layer, parameters, 'kernel_size', 'kernel', 1);
  if (!kernel) return refuse(layer, 'gives no kernel_size');
  const outputs = integerOf(parameters, 'num_output', undefined, { minimum: 1 });
  if (outputs === undefined) return refuse(layer, 'gives no num_output');
  const axis = integerOf(parameters, 'axis', 1, { minimum: -4 });
  if (axis !== 1 && axis !== -3) refuse(layer, `takes axis ${axis} for its channels; only axis 1 is supported`);
  const isDepthwise = layer.type !== 'Convolution' && layer.type !== 'Deconvolution';
  const group = integerOf(parameters, 'group', isDepthwise ? channels : 1, { minimum: 1 });
  if (channels % group !== 0 || outputs % group !== 0) refuse(layer, `splits ${channels} channels in and ${outputs} out into ${group} groups, which leaves a rest`);
  const [top, left] = sizesOf(layer, parameters, 'pad', 'pad', 0) ?? [0, 0];
  const window: WindowAttributes = {
    kernel,
    strides: sizesOf(layer, parameters, 'stride', 'stride', 1) ?? [1, 1],
    dilations: sizesOf(layer, parameters, 'dilation', 'dilation', 1) ?? [1, 1],
    pads: [top, left, top, left],
  };
  return { window, outputs, group, hasBias: booleanOf(parameters, 'bias_term', true) };
}

const poolMethods = ['MAX', 'AVE', 'STOCHASTIC'];

const pooling: LayerConverter = (conversion) => {
  const { layer } = conversion;
  const x = onlyInput(conversion);
  if (layer.tops.length > 1) refuse(layer, 'gives its mask as a second top; only the pooled maps are supported');
  const parameters = layer.parameters('pooling_param');
  const method = wordOf(parameters, 'pool', 'MAX', poolMethods);
  if (method !== 'MAX' && method !== 'AVE') refuse(layer, `pools by ${method}; MAX and AVE are supported`);
  const { height, width } = featureMap(conversion, x);
  if (booleanOf(parameters, 'global_pooling', false)) {
    if (method === 'AVE') return conversion.finish('GlobalAveragePool', [x], {});
    return conversion.finish('MaxPool', [x], { kernel: [height, width], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] });
  }
  const kernel = sizesOf(layer, parameters, 'kernel_size', 'kernel', 1);
  if (!kernel) return refuse(layer, 'gives no kernel_size');
  const strides = sizesOf(layer, parameters, 'stride', 'stride', 1) ?? [1, 1];
  const begins = sizesOf(layer, parameters, 'pad', 'pad', 0) ?? [0, 0];
  if (begins[0] >= kernel[0] || begins[1] >= kernel[1]) refuse(layer, `has pads (${begins.join(', ')}) that are not smaller than its kernel (${kernel.join(' x ')})`);
  // Forks of Caffe spell the second way; both mean that a last, partly covered window is left out.
  const roundsUp = wordOf(parameters, 'round_mode', 'CEIL', ['CEIL', 'FLOOR']) === 'CEIL' && booleanOf(parameters, 'ceil_mode', true);
  const ends = poolEnds(layer, [height, width], kernel, strides, begins, roundsUp);
  const window = { kernel, strides, dilations: [1, 1] as const };
  if (method === 'MAX') return conversion.finish('MaxPool', [x], { ...window, pads: [...begins, ...ends] as unknown as Pads });
  averagePool(conversion, x, window, begins, ends);
};

/**
 * Caffe divides by the positions of the window inside the picture and its pads, but not by those that rounding up adds beyond. Where both meet, the
 * pads become zeros of their own and the pool leaves out only what is beyond them.
 */
function averagePool(conversion: LayerConversion, x: string, window: Omit<WindowAttributes, 'pads'>, begins: Size2, ends: Size2): void {
  const [top, left] = begins;
  const [bottom, right] = [Math.min(top, ends[0]), Math.min(left, ends[1])];
  const beyond: Pads = [0, 0, ends[0] - bottom, ends[1] - right];
  if (beyond[2] === 0 && beyond[3] === 0) {
    return conversion.finish('AveragePool', [x], { ...window, pads: [top, left, bottom, right], countIncludePad: true });
  }
  const isPadded = top + left + bottom + right > 0;
  const source = isPadded ? conversion.step('Pad', [x], { pads: [top, left, bottom, right], value: 0 }) : x;
  conversion.finish('AveragePool', [source], { ...window, pads: beyond, countIncludePad: false });
}

/** Zeros around the picture: a layer of its own only in the oldest files. */
const padding: LayerConverter = (conversion) => {
  const pad = integerOf(conversion.layer.parameters('padding_param'), 'pad', 0, { maximum: 65_535 });
  conversion.finish('Pad', [onlyInput(conversion)], { pads: [pad, pad, pad, pad], value: 0 });
};

/** A size for both axes, twice, or as `<short>_h` and `<short>_w`. */
function sizesOf(layer: CaffeLayer, parameters: TextMessage, field: string, short: string, minimum: number): Size2 | undefined {
  const limits = { minimum, maximum: 65_535 };
  return pairOf(layer, integersOf(parameters, field, limits), integerOf(parameters, `${short}_h`, undefined, limits), integerOf(parameters, `${short}_w`, undefined, limits), field);
}

export const windowConverters = {
  Convolution: convolution,
  ConvolutionDepthwise: convolution,
  DepthwiseConvolution: convolution,
  Deconvolution: deconvolution,
  Pooling: pooling,
  Padding: padding,
} satisfies Readonly<Record<string, LayerConverter>>;
