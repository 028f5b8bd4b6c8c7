/**
 * Pooling, its switches and the way back, and the spatial maximum that ranks channels: one loop over windows, straight from method.md section 3
 * ("padding never wins; the first maximum in row-major order wins; overlapping windows that share a winner are summed").
 */
import type { WindowAttributes } from '../../graph/ops/attributes.ts';
import { floats, operand, sizes4, type Kernel } from './kernel.ts';

/** Both outputs are always made; the engine drops switches that nobody named. A window without any input position gives -Infinity and the switch -1. */
export const maxPool: Kernel<'MaxPool'> = (inputs, attributes) => {
  const x = floats(inputs, 0);
  const [, , height, width] = sizes4(x.shape);
  const shape = pooledShape(x.shape, attributes);
  const [, , rows, columns] = sizes4(shape);
  const count = shape.reduce((product, size) => product * size, 1);
  const values = new Float32Array(count);
  const switches = new BigInt64Array(count);
  for (let at = 0; at < count; at++) {
    const plane = Math.floor(at / (rows * columns)) * height * width;
    let best = -Infinity;
    let winner = -1;
    for (const position of windowPositions(at, rows, columns, height, width, attributes)) {
      const value = x.data[plane + position]!;
      if (winner < 0 || value > best) {
        best = value;
        winner = plane + position;
      }
    }
    values[at] = best;
    switches[at] = BigInt(winner);
  }
  return [{ shape, data: values }, { shape, data: switches }];
};

export const unpool: Kernel<'Unpool'> = (inputs, { height, width }) => {
  const signal = floats(inputs, 0);
  const switches = operand(inputs, 1).data;
  const [batch, channels] = sizes4(signal.shape);
  const sums = new Float64Array(batch * channels * height * width);
  signal.data.forEach((value, at) => {
    const target = Number(switches[at]!);
    if (target >= 0) sums[target]! += value;
  });
  return [{ shape: [batch, channels, height, width], data: Float32Array.from(sums) }];
};

export const averagePool: Kernel<'AveragePool'> = (inputs, attributes) => {
  const x = floats(inputs, 0);
  const [, , height, width] = sizes4(x.shape);
  const shape = pooledShape(x.shape, attributes);
  const [, , rows, columns] = sizes4(shape);
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  for (let at = 0; at < data.length; at++) {
    const plane = Math.floor(at / (rows * columns)) * height * width;
    const positions = windowPositions(at, rows, columns, height, width, attributes);
    const sum = positions.reduce((total, position) => total + x.data[plane + position]!, 0);
    data[at] = sum / (attributes.countIncludePad ? attributes.kernel[0] * attributes.kernel[1] : positions.length);
  }
  return [{ shape, data }];
};

export const globalAveragePool: Kernel<'GlobalAveragePool'> = (inputs) => {
  const x = floats(inputs, 0);
  const [batch, channels, height, width] = sizes4(x.shape);
  const area = height * width;
  const data = new Float32Array(batch * channels);
  for (let plane = 0; plane < data.length; plane++) {
    let sum = 0;
    for (let at = plane * area; at < (plane + 1) * area; at++) sum += x.data[at]!;
    data[plane] = sum / area;
  }
  return [{ shape: [batch, channels, 1, 1], data }];
};

/** A NaN anywhere in a channel is its score, so that it can be reported (method.md section 2); the position is then that of the first NaN. */
export const spatialMax: Kernel<'SpatialMax'> = (inputs) => {
  const x = floats(inputs, 0);
  const [batch, channels] = x.shape as [number, number];
  const area = (x.shape[2] ?? 1) * (x.shape[3] ?? 1);
  const scores = new Float32Array(batch * channels);
  const positions = new BigInt64Array(batch * channels);
  for (let plane = 0; plane < scores.length; plane++) {
    let first = 0;
    for (let at = 0; at < area && !Number.isNaN(x.data[plane * area + first]); at++) {
      const value = x.data[plane * area + at]!;
      if (value > x.data[plane * area + first]! || Number.isNaN(value)) first = at;
    }
    scores[plane] = x.data[plane * area + first]!;
    positions[plane] = BigInt(first);
  }
  return [{ shape: [batch, channels], data: scores }, { shape: [batch, channels], data: positions }];
};

function pooledShape(shape: readonly number[], { kernel, strides, dilations, pads }: WindowAttributes): number[] {
  const [batch, channels, height, width] = sizes4(shape);
  return [
    batch,
    channels,
    Math.floor((height + pads[0] + pads[2] - dilations[0] * (kernel[0] - 1) - 1) / strides[0]) + 1,
    Math.floor((width + pads[1] + pads[3] - dilations[1] * (kernel[1] - 1) - 1) / strides[1]) + 1,
  ];
}

/** Positions (row * width + column) inside the input that the window of output element `at` covers, in row-major order. */
function windowPositions(at: number, rows: number, columns: number, height: number, width: number, { kernel, strides, dilations, pads }: WindowAttributes): number[] {
  const top = (Math.floor(at / columns) % rows) * strides[0] - pads[0];
  const left = (at % columns) * strides[1] - pads[1];
  const positions: number[] = [];
  for (let i = 0; i < kernel[0]; i++) {
    const y = top + i * dilations[0];
    if (y < 0 || y >= height) continue;
    for (let j = 0; j < kernel[1]; j++) {
      const x = left + j * dilations[1];
      if (x >= 0 && x < width) positions.push(y * width + x);
    }
  }
  return positions;
}
