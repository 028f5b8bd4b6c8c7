/**
 * Converters of ONNX Resize and Upsample. Every output position takes a fixed mixture of input positions, so each axis is one linear map;
 * where these positions lie is the table of coordinate transformations of the operator's definition (onnx.ai, Resize, opset 10 to 19).
 */
import { shapeText } from '../../../graph/ops/spec.ts';
import { numbersOf } from '../constants.ts';
import { optionalConstant, refuse, requiredConstant, runStages, type Conversion, type Converter, type Operator, type Stage } from '../conversion.ts';
import { normalizeAxis } from '../shapes.ts';
import { addSpatialLinear, type Row } from '../spatialLinear.ts';

/** One axis: sizes before and after, the scale between them, and the part of the axis that is looked at (0..1, for crops). */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  readonly region: readonly [number, number];
}

/** Position in the input, rational, of an output position. */
type Transformation = (place: number, stretch: Stretch) => number;

/** In float32 step by step, as runtimes compute them: a position a hair beside a half picks another nearest neighbour. */
const single = Math.fround;

const halfPixel: Transformation = (place, { scale }) => single(single((place + 0.5) / scale) - 0.5);

const transformations: Readonly<Record<string, Transformation>> = {
  half_pixel: halfPixel,
  /** Half pixels about the middle of the axis, where the size after is not exactly scale times the size before. */
  half_pixel_symmetric(place, { from, to, scale }) {
    const adjustment = single(to / single(scale * from));
    const offset = single((from / 2) * single(1 - adjustment));
    return single(single(offset + single((place + 0.5) / scale)) - 0.5);
  },
  pytorch_half_pixel: (place, stretch) => (stretch.to > 1 ? halfPixel(place, stretch) : 0),
  tf_half_pixel_for_nn: (place, { scale }) => single((place + 0.5) / scale),
  align_corners: (place, { from, to }) => (to > 1 ? single((place * (from - 1)) / (to - 1)) : 0),
  asymmetric: (place, { scale }) => single(place / scale),
  tf_crop_and_resize: (place, { from, to, region: [start, end] }) =>
    to > 1 ? start * (from - 1) + (place * (end - start) * (from - 1)) / (to - 1) : 0.5 * (start + end) * (from - 1),
};

