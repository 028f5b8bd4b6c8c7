/** Converters of ONNX operators with a sliding window: convolutions, pools, padding. */
import type { Pads } from '../../../graph/ops/attributes.ts';
import { numbersOf } from '../constants.ts';
import { featureMapShape, optionalConstant, refuse, requiredConstant, type Conversion, type Converter, type Operator } from '../conversion.ts';
import { ceilPads, windowOf } from '../pads.ts';
import { normalizeAxis } from '../shapes.ts';

const convolution: Converter = (operator, conversion) => {
  const [x, weights, bias = ''] = operator.inputs as readonly [string, string, string?];
  const { height, width } = featureMapShape(operator, conversion);
  const { shape } = requiredConstant(operator, conversion, 1, 'weights');
  const window = windowOf(operator, operator.attributes.integers('kernel_shape') ?? shape.slice(2), height, width);
  const inputs = [x, weights, bias];
  conversion.add('Conv', inputs, { ...window, group: operator.attributes.integer('group', 1) }, operator.outputs);
};

/** Output rows: stride * (h - 1) + output padding + dilated kernel - pads; an `output_shape` says the pads indirectly. */
const transposedConvolution: Converter = (operator, conversion) => {
  const [x, weights, bias = ''] = operator.inputs as readonly [string, string, string?];
  const { height, width } = featureMapShape(operator, conversion);
  const { shape } = requiredConstant(operator, conversion, 1, 'weights');
  const kernel = operator.attributes.integers('kernel_shape') ?? shape.slice(2);
  const mode = operator.attributes.text('auto_pad', 'NOTSET');
  const explicit = mode === 'NOTSET' || mode === 'VALID';
  const window = windowOf(operator, kernel, 1, 1);
  const [rows = 0, columns = 0] = operator.attributes.integers('output_padding') ?? [];
  const sizes = operator.attributes.integers('output_shape')?.slice(-2) ?? (explicit ? undefined : [height * window.strides[0], width * window.strides[1]]);
  const outputPadding: [number, number] = [rows, columns];
  let { pads } = window;
  if (sizes) {
    const total = [height, width].map((size, axis) => {
      const excess = window.strides[axis]! * (size - 1) + outputPadding[axis]! + window.dilations[axis]! * (window.kernel[axis]! - 1) + 1 - sizes[axis]!;
      // A wish for more than kernel and stride make is met by padding the output's end.
      if (excess < 0) outputPadding[axis]! -= excess;
      return Math.max(0, excess);
    });
    const half = total.map((pad) => Math.floor(pad / 2));
    const rest = total.map((pad, axis) => pad - half[axis]!);
    pads = (mode === 'SAME_UPPER' ? [...half, ...rest] : [...rest, ...half]) as unknown as Pads;
  }
  const inputs = [x, weights, bias];
  conversion.add('ConvTranspose', inputs, { ...window, pads, outputPadding, group: operator.attributes.integer('group', 1) }, operator.outputs);
};

const maxPool: Converter = (operator, conversion) => {
  const { height, width } = featureMapShape(operator, conversion);
  const window = windowOf(operator, operator.attributes.integers('kernel_shape'), height, width);
  const [pooled, switches = ''] = operator.outputs as readonly [string, string?];
  const wantsSwitches = switches !== '' && conversion.isUsed(switches);
  if (wantsSwitches && operator.attributes.integer('storage_order', 0) === 1) refuse(operator, 'counts its indices in column-major order (storage_order 1)');
  const pads = roundsUp(operator) ? ceilPads(window, height, width) : window.pads;
  conversion.add('MaxPool', [operator.inputs[0]!], { ...window, pads }, wantsSwitches ? [pooled, switches] : [pooled]);
};

/**
 * The divisor counts the pads that the file gives when count_include_pad is set, but never the extension that ceil_mode adds. Where both meet,
 * the given pads become a Pad of zeros of their own and the pool excludes only the extension.
 */
