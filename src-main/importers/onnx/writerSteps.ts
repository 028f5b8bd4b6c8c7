/** Steps that spellings in several ONNX nodes are made of: each adds a node behind a value and returns the name of what it makes. */
import { integers, scalar, type NodeWriter } from './nodeWriter.ts';

/** 0, 1, ... count - 1. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** One ONNX node of one output under a free name, which is returned. */
export function step(writer: NodeWriter, suffix: string, opType: string, inputs: readonly string[], attributes: Parameters<NodeWriter['add']>[3] = {}): string {
  const output = writer.intermediate(suffix);
  writer.add(opType, inputs, [output], attributes);
  return output;
}

export function reshaped(writer: NodeWriter, suffix: string, x: string, shape: string): string {
  return step(writer, suffix, 'Reshape', [x, shape]);
}

export function joined(writer: NodeWriter, suffix: string, parts: readonly string[], axis: number): string {
  return parts.length === 1 ? parts[0]! : step(writer, suffix, 'Concat', parts, { axis });
}

export function sliced(writer: NodeWriter, suffix: string, x: string, axes: readonly number[], starts: readonly number[], ends: readonly number[], steps: readonly number[] = axes.map(() => 1)): string {
  const lists = { Starts: starts, Ends: ends, Axes: axes, Steps: steps };
  return step(writer, suffix, 'Slice', [x, ...Object.entries(lists).map(([name, values]) => integers(writer, `${suffix}${name}`, values))]);
}

/** Borders of `value` around the rows and columns; none where all pads are 0. */
export function padded(writer: NodeWriter, suffix: string, x: string, [top, left, bottom, right]: readonly [number, number, number, number], value: number): string {
  return top + left + bottom + right === 0 ? x : bordered(writer, suffix, x, [0, 0, top, left, 0, 0, bottom, right], value);
}

/** `pads`: before and behind each axis of `[N, C, H, W]`, as ONNX lists them. */
export function bordered(writer: NodeWriter, suffix: string, x: string, pads: readonly number[], value: number): string {
  return step(writer, suffix, 'Pad', [x, integers(writer, `${suffix}Pads`, pads), scalar(writer, `${suffix}Value`, 'float32', value)], { mode: 'constant' });
}
