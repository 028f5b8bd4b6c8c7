/** Converters of TensorFlow operators with a sliding window or weights: convolutions alone and fused, pools, matrix products, padding, resizing. */
import { activationNamed } from '../../keras/activations.ts';
import { asPicture, constantBeside, inFileOrder, pictureOf } from '../../keras/axes.ts';
import type { Feature } from '../../keras/network.ts';
import { convolve, convolveDepthwise, convolveTransposed, multiplyMatrix, pictureSize, type FileTensor } from '../../keras/operations.ts';
import { largestMatrix, resize as resizePicture } from '../../keras/resize.ts';
import { transposedWindow, windowOn } from '../../keras/windows.ts';
import type { Pads, WindowAttributes } from '../../../graph/ops/attributes.ts';
import { featureAt, formatOf, integersAt, isKnown, paddingOf, spatial, weightAt, type GraphNode, type NodeConverter } from './node.ts';

const convolution: NodeConverter = (node) => convolved(node, undefined);
const depthwise: NodeConverter = (node) => convolvedDepthwise(node, undefined);

/** Filter `[kh, kw, in, out]`. */
function convolved(node: GraphNode, bias: FileTensor | undefined): Feature {
  const { value, format, size } = pictureAt(node, 0);
  const kernel = weightAt(node, 1);
  const channels = size.channels;
  const group = kernel.shape[2] ? channels / kernel.shape[2] : 1;
  if (!Number.isInteger(group)) node.network.refuse(`has a filter for ${kernel.shape[2]} channels on ${channels}`);
  return pictureOf(convolve(node.network, value, kernel, bias, convolutionWindow(node, size, kernel), group), format);
}

/** Filter `[kh, kw, in, multiplier]`. */
function convolvedDepthwise(node: GraphNode, bias: FileTensor | undefined): Feature {
  const { value, format, size } = pictureAt(node, 0);
  const kernel = weightAt(node, 1);
  return pictureOf(convolveDepthwise(node.network, value, kernel, bias, convolutionWindow(node, size, kernel)), format);
}

function convolutionWindow(node: GraphNode, size: readonly [number, number], kernel: FileTensor): WindowAttributes {
  const [rows = 1, columns = 1] = kernel.shape;
  const [strides, dilations, padding] = [spatial(node, 'strides'), spatial(node, 'dilations'), paddingOf(node)];
  const window = windowOn(size, padding ?? 'valid', [rows, columns], strides, dilations);
  return padding ? window : { ...window, pads: explicitPads(node) };
}

/** Begin and end of each of four axes. */
function explicitPads(node: GraphNode): Pads {
  const list = node.attributes.integers('explicit_paddings') ?? [];
  if (list.length !== 8 || list.some((size) => !Number.isSafeInteger(size) || size < 0)) node.network.refuse(`has explicit_paddings ${list.join(', ')}; eight numbers from 0 on are needed`);
  const first = formatOf(node) === 'channels_last' ? 2 : 4;
  const [top, bottom, left, right] = list.slice(first, first + 4) as [number, number, number, number];
  return [top, left, bottom, right];
}

/** Fused operators: what follows is named in `fused_ops`, its numbers stand behind the filter. */
function fused(convert: (node: GraphNode, bias: FileTensor | undefined) => Feature): NodeConverter {
  return (node) => {
    const steps = node.attributes.texts('fused_ops');
    const [bias] = steps[0] === 'BiasAdd' ? [weightAt(node, 2)] : [undefined];
    let feature = convert(node, bias);
    let next = bias ? 3 : 2;
    for (const step of bias ? steps.slice(1) : steps) {
      if (step === 'FusedBatchNorm') {
        const parameters = [0, 1, 2, 3].map((index) => weightAt(node, next + index));
        feature = normalized(node, feature, parameters, node.attributes.number('epsilon', 1e-4));
        next += 4;
      } else if (step === 'Prelu') {
        const alpha = weightAt(node, next++);
        const slope = constantBeside(node.network, feature, 'alpha', alpha.shape, alpha.data);
        feature = { ...feature, value: node.network.add('PRelu', [feature.value, slope], {}) };
      } else if (step === 'LeakyRelu') {
        feature = { ...feature, value: node.network.add('LeakyRelu', [feature.value], { alpha: node.attributes.number('leakyrelu_alpha', 0.2) }) };
      } else {
        feature = { ...feature, value: activationNamed(node.network, step.toLowerCase(), 2)(node.network, feature.value, 0) };
      }
    }
    return feature;
  };
}

