/**
 * How each op kind of the graph is spelled in ONNX, opset 17: mostly one operator; pooling (poolingWriters.ts), LRN and linear maps may be several.
 * Input and output types are known, so every spelling is free of choices at run time and any ONNX runtime can run it.
 */
import type { NodeOf } from '../../graph/graph.ts';
import type { OpKind } from '../../graph/ops/attributes.ts';
import { integers, scalar, target, window, type NodeWriter, type OperatorWriter } from './nodeWriter.ts';
import { writeAveragePool, writeMaxPool, writeSpatialMax, writeUnpool } from './poolingWriters.ts';
import { writeConvWeightGradient } from './weightGradientWriter.ts';

export const operatorWriters = {
  Conv: (node, { add }) => add('Conv', node.inputs, node.outputs, { ...window(node.attributes), group: node.attributes.group }),
  ConvTranspose: (node, { add }) =>
    add('ConvTranspose', node.inputs, node.outputs, { ...window(node.attributes), group: node.attributes.group, output_padding: node.attributes.outputPadding }),
  ConvWeightGradient: writeConvWeightGradient,
  MaxPool: writeMaxPool,
  Unpool: writeUnpool,
  AveragePool: writeAveragePool,
  GlobalAveragePool: plain('GlobalAveragePool'),
  Relu: plain('Relu'),
  LeakyRelu: (node, { add }) => add('LeakyRelu', node.inputs, node.outputs, { alpha: { float: node.attributes.alpha } }),
  Clip(node, writer) {
    const { minimum, maximum } = node.attributes;
    const bound = (suffix: string, value: number): string => (Number.isFinite(value) ? scalar(writer, suffix, writer.input(0).dataType, value) : '');
    writer.add('Clip', [node.inputs[0]!, bound('minimum', minimum), bound('maximum', maximum)], node.outputs);
  },
  PRelu: plain('PRelu'),
  Elu(node, { add }) {
    const { alpha, gamma } = node.attributes;
    if (gamma === 1) add('Elu', node.inputs, node.outputs, { alpha: { float: alpha } });
    else add('Selu', node.inputs, node.outputs, { alpha: { float: alpha }, gamma: { float: gamma } });
  },
  ThresholdedRelu: (node, { add }) => add('ThresholdedRelu', node.inputs, node.outputs, { alpha: { float: node.attributes.alpha } }),
  Sigmoid: plain('Sigmoid'),
  HardSigmoid: (node, { add }) => add('HardSigmoid', node.inputs, node.outputs, { alpha: { float: node.attributes.alpha }, beta: { float: node.attributes.beta } }),
  HardSwish: plain('HardSwish'),
  Tanh: plain('Tanh'),
  Softplus: plain('Softplus'),
  Erf: plain('Erf'),
  Log: plain('Log'),
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
  SpatialLinear(node, writer) {
    const [x, matrix] = node.inputs as readonly [string, string];
    if (node.attributes.axis === 2) return writer.add('MatMul', [matrix, x], node.outputs);
    const transposed = writer.intermediate('transposed');
    writer.add('Transpose', [matrix], [transposed], { perm: [1, 0] });
    writer.add('MatMul', [x, transposed], node.outputs);
  },
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
  for (let i = 0; i < channels; i++) for (let j = Math.max(0, i - before); j <= Math.min(channels - 1, i + after); j++) band[i * channels + j] = alpha / size;
  const step = (suffix: string, opType: string, inputs: readonly string[], attributes = {}): string => {
    const output = writer.intermediate(suffix);
    writer.add(opType, inputs, [output], attributes);
    return output;
  };
  const squares = step('squares', 'Mul', [x, x]);
  const constants = [writer.constant('band', 'float32', [channels, channels, 1, 1], band), writer.constant('bias', 'float32', [channels], new Float32Array(channels).fill(bias))];
  const base = step('base', 'Conv', [squares, ...constants], { kernel_shape: [1, 1] });
  let divisor: string;
  if (beta === 0.75) {
    const root = step('root', 'Sqrt', [base]);
    divisor = step('divisor', 'Mul', [root, step('fourthRoot', 'Sqrt', [root])]);
  } else divisor = step('divisor', 'Pow', [base, scalar(writer, 'beta', 'float32', beta)]);
  writer.add('Div', [x, divisor], node.outputs);
}

/** One ONNX operator of the same inputs and outputs, without attributes. */
function plain<K extends OpKind>(opType: string): OperatorWriter<K> {
  return (node, { add }) => add(opType, node.inputs, node.outputs);
}
