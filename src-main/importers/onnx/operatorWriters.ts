/**
 * How each op kind of the graph is spelled in ONNX, opset 17: mostly one operator; Unpool and SpatialMax are made of several.
 * Input and output types are known, so every spelling is free of choices at run time and any ONNX runtime can run it.
 */
import type { DataType, NodeOf, Shape, Tensor, Value } from '../../graph/graph.ts';
import type { OpKind, WindowAttributes } from '../../graph/ops/attributes.ts';

type AttributeValue = number | string | readonly number[] | { readonly float: number };

export interface NodeWriter {
  /** Type of the node's input or output. */
  input(index: number): Value;
  output(index: number): Value;
  /** A free name for a value between two ONNX nodes. */
  intermediate(suffix: string): string;
  /** Adds a constant under a free name and returns that name. */
  constant(suffix: string, dataType: DataType, shape: readonly number[], data: Tensor['data']): string;
  /** Adds an ONNX node. The first takes the graph node's own name. */
  add(opType: string, inputs: readonly string[], outputs: readonly string[], attributes?: Readonly<Record<string, AttributeValue>>): void;
}

type OperatorWriter<K extends OpKind> = (node: NodeOf<K>, writer: NodeWriter) => void;

export const operatorWriters = {
  Conv: (node, { add }) => add('Conv', node.inputs, node.outputs, { ...window(node.attributes), group: node.attributes.group }),
  ConvTranspose: (node, { add }) =>
    add('ConvTranspose', node.inputs, node.outputs, { ...window(node.attributes), group: node.attributes.group, output_padding: node.attributes.outputPadding }),
  MaxPool: (node, { add }) => add('MaxPool', node.inputs, node.outputs, window(node.attributes)),
  Unpool: writeUnpool,
  AveragePool(node, { add }) {
    const { dilations, ...rest } = window(node.attributes);
    const dilated = dilations.some((dilation) => dilation > 1);
    add('AveragePool', node.inputs, node.outputs, { ...rest, ...(dilated ? { dilations } : {}), count_include_pad: node.attributes.countIncludePad ? 1 : 0 });
  },
  GlobalAveragePool: plain('GlobalAveragePool'),
  Relu: plain('Relu'),
  LeakyRelu: (node, { add }) => add('LeakyRelu', node.inputs, node.outputs, { alpha: { float: node.attributes.alpha } }),
  Clip(node, writer) {
    const { minimum, maximum } = node.attributes;
    const bound = (suffix: string, value: number): string => (Number.isFinite(value) ? scalar(writer, suffix, writer.input(0).dataType, value) : '');
    writer.add('Clip', [node.inputs[0]!, bound('minimum', minimum), bound('maximum', maximum)], node.outputs);
  },
  LRN: writeLrn,
  BatchNormalization: (node, { add }) => add('BatchNormalization', node.inputs, node.outputs, { epsilon: { float: node.attributes.epsilon } }),
  Add: plain('Add'),
  Sub: plain('Sub'),
  Mul: plain('Mul'),
  Pow: (node, writer) => writer.add('Pow', [node.inputs[0]!, scalar(writer, 'exponent', 'float32', node.attributes.exponent)], node.outputs),
  Greater: (node, writer) => writer.add('Greater', [node.inputs[0]!, scalar(writer, 'threshold', writer.input(0).dataType, node.attributes.threshold)], node.outputs),
  Where: plain('Where'),
  Concat: (node, { add }) => add('Concat', node.inputs, node.outputs, { axis: node.attributes.axis }),
  Slice(node, writer) {
    const { axis, start, end } = node.attributes;
    writer.add('Slice', [node.inputs[0]!, integers(writer, 'starts', [start]), integers(writer, 'ends', [end]), integers(writer, 'axes', [axis])], node.outputs);
  },
  Pad(node, writer) {
    const [top, left, bottom, right] = node.attributes.pads;
    const pads = integers(writer, 'pads', [0, 0, top, left, 0, 0, bottom, right]);
    writer.add('Pad', [node.inputs[0]!, pads, scalar(writer, 'value', writer.input(0).dataType, node.attributes.value)], node.outputs, { mode: 'constant' });
  },
  Gemm: (node, { add }) => add('Gemm', node.inputs, node.outputs, { transB: node.attributes.transposeB ? 1 : 0 }),
  Reshape(node, writer) {
    // ONNX reads a target size of 0 as "keep" unless told otherwise.
    const empty = node.attributes.shape.includes(0);
    writer.add('Reshape', [node.inputs[0]!, target(writer, 'shape', node.attributes.shape)], node.outputs, empty ? { allowzero: 1 } : {});
  },
  Transpose: (node, { add }) => add('Transpose', node.inputs, node.outputs, { perm: node.attributes.permutation }),
  Softmax: (node, { add }) => add('Softmax', node.inputs, node.outputs, { axis: node.attributes.axis }),
  ReduceSum: (node, writer) => writer.add('ReduceSum', [node.inputs[0]!, integers(writer, 'axes', node.attributes.axes)], node.outputs, { keepdims: 1 }),
  Identity: plain('Identity'),
  SpatialMax: writeSpatialMax,
} satisfies { readonly [K in OpKind]: OperatorWriter<K> };

