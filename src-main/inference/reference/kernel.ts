/** What a reference kernel is: a plain function from whole arrays to whole arrays. Shared by the kernel files and their table. */
import { elementCount } from '../../graph/graph.ts';
import type { OpAttributes, OpKind } from '../../graph/ops/attributes.ts';
import type { Data } from '../engine.ts';

/** `inputs` are row-major in the graph's own layout; an absent optional input is undefined. `batch` is the batch size of this run. */
export type Kernel<K extends OpKind> = (inputs: readonly (Data | undefined)[], attributes: OpAttributes[K], batch: number) => readonly Data[];

export interface Float32Data extends Data {
  readonly data: Float32Array;
}

/** The float32 operand at `index`; a missing or other one is a bug of the graph. */
export function floats(inputs: readonly (Data | undefined)[], index: number): Float32Data {
  const data = operand(inputs, index);
  if (!(data.data instanceof Float32Array)) throw new Error(`input ${index + 1} is a ${data.data.constructor.name}, not float32`);
  return data as Float32Data;
}

export function operand(inputs: readonly (Data | undefined)[], index: number): Data {
  const data = inputs[index];
  if (!data) throw new Error(`input ${index + 1} is missing`);
  return data;
}

/** A feature map's sizes, `[N, C, H, W]`. */
export function sizes4(shape: readonly number[]): readonly [number, number, number, number] {
  if (shape.length !== 4) throw new Error(`expected [N, C, H, W], got [${shape.join(', ')}]`);
  return shape as unknown as readonly [number, number, number, number];
}

/** An array of the same element type. */
export function emptyLike(data: Data['data'], length: number): Data['data'] {
  if (data instanceof Float32Array) return new Float32Array(length);
  if (data instanceof BigInt64Array) return new BigInt64Array(length);
  return new Uint8Array(length);
}

/** Rearranges: element `i` of the result is element `sourceOf(i)` of `data`. */
export function gathered(data: Data, shape: readonly number[], sourceOf: (index: number) => number): Data {
  const source = data.data;
  const target = emptyLike(source, elementCount(shape));
  for (let index = 0; index < target.length; index++) target[index] = source[sourceOf(index)]!;
  return { shape, data: target };
}
