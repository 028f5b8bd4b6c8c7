/**
 * Max pooling with switches for WebGPU, where onnxruntime's MaxPool (1.30) refuses its Indices output. Switches are carried as the winning kernel position (tap) of
 * each window, a float: integers of 64 bits are no WebGPU type, and the way back by taps needs no scattering, which a GPU does slowly and in no fixed
 * order. The rule is that of method.md section 3: padding never wins, the first maximum in row-major order wins, overlapping windows that share a winner are summed.
 */
import type { Node, NodeOf } from '../../graph/graph.ts';
import type { OpAttributes, WindowAttributes } from '../../graph/ops/attributes.ts';
import { integers, scalar, type NodeWriter } from './nodeWriter.ts';
import { writeMaxPool, writeUnpool, type PeakWriter } from './poolingWriters.ts';
import { joined, padded, range, reshaped, sliced, step } from './writerSteps.ts';

/** Smaller than every finite value but the lowest itself, so that padding does not win; -Infinity is nothing that a shader must honour. */
const lowest = -3.4028234663852886e38;

/** Two passes over the map where TopK sorts all of it. */
export const peaksByReduction: PeakWriter = (writer, x, map) => [step(writer, 'largest', 'GlobalMaxPool', [x]), step(writer, 'place', 'ArgMax', [map], { axis: 2, keepdims: 1, select_last_index: 0 })];

/** The maxima by the pool itself; then each window's first tap that equals its maximum, found from the last tap to the first. */
export function writePoolOfTaps(node: NodeOf<'MaxPool'>, writer: NodeWriter): void {
  const [y, switches] = node.outputs as readonly [string, string?];
  if (!switches) return writeMaxPool(node, writer);
  const values = y || writer.intermediate('values');
  writeMaxPool({ ...node, outputs: [values] }, writer);
  const { attributes } = node;
  const { kernel, strides, dilations, pads } = attributes;
  const [, , height, width] = writer.input(0).shape as readonly number[];
  const [, , rows, columns] = writer.output(1).shape as readonly number[];
  const reach = [(rows! - 1) * strides[0] + 1, (columns! - 1) * strides[1] + 1] as const;
  const whole = [reach[0] + (kernel[0] - 1) * dilations[0], reach[1] + (kernel[1] - 1) * dilations[1]] as const;
  const x = padded(writer, 'bordered', node.inputs[0]!, [pads[0], pads[1], Math.max(0, whole[0] - pads[0] - height!), Math.max(0, whole[1] - pads[1] - width!)], lowest);
  let winner = scalar(writer, 'none', 'float32', 0);
  for (const tap of range(kernel[0] * kernel[1]).reverse()) {
    const [top, left] = [Math.floor(tap / kernel[1]) * dilations[0], (tap % kernel[1]) * dilations[1]];
    const view = sliced(writer, `view${tap}`, x, [2, 3], [top, left], [top + reach[0], left + reach[1]], strides);
    const equal = step(writer, `equal${tap}`, 'Equal', [view, values]);
    winner = step(writer, `winner${tap}`, 'Where', [equal, scalar(writer, `tap${tap}`, 'float32', tap), winner]);
  }
  writer.shared.set(tapsOf(switches), winner);
  if (writer.isOutput(switches) || writer.readers(switches).some((reader) => linkedPool(reader, writer) === undefined)) writePositions(node, writer, winner, switches);
}

/** Switches as the graph has them, positions in the flattened `[N, C, H, W]` input; for who reads them other than the unpooling of the same pool. */
function writePositions(node: NodeOf<'MaxPool'>, writer: NodeWriter, winner: string, switches: string): void {
  const { kernel, strides, dilations, pads } = node.attributes;
  const [, channels, height, width] = writer.input(0).shape as readonly number[];
  const [, , rows, columns] = writer.output(1).shape as readonly number[];
  const offsets = range(kernel[0] * kernel[1]).map((tap) => Math.floor(tap / kernel[1]) * dilations[0] * width! + (tap % kernel[1]) * dilations[1]);
  const corners = range(rows! * columns!).map((at) => (Math.floor(at / columns!) * strides[0] - pads[0]) * width! + (at % columns!) * strides[1] - pads[1]);
  const taps = step(writer, 'taps', 'Cast', [winner], { to: 7 });
  const offset = step(writer, 'offset', 'Gather', [integers(writer, 'offsets', offsets), taps], { axis: 0 });
  const inPlane = step(writer, 'inPlane', 'Add', [offset, writer.constant('corners', 'int64', [1, 1, rows!, columns!], BigInt64Array.from(corners, BigInt))]);
  const batch = step(writer, 'batch', 'Shape', [node.inputs[0]!], { start: 0, end: 1 });
  const planes = step(writer, 'planes', 'Squeeze', [step(writer, 'planeCount', 'Mul', [batch, integers(writer, 'channels', [channels!])])]);
  const numbers = step(writer, 'numbers', 'Range', [scalar(writer, 'zero', 'int64', 0), planes, scalar(writer, 'one', 'int64', 1)]);
  const starts = step(writer, 'starts', 'Mul', [numbers, integers(writer, 'plane', [height! * width!])]);
  writer.add('Add', [reshaped(writer, 'perPlane', starts, integers(writer, 'perPlaneShape', [-1, channels!, 1, 1])), inPlane], [switches]);
}