/**
 * x / (bias + alpha / size * sum of squares)^beta, spelled out: the sum over a window of channels is a 1 x 1 convolution with a banded matrix. Faster than
 * onnxruntime's LRN kernel on the CPU, and it knows even sizes, which that kernel refuses. The usual beta of 0.75 is two square roots.
 */
function writeLrn(node: NodeOf<'LRN'>, writer: NodeWriter): void {
  const [x] = node.inputs as readonly [string];
  const { size, alpha, beta, bias } = node.attributes;
  const channels = writer.input(0).shape[1] as number;
  const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
  const band = new Float32Array(channels * channels);
  for (let i = 0; i < channels; i++) for (let j = Math.max(0, i - before); j <= Math.min(channels - 1, i + after); j++) band[i * channels + j] = 1;
  const step = (suffix: string, opType: string, inputs: readonly string[], attributes = {}): string => {
    const output = writer.intermediate(suffix);
    writer.add(opType, inputs, [output], attributes);
    return output;
  };
  const squares = step('squares', 'Mul', [x, x]);
  const sums = step('sums', 'Conv', [squares, writer.constant('band', 'float32', [channels, channels, 1, 1], band)], { kernel_shape: [1, 1] });
  const scaled = step('scaled', 'Mul', [sums, scalar(writer, 'alpha', 'float32', alpha / size)]);
  const base = step('base', 'Add', [scaled, scalar(writer, 'bias', 'float32', bias)]);
  let divisor: string;
  if (beta === 0.75) {
    const root = step('root', 'Sqrt', [base]);
    divisor = step('divisor', 'Mul', [root, step('fourthRoot', 'Sqrt', [root])]);
  } else divisor = step('divisor', 'Pow', [base, scalar(writer, 'beta', 'float32', beta)]);
  writer.add('Div', [x, divisor], node.outputs);
}

/**
 * Adds each signal value to the flattened output at its switch. ScatterElements with addition, as switches repeat where windows overlap
 * (MaxUnpool would overwrite; method.md section 3). The length of the flat output follows the batch at run time.
 */
