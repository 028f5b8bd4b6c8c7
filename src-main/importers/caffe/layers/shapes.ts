/** Layers that move values about: Concat, Slice, Split, Flatten, Reshape, Crop, Permute, ShuffleChannel. */
import { elementCount, type Dimension } from '../../../graph/graph.ts';
import { axisOf, featureMap, fixedSizes, onlyInput, refuse, type LayerConversion, type LayerConverter } from '../conversion.ts';
import { integerOf, integersOf, messageOf } from '../textFields.ts';

const signed = { minimum: -8, maximum: 8 };

const concat: LayerConverter = (conversion) => {
  const { layer, inputs } = conversion;
  if (inputs.length === 0) refuse(layer, 'has no bottoms');
  const parameters = layer.parameters('concat_param');
  const axis = axisOf(conversion, integerOf(parameters, 'axis', integerOf(parameters, 'concat_dim', 1), signed), conversion.shapeOf(inputs[0]!).length);
  if (axis === 0) refuse(layer, 'joins its bottoms as further images of the batch (axis 0)');
  if (inputs.length === 1) return conversion.finish('Identity', inputs, {});
  conversion.finish('Concat', inputs, { axis });
};

const slice: LayerConverter = (conversion) => {
  const { layer } = conversion;
  const x = onlyInput(conversion);
  const parameters = layer.parameters('slice_param');
  const shape = conversion.shapeOf(x);
  const axis = axisOf(conversion, integerOf(parameters, 'axis', integerOf(parameters, 'slice_dim', 1), signed), shape.length);
  const size = shape[axis];
  if (typeof size !== 'number') return refuse(layer, 'slices the images of a batch (axis 0)');
  const given = integersOf(parameters, 'slice_point');
  const parts = layer.tops.length;
  if (given.length === 0 && size % parts !== 0) refuse(layer, `cuts ${size} into ${parts} equal parts, which leaves a rest`);
  const points = given.length > 0 ? given : Array.from({ length: parts - 1 }, (_, index) => ((index + 1) * size) / parts);
  const edges = [0, ...points, size];
  if (edges.length !== parts + 1 || edges.some((edge, index) => index > 0 && edge <= edges[index - 1]!)) {
    refuse(layer, `cuts ${size} at ${given.join(', ')} for ${parts} tops; the points must rise and be one fewer than the tops`);
  }
  layer.tops.forEach((_, top) => conversion.finish('Slice', [x], { axis, start: edges[top]!, end: edges[top + 1]! }, top));
};

const split: LayerConverter = (conversion) => {
  const x = onlyInput(conversion);
  conversion.layer.tops.forEach((_, top) => conversion.finish('Identity', [x], {}, top));
};

const flatten: LayerConverter = (conversion) => {
  const x = onlyInput(conversion);
  const parameters = conversion.layer.parameters('flatten_param');
  const shape = conversion.shapeOf(x);
  const first = axisOf(conversion, integerOf(parameters, 'axis', 1, signed), shape.length);
  const last = axisOf(conversion, integerOf(parameters, 'end_axis', -1, signed), shape.length);
  if (last < first) refuse(conversion.layer, `flattens from axis ${first} to axis ${last}`);
  const inner = elementCount(fixedSizes(conversion, shape.slice(first, last + 1), 0));
  conversion.finish('Reshape', [x], { shape: [...shape.slice(0, first), inner, ...shape.slice(last + 1)] });
};

/** dim 0 copies the bottom's size, -1 is what is left; `axis` and `num_axes` name the axes that are replaced (all by default). */
const reshape: LayerConverter = (conversion) => {
  const { layer } = conversion;
  const x = onlyInput(conversion);
  const parameters = layer.parameters('reshape_param');
  const shape = conversion.shapeOf(x);
  const first = integerOf(parameters, 'axis', 0, signed);
  const begin = first < 0 ? first + shape.length + 1 : first;
  const count = integerOf(parameters, 'num_axes', -1, { minimum: -1 });
  const end = count === -1 ? shape.length : begin + count;
  if (begin < 0 || end > shape.length) refuse(layer, `reshapes axes ${begin} to ${end - 1} of a bottom with ${shape.length} axes`);
  const dimensions = integersOf(messageOf(parameters, 'shape') ?? refuse(layer, 'gives no shape'), 'dim', { minimum: -1 });
  const copied = dimensions.map((size, index): Dimension => {
    if (size === 0) return shape[begin + index] ?? refuse(layer, `copies axis ${begin + index}, which its bottom does not have`);
    return begin + index === 0 && size === conversion.fileBatch ? 'batch' : size;
  });
  const wanted: Dimension[] = [...shape.slice(0, begin), ...copied, ...shape.slice(end)];
  const open = wanted.indexOf(-1);
  if (open >= 0) {
    const hasBatch = wanted.includes('batch');
    const total = elementCount(shape.filter((size) => size !== 'batch'));
    const rest = total / elementCount(wanted.filter((size) => size !== 'batch' && size !== -1) as number[]);
    if (!hasBatch && open === 0) {
      wanted[0] = 'batch';
      if (rest !== 1) refuse(layer, 'mixes the images of a batch');
    } else if (!Number.isInteger(rest)) refuse(layer, `reshapes ${total} values an image to [${dimensions.join(', ')}], which leaves a rest`);
    else wanted[open] = rest;
  }
  conversion.finish('Reshape', [x], { shape: wanted });
};