/** Inputs: sizes of the result, filter `[kh, kw, out, in]`, x. */
const transposed: NodeConverter = (node) => {
  const { value, format, size } = pictureAt(node, 2);
  const kernel = weightAt(node, 1);
  const wanted = node.input(0);
  if (wanted.kind !== 'known' || wanted.numbers.length !== 4) return node.network.refuse('takes the size of its result from a value that is only known at run time');
  const sizes = Array.from(wanted.numbers);
  const output = (format === 'channels_last' ? sizes.slice(1, 3) : sizes.slice(2)) as [number, number];
  const [rows = 1, columns = 1] = kernel.shape;
  const padding = paddingOf(node) ?? node.network.refuse('has explicit pads');
  const window = transposedWindow(size, output, padding, [rows, columns], spatial(node, 'strides'), spatial(node, 'dilations'));
  return pictureOf(convolveTransposed(node.network, value, kernel, undefined, window), format);
};

function pool(kind: 'MaxPool' | 'AveragePool'): NodeConverter {
  return (node) => {
    const { value, format, size } = pictureAt(node, 0);
    const padding = paddingOf(node);
    const plain = windowOn(size, padding ?? 'valid', spatial(node, 'ksize'), spatial(node, 'strides'));
    const window = padding ? plain : { ...plain, pads: explicitPads(node) };
    const pooled = kind === 'MaxPool' ? node.network.add('MaxPool', [value], window) : node.network.add('AveragePool', [value], { ...window, countIncludePad: false });
    return pictureOf(pooled, format);
  };
}

/** `[N, K]` times a matrix, either transposed or not. */
function matrix(node: GraphNode, bias: FileTensor | undefined): Feature {
  const value = inFileOrder(node.network, featureAt(node, 0));
  if (node.attributes.flag('transpose_a', node.attributes.flag('adj_x', false))) node.network.refuse('multiplies the images of a batch (transpose_a)');
  const transposeB = node.attributes.flag('transpose_b', node.attributes.flag('adj_y', false));
  return { value: multiplyMatrix(node.network, value, weightAt(node, 1), bias, transposeB), order: 'file' };
}

const biasAdd: NodeConverter = (node) => {
  const feature = featureAt(node, 0);
  const bias = weightAt(node, 1);
  const picture = node.network.shapeOf(feature.value).length === 4 && formatOf(node) === 'channels_first';
  const shape = picture ? [...bias.shape, 1, 1] : bias.shape;
  return { ...feature, value: node.network.add('Add', [feature.value, constantBeside(node.network, feature, 'bias', shape, bias.data)], {}) };
};

const batchNormalization: NodeConverter = (node) => {
  if (node.attributes.flag('is_training', false)) node.network.refuse('is in training mode; convert the network for inference');
  const format = formatOf(node);
  const feature = pictureOf(asPicture(node.network, featureAt(node, 0), format), format);
  const parameters = [1, 2, 3, 4].map((index) => weightAt(node, index));
  return normalized(node, feature, parameters, node.attributes.number('epsilon', 1e-4));
};

function normalized(node: GraphNode, feature: Feature, parameters: readonly FileTensor[], epsilon: number): Feature {
  const channels = node.network.shapeOf(feature.value)[1];
  const names = ['scale', 'offset', 'mean', 'variance'];
  const constants = parameters.map(({ data }, index) => (data.length === channels ? node.network.constant(names[index]!, [channels], data) : node.network.refuse(`has ${data.length} values of ${names[index]} for ${channels} channels`)));
  return { ...feature, value: node.network.add('BatchNormalization', [feature.value, ...constants], { epsilon }) };
}

/** Only height and width may be padded, with a constant; reflected edges are a linear map of rows and of columns. */
const pad: NodeConverter = (node) => {
  const feature = featureAt(node, 0);
  const pads = integersAt(node, 1);
  const rank = node.network.shapeOf(feature.value).length;
  if (rank !== 4 || pads.length !== 8 || pads.some((size) => size < 0)) return node.network.refuse(`pads a value with ${rank} axes by ${pads.join(', ')}`);
  const format = feature.order === 'channelsLast' ? 'channels_last' : node.dataFormat;
  const value = asPicture(node.network, feature, format);
  const [first, others] = format === 'channels_last' ? [2, [0, 1, 6, 7]] : [4, [0, 1, 2, 3]];
  if (others.some((index) => pads[index] !== 0)) node.network.refuse(`pads other axes than height and width (${pads.join(', ')})`);
  const [top, bottom, left, right] = pads.slice(first, first + 4) as [number, number, number, number];
  if (node.op === 'MirrorPad') {
    const edge = node.attributes.text('mode', 'REFLECT') === 'REFLECT' ? 1 : 0;
    return pictureOf(mirrored(node, mirrored(node, value, 2, top, bottom, edge), 3, left, right, edge), format);
  }
  const filler = node.inputCount > 2 && isKnown(node, 2) ? weightAt(node, 2).data[0]! : 0;
  return pictureOf(node.network.add('Pad', [value], { pads: [top, left, bottom, right], value: filler }), format);
};