const roundings: Readonly<Record<string, (position: number) => number>> = {
  round_prefer_floor: (position) => Math.ceil(position - 0.5),
  round_prefer_ceil: (position) => Math.floor(position + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

const resize: Converter = (operator, conversion) => {
  const { attributes } = operator;
  const old = conversion.opset < 11;
  const name = attributes.text('coordinate_transformation_mode', old ? 'asymmetric' : 'half_pixel');
  const transform = transformations[name] ?? refuse(operator, `places its pixels by ${JSON.stringify(name)}; known are ${Object.keys(transformations).join(', ')}`);
  const mode = attributes.text('mode', 'nearest');
  const rounding = attributes.text('nearest_mode', 'round_prefer_floor');
  const rounded = roundings[rounding] ?? refuse(operator, `rounds by ${JSON.stringify(rounding)}; known are ${Object.keys(roundings).join(', ')}`);
  const kernel = kernelOf(operator, mode);
  const outside = name === 'tf_crop_and_resize' ? attributes.float('extrapolation_value', 0) : 0;
  if (outside !== 0) refuse(operator, `fills what lies outside with ${outside}; only 0 is supported`);
  const excludes = attributes.integer('exclude_outside', 0) === 1;
  const shrinks = attributes.integer('antialias', 0) === 1;
  const shape = conversion.shapeOf(operator.inputs[0]!);
  const stretches = stretchesOf(operator, conversion, shape, name === 'tf_crop_and_resize');
  const rowOf = (stretch: Stretch, place: number): Row => {
    const position = transform(place, stretch);
    if (name === 'tf_crop_and_resize' && (position < 0 || position > stretch.from - 1)) return [];
    // Opset 10 did not say how to round; onnxruntime rounds up where an axis shrinks and down elsewhere.
    const round = !old ? rounded : stretch.scale < 1 ? Math.ceil : Math.floor;
    if (!kernel) return [[clamped(round(position), stretch.from), 1]];
    return mixture(kernel, position, stretch, excludes, shrinks ? Math.min(1, stretch.scale) : 1);
  };
  const stages = stretches.flatMap((stretch, axis): Stage[] => {
    if (!stretch) return [];
    if (shape.length !== 4 || axis < 2) return refuse(operator, `resizes axis ${axis} of ${shapeText(shape)}; only height and width of pictures are supported`);
    return [(x, output) => addSpatialLinear(operator, conversion, x, axis as 2 | 3, stretch.to, (place) => rowOf(stretch, place), strideOf(name, stretch), output)];
  });
  runStages(operator, conversion, stages);
};

interface Kernel {
  readonly reach: number;
  weight(distance: number): number;
}

/** Weight of an input position by its distance; undefined for the nearest one alone. */
function kernelOf(operator: Operator, mode: string): Kernel | undefined {
  if (mode === 'nearest') return undefined;
  if (mode === 'linear' || mode === 'bilinear') return { reach: 1, weight: (distance) => Math.max(0, 1 - Math.abs(distance)) };
  if (mode !== 'cubic') return refuse(operator, `interpolates in mode ${JSON.stringify(mode)}; known are nearest, linear, cubic`);
  const a = operator.attributes.float('cubic_coeff_a', -0.75);
  // Keys 1981, "Cubic convolution interpolation", equation 4 with the free parameter a.
  const weight = (distance: number): number => {
    const d = Math.abs(distance);
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? a * (((d - 5) * d + 8) * d - 4) : 0;
  };
  return { reach: 2, weight };
}

/** Input positions around a rational one. Outside the axis the edge stands in, or (`excludes`) nothing does and the rest shares its weight. `widen` below 1 stretches the kernel, so that shrinking averages. */
function mixture(kernel: Kernel, position: number, { from }: Stretch, excludes: boolean, widen: number): Row {
  const reach = kernel.reach / widen;
  const entries: [number, number][] = [];
  for (let source = Math.floor(position - reach) + 1; source < position + reach; source++) {
    const weight = kernel.weight((position - source) * widen);
    if (weight === 0 || (excludes && (source < 0 || source >= from))) continue;
    entries.push([clamped(source, from), weight]);
  }
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
  return entries.map(([source, weight]) => [source, weight / total] as const);
}

function clamped(position: number, size: number): number {
  return Math.min(Math.max(position, 0), size - 1);
}

function strideOf(name: string, { from, to, scale, region: [start, end] }: Stretch): number {
  if (name === 'align_corners') return to > 1 ? (from - 1) / (to - 1) : 1;
  if (name === 'tf_crop_and_resize') return to > 1 ? ((end - start) * (from - 1)) / (to - 1) : 1;
  return 1 / scale;
}

/** Per axis what is to be done, undefined where nothing is. Opset 10 had only scales; since 11 the inputs are region, scales and sizes. */
function stretchesOf(operator: Operator, conversion: Conversion, shape: ReturnType<Conversion['shapeOf']>, crops: boolean): readonly (Stretch | undefined)[] {
  const late = conversion.opset >= 11;
  const floats = (index: number, what: string): readonly number[] => {
    const constant = late || index === 1 ? optionalConstant(operator, conversion, index, what) : undefined;
    return constant ? (numbersOf(constant) ?? []) : [];
  };
  const scales = late ? floats(2, 'scales') : (numbersOf(requiredConstant(operator, conversion, 1, 'scales')) ?? []);
  const sizesConstant = late && scales.length === 0 ? requiredConstant(operator, conversion, 3, 'sizes') : undefined;
  const sizes = sizesConstant ? Array.from(sizesConstant.data as ArrayLike<bigint | number | 'batch'>, (size) => (size === 'batch' ? size : Number(size))) : [];
  const region = crops ? floats(1, 'region') : [];
  const axes = (operator.attributes.integers('axes') ?? shape.map((_, axis) => axis)).map((axis) => normalizeAxis(operator, axis, shape.length));
  const given = Math.max(scales.length, sizes.length);
  if (given !== axes.length) return refuse(operator, `gives ${given} scales or sizes for ${axes.length} axes`);
  const factor = keptAspect(operator, axes.map((axis) => shape[axis]!), sizes);
  return shape.map((from, axis) => {
    const index = axes.indexOf(axis);
    if (index < 0) return undefined;
    if (from === 'batch') {
      if (scales[index] === 1 || sizes[index] === 'batch' || sizes[index] === 1 || sizes[index] === conversion.fileBatch) return undefined;
      return refuse(operator, 'resizes the batch');
    }
    const wanted = sizes[index];
    if (wanted === 'batch') return refuse(operator, `makes axis ${axis} as long as the batch`);
    const scale = factor ?? Math.fround(scales[index] ?? Number(wanted) / from);
    const to = factor !== undefined ? Math.round(from * factor) : (wanted ?? Math.floor(Math.fround(from * scale)));
    if (!(scale > 0) || !(to >= 1)) return refuse(operator, `makes axis ${axis} of ${shapeText(shape)} ${to} long by a scale of ${scale}`);
    const cut = [region[index] ?? 0, region[index + axes.length] ?? 1] as const;
    return to === from && scale === 1 && cut[0] === 0 && cut[1] === 1 ? undefined : { from, to, scale, region: cut };
  });
}

/** One scale for all axes where the file asks for sizes but wants the aspect kept (opset 18): the smallest or largest. */
function keptAspect(operator: Operator, from: readonly (number | 'batch')[], sizes: readonly (number | 'batch')[]): number | undefined {
  const policy = operator.attributes.text('keep_aspect_ratio_policy', 'stretch');
  if (policy === 'stretch' || sizes.length === 0) return undefined;
  if (policy !== 'not_larger' && policy !== 'not_smaller') return refuse(operator, `has the aspect policy ${JSON.stringify(policy)}; known are stretch, not_larger, not_smaller`);
  const factors = sizes.map((size, index) => Number(size) / Number(from[index]));
  return policy === 'not_larger' ? Math.min(...factors) : Math.max(...factors);
}

/** Resize before it was called so: pixels at asymmetric places, nearest by rounding down. Scales are an attribute before opset 9. */
const upsample: Converter = (operator, conversion) => {
  const scales = operator.attributes.floats('scales') ?? numbersOf(requiredConstant(operator, conversion, 1, 'scales')) ?? refuse(operator, 'scales by the batch size');
  const kernel = kernelOf(operator, operator.attributes.text('mode', 'nearest'));
  const shape = conversion.shapeOf(operator.inputs[0]!);
  if (scales.length !== shape.length) refuse(operator, `gives ${scales.length} scales for a value with ${shape.length} axes`);
  const stages = scales.flatMap((scale, axis): Stage[] => {
    if (scale === 1) return [];
    if (shape.length !== 4 || axis < 2) return refuse(operator, `resizes axis ${axis} of ${shapeText(shape)}; only height and width of pictures are supported`);
    const from = Number(shape[axis]);
    const stretch: Stretch = { from, to: Math.floor(from * scale), scale, region: [0, 1] };
    const row = (place: number): Row => (kernel ? mixture(kernel, place / scale, stretch, false, 1) : [[clamped(Math.floor(place / scale), from), 1]]);
    if (!(stretch.to >= 1)) return refuse(operator, `makes axis ${axis} of ${shapeText(shape)} ${stretch.to} long`);
    return [(x, output) => addSpatialLinear(operator, conversion, x, axis as 2 | 3, stretch.to, row, 1 / scale, output)];
  });
  runStages(operator, conversion, stages);
};

export const resizeConverters = { Resize: resize, Upsample: upsample } satisfies Readonly<Record<string, Converter>>;