/** Cuts the first bottom to the second one's size from `axis` on, `offset` rows and columns in. */
const crop: LayerConverter = (conversion) => {
  const { layer, inputs } = conversion;
  const [x, reference] = inputs;
  if (x === undefined || reference === undefined || inputs.length !== 2) return refuse(layer, `has ${inputs.length} bottom(s) where two are expected`);
  const parameters = layer.parameters('crop_param');
  const [from, to] = [conversion.shapeOf(x), conversion.shapeOf(reference)];
  if (from.length !== to.length) refuse(layer, `cuts a bottom with ${from.length} axes to one with ${to.length}`);
  const first = axisOf(conversion, integerOf(parameters, 'axis', 2, signed), from.length);
  if (first === 0) refuse(layer, 'cuts the images of a batch (axis 0)');
  const offsets = integersOf(parameters, 'offset');
  if (offsets.length > 1 && offsets.length !== from.length - first) refuse(layer, `has ${offsets.length} offsets for ${from.length - first} axes`);
  if (layer.parameters('crop_param').fields.size === 0) {
    conversion.warn(`Layer ${JSON.stringify(layer.name)} (Crop) gives no offset and is cut at 0, as in Caffe's own version; some older forks centred it.`);
  }
  const cuts = fixedSizes(conversion, to, first).map((size, index) => {
    const start = offsets[index] ?? offsets[0] ?? 0;
    const available = from[first + index] as number;
    if (start + size > available) refuse(layer, `cuts ${size} from ${start} on along axis ${first + index}, where its bottom has ${available}`);
    return { axis: first + index, start, end: start + size };
  });
  const last = cuts.at(-1)!;
  conversion.finish('Slice', [cuts.slice(0, -1).reduce((value, cut) => conversion.step('Slice', [value], cut), x)], last);
};

const permute: LayerConverter = (conversion) => {
  const x = onlyInput(conversion);
  const rank = conversion.shapeOf(x).length;
  const given = integersOf(conversion.layer.parameters('permute_param'), 'order', { maximum: rank - 1 });
  const permutation = [...new Set([...given, ...Array.from({ length: rank }, (_, axis) => axis)])];
  if (permutation[0] !== 0) refuse(conversion.layer, `moves the images of a batch (order ${given.join(', ')})`);
  conversion.finish('Transpose', [x], { permutation });
};

/** Channels dealt out like cards: [groups, C / groups] read column by column. */
const shuffleChannel: LayerConverter = (conversion: LayerConversion) => {
  const x = onlyInput(conversion);
  const { channels, height, width } = featureMap(conversion, x);
  const groups = integerOf(conversion.layer.parameters('shuffle_channel_param'), 'group', 1, { minimum: 1 });
  if (channels % groups !== 0) refuse(conversion.layer, `shuffles ${channels} channels in ${groups} groups, which leaves a rest`);
  const grouped = conversion.step('Reshape', [x], { shape: ['batch', groups, channels / groups, height, width] });
  const shuffled = conversion.step('Transpose', [grouped], { permutation: [0, 2, 1, 3, 4] });
  conversion.finish('Reshape', [shuffled], { shape: ['batch', channels, height, width] });
};

export const shapeConverters = {
  Concat: concat,
  Slice: slice,
  Split: split,
  Flatten: flatten,
  Reshape: reshape,
  Crop: crop,
  Permute: permute,
  ShuffleChannel: shuffleChannel,
} satisfies Readonly<Record<string, LayerConverter>>;
