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
    const size = [...shape];
    if (data instanceof BigInt64Array) return toInner(tf, tf.tensor(narrowed(data), size, 'int32'));
    if (data instanceof Uint8Array) return toInner(tf, tf.tensor(data, size, dataType === 'bool' ? 'bool' : 'int32'));
    return toInner(tf, tf.tensor(data, size, 'float32'));
  });
}

/** Reads a value back in graph order, in the element type that the graph declares. */
export function download(tf: Tensorflow, tensor: Tensor, dataType: DataType): Data {
  const ordered = tf.tidy(() => tf.clone(toGraph(tf, tensor)));
  const values = ordered.dataSync<'float32' | 'int32' | 'bool'>();
  const shape = [...ordered.shape];
  ordered.dispose();
  if (dataType === 'float32') return { shape, data: Float32Array.from(values) };
  if (dataType === 'int64') return { shape, data: BigInt64Array.from(values as Int32Array, BigInt) };
  return { shape, data: Uint8Array.from(values) };
}

function narrowed(data: BigInt64Array): Int32Array {
  return Int32Array.from(data, (value) => {
    if (value < -(2n ** 31n) || value >= 2n ** 31n) throw new AppError('UNSUPPORTED', `The position ${value} does not fit into the 32 bits that TensorFlow.js has; use a smaller batch.`);
    return Number(value);
  });
}
