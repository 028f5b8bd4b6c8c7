/** Converters of ONNX operators that only arrange values: shapes, axes, joining. Taking pieces is in pieces.ts. */
import { elementCount } from '../../../graph/graph.ts';
import { shapeText } from '../../../graph/ops/spec.ts';
import { dimensionsOf } from '../constants.ts';
import { featureMapShape, optionalConstant, refuse, requiredConstant, type Converter, type Operator } from '../conversion.ts';
import { axesOf, joinedSize, normalizeAxis, settleReshape } from '../shapes.ts';

const reshape: Converter = (operator, conversion) => {
  const [x, targetName] = operator.inputs as readonly [string, string?];
  const from = conversion.shapeOf(x);
  const target = targetName ? dimensionsOf(requiredConstant(operator, conversion, 1, 'target shape')) : (operator.attributes.integers('shape') ?? []);
  const shape = settleReshape(from, target, conversion.fileBatch, operator.attributes.integer('allowzero', 0) === 1);
  if (!shape) refuse(operator, `reshapes ${shapeText(from)} to ${shapeText(target)}, which mixes the images of a batch or does not fit`);
  conversion.add('Reshape', [x], { shape }, operator.outputs);
};

const flatten: Converter = (operator, conversion) => {
  const from = conversion.shapeOf(operator.inputs[0]!);
  const wish = operator.attributes.integer('axis', 1);
  const axis = wish === from.length ? wish : normalizeAxis(operator, wish, from.length);
  conversion.add('Reshape', [operator.inputs[0]!], { shape: [joinedSize(operator, from.slice(0, axis)), joinedSize(operator, from.slice(axis))] }, operator.outputs);
};

const unsqueeze: Converter = (operator, conversion) => {
  const shape = [...conversion.shapeOf(operator.inputs[0]!)];
  const axes = axesOf(operator, optionalConstant(operator, conversion, 1, 'axes'), shape.length, 'result') ?? refuse(operator, 'gives no axes');
  for (const axis of axes) shape.splice(axis, 0, 1);
  conversion.add('Reshape', [operator.inputs[0]!], { shape }, operator.outputs);
};

/** Without axes every size of 1 goes, but never the batch, even where the file was made with one image. */
const squeeze: Converter = (operator, conversion) => {
  const from = conversion.shapeOf(operator.inputs[0]!);
  const axes = axesOf(operator, optionalConstant(operator, conversion, 1, 'axes'), from.length, 'operand');
  const bad = axes?.find((axis) => from[axis] !== 1);
  if (bad !== undefined) refuse(operator, from[bad] === 'batch' ? 'removes the batch axis' : `removes axis ${bad} of ${shapeText(from)}, which is not 1`);
  conversion.add('Reshape', [operator.inputs[0]!], { shape: from.filter((size, axis) => (axes ? !axes.includes(axis) : size !== 1)) }, operator.outputs);
};

const transpose: Converter = (operator, conversion) => {
  const rank = conversion.shapeOf(operator.inputs[0]!).length;
  const permutation = operator.attributes.integers('perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  conversion.add('Transpose', [operator.inputs[0]!], { permutation }, operator.outputs);
};

const concat: Converter = (operator, conversion) => {
  const rank = conversion.shapeOf(operator.inputs[0]!).length;
  const axis = normalizeAxis(operator, operator.attributes.integer('axis', 1), rank);
  if (operator.inputs.length === 1) return conversion.add('Identity', [operator.inputs[0]!], {}, operator.outputs);
  conversion.add('Concat', operator.inputs, { axis }, operator.outputs);
};

/** Blocks of channels become squares of positions (Shi et al. 2016); DCR and CRD say whether the square or the channel varies first. */
const depthToSpace: Converter = (operator, conversion) => {
  const { channels, height, width } = featureMapShape(operator, conversion);
  const block = blockSize(operator);
  if (channels % (block * block) !== 0) refuse(operator, `spreads ${channels} channels over ${block} x ${block} positions`);
  const [batch] = conversion.shapeOf(operator.inputs[0]!);
  const depth = channels / (block * block);
  const columnFirst = operator.attributes.text('mode', 'DCR') === 'CRD';
  const parts = conversion.step('Reshape', [operator.inputs[0]!], { shape: columnFirst ? [batch!, depth, block, block, height, width] : [batch!, block, block, depth, height, width] }, 'blocks');
  const spread = conversion.step('Transpose', [parts], { permutation: columnFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2] }, 'spread');
  conversion.add('Reshape', [spread], { shape: [batch!, depth, height * block, width * block] }, operator.outputs);
};

const spaceToDepth: Converter = (operator, conversion) => {
  const { channels, height, width } = featureMapShape(operator, conversion);
  const block = blockSize(operator);
  if (height % block !== 0 || width % block !== 0) refuse(operator, `takes blocks of ${block} x ${block} from ${height} x ${width} positions`);
  const [batch] = conversion.shapeOf(operator.inputs[0]!);
  const parts = conversion.step('Reshape', [operator.inputs[0]!], { shape: [batch!, channels, height / block, block, width / block, block] }, 'blocks');
  const stacked = conversion.step('Transpose', [parts], { permutation: [0, 3, 5, 1, 2, 4] }, 'stacked');
  conversion.add('Reshape', [stacked], { shape: [batch!, channels * block * block, height / block, width / block] }, operator.outputs);
};

function blockSize(operator: Operator): number {
  const block = operator.attributes.integer('blocksize', 0);
  return block >= 1 ? block : refuse(operator, 'gives no block size');
}

/** Repeats a value to a larger shape: times ones. */
const expand: Converter = (operator, conversion) => {
  const [x] = operator.inputs as readonly [string];
  const from = conversion.shapeOf(x);
  const wanted = dimensionsOf(requiredConstant(operator, conversion, 1, 'shape'));
  const rank = Math.max(from.length, wanted.length);
  const ones = Array.from({ length: rank }, (_, axis) => {
    const size = wanted[axis - rank + wanted.length] ?? 1;
    const own = from[axis - rank + from.length] ?? 1;
    if (size === 'batch' && own !== 'batch') return refuse(operator, 'repeats a value once per image of the batch');
    return size === own || size === 'batch' || own === 'batch' ? 1 : size;
  });
  if (ones.every((size) => size === 1) && rank === from.length) return conversion.add('Identity', [x], {}, operator.outputs);
  conversion.spend(operator, elementCount(ones));
  const factor = conversion.tensor(`${operator.outputs[0]!}/ones`, { dataType: 'float32', shape: ones, data: new Float32Array(elementCount(ones)).fill(1) });
  conversion.add('Mul', [x, factor], {}, operator.outputs);
};

export const shapeConverters = {
  Reshape: reshape,
  Flatten: flatten,
  Unsqueeze: unsqueeze,
  Squeeze: squeeze,
  Transpose: transpose,
  Concat: concat,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Expand: expand,
} satisfies Readonly<Record<string, Converter>>;
