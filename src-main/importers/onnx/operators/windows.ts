/** Converters of ONNX operators with a sliding window: convolutions and pools. */
import type { Pads } from '../../../graph/ops/attributes.ts';
import { dimensionsOf } from '../constants.ts';
import { featureMapShape, optionalConstant, refuse, requiredConstant, type Converter, type Operator } from '../conversion.ts';
import { ceilPads, windowOf } from '../pads.ts';

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

/**
 * Puts pooled values back where their indices say. ONNX counts the indices in the flattened `[N, C, H, W]` of the unpooled value, as
 * the graph's switches; an output shape that differs from the window's own would count otherwise.
 */
const maxUnpool: Converter = (operator, conversion) => {
  const { height, width } = featureMapShape(operator, conversion);
  const window = windowOf(operator, operator.attributes.integers('kernel_shape'), 1, 1);
  const unpooled = (size: number, axis: 0 | 1): number => window.strides[axis] * (size - 1) + window.kernel[axis] - window.pads[axis] - window.pads[axis + 2]!;
  const sizes = [unpooled(height, 0), unpooled(width, 1)] as const;
  const [signal, switches] = operator.inputs as readonly [string, string?];
  if (switches === undefined) return refuse(operator, 'lacks its indices');
  const wanted = optionalConstant(operator, conversion, 2, 'output shape');
  if (wanted && dimensionsOf(wanted).slice(-2).join() !== sizes.join()) refuse(operator, `asks for the output shape ${dimensionsOf(wanted).join(' x ')} where its window makes ${sizes.join(' x ')}`);
  if (conversion.constant(switches) && conversion.shapeOf(signal).includes('batch')) refuse(operator, 'has fixed indices, which fit one image and no batch');
  conversion.add('Unpool', [signal, switches], { height: sizes[0], width: sizes[1] }, operator.outputs);
};

export const windowConverters = {
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalMaxPool: globalMaxPool,
  GlobalAveragePool: globalAveragePool,
  MaxUnpool: maxUnpool,
} satisfies Readonly<Record<string, Converter>>;
