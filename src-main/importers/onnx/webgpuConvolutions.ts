/**
 * Convolutions as onnxruntime's WebGPU kernels (1.30) get them right. Wrong numbers were found for grouped convolutions whose groups have several outputs (whenever the
 * outputs are taken in fours across the border of two groups), for transposed ones whose groups have several inputs and one output, and for plain ones
 * whose input channels come in threes (6, 9, 15, ...). The cases are held by tests/parity/webgpu.test.ts.
 */
import { AppError } from '../../../src-shared/errors.ts';
import type { NodeOf } from '../../graph/graph.ts';
import type { OpAttributes } from '../../graph/ops/attributes.ts';
import { integers, window, type NodeWriter } from './nodeWriter.ts';
import { bordered, joined, range, reshaped, sliced, step } from './writerSteps.ts';

/** A grouped convolution with several outputs per group: the m-th outputs of all groups at once where each reads one channel, else group by group. */
export function writeConv(node: NodeOf<'Conv'>, writer: NodeWriter): void {
  const { attributes, inputs, outputs } = node;
  const { group } = attributes;
  const [count, perGroup] = writer.input(1).shape as readonly number[];
  const multiplier = count! / group;
  if (group === 1 ? !comesInThrees(perGroup!) : multiplier === 1) return writer.add('Conv', inputs, outputs, { ...window(attributes), group });
  const weights = constantOperand(node, writer, 1)!;
  const bias = constantOperand(node, writer, 2);
  if (group === 1) return writeConvolution(writer, '', inputs[0]!, { weights, bias, count: count!, channels: perGroup! }, attributes, outputs[0]!);
  const area = perGroup! * attributes.kernel[0] * attributes.kernel[1];
  const chosen = (channels: readonly number[]): ConvolutionWeights => {
    const part = new Float32Array(channels.length * area);
    channels.forEach((channel, at) => part.set(weights.subarray(channel * area, (channel + 1) * area), at * area));
    return { weights: part, bias: bias && Float32Array.from(channels, (channel) => bias[channel]!), count: channels.length, channels: perGroup! };
  };
  if (perGroup === 1) {
    // Outputs lie group by group: those of one convolution are `multiplier` channels apart.
    const [, , height, width] = writer.output(0).shape as readonly number[];
    const apart = integers(writer, 'apart', [-1, group, 1, height! * width!]);
    const parts = range(multiplier).map((m) => {
      const part = writer.intermediate(`part${m}`);
      writeConvolution(writer, `${m}`, inputs[0]!, chosen(range(group).map((g) => g * multiplier + m)), attributes, part);
      return reshaped(writer, `apart${m}`, part, apart);
    });
    return writer.add('Reshape', [joined(writer, 'joined', parts, 2), integers(writer, 'together', [-1, count!, height!, width!])], outputs);
  }
  const parts = range(group).map((g) => {
    const own = sliced(writer, `input${g}`, inputs[0]!, [1], [g * perGroup!], [(g + 1) * perGroup!]);
    const part = writer.intermediate(`part${g}`);
    writeConvolution(writer, `${g}`, own, chosen(range(multiplier).map((m) => g * multiplier + m)), { ...attributes, group: 1 }, part);
    return part;
  });
  writer.add('Concat', parts, outputs, { axis: 1 });
}

interface ConvolutionWeights {
  /** `[count, channels, kh, kw]`. */
  readonly weights: Float32Array;
  readonly bias: Float32Array | undefined;
  readonly count: number;
  /** Channels that each output reads. */
  readonly channels: number;
}

/** Channels that the shader takes three at a time give wrong numbers, but for three alone. */
function comesInThrees(channels: number): boolean {
  return channels > 3 && channels % 3 === 0 && channels % 4 !== 0;
}

/** Channels that come in threes are filled up to fours with zeros. */
function writeConvolution(writer: NodeWriter, suffix: string, x: string, { weights, bias, count, channels }: ConvolutionWeights, attributes: OpAttributes['Conv'], y: string): void {
  const area = attributes.kernel[0] * attributes.kernel[1];
  const inThrees = attributes.group === 1 && comesInThrees(channels);
  const filled = inThrees ? channels + 4 - (channels % 4) : channels;
  const whole = inThrees ? new Float32Array(count * filled * area) : weights;
  if (inThrees) for (let at = 0; at < count; at++) whole.set(weights.subarray(at * channels * area, (at + 1) * channels * area), at * filled * area);
  const operands = [inThrees ? bordered(writer, `filled${suffix}`, x, [0, 0, 0, 0, 0, filled - channels, 0, 0], 0) : x];
  operands.push(writer.constant(`weights${suffix}`, 'float32', [count, filled, ...attributes.kernel], whole));
  if (bias) operands.push(writer.constant(`bias${suffix}`, 'float32', [count], bias));
  writer.add('Conv', operands, [y], { ...window(attributes), group: attributes.group });
}

/** A grouped transposed convolution with several inputs per group: group by group. */
export function writeConvTranspose(node: NodeOf<'ConvTranspose'>, writer: NodeWriter): void {
  const { attributes, inputs, outputs } = node;
  const { group, outputPadding } = attributes;
  const [count, multiplier] = writer.input(1).shape as readonly number[];
  const perGroup = count! / group;
  const rest = { ...window(attributes), output_padding: outputPadding };
  if (group === 1 || perGroup === 1) return writer.add('ConvTranspose', inputs, outputs, { ...rest, group });
  const weights = constantOperand(node, writer, 1)!;
  const bias = constantOperand(node, writer, 2);
  const length = weights.length / group;
  const parts = range(group).map((g) => {
    const operands = [sliced(writer, `input${g}`, inputs[0]!, [1], [g * perGroup], [(g + 1) * perGroup])];
    operands.push(writer.constant(`weights${g}`, 'float32', [perGroup, multiplier!, ...attributes.kernel], weights.slice(g * length, (g + 1) * length)));
    if (bias) operands.push(writer.constant(`bias${g}`, 'float32', [multiplier!], bias.slice(g * multiplier!, (g + 1) * multiplier!)));
    return step(writer, `part${g}`, 'ConvTranspose', operands, { ...rest, group: 1 });
  });
  writer.add('Concat', parts, outputs, { axis: 1 });
}

/** Weights that are cut or filled up must be known; undefined for an absent operand. Throws AppError UNSUPPORTED where they are computed, as in training. */
function constantOperand({ name, kind, inputs }: NodeOf<'Conv' | 'ConvTranspose'>, writer: NodeWriter, index: number): Float32Array | undefined {
  const operand = inputs[index];
  if (!operand) return undefined;
  const tensor = writer.tensor(operand);
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new AppError('UNSUPPORTED', `Node ${JSON.stringify(name)} (${kind}) has groups or channel numbers that onnxruntime gets wrong on webgpu, and weights that are computed, so that they cannot be rearranged. Use the processor.`, { node: name, op: kind });
}
