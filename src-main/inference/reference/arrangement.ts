/** Ops that move values without changing them (concat, slice, pad, reshape, transpose), and the sum over axes. Any element type. */
import { elementCount, stridesOf, withBatch } from '../../graph/graph.ts';
import { emptyLike, floats, gathered, operand, sizes4, type Kernel } from './kernel.ts';

export const concat: Kernel<'Concat'> = (inputs, { axis }) => {
  const parts = inputs.map((_, index) => operand(inputs, index));
  const first = parts[0]!;
  const shape = first.shape.map((size, at) => (at === axis ? parts.reduce((sum, part) => sum + part.shape[axis]!, 0) : size));
  const data = emptyLike(first.data, elementCount(shape));
  const before = elementCount(shape.slice(0, axis));
  let at = 0;
  for (let outer = 0; outer < before; outer++) {
    for (const part of parts) {
      const block = part.data.length / before;
      for (let index = 0; index < block; index++) data[at++] = part.data[outer * block + index]!;
    }
  }
  return [{ shape, data }];
};

export const slice: Kernel<'Slice'> = (inputs, { axis, start, end }) => {
  const x = operand(inputs, 0);
  const shape = x.shape.map((size, at) => (at === axis ? end - start : size));
  const inner = elementCount(shape.slice(axis + 1));
  const taken = (end - start) * inner;
  const whole = x.shape[axis]! * inner;
  return [gathered(x, shape, (at) => Math.floor(at / taken) * whole + start * inner + (at % taken))];
};

export const pad: Kernel<'Pad'> = (inputs, { pads, value }) => {
  const x = floats(inputs, 0);
  const [batch, channels, height, width] = sizes4(x.shape);
  const rows = height + pads[0] + pads[2];
  const columns = width + pads[1] + pads[3];
  const data = new Float32Array(batch * channels * rows * columns);
  for (let at = 0; at < data.length; at++) {
    const y = (Math.floor(at / columns) % rows) - pads[0];
    const column = (at % columns) - pads[1];
    const inside = y >= 0 && y < height && column >= 0 && column < width;
    data[at] = inside ? x.data[(Math.floor(at / (rows * columns)) * height + y) * width + column]! : value;
  }
  return [{ shape: [batch, channels, rows, columns], data }];
};

export const reshape: Kernel<'Reshape'> = (inputs, { shape }, batch) => [{ shape: withBatch(shape, batch), data: operand(inputs, 0).data }];

export const transpose: Kernel<'Transpose'> = (inputs, { permutation }) => {
  const x = operand(inputs, 0);
  const shape = permutation.map((axis) => x.shape[axis]!);
  const strides = stridesOf(shape);
  const sourceStrides = stridesOf(x.shape);
  return [
    gathered(x, shape, (at) => permutation.reduce((index, axis, place) => index + (Math.floor(at / strides[place]!) % shape[place]!) * sourceStrides[axis]!, 0)),
  ];
};

export const reduceSum: Kernel<'ReduceSum'> = (inputs, { axes }) => {
  const x = floats(inputs, 0);
  const shape = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const strides = stridesOf(x.shape);
  const sumStrides = stridesOf(shape);
  const sums = new Float64Array(elementCount(shape));
  x.data.forEach((value, at) => {
    const target = shape.reduce((index, size, axis) => index + (size === 1 ? 0 : (Math.floor(at / strides[axis]!) % size) * sumStrides[axis]!), 0);
    sums[target]! += value;
  });
  return [{ shape, data: Float32Array.from(sums) }];
};
