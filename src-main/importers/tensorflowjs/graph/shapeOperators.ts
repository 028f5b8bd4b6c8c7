/**
 * Converters of TensorFlow operators that move values, sum over axes, or compute sizes. Sizes taken from a running value (Shape) are known except the
 * batch, so the chains that make a Reshape's target from them end in a known list.
 */
import { elementCount, type Shape } from '../../../graph/graph.ts';
import { fileShape, fromFileOrder, graphAxis, inFileOrder, inOneOrder, turn } from '../../keras/axes.ts';
import type { Feature } from '../../keras/network.ts';
import { cut, maximumOverPicture, meanOver } from '../../keras/operations.ts';
import { featureAt, integersAt, isKnown, numbersAt, weightAt, type GraphNode, type Made, type NodeConverter } from './node.ts';

const reshape: NodeConverter = (node) => {
  const { network } = node;
  if (isKnown(node, 0)) return [{ kind: 'known', shape: settled(node, elementCount(weightAt(node, 0).shape), integersAt(node, 1)), numbers: weightAt(node, 0).data }];
  const value = inFileOrder(network, featureAt(node, 0));
  const [batch, ...sizes] = network.shapeOf(value);
  const count = sizes.reduce<number>((product, size) => product * (size as number), 1);
  const [first, ...rest] = numbersAt(node, 1);
  const target = rest.map((size) => (size === 'batch' ? network.refuse('puts the batch on another axis than the first') : size));
  const product = target.reduce((total, size) => (size === -1 ? total : total * size), 1);
  // A first size of -1, or the one image of a file made for one, stands for the batch where all else fits.
  const standsForBatch = first === 'batch' || ((first === -1 || first === 1) && (target.includes(-1) || product === count));
  if (!standsForBatch) return network.refuse(`reshapes [${[batch, ...sizes].join(', ')}] to [${[first, ...target].join(', ')}], which mixes the images of a batch`);
  return fromFileOrder(network, network.add('Reshape', [value], { shape: [batch!, ...settled(node, count, target)] }), node.dataFormat);
};

/** Sizes with -1 filled in. */
function settled(node: GraphNode, count: number, target: readonly number[]): number[] {
  const known = target.reduce((product, size) => (size === -1 ? product : product * size), 1);
  const sizes = target.map((size) => (size === -1 ? count / known : size));
  return elementCount(sizes) === count && sizes.every((size) => Number.isInteger(size) && size > 0) ? sizes : node.network.refuse(`reshapes ${count} values to [${target.join(', ')}]`);
}

const squeeze: NodeConverter = (node) => {
  const value = inFileOrder(node.network, featureAt(node, 0));
  const shape = node.network.shapeOf(value);
  const given = (node.attributes.integers('squeeze_dims') ?? node.attributes.integers('axis') ?? []).map((axis) => (axis < 0 ? axis + shape.length : axis));
  const axes = given.length > 0 ? given : shape.flatMap((size, axis) => (size === 1 ? [axis] : []));
  if (axes.some((axis) => shape[axis] !== 1)) node.network.refuse(`removes axes ${axes.join(', ')} of [${shape.join(', ')}], which are not all 1`);
  return reshapedTo(node, value, shape.filter((_, axis) => !axes.includes(axis)));
};

const expand: NodeConverter = (node) => {
  const value = inFileOrder(node.network, featureAt(node, 0));
  const shape = [...node.network.shapeOf(value)];
  const [axis = 0] = integersAt(node, 1);
  shape.splice(axis < 0 ? axis + shape.length + 1 : axis, 0, 1);
  return reshapedTo(node, value, shape);
};

function reshapedTo(node: GraphNode, value: string, shape: Shape): Feature {
  return fromFileOrder(node.network, node.network.add('Reshape', [value], { shape }), node.dataFormat);
}

const transpose: NodeConverter = (node) => {
  const value = inFileOrder(node.network, featureAt(node, 0));
  return fromFileOrder(node.network, turn(node.network, value, integersAt(node, 1)), node.dataFormat);
};

/** The axis stands last in ConcatV2, first in Concat. */
const concatenate: NodeConverter = (node) => {
  const last = node.inputCount - 1;
  const [axisAt, from, to] = node.op === 'Concat' ? [0, 1, last] : [last, 0, last - 1];
  const indexes = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const [axis = 0] = integersAt(node, axisAt);
  if (indexes.every((index) => isKnown(node, index))) return [joined(indexes.flatMap((index) => [...numbersAt(node, index)]))];
  const { values, order } = inOneOrder(node.network, indexes.map((index) => featureAt(node, index)));
  return { value: node.network.add('Concat', values, { axis: graphAxis(node.network, { value: values[0]!, order }, axis) }), order };
};

function joined(numbers: readonly (number | 'batch')[]): Made {
  return { kind: 'known', shape: [numbers.length], numbers };
}

/** Mean, sum or maximum over axes. */
function reduce(kind: 'mean' | 'sum' | 'maximum'): NodeConverter {
  return (node) => {
    const { network } = node;
    if (isKnown(node, 0) && kind === 'sum') network.refuse('sums weights; convert the network with its constants folded');
    const feature = featureAt(node, 0);
    const fileAxes = integersAt(node, 1);
    const axes = fileAxes.map((axis) => graphAxis(network, feature, axis)).sort((a, b) => a - b);
    if (axes.includes(0)) network.refuse('computes over the images of a batch');
    if (kind === 'maximum' && (axes.join() !== '2,3' || network.shapeOf(feature.value).length !== 4)) network.refuse('takes a maximum over other axes than height and width');
    const value = kind === 'mean' ? meanOver(network, feature.value, axes) : kind === 'sum' ? network.add('ReduceSum', [feature.value], { axes }) : maximumOverPicture(network, feature.value);
    if (node.attributes.flag('keep_dims', false)) return { ...feature, value };
    const summed: Feature = { ...feature, value };
    const target = fileShape(network, summed).filter((_, axis, all) => !fileAxes.some((each) => (each + all.length) % all.length === axis));
    // With two axes left nothing but their order in the graph remains.
    const source = target.length > 2 ? inFileOrder(network, summed) : value;
    return { value: network.add('Reshape', [source], { shape: target }, 'Flat'), order: 'file' };
  };
}