/**
 * Each tap's share of the signal is moved to where that tap looks. Taps whose distances leave the same remainders by the strides fall on the same lattice and are
 * summed there; the lattices are then woven together.
 */
export function writeUnpoolOfTaps(node: NodeOf<'Unpool'>, writer: NodeWriter): void {
  const pool = linkedPool(node, writer);
  const winner = pool && writer.shared.get(tapsOf(node.inputs[1]!));
  if (!pool || winner === undefined) return writeUnpool(node, writer);
  const { height, width } = node.attributes;
  const { kernel, strides, dilations, pads } = pool;
  const [, channels, rows, columns] = writer.input(0).shape as readonly number[];
  const lattice = [latticeSize(0, rows!, height, pool), latticeSize(1, columns!, width, pool)] as const;
  const zero = scalar(writer, 'zero', 'float32', 0);
  const sums = new Map<string, string>();
  for (const tap of range(kernel[0] * kernel[1])) {
    const [down, across] = [Math.floor(tap / kernel[1]) * dilations[0], (tap % kernel[1]) * dilations[1]];
    const isWinner = step(writer, `is${tap}`, 'Equal', [winner, scalar(writer, `tap${tap}`, 'float32', tap)]);
    const share = step(writer, `share${tap}`, 'Where', [isWinner, node.inputs[0]!, zero]);
    const [top, left] = [Math.floor(down / strides[0]), Math.floor(across / strides[1])];
    const moved = padded(writer, `moved${tap}`, share, [top, left, lattice[0] - rows! - top, lattice[1] - columns! - left], 0);
    const phase = `${down % strides[0]} ${across % strides[1]}`;
    const sum = sums.get(phase);
    sums.set(phase, sum === undefined ? moved : step(writer, `sum${tap}`, 'Add', [sum, moved]));
  }
  const empty = () => step(writer, 'empty', 'Mul', [[...sums.values()][0]!, zero]);
  const planes = range(strides[0]).map((y) => range(strides[1]).map((x) => sums.get(`${y} ${x}`) ?? empty()));
  const woven = weave(writer, planes, channels!, lattice);
  writer.add('Slice', [woven, integers(writer, 'starts', [pads[0], pads[1]]), integers(writer, 'ends', [pads[0] + height, pads[1] + width]), integers(writer, 'axes', [2, 3])], node.outputs);
}

/** Lattices `[N, C, h, w]` by row and column remainder as one map `[N, C, h * strides, w * strides]`. */
function weave(writer: NodeWriter, planes: readonly (readonly string[])[], channels: number, [height, width]: readonly [number, number]): string {
  const [down, across] = [planes.length, planes[0]!.length];
  if (down === 1 && across === 1) return planes[0]![0]!;
  const columnShape = integers(writer, 'columnShape', [-1, height, width, 1]);
  const rowShape = integers(writer, 'rowShape', [-1, height, 1, width * across]);
  const rows = planes.map((lattices, y) => {
    const columns = joined(writer, `columns${y}`, lattices.map((lattice, x) => reshaped(writer, `column${y}${x}`, lattice, columnShape)), 3);
    return reshaped(writer, `row${y}`, columns, rowShape);
  });
  return reshaped(writer, 'woven', joined(writer, 'rows', rows, 2), integers(writer, 'wovenShape', [-1, channels, height * down, width * across]));
}

/** Enough steps for every window's every tap and for the whole input with its padding. */
function latticeSize(axis: 0 | 1, windows: number, size: number, { kernel, strides, dilations, pads }: WindowAttributes): number {
  const reach = windows + Math.floor(((kernel[axis] - 1) * dilations[axis]) / strides[axis]);
  return Math.max(reach, Math.ceil((size + pads[axis]) / strides[axis]));
}

/** The pool that made the switches which this node unpools by, where it is of this graph. */
function linkedPool(node: Node, writer: NodeWriter): OpAttributes['MaxPool'] | undefined {
  if (node.kind !== 'Unpool') return undefined;
  const pool = writer.producer(node.inputs[1]!);
  return pool?.kind === 'MaxPool' && pool.outputs[1] === node.inputs[1] ? pool.attributes : undefined;
}

function tapsOf(switches: string): string {
  return `taps of ${switches}`;
}
