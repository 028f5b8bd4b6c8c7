/** Ops value by value, with numpy broadcasting where there are several operands; and the three that normalise: batch normalisation, LRN, softmax. */
import { elementCount, stridesOf } from '../../graph/graph.ts';
import { broadcastIndex, broadcastShape, combined, mapped, type IndexOf } from './broadcasting.ts';
import { emptyLike, floats, operand, sizes4, type Kernel } from './kernel.ts';

export const pow: Kernel<'Pow'> = (inputs, { exponent }) => [mapped(floats(inputs, 0), (value) => value ** exponent)];

export const greater: Kernel<'Greater'> = (inputs, { threshold }) => {
  const x = floats(inputs, 0);
  return [{ shape: x.shape, data: Uint8Array.from(x.data, (value) => (value > threshold ? 1 : 0)) }];
};

export const identity: Kernel<'Identity'> = (inputs) => [operand(inputs, 0)];

export const add: Kernel<'Add'> = (inputs) => [combined(inputs, (a, b) => a + b)];
export const sub: Kernel<'Sub'> = (inputs) => [combined(inputs, (a, b) => a - b)];
export const mul: Kernel<'Mul'> = (inputs) => [combined(inputs, (a, b) => a * b)];

export const where: Kernel<'Where'> = (inputs) => {
  const operands = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)] as const;
  const shape = broadcastShape(operands.map((data) => data.shape));
  const [conditionAt, aAt, bAt] = operands.map((data) => broadcastIndex(data.shape, shape)) as [IndexOf, IndexOf, IndexOf];
  const [condition, a, b] = operands;
  const data = emptyLike(a.data, elementCount(shape));
  for (let at = 0; at < data.length; at++) data[at] = condition.data[conditionAt(at)] ? a.data[aAt(at)]! : b.data[bAt(at)]!;
  return [{ shape, data }];
};

/** y = (x - mean) / sqrt(variance + epsilon) * scale + bias, per channel (axis 1). */
export const batchNormalization: Kernel<'BatchNormalization'> = (inputs, { epsilon }) => {
  const x = floats(inputs, 0);
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((index) => floats(inputs, index).data) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const channels = x.shape[1]!;
  const area = elementCount(x.shape.slice(2));
  return [
    mapped(x, (value, at) => {
      const c = Math.floor(at / area) % channels;
      return ((value - mean[c]!) / Math.sqrt(variance[c]! + epsilon)) * scale[c]! + bias[c]!;
    }),
  ];
};

export const lrn: Kernel<'LRN'> = (inputs, { size, alpha, beta, bias }) => {
  const x = floats(inputs, 0);
  const [, channels, height, width] = sizes4(x.shape);
  const area = height * width;
  const below = Math.floor((size - 1) / 2);
  const above = Math.ceil((size - 1) / 2);
  return [
    mapped(x, (value, at) => {
      const c = Math.floor(at / area) % channels;
      let squares = 0;
      for (let other = Math.max(0, c - below); other <= Math.min(channels - 1, c + above); other++) squares += x.data[at + (other - c) * area]! ** 2;
      return value / (bias + (alpha / size) * squares) ** beta;
    }),
  ];
};

/** exp(x) / sum of exp(x) along the axis, with the maximum taken off first so that nothing overflows. */
export const softmax: Kernel<'Softmax'> = (inputs, { axis }) => {
  const x = floats(inputs, 0);
  const length = x.shape[axis]!;
  const step = stridesOf(x.shape)[axis]!;
  const data = new Float32Array(x.data.length);
  for (let start = 0; start < data.length; start++) {
    if (Math.floor(start / step) % length !== 0) continue;
    const line = Array.from({ length }, (_, index) => x.data[start + index * step]!);
    const largest = Math.max(...line);
    const total = line.reduce((sum, value) => sum + Math.exp(value - largest), 0);
    line.forEach((value, index) => (data[start + index * step] = Math.exp(value - largest) / total));
  }
  return [{ shape: x.shape, data }];
};
