/**
 * The gradient of a convolution's weights in ONNX, opset 17, which has no operator for it. Three spellings, each the fastest of its kind on onnxruntime's CPU
 * kernels: few channels as the convolution of the input by the signal with batch and channels swapped; many channels as what every window saw, gathered, times
 * the signal; one channel to a group as products kernel position by kernel position.
 */
import type { NodeOf } from '../../graph/graph.ts';
import { integers, scalar, type NodeWriter } from './nodeWriter.ts';

/** From this many channels on gathering pays: whole rows of channels are copied at once. */
const gatheredFrom = 16;

export function writeConvWeightGradient(node: NodeOf<'ConvWeightGradient'>, writer: NodeWriter): void {
  const { group } = node.attributes;
  const step = (suffix: string, opType: string, inputs: readonly string[], attributes = {}): string => {
    const output = writer.intermediate(suffix);
    writer.add(opType, inputs, [output], attributes);
    return output;
  };
  const [x, signal] = node.inputs as readonly [string, string];
  const [outputs, channels] = writer.output(0).shape as readonly number[];
  const context: Context = { node, writer, step };
  if (channels === 1 && group > 1) return writePerPosition(context, x, signal);
  const part = (suffix: string, value: string, size: number, index: number): string =>
    group === 1 ? value : step(suffix, 'Slice', [value, integers(writer, `${suffix}Start`, [index * size]), integers(writer, `${suffix}End`, [(index + 1) * size]), integers(writer, `${suffix}Axis`, [1])]);
  const parts = Array.from({ length: group }, (_, index) => {
    const [seen, told] = [part('seen', x, channels!, index), part('told', signal, outputs! / group, index)];
    return channels! < gatheredFrom ? swapped(context, seen, told) : gathered(context, seen, told);
  });
  if (group === 1) writer.add('Identity', parts, node.outputs);
  else writer.add('Concat', parts, node.outputs, { axis: 0 });
}

interface Context {
  readonly node: NodeOf<'ConvWeightGradient'>;
  readonly writer: NodeWriter;
  step(suffix: string, opType: string, inputs: readonly string[], attributes?: object): string;
}

/** Images become channels and channels images: the signal is the kernel, strides and dilations trade places. What the strides left over is cut off. */
function swapped({ node, writer, step }: Context, x: string, signal: string): string {
  const { kernel, strides, dilations, pads } = node.attributes;
  const [, , rows, columns] = writer.input(1).shape as readonly number[];
  const images = step('images', 'Transpose', [x], { perm: [1, 0, 2, 3] });
  const filters = step('filters', 'Transpose', [signal], { perm: [1, 0, 2, 3] });
  const whole = step('whole', 'Conv', [images, filters], { kernel_shape: [rows, columns], strides: dilations, dilations: strides, pads });
  const cut = step('cut', 'Slice', [whole, integers(writer, 'from', [0, 0]), integers(writer, 'to', kernel), integers(writer, 'axes', [2, 3])]);
  return step('gradient', 'Transpose', [cut], { perm: [1, 0, 2, 3] });
}

/** `[M, N * positions]` times `[N * positions, kernel positions * C]`. */
function gathered({ node, writer, step }: Context, x: string, signal: string): string {
  const { kernel, pads, group } = node.attributes;
  const [, channels, height, width] = writer.input(0).shape as readonly number[];
  const [outputs] = writer.output(0).shape as readonly number[];
  const perGroup = channels! / group;
  const [paddedRows, paddedColumns] = [height! + pads[0] + pads[2], width! + pads[1] + pads[3]];
  const padded = pads.some((pad) => pad > 0) ? step('padded', 'Pad', [x, integers(writer, 'pads', [0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]]), scalar(writer, 'nothing', 'float32', 0)]) : x;
  const channelsLast = step('channelsLast', 'Transpose', [padded], { perm: [0, 2, 3, 1] });
  const places = step('places', 'Reshape', [channelsLast, integers(writer, 'placesShape', [-1, paddedRows * paddedColumns, perGroup])]);
  const windows = step('windows', 'Gather', [places, integers(writer, 'seenBy', placesSeen(node, writer, paddedColumns))], { axis: 1 });
  const seen = step('seenRows', 'Reshape', [windows, integers(writer, 'seenShape', [-1, kernel[0] * kernel[1] * perGroup])]);
  const byChannel = step('byChannel', 'Transpose', [signal], { perm: [1, 0, 2, 3] });
  const told = step('toldRows', 'Reshape', [byChannel, integers(writer, 'toldShape', [outputs! / group, -1])]);
  const product = step('product', 'MatMul', [told, seen]);
  const shaped = step('shaped', 'Reshape', [product, integers(writer, 'shape', [outputs! / group, ...kernel, perGroup])]);
  return step('gradient', 'Transpose', [shaped], { perm: [0, 3, 1, 2] });
}

/** For each output position its kernel positions, as places of the padded input. */
function placesSeen({ attributes: { kernel, strides, dilations } }: Context['node'], writer: NodeWriter, columns: number): number[] {
  const [, , outputRows, outputColumns] = writer.input(1).shape as readonly number[];
  const places: number[] = [];
  for (let y = 0; y < outputRows!; y++)
    for (let x = 0; x < outputColumns!; x++)
      for (let i = 0; i < kernel[0]; i++) for (let j = 0; j < kernel[1]; j++) places.push((y * strides[0] + i * dilations[0]) * columns + x * strides[1] + j * dilations[1]);
  return places;
}

/** One input channel to each group: the signal times what a kernel position saw, summed over images and positions. */
function writePerPosition({ node, writer, step }: Context, x: string, signal: string): void {
  const { kernel, strides, dilations, pads, group } = node.attributes;
  const [outputs] = writer.output(0).shape as readonly number[];
  const [, , rows, columns] = writer.input(1).shape as readonly number[];
  const each = outputs! / group;
  const padded = step('padded', 'Pad', [x, integers(writer, 'pads', [0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]]), scalar(writer, 'nothing', 'float32', 0)]);
  const told = step('told', 'Reshape', [signal, integers(writer, 'toldShape', [-1, group, each, rows! * columns!])]);
  const axes = integers(writer, 'axes', [2, 3]);
  const steps = integers(writer, 'steps', strides);
  const seenShape = integers(writer, 'seenShape', [-1, group, 1, rows! * columns!]);
  const summed = integers(writer, 'summed', [0, 3]);
  const sums = Array.from({ length: kernel[0] * kernel[1] }, (_, tap) => {
    const [top, left] = [Math.floor(tap / kernel[1]) * dilations[0], (tap % kernel[1]) * dilations[1]];
    const ends = [top + (rows! - 1) * strides[0] + 1, left + (columns! - 1) * strides[1] + 1];
    const seen = step('seen', 'Slice', [padded, integers(writer, 'from', [top, left]), integers(writer, 'to', ends), axes, steps]);
    const product = step('product', 'Mul', [step('seenRows', 'Reshape', [seen, seenShape]), told]);
    return step('sum', 'ReduceSum', [product, summed], { keepdims: 1 });
  });
  const all = step('all', 'Concat', sums, { axis: 3 });
  writer.add('Reshape', [all, integers(writer, 'shape', [outputs!, 1, ...kernel])], node.outputs);
}