const averagePool: Converter = (operator, conversion) => {
  const { height, width } = featureMapShape(operator, conversion);
  const window = windowOf(operator, operator.attributes.integers('kernel_shape'), height, width);
  const countIncludePad = operator.attributes.integer('count_include_pad', 0) === 1;
  const pads = roundsUp(operator) ? ceilPads(window, height, width) : window.pads;
  const [x] = operator.inputs as readonly [string];
  const [top, left, bottom, right] = window.pads;
  const extension: Pads = [0, 0, pads[2] - bottom, pads[3] - right];
  if (!countIncludePad || (extension[2] === 0 && extension[3] === 0)) {
    conversion.add('AveragePool', [x], { ...window, pads, countIncludePad }, operator.outputs);
    return;
  }
  if (Math.min(...extension) < 0) refuse(operator, 'has pads that reach beyond its last window');
  let source = x;
  if (top + left + bottom + right > 0) {
    source = conversion.intermediate(`${operator.outputs[0]!}/padded`);
    conversion.add('Pad', [x], { pads: window.pads, value: 0 }, [source]);
  }
  conversion.add('AveragePool', [source], { ...window, pads: extension, countIncludePad: false }, operator.outputs);
};

/** auto_pad already gives all steps; ceil_mode says nothing then. */
function roundsUp(operator: Operator): boolean {
  return operator.attributes.integer('ceil_mode', 0) === 1 && !operator.attributes.text('auto_pad', 'NOTSET').startsWith('SAME');
}

const globalMaxPool: Converter = (operator, conversion) => {
  const { height, width } = featureMapShape(operator, conversion);
  conversion.add('MaxPool', [operator.inputs[0]!], { kernel: [height, width], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] }, operator.outputs);
};

const globalAveragePool: Converter = (operator, conversion) => {
  featureMapShape(operator, conversion);
  conversion.add('GlobalAveragePool', [operator.inputs[0]!], {}, operator.outputs);
};

const pad: Converter = (operator, conversion) => {
  const mode = operator.attributes.text('mode', 'constant');
  if (mode !== 'constant') refuse(operator, `pads in mode ${JSON.stringify(mode)}; only padding with a constant is supported`);
  const rank = conversion.shapeOf(operator.inputs[0]!).length;
  const given = padsGiven(operator, conversion);
  const axes = optionalConstant(operator, conversion, 3, 'axes');
  const padded = (axes ? numbersOf(axes)! : Array.from({ length: rank }, (_, axis) => axis)).map((axis) => normalizeAxis(operator, axis, rank));
  if (given.length !== 2 * padded.length) refuse(operator, `has ${given.length} pads for ${padded.length} axes`);
  const begins = new Array<number>(rank).fill(0);
  const ends = new Array<number>(rank).fill(0);
  padded.forEach((axis, index) => {
    begins[axis] = given[index]!;
    ends[axis] = given[index + padded.length]!;
  });
  if ([...begins, ...ends].every((size) => size === 0)) return conversion.add('Identity', [operator.inputs[0]!], {}, operator.outputs);
  if ([...begins, ...ends].some((size) => size < 0)) refuse(operator, `has negative pads (${given.join(', ')})`);
  if (rank !== 4 || [...begins.slice(0, 2), ...ends.slice(0, 2)].some((size) => size !== 0)) {
    refuse(operator, `pads other axes than height and width (pads ${given.join(', ')} of a value with ${rank} axes)`);
  }
  const filler = optionalConstant(operator, conversion, 2, 'value');
  const value = filler ? Number(filler.data[0] ?? 0) : operator.attributes.float('value', 0);
  conversion.add('Pad', [operator.inputs[0]!], { pads: [begins[2]!, begins[3]!, ends[2]!, ends[3]!], value }, operator.outputs);
};

/** Before opset 11 an attribute, in opset 1 under another name; since then an input. */
function padsGiven(operator: Operator, conversion: Conversion): readonly number[] {
  const attribute = operator.attributes.integers('pads') ?? operator.attributes.integers('paddings');
  if (attribute) return attribute;
  return numbersOf(requiredConstant(operator, conversion, 1, 'pads')) ?? refuse(operator, 'pads by the batch size');
}

export const windowConverters = {
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalMaxPool: globalMaxPool,
  GlobalAveragePool: globalAveragePool,
  Pad: pad,
} satisfies Readonly<Record<string, Converter>>;
