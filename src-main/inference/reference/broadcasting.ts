/** Walking over values: one operand as it stands, several with numpy broadcasting. Shared by the kernels that work value by value. */
import { elementCount, stridesOf } from '../../graph/graph.ts';
import type { Data } from '../engine.ts';
import { floats } from './kernel.ts';

export type IndexOf = (at: number) => number;

/** A value for each value, at its place. */
export function mapped(x: { readonly shape: readonly number[]; readonly data: Float32Array }, value: (value: number, at: number) => number): Data {
  return { shape: x.shape, data: x.data.map(value) };
}

/** Two float32 operands, value by value. */
export function combined(inputs: readonly (Data | undefined)[], value: (a: number, b: number) => number): Data {
  const a = floats(inputs, 0);
  const b = floats(inputs, 1);
  const shape = broadcastShape([a.shape, b.shape]);
  const aAt = broadcastIndex(a.shape, shape);
  const bAt = broadcastIndex(b.shape, shape);
  const data = new Float32Array(elementCount(shape));
  for (let at = 0; at < data.length; at++) data[at] = value(a.data[aAt(at)]!, b.data[bAt(at)]!);
  return { shape, data };
}

/** numpy: shapes are aligned at their last axis; a size of 1 stretches. */
export function broadcastShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    const size = sizes.find((candidate) => candidate !== 1) ?? 1;
    if (sizes.some((candidate) => candidate !== 1 && candidate !== size)) throw new Error(`shapes [${shapes.map((shape) => shape.join(', ')).join('] and [')}] do not broadcast`);
    return size;
  });
}

/** Index into an operand of the given shape for element `at` of the broadcast result. */
export function broadcastIndex(from: readonly number[], to: readonly number[]): IndexOf {
  if (from.length === to.length && from.every((size, axis) => size === to[axis])) return (at) => at;
  const toStrides = stridesOf(to);
  const fromStrides = stridesOf(from);
  return (at) => {
    let index = 0;
    from.forEach((size, axis) => {
      const toAxis = axis + to.length - from.length;
      if (size !== 1) index += (Math.floor(at / toStrides[toAxis]!) % to[toAxis]!) * fromStrides[axis]!;
    });
    return index;
  };
}