/** `edge` 1: the edge itself is not repeated (REFLECT); 0: it is (SYMMETRIC). */
function mirrored(node: GraphNode, value: string, axis: 2 | 3, begin: number, end: number, edge: 0 | 1): string {
  if (begin + end === 0) return value;
  const from = node.network.shapeOf(value)[axis] as number;
  if (Math.max(begin, end) > from - edge) node.network.refuse(`mirrors ${Math.max(begin, end)} positions of ${from}`);
  const size = from + begin + end;
  if (size * from > largestMatrix) node.network.refuse(`mirrors a picture of ${from} rows or columns, which is no sensible size`);
  const map = new Float32Array(size * from);
  for (let at = 0; at < size; at++) {
    let place = at - begin;
    if (place < 0) place = -place - 1 + edge;
    else if (place >= from) place = 2 * from - 1 - place - edge;
    map[at * from + place] = 1;
  }
  // A mirrored position lies up to twice the padding away from where it is shown.
  const reach = 2 * Math.max(begin, end);
  return node.network.add('SpatialLinear', [value, node.network.constant(axis === 2 ? 'rows' : 'columns', [size, from], map)], { axis, size, window: { size: 2 * reach + 1, stride: 1, offset: -begin - reach } });
}

const resize: NodeConverter = (node) => {
  const { value, format } = pictureAt(node, 0, 'channels_last');
  const [height, width] = integersAt(node, 1) as readonly [number, number];
  const centres = node.attributes.flag('half_pixel_centers', false) ? 'half' : node.attributes.flag('align_corners', false) ? 'corners' : 'whole';
  const interpolation = node.op === 'ResizeBilinear' ? 'bilinear' : 'nearest';
  return pictureOf(resizePicture(node.network, value, [height, width], { interpolation, centres }), format);
};

/** x / (bias + alpha * sum over 2r + 1 channels of x^2)^beta; the graph divides alpha by the number of channels. */
const localResponse: NodeConverter = (node) => {
  const { value, format } = pictureAt(node, 0, 'channels_last');
  const { attributes } = node;
  const size = 2 * attributes.number('depth_radius', 5) + 1;
  return pictureOf(node.network.add('LRN', [value], { size, alpha: attributes.number('alpha', 1) * size, beta: attributes.number('beta', 0.5), bias: attributes.number('bias', 1) }), format);
};

/** Blocks of channels to blocks of pixels, `[N, H, W, b b C]` -> `[N, H b, W b, C]`. */
const depthToSpace: NodeConverter = (node) => {
  const { value, format, size } = pictureAt(node, 0);
  const block = node.attributes.number('block_size', 2);
  const channels = size.channels / (block * block);
  if (!Number.isInteger(channels)) node.network.refuse(`cannot divide ${size.channels} channels into blocks of ${block} x ${block}`);
  const batch = node.network.shapeOf(value)[0]!;
  const apart = node.network.add('Reshape', [value], { shape: [batch, block, block, channels, size[0], size[1]] });
  const turned = node.network.add('Transpose', [apart], { permutation: [0, 3, 4, 1, 5, 2] });
  return pictureOf(node.network.add('Reshape', [turned], { shape: [batch, channels, size[0] * block, size[1] * block] }), format);
};

function pictureAt(node: GraphNode, index: number, format = formatOf(node)) {
  const value = asPicture(node.network, featureAt(node, index), format);
  return { value, format, size: pictureSize(node.network, value) };
}

export const windowOperators = {
  Conv2D: convolution,
  DepthwiseConv2d: depthwise,
  DepthwiseConv2dNative: depthwise,
  Conv2DBackpropInput: transposed,
  _FusedConv2D: fused(convolved),
  FusedConv2D: fused(convolved),
  FusedDepthwiseConv2dNative: fused(convolvedDepthwise),
  _FusedDepthwiseConv2dNative: fused(convolvedDepthwise),
  _FusedMatMul: fused(matrix),
  MatMul: (node: GraphNode) => matrix(node, undefined),
  BatchMatMul: (node: GraphNode) => matrix(node, undefined),
  BatchMatMulV2: (node: GraphNode) => matrix(node, undefined),
  BiasAdd: biasAdd,
  BiasAddV1: biasAdd,
  FusedBatchNorm: batchNormalization,
  FusedBatchNormV2: batchNormalization,
  FusedBatchNormV3: batchNormalization,
  MaxPool: pool('MaxPool'),
  AvgPool: pool('AveragePool'),
  Pad: pad,
  PadV2: pad,
  MirrorPad: pad,
  ResizeBilinear: resize,
  ResizeNearestNeighbor: resize,
  LRN: localResponse,
  DepthToSpace: depthToSpace,
} satisfies Readonly<Record<string, NodeConverter>>;
