/** Pooling, its way back and the spatial maximum in ONNX, opset 17: where one operator does not do, several standard ones. */
import type { NodeOf } from '../../graph/graph.ts';
import type { WindowAttributes } from '../../graph/ops/attributes.ts';
import { integers, scalar, target, window, type NodeWriter } from './nodeWriter.ts';

/**
 * Pads as wide as the kernel or wider (a dilated window reaches that far) are refused by onnxruntime, so they are put on before, as -Infinity. The switches
 * then count positions of the padded map and are counted back: plane, row and column apart.
 */
export function writeMaxPool(node: NodeOf<'MaxPool'>, writer: NodeWriter): void {
  const { attributes } = node;
  if (!padsReachKernel(attributes)) return writer.add('MaxPool', node.inputs, node.outputs, window(attributes));
  const [y, switches] = node.outputs;
  const padded = writer.intermediate('padded');
  const pads = integers(writer, 'pads', [0, 0, attributes.pads[0], attributes.pads[1], 0, 0, attributes.pads[2], attributes.pads[3]]);
  writer.add('Pad', [node.inputs[0]!, pads, scalar(writer, 'padding', 'float32', -Infinity)], [padded], { mode: 'constant' });
  const found = switches ? writer.intermediate('paddedSwitches') : '';
  writer.add('MaxPool', [padded], found ? [y!, found] : [y!], window({ ...attributes, pads: [0, 0, 0, 0] }));
  if (!switches) return;
  const [, , height, width] = writer.input(0).shape as readonly number[];
  const [top, left, bottom, right] = attributes.pads;
  const [rows, columns] = [height! + top + bottom, width! + left + right];
  const step = (suffix: string, opType: string, operand: string, factor: number): string => {
    const output = writer.intermediate(suffix);
    writer.add(opType, [operand, integers(writer, `${suffix}By`, [factor])], [output]);
    return output;
  };
  const planeStart = step('planeStart', 'Mul', step('plane', 'Div', found, rows * columns), height! * width!);
  const inPlane = step('inPlane', 'Mod', found, rows * columns);
  const rowStart = step('rowStart', 'Mul', step('row', 'Div', inPlane, columns), width!);
  const column = step('column', 'Mod', inPlane, columns);
  const corner = step('corner', 'Sub', column, top * width! + left);
  const inside = writer.intermediate('inside');
  writer.add('Add', [rowStart, corner], [inside]);
  writer.add('Add', [planeStart, inside], [switches]);
}

/**
 * With wide pads (see writeMaxPool) the mean is a convolution of each channel by equal weights, corrected window by window where pads do not count. Not a
 * Pad before the pool: onnxruntime's optimiser takes that back into the pool and then refuses it.
 */
export function writeAveragePool(node: NodeOf<'AveragePool'>, writer: NodeWriter): void {
  const { kernel, dilations, countIncludePad } = node.attributes;
  if (!padsReachKernel(node.attributes)) {
    const { dilations: rates, ...rest } = window(node.attributes);
    return writer.add('AveragePool', node.inputs, node.outputs, { ...rest, ...(dilations.some((dilation) => dilation > 1) ? { dilations: rates } : {}), count_include_pad: countIncludePad ? 1 : 0 });
  }
  const [, channels, height, width] = writer.input(0).shape as readonly number[];
  const [, , rows, columns] = writer.output(0).shape as readonly number[];
  const area = kernel[0] * kernel[1];
  const shares = writer.constant('shares', 'float32', [channels!, 1, ...kernel], new Float32Array(channels! * area).fill(1 / area));
  const mean = countIncludePad ? node.outputs[0]! : writer.intermediate('mean');
  writer.add('Conv', [node.inputs[0]!, shares], [mean], { ...window(node.attributes), group: channels! });
  if (countIncludePad) return;
  const corrections = Float32Array.from({ length: rows! * columns! }, (_, at) => {
    const counted = tapsInside(node.attributes, 0, Math.floor(at / columns!), height!) * tapsInside(node.attributes, 1, at % columns!, width!);
    return area / counted;
  });
  writer.add('Mul', [mean, writer.constant('corrections', 'float32', [1, 1, rows!, columns!], corrections)], node.outputs);
}

/**
 * Adds each signal value to the flattened output at its switch. ScatterElements with addition, as switches repeat where windows overlap
 * (MaxUnpool would overwrite; method.md section 3). The length of the flat output follows the batch at run time.
 */
export function writeUnpool(node: NodeOf<'Unpool'>, writer: NodeWriter): void {
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

/** Of a feature map `[N, C, H, W]` and the same with its positions in one axis: names of the maxima and of their positions, one for each channel. */
export type PeakWriter = (writer: NodeWriter, x: string, map: string) => readonly [largest: string, place: string];

/** TopK of one over the flattened positions: ONNX lets the lowest index win a tie, which is the first maximum in row-major order. */
const topOfOne: PeakWriter = (writer, _x, map) => {
  const largest = writer.intermediate('largest');
  const place = writer.intermediate('place');
  writer.add('TopK', [map, integers(writer, 'one', [1])], [largest, place], { axis: 2, largest: 1, sorted: 1 });
  return [largest, place];
};

export function writeSpatialMax(node: NodeOf<'SpatialMax'>, writer: NodeWriter, peaksOf: PeakWriter = topOfOne): void {
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
  const [largest, place] = peaksOf(writer, x, map);
  const shape = target(writer, 'scoreShape', [batch!, channels!]);
  if (score) {
    // A maximum passes over NaN; the mean does not.
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

function padsReachKernel({ kernel, pads }: WindowAttributes): boolean {
  return pads.some((pad, side) => pad >= kernel[side % 2]!);
}

/** How many taps of the window at output position `at` fall inside the input along one axis. */
function tapsInside({ kernel, strides, dilations, pads }: WindowAttributes, axis: 0 | 1, at: number, size: number): number {
  const start = at * strides[axis] - pads[axis];
  return Array.from({ length: kernel[axis] }, (_, tap) => start + tap * dilations[axis]).filter((position) => position >= 0 && position < size).length;
}
