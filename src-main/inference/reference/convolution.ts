/**
 * Conv, ConvTranspose and Gemm from their definitions: one float64 sum per output value (scatter for the transposed one), no lowering.
 * ONNX operators Conv 11, ConvTranspose 11, Gemm 13.
 */
import { floats, sizes4, type Float32Data, type Kernel } from './kernel.ts';
import type { Data } from '../engine.ts';

/** y[n, m, y, x] = bias[m] + sum over c, i, j of x[n, c, s y + d i - top, s x + d j - left] * w[m, c, i, j]; outside the input x is 0. */
export const conv: Kernel<'Conv'> = (inputs, { kernel, strides, dilations, pads, group }) => {
  const x = floats(inputs, 0);
  const weights = floats(inputs, 1);
  const bias = optionalFloats(inputs, 2);
  const [batch, channels, height, width] = sizes4(x.shape);
  const outputs = weights.shape[0]!;
  const perGroup = channels / group;
  const rows = Math.floor((height + pads[0] + pads[2] - dilations[0] * (kernel[0] - 1) - 1) / strides[0]) + 1;
  const columns = Math.floor((width + pads[1] + pads[3] - dilations[1] * (kernel[1] - 1) - 1) / strides[1]) + 1;
  const result = new Float32Array(batch * outputs * rows * columns);
  // Destructured once: property reads in the innermost loop would cost most of the time.
  const [kernelRows, kernelColumns] = kernel;
  const [down, across] = dilations;
  const values = x.data;
  const factors = weights.data;
  let at = 0;
  for (let n = 0; n < batch; n++) {
    for (let m = 0; m < outputs; m++) {
      const firstChannel = Math.floor(m / (outputs / group)) * perGroup;
      for (let row = 0; row < rows; row++) {
        const top = row * strides[0] - pads[0];
        for (let column = 0; column < columns; column++) {
          const left = column * strides[1] - pads[1];
          let sum = bias?.data[m] ?? 0;
          for (let c = 0; c < perGroup; c++) {
            const plane = (n * channels + firstChannel + c) * height;
            const filter = (m * perGroup + c) * kernelRows;
            for (let i = 0; i < kernelRows; i++) {
              const y = top + i * down;
              if (y < 0 || y >= height) continue;
              for (let j = 0; j < kernelColumns; j++) {
                const position = left + j * across;
                if (position < 0 || position >= width) continue;
                sum += values[(plane + y) * width + position]! * factors[(filter + i) * kernelColumns + j]!;
              }
            }
          }
          result[at++] = sum;
        }
      }
    }
  }
  return [{ shape: [batch, outputs, rows, columns], data: result }];
};

/** The adjoint of conv: every x[n, c, y, x] adds x * w[c, m, i, j] to the output at (s y + d i - top, s x + d j - left) where that lies inside. */
export const convTranspose: Kernel<'ConvTranspose'> = (inputs, { kernel, strides, dilations, pads, outputPadding, group }) => {
  const x = floats(inputs, 0);
  const weights = floats(inputs, 1);
  const bias = optionalFloats(inputs, 2);
  const [batch, channels, height, width] = sizes4(x.shape);
  const perGroup = weights.shape[1]!;
  const outputs = perGroup * group;
  const rows = strides[0] * (height - 1) + outputPadding[0] + dilations[0] * (kernel[0] - 1) + 1 - pads[0] - pads[2];
  const columns = strides[1] * (width - 1) + outputPadding[1] + dilations[1] * (kernel[1] - 1) + 1 - pads[1] - pads[3];
  const sums = new Float64Array(batch * outputs * rows * columns);
  if (bias) for (let index = 0; index < sums.length; index++) sums[index] = bias.data[Math.floor(index / (rows * columns)) % outputs]!;
  const [kernelRows, kernelColumns] = kernel;
  const [down, across] = dilations;
  const factors = weights.data;
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      const firstOutput = Math.floor(c / (channels / group)) * perGroup;
      for (let m = 0; m < perGroup; m++) {
        const plane = (n * outputs + firstOutput + m) * rows;
        const filter = (c * perGroup + m) * kernelRows;
        for (let y = 0; y < height; y++) {
          for (let column = 0; column < width; column++) {
            const value = x.data[((n * channels + c) * height + y) * width + column]!;
            for (let i = 0; i < kernelRows; i++) {
              const toRow = y * strides[0] + i * down - pads[0];
              if (toRow < 0 || toRow >= rows) continue;
              for (let j = 0; j < kernelColumns; j++) {
                const toColumn = column * strides[1] + j * across - pads[1];
                if (toColumn < 0 || toColumn >= columns) continue;
                sums[(plane + toRow) * columns + toColumn]! += value * factors[(filter + i) * kernelColumns + j]!;
              }
            }
          }
        }
      }
    }
  }
  return [{ shape: [batch, outputs, rows, columns], data: Float32Array.from(sums) }];
};

/** y[n, m] = bias[m] + sum over k of a[n, k] * b[k, m] (or b[m, k]). */
export const gemm: Kernel<'Gemm'> = (inputs, { transposeB }) => {
  const a = floats(inputs, 0);
  const b = floats(inputs, 1);
  const bias = optionalFloats(inputs, 2);
  const [rows, inner] = a.shape as [number, number];
  const columns = b.shape[transposeB ? 0 : 1]!;
  const result = new Float32Array(rows * columns);
  for (let n = 0; n < rows; n++) {
    for (let m = 0; m < columns; m++) {
      let sum = bias?.data[m] ?? 0;
      for (let k = 0; k < inner; k++) sum += a.data[n * inner + k]! * b.data[transposeB ? m * inner + k : k * columns + m]!;
      result[n * columns + m] = sum;
    }
  }
  return [{ shape: [rows, columns], data: result }];
};

function optionalFloats(inputs: readonly (Data | undefined)[], index: number): Float32Data | undefined {
  return inputs[index] ? floats(inputs, index) : undefined;
}
