/** dw[m, c, i, j] = sum over n, y, x of x[n, c, s y + d i - top, s x + d j - left] * g[n, m, y, x]: the derivative of conv by its weights, term by term. */
import { floats, sizes4, type Kernel } from './kernel.ts';

export const convWeightGradient: Kernel<'ConvWeightGradient'> = (inputs, { kernel, strides, dilations, pads, group }) => {
  const x = floats(inputs, 0);
  const signal = floats(inputs, 1);
  const [batch, channels, height, width] = sizes4(x.shape);
  const [, outputs, rows, columns] = sizes4(signal.shape);
  const perGroup = channels / group;
  const result = new Float32Array(outputs * perGroup * kernel[0] * kernel[1]);
  const [values, signals] = [x.data, signal.data];
  let at = 0;
  for (let m = 0; m < outputs; m++) {
    const firstChannel = Math.floor(m / (outputs / group)) * perGroup;
    for (let c = firstChannel; c < firstChannel + perGroup; c++) {
      for (let i = 0; i < kernel[0]; i++) {
        for (let j = 0; j < kernel[1]; j++) {
          let sum = 0;
          for (let n = 0; n < batch; n++) {
            for (let row = 0; row < rows; row++) {
              const y = row * strides[0] + i * dilations[0] - pads[0];
              if (y < 0 || y >= height) continue;
              const line = ((n * channels + c) * height + y) * width + j * dilations[1] - pads[1];
              const signalLine = ((n * outputs + m) * rows + row) * columns;
              for (let column = 0; column < columns; column++) {
                const position = column * strides[1] + j * dilations[1] - pads[1];
                if (position >= 0 && position < width) sum += values[line + column * strides[1]]! * signals[signalLine + column]!;
              }
            }
          }
          result[at++] = sum;
        }
      }
    }
  }
  return [{ shape: [outputs, perGroup, ...kernel], data: result }];
};