function writeUnpool(node: NodeOf<'Unpool'>, writer: NodeWriter): void {
  const [signal, switches] = node.inputs as readonly [string, string];
  const channels = writer.input(0).shape[1] as number;
  const { height, width } = node.attributes;
  const sizes = writer.intermediate('sizes');
  writer.add('Shape', [signal], [sizes], { start: 0, end: 1 });
  const length = writer.intermediate('length');
  writer.add('Mul', [sizes, integers(writer, 'perImage', [channels * height * width])], [length]);
  const zeros = writer.intermediate('zeros');
  writer.add('ConstantOfShape', [length], [zeros]);
  const flat = integers(writer, 'flat', [-1]);
  const flatSignal = writer.intermediate('flatSignal');
  const flatSwitches = writer.intermediate('flatSwitches');
  writer.add('Reshape', [signal, flat], [flatSignal]);
  writer.add('Reshape', [switches, flat], [flatSwitches]);
  const scattered = writer.intermediate('scattered');
  writer.add('ScatterElements', [zeros, flatSwitches, flatSignal], [scattered], { axis: 0, reduction: 'add' });
  writer.add('Reshape', [scattered, integers(writer, 'shape', [-1, channels, height, width])], node.outputs);
}

/** TopK of one over the flattened positions: ONNX lets the lowest index win a tie, which is the first maximum in row-major order. */
function writeSpatialMax(node: NodeOf<'SpatialMax'>, writer: NodeWriter): void {
  const [x] = node.inputs as readonly [string];
  const [score, position] = node.outputs;
  const [batch, channels, height, width] = writer.input(0).shape;
  if (height === undefined || width === undefined) {
    writer.add('Identity', [x], [score || writer.intermediate('score')]);
    if (!position) return;
    const sizes = writer.intermediate('sizes');
    writer.add('Shape', [x], [sizes]);
    const zeros = writer.intermediate('zeros');
    writer.add('ConstantOfShape', [sizes], [zeros]);
    writer.add('Cast', [zeros], [position], { to: 7 });
    return;
  }
  const map = writer.intermediate('map');
  writer.add('Reshape', [x, target(writer, 'mapShape', [batch!, channels!, (height as number) * (width as number)])], [map]);
  const largest = writer.intermediate('largest');
  const place = writer.intermediate('place');
  writer.add('TopK', [map, integers(writer, 'one', [1])], [largest, place], { axis: 2, largest: 1, sorted: 1 });
  const shape = target(writer, 'scoreShape', [batch!, channels!]);
  if (score) {
    // TopK passes over NaN; the mean does not.
    const mean = writer.intermediate('mean');
    writer.add('GlobalAveragePool', [x], [mean]);
    const broken = writer.intermediate('broken');
    writer.add('IsNaN', [mean], [broken]);
    const flatScore = writer.intermediate('flatScore');
    writer.add('Reshape', [largest, shape], [flatScore]);
    const flatBroken = writer.intermediate('flatBroken');
    writer.add('Reshape', [broken, shape], [flatBroken]);
    writer.add('Where', [flatBroken, scalar(writer, 'notANumber', 'float32', NaN), flatScore], [score]);
  }
  if (position) writer.add('Reshape', [place, shape], [position]);
}

/** One ONNX operator of the same inputs and outputs, without attributes. */
function plain<K extends OpKind>(opType: string): OperatorWriter<K> {
  return (node, { add }) => add(opType, node.inputs, node.outputs);
}

function window({ kernel, strides, dilations, pads }: WindowAttributes): { readonly kernel_shape: readonly number[]; readonly strides: readonly number[]; readonly dilations: readonly number[]; readonly pads: readonly number[] } {
  return { kernel_shape: kernel, strides, dilations, pads };
}

/** A Reshape target: the batch is the one size left open. */
function target(writer: NodeWriter, suffix: string, shape: Shape): string {
  return integers(writer, suffix, shape.map((dimension) => (dimension === 'batch' ? -1 : dimension)));
}

function integers(writer: NodeWriter, suffix: string, values: readonly number[]): string {
  return writer.constant(suffix, 'int64', [values.length], BigInt64Array.from(values, BigInt));
}

function scalar(writer: NodeWriter, suffix: string, dataType: DataType, value: number): string {
  if (dataType === 'float32') return writer.constant(suffix, 'float32', [], Float32Array.of(value));
  if (dataType === 'int64') return writer.constant(suffix, 'int64', [], BigInt64Array.of(BigInt(value)));
  return writer.constant(suffix, dataType, [], Uint8Array.of(value));
}