const shapeOf: NodeConverter = (node) => {
  const made = node.input(0);
  return [joined(made.kind === 'known' ? made.shape : [...fileShape(node.network, made.feature)])];
};

/** Single numbers to a list, or single-number lists. */
const pack: NodeConverter = (node) => {
  const all = Array.from({ length: node.inputCount }, (_, index) => numbersAt(node, index));
  return all.every((numbers) => numbers.length === 1) ? [joined(all.flat())] : node.network.refuse('stacks running values');
};

const product: NodeConverter = (node) => {
  const numbers = integersAt(node, 0);
  return [{ kind: 'known', shape: [], numbers: [numbers.reduce((total, size) => total * size, 1)] }];
};

/** Of a list of sizes: any stretch; of a running value: a stretch with step 1 of axes behind the batch. */
const stridedSlice: NodeConverter = (node) => {
  const { attributes, network } = node;
  const [begins, ends, steps] = [integersAt(node, 1), integersAt(node, 2), integersAt(node, 3)];
  const mask = (name: string, axis: number): boolean => ((attributes.number(name, 0) >> axis) & 1) === 1;
  if (attributes.number('ellipsis_mask', 0) !== 0 || attributes.number('new_axis_mask', 0) !== 0) network.refuse('cuts with an ellipsis or a new axis');
  const range = (axis: number, size: number): readonly [number, number] => {
    const place = (index: number) => Math.min(Math.max(index < 0 ? index + size : index, 0), size);
    if (steps[axis] !== 1) network.refuse(`cuts with a step of ${steps[axis]}`);
    const begin = mask('begin_mask', axis) ? 0 : place(begins[axis]!);
    return [begin, mask('shrink_axis_mask', axis) ? begin + 1 : mask('end_mask', axis) ? size : place(ends[axis]!)];
  };
  if (isKnown(node, 0)) {
    const numbers = numbersAt(node, 0);
    const [begin, end] = range(0, numbers.length);
    const picked = numbers.slice(begin, end);
    return [{ kind: 'known', shape: mask('shrink_axis_mask', 0) ? [] : [picked.length], numbers: picked }];
  }
  const feature = featureAt(node, 0);
  const shape = fileShape(network, feature);
  let { value } = feature;
  begins.forEach((_, axis) => {
    const size = shape[axis];
    if (typeof size !== 'number') {
      if (!mask('begin_mask', axis) && begins[axis] !== 0) network.refuse('cuts the batch');
      return;
    }
    const [begin, end] = range(axis, size);
    value = cut(network, value, graphAxis(network, feature, axis), begin, end);
  });
  const shrunk = begins.flatMap((_, axis) => (mask('shrink_axis_mask', axis) ? [axis] : []));
  if (shrunk.length === 0) return { ...feature, value };
  const whole = inFileOrder(network, { ...feature, value });
  return reshapedTo(node, whole, network.shapeOf(whole).filter((_, axis) => !shrunk.includes(axis)));
};

const slice: NodeConverter = (node) => {
  const feature = featureAt(node, 0);
  const [begins, sizes] = [integersAt(node, 1), integersAt(node, 2)];
  let { value } = feature;
  fileShape(node.network, feature).forEach((size, axis) => {
    if (typeof size !== 'number') return;
    const begin = begins[axis] ?? 0;
    const length = sizes[axis] ?? -1;
    value = cut(node.network, value, graphAxis(node.network, feature, axis), begin, length === -1 ? size : begin + length);
  });
  return { ...feature, value };
};

/** Axis, then the value; equal parts or, in SplitV, value, sizes, axis. */
const split: NodeConverter = (node) => {
  const { network } = node;
  const isSized = node.op === 'SplitV';
  const feature = featureAt(node, isSized ? 0 : 1);
  const [axis = 0] = integersAt(node, isSized ? 2 : 0);
  const place = graphAxis(network, feature, axis);
  const size = network.shapeOf(feature.value)[place] as number;
  const count = node.attributes.number('num_split', 1);
  if (!isSized && (!Number.isInteger(size / count) || count < 1)) network.refuse(`divides ${size} into ${count} equal parts`);
  const sizes = isSized ? integersAt(node, 1) : new Array<number>(count).fill(size / count);
  let begin = 0;
  return sizes.map((length): Made => {
    const value = network.add('Slice', [feature.value], { axis: place, start: begin, end: begin + length });
    begin += length;
    return { kind: 'feature', feature: { ...feature, value } };
  });
};

export const shapeOperators = {
  Reshape: reshape,
  Squeeze: squeeze,
  ExpandDims: expand,
  Transpose: transpose,
  ConcatV2: concatenate,
  Concat: concatenate,
  Mean: reduce('mean'),
  Sum: reduce('sum'),
  Max: reduce('maximum'),
  Shape: shapeOf,
  Pack: pack,
  Prod: product,
  StridedSlice: stridedSlice,
  Slice: slice,
  Split: split,
  SplitV: split,
} satisfies Readonly<Record<string, NodeConverter>>;
