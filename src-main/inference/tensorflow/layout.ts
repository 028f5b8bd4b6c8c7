/**
 * Layout inside this engine. The graph says `[N, C, H, W]`; the convolutions of tfjs want channels last. So the rule is: every value of rank 4 is held
 * as `[N, H, W, C]`, every other value as the graph says; nothing else is ever in flight. int64 is held as int32, bool as bool.
 */
import type { Tensor } from '@tensorflow/tfjs-core';
import { AppError } from '../../../src-shared/errors.ts';
import type { DataType } from '../../graph/graph.ts';
import type { Data } from '../engine.ts';
import type { Tensorflow } from './backend.ts';

/** Where a graph axis stands inside. */
export function innerAxis(axis: number, rank: number): number {
  return rank === 4 ? [0, 3, 1, 2][axis]! : axis;
}

/** Which graph axis stands at each place inside. */
export function graphAxes(rank: number): readonly number[] {
  return rank === 4 ? [0, 2, 3, 1] : Array.from({ length: rank }, (_, axis) => axis);
}

/** From graph order to the order inside. A tensor in another order than given is a bug that only wrong numbers would show. */
export function toInner(tf: Tensorflow, tensor: Tensor): Tensor {
  return tensor.rank === 4 ? tf.transpose(tensor, [0, 2, 3, 1]) : tensor;
}

/** From the order inside back to graph order. */
export function toGraph(tf: Tensorflow, tensor: Tensor): Tensor {
  return tensor.rank === 4 ? tf.transpose(tensor, [0, 3, 1, 2]) : tensor;
}

/** A value held inside, seen with more leading axes of size 1 so that it broadcasts against values of `rank`. */
export function aligned(tf: Tensorflow, tensor: Tensor, rank: number): Tensor {
  if (tensor.rank === rank) return tensor;
  return toInner(tf, tf.reshape(tensor, [...new Array<number>(rank - tensor.rank).fill(1), ...tensor.shape]));
}

/** Uploads data in graph order. Throws AppError UNSUPPORTED for positions beyond 32 bits. */
export function upload(tf: Tensorflow, { shape, data }: Data, dataType: DataType): Tensor {
  return tf.tidy(() => {
    if (data instanceof Float32Array) return toInner(tf, tf.tensor(data, [...shape], 'float32'));
    // In JavaScript: tfjs's WebGPU transposes nothing but floats.
    const whole = data instanceof BigInt64Array ? narrowed(data) : data;
    return tf.tensor(rearranged(whole, shape, graphAxes(shape.length)), graphAxes(shape.length).map((axis) => shape[axis]!), data instanceof BigInt64Array || dataType !== 'bool' ? 'int32' : 'bool');
  });
}

/** Reads a value back in graph order, in the element type that the graph declares. WebGPU can be read only by waiting for it. */
export async function download(tf: Tensorflow, tensor: Tensor, dataType: DataType): Promise<Data> {
  if (tensor.dtype === 'float32') {
    const ordered = tf.tidy(() => tf.clone(toGraph(tf, tensor)));
    const values = await ordered.data<'float32'>();
    ordered.dispose();
    return { shape: [...ordered.shape], data: Float32Array.from(values) };
  }
  const order = Array.from(tensor.shape, (_, axis) => innerAxis(axis, tensor.rank));
  const values = rearranged(await tensor.data<'int32' | 'bool'>(), tensor.shape, order);
  const shape = order.map((axis) => tensor.shape[axis]!);
  if (dataType === 'int64') return { shape, data: BigInt64Array.from(values, BigInt) };
  return { shape, data: dataType === 'float32' ? Float32Array.from(values) : Uint8Array.from(values) };
}

/** Row-major `data` with its axes in another order: axis i of the result is axis order[i] of `data`. */
function rearranged<T extends Int32Array | Uint8Array>(data: T, shape: readonly number[], order: readonly number[]): T {
  if (order.every((axis, at) => axis === at)) return data;
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const sizes = order.map((axis) => shape[axis]!);
  const steps = order.map((axis) => strides[axis]!);
  const place = sizes.map(() => 0);
  const result = data.slice() as T;
  for (let at = 0, from = 0; at < data.length; at++) {
    result[at] = data[from]!;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++place[axis]! < sizes[axis]!) break;
      from -= sizes[axis]! * steps[axis]!;
      place[axis] = 0;
    }
  }
  return result;
}

function narrowed(data: BigInt64Array): Int32Array {
  return Int32Array.from(data, (value) => {
    if (value < -(2n ** 31n) || value >= 2n ** 31n) throw new AppError('UNSUPPORTED', `The position ${value} does not fit into the 32 bits that TensorFlow.js has; use a smaller batch.`);
    return Number(value);
  });
}
